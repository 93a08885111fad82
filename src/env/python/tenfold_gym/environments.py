"""Gymnasium's two interfaces over one C++ batch. Episodes are those of `ddpg --seed S`: reset(seed=S) starts
episode 0 of environment i (its row in the batch), every later reset the next one."""

from pathlib import Path

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

from tenfold_gym._native import BatchEnv


def _data_folder():
    """data/mjcf of the checkout that this was built in, else of the installed tree; "" where neither is."""
    for folder in Path(__file__).resolve().parents:
        for data in (folder / "data" / "mjcf", folder / "share" / "tenfold" / "data" / "mjcf"):
            if (data / "cartpole.xml").is_file():
                return str(data)
    return ""


class _Episodes:
    """A batch and which episode each of its rows is in."""

    def __init__(self, task, size, horizon, repeat, terminate_on_fall, mjcf_folder):
        self.batch = BatchEnv(task, size, horizon, repeat, terminate_on_fall, mjcf_folder or _data_folder())
        self.facts = self.batch.spec
        self.seeds, self.episodes = [None] * size, [0] * size

    def spaces(self):
        observation = gymnasium.spaces.Box(-np.inf, np.inf, (self.facts["observation_size"],), np.float32)
        return observation, gymnasium.spaces.Box(-1.0, 1.0, (self.facts["action_size"],), np.float32)

    def seed(self, row, seed):
        if not 0 <= seed < 2**32:
            raise ValueError(f"seed {seed}: seeds are from 0 to 2^32 - 1")
        self.seeds[row], self.episodes[row] = int(seed), 0

    def reset(self, row):
        self.batch.reset(row, self.seeds[row], row, self.episodes[row])
        self.episodes[row] += 1

    def step(self, actions):
        """actions [E, A]. Returns copies: observations [E, O] float32, rewards [E] float64 (of the C++ float32),
        terminated [E] and truncated [E] bool."""
        batch = self.batch
        batch.step(np.ascontiguousarray(actions, np.float32))
        column = lambda view, dtype: np.asarray(view)[:, 0].astype(dtype)
        return (self.observations(), column(batch.rewards(), np.float64), column(batch.terminal(), bool),
                column(batch.truncated(), bool))

    def observations(self):
        return np.array(self.batch.observations())


class TaskEnv(gymnasium.Env):
    """One environment. Actions in [-1, 1]; time limits are truncations."""

    metadata = {"render_modes": []}

    def __init__(self, task, horizon=0, repeat=0, terminate_on_fall=True, mjcf_folder="", render_mode=None):
        if render_mode is not None:
            raise ValueError(f"render_mode {render_mode!r}: Tenfold's tasks do not render here")
        self.render_mode = None
        self._episodes = _Episodes(task, 1, horizon, repeat, terminate_on_fall, mjcf_folder)
        self.observation_space, self.action_space = self._episodes.spaces()

    @property
    def facts(self):
        """What the task is: a dict of src/env/batch_env.hpp's Spec."""
        return self._episodes.facts

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is None and self._episodes.seeds[0] is None:
            seed = int(self.np_random.integers(2**32))
        if seed is not None:
            self._episodes.seed(0, seed)
        self._episodes.reset(0)
        return self._episodes.observations()[0], {}

    def step(self, action):
        observations, rewards, terminated, truncated = self._episodes.step(np.asarray(action, np.float32)[None])
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), {}

    def save_state(self):
        """The exact state (physics, step count, targets) as bytes: after load_state the same actions give the same
        bits."""
        return self._episodes.batch.save(0)

    def load_state(self, state):
        self._episodes.batch.load(0, state)
        return self._episodes.observations()[0]


class TaskVectorEnv(gymnasium.vector.VectorEnv):
    """num_envs environments in one C++ batch. A row that ends is reset within the same step: its true last
    observation is infos["final_obs"][i]."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, task, num_envs=1, horizon=0, repeat=0, terminate_on_fall=True, mjcf_folder="",
                 render_mode=None):
        if render_mode is not None:
            raise ValueError(f"render_mode {render_mode!r}: Tenfold's tasks do not render here")
        self.num_envs, self.render_mode = num_envs, None
        self._episodes = _Episodes(task, num_envs, horizon, repeat, terminate_on_fall, mjcf_folder)
        self.single_observation_space, self.single_action_space = self._episodes.spaces()
        self.observation_space = gymnasium.vector.utils.batch_space(self.single_observation_space, num_envs)
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)

    @property
    def facts(self):
        return self._episodes.facts

    def reset(self, *, seed=None, options=None):
        """seed: one number for all (row i plays environment i of it), or a list with one for each row."""
        one = seed if isinstance(seed, int | np.integer) else None
        super().reset(seed=one)
        fresh = seed is None and self._episodes.seeds[0] is None
        for row in range(self.num_envs):
            if fresh:
                one = int(self.np_random.integers(2**32)) if row == 0 else one
            mine = one if one is not None or seed is None else seed[row]
            if mine is not None:
                self._episodes.seed(row, mine)
            self._episodes.reset(row)
        return self._episodes.observations(), {}

    def step(self, actions):
        observations, rewards, terminated, truncated = self._episodes.step(actions)
        ended, infos = terminated | truncated, {}
        if ended.any():
            infos = {"final_obs": observations, "_final_obs": ended}
            for row in np.flatnonzero(ended):
                self._episodes.reset(int(row))
            observations = self._episodes.observations()
        return observations, rewards, terminated, truncated, infos
