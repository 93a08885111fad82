"""What ddpg must learn. Not part of CI: about twenty CPU minutes.

    cmake --build build/release --target learning
    TENFOLD_BIN_DIR=build/release/bin PYTHONPATH=analysis:tests/support \
        .venv/bin/python3 tests/learning/ddpg.py ddpg_pendulum [--record]

Scores are measured with data/planner_scores.h5; the acceptance figures of the paper's notes (D1 to D3) were set with
those of a prototype's planner (721 for the pendulum, 756 for the cart-pole, 990 for the arms, per 1000 decisions).
"""
import sys

from learning_claim import Claim, main

EVALUATION = "--eval-every 4000 --eval-episodes 16"

WEAK = ("Weak means a batch of 64 per rank. Ours counts per virtual shard, so that results do not depend on "
        "the ranks: 16 in each of 8 shards are 64 on each of 2 ranks, 128 together")
MISSED = ("Before commit d39e9b7 D8 was missed with 0.61 on the same runs: the evaluator gave Q other rows than "
          "those whose returns it was held against")

PER_STEP = ("The agent decides every 3 control steps, as in the paper, the planner every 2. A decision's reward is the "
            "mean over its control steps, so both returns are per 1000 control steps; random is the run's own")
TRIALS = ("Settings were found by short trials on seed 101 on this machine, which is not among those reported")
PIXELS = "--preset modern-pixels --reduce fast --threads 1"
OFTEN = "--eval-every 2000 --eval-episodes 8"
SELDOM = "--eval-every 5000 --eval-episodes 16"  # of more episodes: starts and targets differ
ONE_STEP = "--n-step 1 --augment-shift 0"  # as the preset was at commit 873db01
PENDULUM_SHIFTED = ("The preset's n-step 3 and shifts of 1 pixel with lr-actor 3e-4 did not leave a constant torque in "
                    "8000 decisions (seed 101: all actions saturated from 3000 on)")
SINGLE_BEFORE = "Before, with one-step targets under running averages and no shifts: 0.952 (0.958 1.010 0.889; 161d77c)"
RANDOM_BEFORE = ("Before: 15 000 decisions of the preset as it then was (one-step targets under running averages, no "
                 "shifts) with gamma 0.98 got 0.416 (0.519 0.640 0.088; commit 873db01). Seed 101, 20 000 decisions, "
                 "last six evaluations, return of an episode (random 20, planner 128): 40 68 51 38 73 115 with targets "
                 "under the batch's statistics, n-step 3 and gamma 0.95; shifts of 1 pixel added: 62 108 92 102 95 102")

CLAIMS = [
    Claim("ddpg_pendulum", "D1, D8: pendulum, and Q's estimate against the return",
          "D1 (weak batch on 2 ranks) and D8 (Q's slope; Huber fit over all seeds' last evaluations)",
          f"--task pendulum --preset modern --batch-mode weak --batch 16 --total-steps 20000 {EVALUATION}",
          mean=0.9, slope=(0.7, 1.3), notes=(WEAK, MISSED)),
    Claim("ddpg_pendulum_long", "Pendulum three times as long",
          "D1's and D8's figures held against 60 000 decisions; not in the paper's file",
          f"--task pendulum --preset modern --batch-mode weak --batch 16 --total-steps 60000 {EVALUATION}",
          mean=0.9, slope=(0.7, 1.3)),
    Claim("ddpg_pendulum_strong", "Pendulum with the preset as it is",
          "D1's, at the preset's batch of 64 over all ranks",
          f"--task pendulum --preset modern --total-steps 20000 {EVALUATION}", mean=0.9),
    Claim("ddpg_cartpole", "D2: cart-pole swing-up", "D2",
          f"--task cartpole_swingup --preset modern --total-steps 60000 {EVALUATION}",
          mean=0.85, worst=0.6),
    Claim("ddpg_reacher_fixed", "D3: two-joint arm, one target", "D3",
          "--task fixedReacherDouble --preset modern-short --actor-net 64x64 --critic-net 64x64 "
          f"--total-steps 20000 {EVALUATION}", worst=0.9,
          notes=("64-64 nets, as in the prototype that D3 rests on",)),
    Claim("ddpg_reacher_random", "D3: two-joint arm, random targets", "D3",
          f"--task reacherDouble --preset modern-short --total-steps 60000 {EVALUATION}", mean=0.75),
    Claim("ddpg_quickstart", "Quickstart", "nothing; what jobs/quickstart trains and reports",
          "--config apps/ddpg/configs/quickstart.cfg", seeds=(1,)),
    Claim("ddpg_pixels_reacher", "D6: one-joint arm from pixels", "D6: at least 0.6 of the score from states, which is "
          "0.954 in the paper (fixedReacherSingle, low-dimensional): mean 0.57",
          f"{PIXELS} {OFTEN} --task fixedReacherSingle --total-steps 6000", planner=978, mean=0.57, ranks=1, pictures=3,
          notes=(PER_STEP, SINGLE_BEFORE)),
    Claim("ddpg_pixels_reacher_double", "D6: two-joint arm, one target, from pixels",
          "D6: at least 0.6 of the paper's 0.924 from states: mean 0.55",
          f"{PIXELS} {OFTEN} --target-bn running {ONE_STEP} --task fixedReacherDouble --total-steps 6000", planner=968,
          mean=0.55, ranks=1, pictures=3,
          notes=(PER_STEP, "The settings of the one-joint arm, without a trial of its own")),
    Claim("ddpg_pixels_reacher_double_long", "D6: two-joint arm, one target, from pixels, longer",
          "D6: at least 0.6 of the paper's 0.924 from states: mean 0.55",
          f"{PIXELS} {OFTEN} {ONE_STEP} --task fixedReacherDouble --total-steps 15000", planner=968, mean=0.55, ranks=1,
          pictures=3, notes=(PER_STEP, "Targets under the batch's statistics, as Table 1 suggests; one trial on seed "
                                       "101, 6000 decisions: 0.30, rising")),
    Claim("ddpg_pixels_reacher_double_shifted", "D6: two-joint arm, one target, from shifted pixels",
          "D6: at least 0.6 of the paper's 0.924 from states: mean 0.55",
          f"{PIXELS} {SELDOM} --task fixedReacherDouble --gamma 0.95 --total-steps 25000", planner=968, mean=0.55,
          ranks=1, pictures=3, notes=(PER_STEP, "The settings of random targets, without a trial of its own")),
    Claim("ddpg_pixels_reacher_random", "D6: one-joint arm with random starts and targets, from pixels",
          "D6: at least 0.6 of the paper's 0.981 from states (reacherSingle): mean 0.59",
          f"{PIXELS} {SELDOM} --task reacherSingle --gamma 0.95 --total-steps 25000",
          planner=962, mean=0.59, ranks=1, pictures=3, notes=(PER_STEP, TRIALS, RANDOM_BEFORE)),
    Claim("ddpg_pixels_pendulum", "D6: pendulum from pixels",
          "D6: at least 0.6 of the paper's 0.946 from states: mean 0.57",
          f"{PIXELS} {OFTEN} --target-bn running {ONE_STEP} --task pendulum --lr-actor 1e-3 --total-steps 20000",
          planner=721, mean=0.57, ranks=1, pictures=3, notes=(PER_STEP, TRIALS, PENDULUM_SHIFTED)),
]

if __name__ == "__main__":
    sys.exit(main("ddpg", CLAIMS, __doc__.splitlines()[0]))
