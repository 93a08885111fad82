"""Our tasks from Python: Gymnasium's own checker on each, and the same bits as the C++ program gets."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import launch
import tenfold_gym

TASKS = [facts["name"] for facts in tenfold_gym.list_tasks()]


def make(task, **keywords):
    return gymnasium.make(f"tenfold/{task}-v0", **keywords).unwrapped


def play(env, seed, decisions):
    """Observations and rewards under actions that only seed decides, in one row a decision."""
    actions = np.random.default_rng(seed).uniform(-1, 1, (decisions, *env.action_space.shape)).astype(np.float32)
    rows = [[*env.reset(seed=seed)[0], 0.0]]
    for action in actions:
        observation, reward, terminated, truncated, _ = env.step(action)
        rows.append([*observation, reward])
        if terminated or truncated:
            rows.append([*env.reset()[0], 0.0])
    return np.array(rows)


# Our observations have no bounds; render() is not offered.
@pytest.mark.filterwarnings("ignore:.*A Box observation space (min|max)imum value")
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("task", TASKS)
def test_gymnasium_accepts_every_task(task):
    env = make(task)
    assert env.facts["name"] == task and len(env.observation_space.shape) == 1
    check_env(env)


@pytest.mark.parametrize("task", TASKS)
def test_a_seed_determines_everything(task):
    first = play(make(task, horizon=15), 3, 40)
    np.testing.assert_array_equal(first, play(make(task, horizon=15), 3, 40))
    assert not np.array_equal(first, play(make(task, horizon=15), 4, 40))


@pytest.mark.parametrize("task", TASKS)
def test_a_state_brings_everything_back(task):
    env = make(task, terminate_on_fall=False)
    env.reset(seed=2)
    action = np.full(env.action_space.shape, 0.3, np.float32)
    for _ in range(5):
        env.step(action)
    state = env.save_state()
    expected = [env.step(action)[0] for _ in range(5)]
    other = make(task, terminate_on_fall=False)
    other.reset(seed=9)
    other.load_state(state)
    np.testing.assert_array_equal([other.step(action)[0] for _ in range(5)], expected)


@pytest.mark.parametrize("task", ["cartpole_swingup", "reacher_easy", "pendulum"])
def test_a_training_run_saw_the_same_bits(tmp_path, task):
    """The C++ program's replay memory, played again from Python: 8 shards are the rows of one vector environment."""
    decisions, horizon = 50, 20
    result = launch.run("ddpg", ["--config", "apps/ddpg/configs/smoke.cfg", "--task", task, "--total-steps", 8 * decisions,
                                 "--start-steps", "80", "--eval-every", "0", "--eval-episodes", "1", "--horizon", horizon,
                                 "--replay", "4000", "--seed", "7", "--run-dir", tmp_path / "run"])
    assert result.code == 0, result.out + result.err
    state = launch.final_state(tmp_path / "run")
    envs = gymnasium.make_vec(f"tenfold/{task}-v0", num_envs=8, horizon=horizon)
    observations, _ = envs.reset(seed=7)
    for i in range(decisions):
        np.testing.assert_array_equal(state["replay/observation"][:, i], observations)
        observations, rewards, terminated, truncated, infos = envs.step(state["replay/action"][:, i])
        last = infos["final_obs"] if infos else observations
        np.testing.assert_array_equal(state["replay/next_observation"][:, i], last)
        np.testing.assert_array_equal(state["replay/reward"][:, i], rewards)
        np.testing.assert_array_equal(state["replay/terminal"][:, i],
                                      np.where(terminated, 1, np.where(truncated, 2, 0)))
        assert truncated.all() == ((i + 1) % horizon == 0)


def test_rows_of_a_vector_are_single_environments():
    seeds = [11, 5, 8]
    envs = gymnasium.make_vec("tenfold/cartpole_swingup-v0", num_envs=3, horizon=10)
    actions = np.random.default_rng(1).uniform(-1, 1, (25, 3, 1)).astype(np.float32)
    batch = [envs.reset(seed=seeds)[0]]
    batch += [envs.step(each)[0] for each in actions]
    # Row i draws from environment i's streams: only row 0 is what a single environment plays.
    env = make("cartpole_swingup", horizon=10)
    alone = [env.reset(seed=seeds[0])[0]]
    for action in actions[:, 0]:
        observation, _, _, truncated, _ = env.step(action)
        alone.append(env.reset()[0] if truncated else observation)
    np.testing.assert_array_equal(np.array(batch)[:, 0], alone)
    assert len({row.tobytes() for row in batch[0]}) == 3


def test_misuse_is_said():
    env = make("pendulum")
    with pytest.raises(tenfold_gym.TenfoldError, match="Call reset first"):
        env.step(np.zeros(1, np.float32))
    env.reset(seed=1)
    with pytest.raises(ValueError, match="actions"):
        env.step(np.zeros(2, np.float32))
    with pytest.raises(tenfold_gym.TenfoldError, match="not a number"):
        env.step(np.full(1, np.nan, np.float32))
    with pytest.raises(ValueError, match="seed"):
        env.reset(seed=2**40)
    with pytest.raises(ValueError, match="state"):
        env.load_state(b"short")
    with pytest.raises(tenfold_gym.TenfoldError, match="Did you mean pendulum"):
        tenfold_gym.TaskEnv("pendulm")
    with pytest.raises(ValueError, match="render"):
        tenfold_gym.TaskEnv("pendulum", render_mode="rgb_array")
