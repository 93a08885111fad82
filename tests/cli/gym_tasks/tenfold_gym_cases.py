"""Gymnasium tasks that misbehave, and one whose every number is known: what tests/cli/test_ddpg_gym.py runs."""

import gymnasium
import numpy as np


class Count(gymnasium.Env):
    """Observation [steps, seed-given phase]; reward action + steps; ends as the keywords say."""

    def __init__(self, terminal_at=None, raise_at=None, raise_if=None, nan_at=None, huge_at=None,
                 drift=False, action_space=None, observation_space=None):
        self.observation_space = observation_space or gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self.action_space = action_space or gymnasium.spaces.Box(-1.0, 3.0, (1,), np.float32)
        self.terminal_at, self.raise_at, self.nan_at, self.drift = terminal_at, raise_at, nan_at, drift
        self.huge_at = huge_at
        self.raise_if = raise_if or (lambda phase: True)
        self.life = 0

    def _observation(self):
        return np.array([self.steps, self.phase + (self.life if self.drift else 0)])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.phase = 0, float(self.np_random.integers(1000))
        return self._observation(), {}

    def step(self, action):
        self.steps += 1
        self.life += 1
        if self.steps == self.raise_at and self.raise_if(self.phase):
            raise ValueError("the motor is on fire")
        observation = self._observation()
        if self.steps == self.nan_at:
            observation[0] = np.nan
        if self.steps == self.huge_at and self.phase < 40:
            observation[0] = 2e38  # a float32, but its square is not
        return observation, float(action[0]) + self.steps, self.steps == self.terminal_at, False, {}


CASES = {
    "Count": {}, "CountEnds": {"terminal_at": 7}, "Fire": {"raise_at": 37},
    "FireSomewhere": {"raise_at": 37, "raise_if": lambda phase: phase % 8 < 1},
    "NotANumber": {"nan_at": 5}, "Huge": {"huge_at": 5}, "Drift": {"drift": True},
    "DictObservation": {"observation_space": gymnasium.spaces.Dict({"x": gymnasium.spaces.Box(-1, 1, (1,))})},
    "Unbounded": {"action_space": gymnasium.spaces.Box(-np.inf, np.inf, (1,))},
    "WholeNumbers": {"action_space": gymnasium.spaces.Box(0, 3, (1,), np.int64)},
    "WrongSize": {"observation_space": gymnasium.spaces.Box(-1, 1, (3,), np.float64)},
}
for name, keywords in CASES.items():
    gymnasium.register(id=f"{name}-v0", entry_point=Count, max_episode_steps=20 if "Fire" not in name else 50,
                       kwargs=keywords)
gymnasium.register(id="Endless-v0", entry_point=Count)
