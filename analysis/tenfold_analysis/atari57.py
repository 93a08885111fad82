"""Atari scores of a3c, normalised by a human tester's: a row a game, mean and median over games.

    python -m tenfold_analysis.atari57 RUN... [--markdown]

A run's score is the last value of its eval/return, a game's the mean over its seeds; normalised, 0 is random play and 1
the human (data/atari57_scores.csv: starts of 1 to 30 no-ops). The paper's table 1 has human starts, which need states
that a human left: its means and medians stand below for what they are.
Exit codes: 0 done, 2 usage, 3 not a run, or none with a score.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from pathlib import Path

import pandas as pd

from . import tables
from .tenfold_h5 import NotARun, Run, find_runs, read_run

SCORES = Path(__file__).resolve().parents[2] / "data" / "atari57_scores.csv"
# Mnih et al. 2016, table 1: mean and median over 57 games, percent, human starts.
PAPER = {"A3C feed-forward, 1 day": (344.1, 68.2), "A3C feed-forward, 4 days": (496.8, 116.6),
         "A3C LSTM, 4 days": (623.0, 112.6)}


@dataclasses.dataclass(frozen=True)
class Score:
    game: str
    seed: int
    value: float
    decisions: int


def human_table() -> pd.DataFrame:
    """Index: ale-py's names of the 57 games; columns random, human."""
    return pd.read_csv(SCORES, comment="#", index_col="game")


def normalised(score: float, game: str, table: pd.DataFrame) -> float:
    """0 as random play, 1 as the human. Raises KeyError for a game that is not in the table."""
    random, human = table.loc[game, "random"], table.loc[game, "human"]
    return float((score - random) / (human - random))


def game_of(task: str, table: pd.DataFrame) -> str | None:
    """atari:ALE/MsPacman-v5 as ms_pacman: as env::atari_game, among the games of the table."""
    if not task.startswith("atari:"):
        return None
    name = task.removeprefix("atari:").lower().removeprefix("ale/").removesuffix("-v5").replace("_", "")
    return next((game for game in table.index if game.replace("_", "") == name), None)


def score_of(run: Run, table: pd.DataFrame) -> tuple[Score | None, str]:
    """(score, "") or (None, why the run has none)."""
    task = run.config["task.task"].value if "task.task" in run.config else ""
    game = game_of(task, table)
    if game is None:
        return None, f"task {task} is none of the 57 games"
    value = tables.last_value(run.get("eval/return"))
    if value is None:
        return None, "it has no evaluation"
    return Score(game, int(run.manifest.get("seed", -1)), value, int(run.get("eval/return").step[-1])), ""


def make(scores: list[Score], table: pd.DataFrame) -> pd.DataFrame:
    """Index: games; columns seeds, decisions (least), score (mean over seeds), random, human, normalised."""
    rows = {}
    for game in sorted({each.game for each in scores}):
        mine = [each for each in scores if each.game == game]
        if len({each.seed for each in mine}) != len(mine):
            raise ValueError(f"two runs of {game} have one seed; name the runs of one setting only")
        mean = statistics.fmean(each.value for each in mine)
        rows[game] = {"seeds": len(mine), "decisions": min(each.decisions for each in mine), "score": mean,
                      "random": table.loc[game, "random"], "human": table.loc[game, "human"],
                      "normalised": normalised(mean, game, table)}
    return pd.DataFrame.from_dict(rows, orient="index")


def text(table: pd.DataFrame, markdown: bool) -> str:
    head = ["game", *table.columns]
    rows = [[game, *(tables.number(float(each)) for each in row)] for game, row in zip(table.index, table.to_numpy())]
    if markdown:
        lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] + ["---:"] * (len(head) - 1), *rows]]
    else:
        wide = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        lines = ["  ".join(each.rjust(w) if i else each.ljust(w) for i, (each, w) in enumerate(zip(row, wide)))
                 for row in [head, *rows]]
    values = table["normalised"]
    lines += ["", f"{len(values)} of 57 games: mean {100 * values.mean():.1f}%, median {100 * values.median():.1f}% "
              "of the human tester (no-op starts)",
              "The paper (human starts, all 57): " +
              "; ".join(f"{name}: mean {mean}%, median {median}%" for name, (mean, median) in PAPER.items())]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tenfold_analysis.atari57", description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, help="runs, or folders that hold some")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args(arguments)
    table, scores = human_table(), []
    try:
        for path in [each for given in options.runs for each in find_runs(given)]:
            score, why = score_of(read_run(path), table)
            if score is None:
                print(f"left out: {path}: {why}", file=sys.stderr)
            else:
                scores.append(score)
        if not scores:
            print("tenfold_analysis.atari57: no run with a score", file=sys.stderr)
            return 3
        print(text(make(scores, table), options.markdown))
    except (NotARun, ValueError) as error:
        print(f"tenfold_analysis.atari57: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
