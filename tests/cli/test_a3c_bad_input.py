"""Bad input to a3c under two ranks: one clear message, the right exit code, no hang, nothing lost."""

import shutil
import subprocess

import numpy as np
import pytest

import launch
from launch import refused
from tenfold_analysis import tenfold_h5

ARGS = ["--total-steps", "400", "--block", "200", "--eval-every", "0", "--eval-episodes", "2", "--net", "8",
        "--threads", "1"]

OPTIONS = [
    (["--task", "classic_cartpol"], 2, ["classic_cartpol", "classic_cartpole"]),
    (["--task", "catch", "--settings", "rowz=5"], 2, ["rowz", "rows"]),
    (["--task", "catch", "--settings", "rows=many"], 2, ["setting rows", "many"]),
    (["--task", "classic_cartpole", "--settings", "rows=5"], 2, ["classic_cartpole", "no settings"]),
    (["--method", "dqn"], 2, ["dqn", "nstep-q"]),
    (["--update", "hogwyld"], 2, ["hogwyld", "hogwild"]),
    (["--preset", "atari"], 2, ["atari", "atari-ff"]),
    (["--task", "classic_pendulum", "--method", "q"], 2, ["--method q", "classic_pendulum"]),
    (["--task", "classic_cartpole", "--conv", "dqn13"], 2, ["--conv dqn13", "classic_cartpole"]),
    (["--task", "labyrinth"], 2, ["labyrinth", "--conv dqn13"]),
    (["--task", "catch", "--settings", "rows=6,columns=6", "--conv", "dqn15"], 2, ["conv"]),
    (["--t-max", "0"], 2, ["t-max", "0"]),
    (["--gamma", "1.5"], 2, ["gamma", "1.5"]),
    (["--gamma", "nan"], 2, ["gamma", "nan"]),
    (["--rms-alpha", "1"], 2, ["rms-alpha", "1"]),
    (["--rms-eps", "0"], 2, ["rms-eps", "0"]),
    (["--entropy", "-0.1"], 2, ["entropy", "-0.1"]),
    (["--lr", "0"], 2, ["lr", "0"]),
    (["--method", "q", "--epsilon-final", "0.1:0.5,2"], 2, ["epsilon-final", "'2'"]),
    (["--method", "q", "--entropy", "0.1"], 2, ["--entropy", "--method a3c"]),
    (["--update", "sync", "--order", "turns"], 2, ["--update sync", "turns"]),
    (["--update", "sync", "--optimizer", "momentum"], 2, ["--optimizer momentum", "--update sync"]),
    (["--order", "turns", "--fake-nodes", "2"], 2, ["--order turns", "one node"]),
    (["--zero", "1"], 2, ["--zero 1"]),
    (["--virtual-shards", "7"], 2, ["7", "2 ranks"]),
    (["--update", "hogwild", "--device", "cuda"], 2, ["--device"]),
    (["--task", "gym:NoSuchTask-v0"], 2, ["NoSuchTask-v0"]),
]


@pytest.mark.parametrize("args,code,words", OPTIONS, ids=[" ".join(o[0]) for o in OPTIONS])
def test_options(tmp_path, args, code, words):
    refused(launch.run("a3c", launch.merged(ARGS, [*args, "--run-dir", tmp_path / "run"])), code, *words)


def two_starts(tmp_path, first, second, env=""):
    """Two ranks that are not started alike; env: a variable of the second one."""
    app, run_dir = str(launch.BIN / "a3c"), str(tmp_path / "run")
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "1", app, *ARGS, "--run-dir", run_dir, *first,
               ":", "-n", "1", *(["env", env] if env else []), app, *ARGS, "--run-dir", run_dir, *second]
    done = subprocess.run(command, env=launch.environment(), capture_output=True, text=True, timeout=60, cwd=launch.SOURCE)
    return launch.Result(done.returncode, done.stdout, done.stderr)


def test_ranks_with_unequal_options_are_named(tmp_path):
    refused(two_starts(tmp_path, ["--lr", "0.1"], ["--lr", "0.2"]), 2, "rank 1", "--lr 0.2", "--lr 0.1")
    refused(two_starts(tmp_path, [], [], env="TENFOLD_METHOD__GAMMA=0.5"), 2, "rank 1", "TENFOLD_METHOD__GAMMA=0.5")
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("finished") / "run"
    result = launch.run("a3c", [*ARGS, "--run-dir", run_dir])
    assert result.code == 0, result.out + result.err
    return run_dir


@pytest.mark.parametrize("change,words", [
    (["--task", "catch"], ["task", "classic_cartpole", "catch"]),
    (["--net", "16"], ["net", "8", "16"]),
    (["--lstm", "4"], ["lstm", "0", "4"]),
    (["--method", "q"], ["method", "a3c", "q"]),
    (["--optimizer", "momentum"], ["optimizer", "shared-rmsprop", "momentum"]),
    (["--envs-per-actor", "2"], ["envs_per_actor", "1", "2"]),
    (["--virtual-shards", "16"], ["shards", "8", "16"]),
])
def test_checkpoint_of_another_experiment(finished, change, words):
    before = [launch.commit(c) for c in launch.checkpoints(finished)]
    refused(launch.run("a3c", launch.merged(ARGS, ["--total-steps", "800", *change, "--run-dir", finished])), 6, *words)
    assert [launch.commit(c) for c in launch.checkpoints(finished)] == before


def test_checkpoint_of_other_settings(tmp_path):
    catch = launch.merged(ARGS, ["--task", "catch", "--run-dir", tmp_path / "run"])
    assert launch.run("a3c", [*catch, "--settings", "flicker=0.5"], 1).code == 0
    more = launch.merged(catch, ["--total-steps", "800"])
    refused(launch.run("a3c", [*more, "--settings", "flicker=0.2"], 1), 6, "settings", "flicker=0.5", "flicker=0.2")
    refused(launch.run("a3c", more, 1), 6, "settings", "flicker=0.5")


def test_damaged_only_checkpoint_never_starts_over(finished, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(finished, run_dir)
    file = launch.checkpoints(run_dir)[-1] / "state.h5"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    for each in launch.checkpoints(run_dir)[:-1]:
        shutil.rmtree(each)
    refused(launch.run("a3c", launch.merged(ARGS, ["--total-steps", "800", "--run-dir", run_dir])), 6, "state.h5")
    assert file.exists()


def test_a_gym_tasks_rewards_that_are_no_numbers_cut_its_episodes_and_are_counted(tmp_path):
    (tmp_path / "nan_task.py").write_text(NAN_TASK)
    result = launch.run("a3c", [*ARGS, "--task", "gym:nan_task:Nan-v0", "--metrics-every", "100", "--run-dir",
                                tmp_path / "run"], 1, {"PYTHONPATH": str(tmp_path)})
    if "Gymnasium" in result.err and result.code == 2:
        pytest.skip("built without Gymnasium's tasks")
    assert result.code == 0, result.out + result.err
    run = tenfold_h5.read_run(tmp_path / "run")
    assert run.get("train/unstable_episodes").value.sum() > 40  # every one of 400 decisions' in its seventh
    assert np.isfinite(run.get("train/squared_error").value).all()


NAN_TASK = '''
import gymnasium
import numpy as np


class Nan(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(2, np.float32), float("nan") if self.steps == 7 else 1.0, False, False, {}


gymnasium.register("Nan-v0", Nan, max_episode_steps=20)
'''


def test_run_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(launch.run("a3c", [*ARGS, "--run-dir", tmp_path / "file" / "run"]), 4, "file")
