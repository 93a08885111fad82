"""Gymnasium's tasks inside ddpg (--task gym:ID): the same numbers as a plain Python loop, the same bits on any
number of ranks and after a resume, one message for each thing that can be wrong with a task."""

import pathlib

import gymnasium
import numpy as np
import pytest

import launch
from launch import refused

CASES = str(pathlib.Path(__file__).parent / "gym_tasks")
SHORT = ["--total-steps", "400", "--start-steps", "160", "--eval-every", "0", "--eval-episodes", "3",
         "--actor-net", "16x16", "--critic-net", "16x16", "--replay", "4000", "--batch", "16",
         "--reduce", "ordered", "--watchdog", "60"]
SOON = ["--horizon", "60"]  # shorter evaluations


def train(run_dir, task, ranks, *extra, env=None):
    args = launch.merged(SHORT, ["--task", f"gym:{task}", "--run-dir", run_dir, *extra])
    return launch.run("ddpg", args, ranks, env={"PYTHONPATH": CASES, **(env or {})})


def trained(run_dir, task, ranks, *extra):
    result = train(run_dir, task, ranks, *extra)
    assert result.code == 0, result.out + result.err
    return launch.final_state(run_dir)


def first_bits(seed, index, step, purpose=2):
    """The first 32 bits of base::Stream(seed, kEnvReset, index, step): Philox4x32-10 (Salmon et al., 2011)."""
    counter, key = [0, step & 0xFFFFFFFF, step >> 32, index], [seed, purpose]
    for _ in range(10):
        low, high = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [high >> 32 ^ counter[1] ^ key[0], high & 0xFFFFFFFF, low >> 32 ^ counter[3] ^ key[1], low & 0xFFFFFFFF]
        key = [key[0] + 0x9E3779B9 & 0xFFFFFFFF, key[1] + 0xBB67AE85 & 0xFFFFFFFF]
    return counter[0]


@pytest.mark.parametrize("task", ["Pendulum-v1", "InvertedPendulum-v5", "Hopper-v5"])
def test_numbers_are_those_of_a_plain_loop(tmp_path, task):
    """Every transition of every shard's memory is what a plain Python loop gives for the same seeds and actions."""
    state = trained(tmp_path / "run", task, 2, "--total-steps", "400", "--seed", "5", *SOON)
    ends = {True: 0, False: 0}
    for shard in range(8):
        env, running, episode, steps = gymnasium.make(task), False, 0, 0
        low, high = env.action_space.low, env.action_space.high
        for i in range(50):
            if not running:
                observation, _ = env.reset(seed=first_bits(5, shard, episode) >> 1)
                running, episode, steps = True, episode + 1, 0
            action = low + (state["replay/action"][shard, i].astype(np.float64) + 1) / 2 * (high - low)
            following, reward, terminated, _, _ = env.step(action.astype(np.float32))
            ending = 1 if terminated else 2 if steps + 1 == 60 else 0
            for name, value in {"observation": observation, "reward": reward, "next_observation": following,
                                "terminal": ending}.items():
                stored = state[f"replay/{name}"][shard, i]
                np.testing.assert_array_equal(stored, np.asarray(value).astype(stored.dtype), err_msg=name)
            observation, steps = following, steps + 1
            running = not terminated and steps < 60
            ends[terminated] += 1
    assert (ends[True] > 0) == (task != "Pendulum-v1")


@pytest.mark.parametrize("task", ["Pendulum-v1", "InvertedPendulum-v5"])
def test_same_bits_on_one_and_two_ranks(tmp_path, task):
    one, two = (trained(tmp_path / f"n{n}", task, n, *SOON) for n in (1, 2))
    assert one["optimizer/actor/step"] == 240
    assert launch.differences(one, two) == []


@pytest.mark.parametrize("task", ["Pendulum-v1", "InvertedPendulum-v5", "Ant-v5"])
def test_stop_and_resume_is_the_unbroken_run(tmp_path, task):
    whole = trained(tmp_path / "whole", task, 2, *SOON)
    stopped = train(tmp_path / "broken", task, 2, *SOON, "--stop-after", "232")
    assert stopped.code == 75, stopped.out + stopped.err
    middle = launch.final_state(tmp_path / "broken")["env/state"][:, 0, 1]
    assert middle.max() > 1, "no episode was under way"
    again = train(tmp_path / "broken", task, 1, *SOON)
    assert again.code == 0, again.out + again.err
    assert "could not be brought back" not in again.out + again.err
    assert launch.differences(whole, launch.final_state(tmp_path / "broken")) == []


def test_ends_and_scaling_of_a_task_whose_numbers_are_known(tmp_path):
    state = trained(tmp_path / "ends", "tenfold_gym_cases:CountEnds-v0", 2, "--total-steps", "240")
    terminal, action = state["replay/terminal"][:, :30], state["replay/action"][:, :30, 0]
    steps = np.tile(np.arange(30) % 7, (8, 1))
    np.testing.assert_array_equal(terminal, steps == 6)
    np.testing.assert_array_equal(state["replay/observation"][:, :30, 0], steps)
    np.testing.assert_array_equal(state["replay/next_observation"][:, :30, 0], steps + 1)
    # [-1, 1] to [-1, 3]: 1 + 2 a.
    np.testing.assert_allclose(state["replay/reward"][:, :30], 1 + 2 * action + steps + 1, rtol=1e-6)
    phase = state["replay/observation"][:, :30, 1]
    assert len(set(phase.ravel())) > 30, "episodes start from seeds of their own"


def test_no_planner_plays_it(tmp_path):
    result = train(tmp_path / "run", "Pendulum-v1", 2, "--planner", "cem")
    assert result.code == 2
    assert len(result.fatal) == 1 and "cannot give" in result.fatal[0]


def test_time_limit_truncates(tmp_path):
    state = trained(tmp_path / "run", "tenfold_gym_cases:Count-v0", 2, "--total-steps", "240")
    limit = np.tile(np.where(np.arange(30) % 20 == 19, 2, 0), (8, 1))
    np.testing.assert_array_equal(state["replay/terminal"][:, :30], limit)
    np.testing.assert_array_equal(state["replay/observation"][:, :30, 0], np.tile(np.arange(30) % 20, (8, 1)))
    state = trained(tmp_path / "short", "tenfold_gym_cases:Count-v0", 2, "--total-steps", "240",
                    "--horizon", "6", "--repeat", "2")
    np.testing.assert_array_equal(state["replay/observation"][:, :30, 0], np.tile(2 * (np.arange(30) % 6), (8, 1)))
    np.testing.assert_allclose(state["replay/reward"][:, :30],
                               1 + 2 * state["replay/action"][:, :30, 0] + 1.5 + 2 * (np.arange(30) % 6), rtol=1e-6)


@pytest.mark.parametrize("target", ["batch", "running"])
def test_updates_that_are_left_out_leave_the_running_averages_too(tmp_path, target):
    """A rare observation whose square no float holds: it makes a variance infinite, and without care the averages of
    batch normalisation stay NaN, with which no later update is finite."""
    extra = ["--batch-norm", "paper", "--target-bn", target, "--action-layer", "2", "--total-steps", "800",
             "--metrics-every", "80"]
    assert train(tmp_path / "stop", "tenfold_gym_cases:Huge-v0", 2, *extra).code == 5
    state = trained(tmp_path / "skip", "tenfold_gym_cases:Huge-v0", 2, "--nonfinite", "skip", *extra)
    assert state["optimizer/critic/step"] == 640
    assert state["replay/observation"].max() > 1e38
    for name in (n for n in state if n.startswith("model/")):
        assert np.isfinite(state[name]).all(), name


def test_a_bad_observation_truncates_and_is_counted(tmp_path):
    state = trained(tmp_path / "run", "tenfold_gym_cases:NotANumber-v0", 2, "--total-steps", "80")
    cut = np.tile(np.where(np.arange(10) % 5 == 4, 2, 0), (8, 1))
    np.testing.assert_array_equal(state["replay/terminal"][:, :10], cut)
    assert np.isfinite(state["replay/next_observation"]).all()
    np.testing.assert_array_equal(state["replay/observation"][:, :10, 0], np.tile(np.arange(10) % 5, (8, 1)))
    np.testing.assert_array_equal(state["replay/reward"][:, 4], np.zeros(8))


@pytest.mark.parametrize("name", ["Fire", "FireSomewhere"])
def test_a_task_that_raises_ends_all_ranks_with_one_message(tmp_path, name):
    result = train(tmp_path / "run", f"tenfold_gym_cases:{name}-v0", 2, "--total-steps", "4000")
    refused(result, 3, "rank", f"{name}-v0", "ValueError: the motor is on fire", "after 36 decisions")
    assert "tenfold_gym_cases.py" in result.err and "raise ValueError" in result.err
    assert "gym_bridge" not in result.err, "our own frames help nobody"


def test_a_task_that_only_its_seed_does_not_determine_is_said_not_to_resume_exactly(tmp_path):
    task = "tenfold_gym_cases:Drift-v0"
    assert train(tmp_path / "run", task, 2, "--stop-after", "232").code == 75
    again = train(tmp_path / "run", task, 2)
    assert again.code == 0, again.out + again.err
    assert "8 of 8 episodes could not be brought back and began anew" in again.err


BAD = [
    ("CartPole-v1", 2, ["CartPole-v1", "Discrete", "needs a continuous action space"]),
    ("HalfCheeta-v5", 2, ["HalfCheeta-v5", "gym:HalfCheetah-v5"]),
    ("HalfCheetah-v99", 2, ["HalfCheetah-v99", "gym:HalfCheetah-v5"]),
    ("no_such_module_at_all:Thing-v0", 2, ["no_such_module_at_all", "PYTHONPATH"]),
    ("tenfold_gym_cases:Cuont-v0", 2, ["Cuont-v0", "gym:tenfold_gym_cases:Count-v0"]),
    ("tenfold_gym_cases:DictObservation-v0", 2, ["Dict", "gymnasium.wrappers.FlattenObservation"]),
    ("tenfold_gym_cases:Unbounded-v0", 2, ["no bounds"]),
    ("tenfold_gym_cases:WholeNumbers-v0", 2, ["int64", "needs a continuous action space"]),
    ("tenfold_gym_cases:WrongSize-v0", 3, ["observation"]),
    ("tenfold_gym_cases:Endless-v0", 2, ["no time limit", "--horizon"]),
]


@pytest.mark.parametrize("task,code,words", BAD, ids=[each[0].split(":")[-1] for each in BAD])
def test_refusals(tmp_path, task, code, words):
    refused(train(tmp_path / "run", task, 2), code, *words)


@pytest.mark.parametrize("option", [["--terminate-on-fall", "false"], ["--mjcf-dir", "data/mjcf"]])
def test_options_that_such_tasks_do_not_have(tmp_path, option):
    refused(train(tmp_path / "run", "Pendulum-v1", 2, *option), 2, option[0])


def test_another_python_is_named_when_it_lacks_gymnasium(tmp_path):
    result = train(tmp_path / "run", "Pendulum-v1", 2, env={"TENFOLD_PYTHON": "/usr/bin/python3", "PYTHONPATH": ""})
    refused(result, 2, "gymnasium", "/usr/bin/python3", "pip install")
    refused(train(tmp_path / "b", "Pendulum-v1", 2, env={"TENFOLD_PYTHON": "/no/python3"}), 2, "/no/python3")
