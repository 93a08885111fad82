"""What a3c must learn. Not part of CI: about a quarter of an hour of CPU time.

    cmake --build build/release --target learning_a3c
    TENFOLD_BIN_DIR=build/release/bin PYTHONPATH=analysis:tests/support \
        .venv/bin/python3 tests/learning/a3c.py a3c_catch [--record]

Settings were found on seeds 101 and 102, which are not among those reported. Acceptance figures (E1 to E10) are of the
paper's notes, which took them from a prototype. E4 and E5 are in a3c_studies.py, E6 in tests/bench.
"""
import sys

from return_claim import Case, Claim, main

METHODS = ("a3c", "nstep-q", "q", "sarsa")
TUNED = "Settings were found on seeds 101 and 102"
CATCH_TUNED = "Settings were found on seeds 101 and above"
TRIED = ("a3c on Catch, 2 ranks, t-max 20, means over 12 seeds from 101, and runs at 0.8 or more: 128 units 0.94, 22 of 24; 256 "
         "units 0.85, 8. With 128 units: RMSProp's alpha 0.999 0.95, 20 of 22; entropy 0.1 0.88, 9; rate 3e-3 0.84, 10; 4 "
         "environments an actor 0.92, 10; 2 0.78, 6. With 64 units: clip 0 0.84, 9; clip 5 0.63, 1 of 8; rate 5e-3 and clip 0 "
         "0.80, 5; gamma 0.95 and clip 100 0.85, 8; before, nothing changed 0.90 (6 seeds). Nothing holds in 11 of 12 dependably",
         "Those runs shared their cores with many others: their ranks often ran by turns (staleness 0.6, here 0.9), nearer to "
         "one rank than this record's. On nearly free cores, seeds 101 to 112: alpha 0.999 and entropy 0.1, this record's, 0.92, "
         "11 of 12; with rate 5e-3 0.92, 10; seeds 101 to 108 with entropy 0.05 0.90, 7 of 8; t-max 10 0.66, 4; 256 units and "
         "rate 7e-3 0.90, 6")
DRAWN = "a3c's actions are drawn from its policy in evaluations, those of Q are random with probability 0.05"
PLANES = "--preset breakout10 --total-steps 1000000 --eval-every 250000 --eval-episodes 160"
MAZES = ("--preset labyrinth --settings cells=5,picture=32 --net 128 --lr 2e-3 --total-steps 2000000 "
         "--eval-every 500000 --eval-episodes 64")

CLAIMS = [
    Claim("a3c_catch", "E1: four methods on Catch", "E1: each method's mean at least 0.8 (1: every ball is caught)",
          (Case("a3c", "--preset catch --t-max 20 --net 128 --rms-alpha 0.999 --entropy 0.1 --eval-episodes 320", least=0.8),
           *(Case(method, f"--preset catch --method {method} --eval-episodes 320", least=0.8) for method in METHODS[1:])),
          notes=(DRAWN, CATCH_TUNED, *TRIED)),
    Claim("a3c_cartpole", "E2: CartPole", "E2: a3c's mean at least 450 of 500; of the others nothing is asked",
          (Case("a3c", "--preset cartpole --eval-episodes 160", least=450),
           *(Case(method, f"--preset cartpole --method {method} --eval-episodes 160") for method in METHODS[1:])),
          notes=(DRAWN, TUNED)),
    Claim("a3c_memory", "E7: remembering a cue", "E7: with an LSTM at least 0.8, without at most 0.3",
          (Case("LSTM", "--preset memory --eval-episodes 160", least=0.8),
           Case("feed-forward", "--preset memory --lstm 0 --eval-episodes 160", most=0.3)),
          notes=("Whether it holds on 2 ranks, where timing decides too: 24 of 24 runs (seeds 101 to 112, twice, on a busy machine) "
                 "ended at 0.96 or more; 11 of the first 12 were at 1 after 100,000 decisions",
                 "Before, with a forget bias of 0 and rollouts of 20: 10 of 12 on the same seeds, and 5 of 12 in an earlier trial with "
                 "seeds 1 to 3. What failed had never found that the cue matters: half of a cell is lost at each step, and the "
                 "cue of an episode of 20 random actions is often in another rollout. Rollouts of 200 alone: 56 of 60, one of "
                 "1.5 million decisions lost what it had learned; 64 cells, 1 million decisions: 42 of 44; clip 5: 8 of 12, 2: "
                 "3 of 12; rate 5e-3: 7 of 12, 2e-2: 10 of 12")),
    Claim("a3c_breakout", "E3: Breakout on 10 x 10 planes", "E3: at least 5.0, there after 3 million decisions",
          (Case("a3c", PLANES, least=5.0),), notes=(DRAWN, TUNED)),
    Claim("a3c_breakout_others", "E10: synchronous at equal decisions, and n-step Q, on Breakout", "nothing: E10 wants both "
          "curves and no claim", (Case("a3c sync", PLANES + " --update sync"), Case("nstep-q", PLANES + " --method nstep-q")),
          notes=(DRAWN,)),
    Claim("a3c_pendulum", "E8: pendulum, continuous actions", "E8: at least -400",
          (Case("a3c", "--preset continuous --total-steps 1000000 --eval-every 200000 --eval-episodes 64", least=-400),),
          notes=("On seeds 101 to 103, 2 ranks: -163, with whole episodes and the rate 3e-3 -191; with the paper's entropy of "
                 "1e-4 it is a matter of luck (seeds 1 to 3: -856)",)),
    Claim("a3c_labyrinth", "E9: Labyrinth, held-out mazes", "E9: at least twice what random actions get",
          (Case("a3c LSTM", MAZES + " --lstm 128", times_random=2),
           Case("a3c feed-forward", MAZES + " --lstm 0", times_random=2)),
          notes=("Every episode has a maze of its own, and evaluations have others than training",
                 "On seed 101, feed-forward: 20.2 after 1 million decisions, where rates of 1e-3 and less, rms-eps 0.01 or a "
                 "reward scale of 0.1 had not begun to learn (2 to 6.4)")),
]

if __name__ == "__main__":
    sys.exit(main("a3c", CLAIMS, __doc__.splitlines()[0]))
