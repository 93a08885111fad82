"""data/planner_scores.h5 as these scripts see it: which entry stands behind a run's eval/score."""

import dataclasses
import math

import h5py

import launch

SCORES = launch.SOURCE / "data" / "planner_scores.h5"


def entries(path=SCORES):
    """(task, method) -> attributes and columns of the file."""
    with h5py.File(path, "r") as file:
        return {(task, method): {**entry.attrs, **{name: column[()] for name, column in entry.items()}}
                for task, methods in file["scores"].items() for method, entry in methods.items()}


@dataclasses.dataclass(frozen=True)
class Entry:
    """The 0 and the 1 of a score. Returns are sums over an episode of `horizon` decisions."""

    task: str
    method: str
    random: float
    planner: float
    horizon: int

    def score(self, episode_return):
        return (episode_return - self.random) / (self.planner - self.random)

    def text(self):
        scale = 1000 / self.horizon
        return (f"entry {self.task}/{self.method} of data/planner_scores.h5 (random {scale * self.random:.1f}, "
                f"planner {scale * self.planner:.1f} per 1000 decisions)")


def behind(task, episode_return, score, path=SCORES):
    """The entry of the task that makes `score` of `episode_return`. Raises LookupError when none does."""
    for (name, method), found in entries(path).items():
        entry = Entry(name, method, found["random_return"].mean(), found["return"].mean(), int(found["horizon"]))
        if name == task and math.isclose(entry.score(episode_return), score, rel_tol=1e-6, abs_tol=1e-6):
            return entry
    raise LookupError(f"no entry of {path.name} for {task} makes {score} of a return of {episode_return}")
