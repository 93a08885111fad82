"""Tenfold's tasks as Gymnasium environments, on the C++ environments that `ddpg` trains in.

    PYTHONPATH=build/release/python python
    >>> import gymnasium, tenfold_gym
    >>> env = gymnasium.make("tenfold/cartpole_swingup-v0")
    >>> envs = gymnasium.make_vec("tenfold/cartpole_swingup-v0", num_envs=64)

Importing this registers every task of `ddpg --list-tasks` as tenfold/NAME-v0. Keywords of both: `horizon`
(decisions), `repeat` (control steps per decision), `terminate_on_fall`, `mjcf_folder`.
"""

import gymnasium

from tenfold_gym._native import TenfoldError, list_tasks
from tenfold_gym.environments import TaskEnv, TaskVectorEnv

__all__ = ["TaskEnv", "TaskVectorEnv", "TenfoldError", "list_tasks"]


def _register():
    for facts in list_tasks():
        gymnasium.register(
            id=f"tenfold/{facts['name']}-v0", entry_point="tenfold_gym:TaskEnv",
            vector_entry_point="tenfold_gym:TaskVectorEnv", kwargs={"task": facts["name"]})


_register()
