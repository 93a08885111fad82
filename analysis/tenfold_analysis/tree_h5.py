"""The reader of search trees that mcts_dpo keeps: trees/round-NNNNNN.h5 of a run (docs/schema.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np

from .tenfold_h5 import _open, _reason, _text

SCHEMA = "tenfold-trees"
SCHEMA_VERSION = 1
NO_NODE = 2**32 - 1
REASONS = ("an only child", "the gap is too small", "enough pairs of this tree", "too long")
# /nodes/flags, as far as no other column says it.
FLAGS = {1: "end", 4: "cut", 8: "given", 16: "no answer", 32: "dead end", 1024: "no opinion"}
_NO_ANSWER, _RIGHT, _WRONG = 16, 256, 512


class NoTrees(Exception):
    """The run kept no trees, or a file of them cannot be read; the text says which and why."""


@dataclass
class Round:
    """A file as columns: trees, nodes, pairs and dropped map the names of docs/schema.md to arrays of one length.
    ids, answers [trees] and texts [nodes] are lists of str. Node numbers are those in their own tree."""

    path: Path
    round: int  # 0: trees that measure
    seed: int
    policy_updates: int
    reference: str
    prompts: dict[str, str]
    tally: dict[str, int]
    trees: dict[str, np.ndarray]
    nodes: dict[str, np.ndarray]
    pairs: dict[str, np.ndarray]
    dropped: dict[str, np.ndarray]
    tokens: np.ndarray
    ids: list[str]
    answers: list[str]
    texts: list[str]

    def __len__(self) -> int:
        return len(self.ids)

    def tree(self, row: int) -> "Tree":
        first, count = int(self.trees["first_node"][row]), int(self.trees["nodes"][row])
        pairs = self.pairs["tree"] == row
        dropped = self.dropped["tree"] == row
        return Tree(int(self.trees["question"][row]), self.ids[row], self.answers[row], bool(self.trees["right"][row]),
                    {name: column[first:first + count] for name, column in self.nodes.items()},
                    self.texts[first:first + count], {name: column[pairs] for name, column in self.pairs.items()},
                    {int(node): REASONS[reason] if reason < len(REASONS) else "another reason" for node, reason in
                     zip(self.dropped["node"][dropped], self.dropped["reason"][dropped])})

    def row_of(self, question: str) -> int:
        """The tree of a question, by its number in the run or its id. Raises NoTrees."""
        for row, name in enumerate(self.ids):
            if question in (name, str(self.trees["question"][row])):
                return row
        raise NoTrees(f"{self.path} has no tree of question '{question}'")


@dataclass
class Tree:
    """One tree: nodes maps names to arrays over its nodes, each parent before its children."""

    question: int
    id: str
    answer: str
    right: bool
    nodes: dict[str, np.ndarray]
    texts: list[str]
    pairs: dict[str, np.ndarray]
    dropped: dict[int, str]

    @cached_property
    def verdicts(self) -> np.ndarray:
        """[nodes] 1 where a solution ends with a right answer, -1 with another or none, 0 elsewhere. By the flags, since
        searches may not see outcomes; files of before there were such flags have the sign of the outcome."""
        flags, outcome = self.nodes["flags"], self.nodes["O"]
        judged = (flags & (_NO_ANSWER | _RIGHT | _WRONG)) != 0
        return np.where(judged, np.where(flags & _RIGHT, 1, -1), np.sign(outcome)).astype(int)

    def children(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.texts]
        for node, parent in enumerate(self.nodes["parent"]):
            if node:
                found[parent].append(node)
        return found

    def text(self, first: int, last: int) -> str:
        """The texts of the nodes from first, an ancestor of last or last itself, down to last."""
        path = [last]
        while path[-1] != first:
            path.append(int(self.nodes["parent"][path[-1]]))
        return "".join(self.texts[node] for node in reversed(path))


def _columns(group: h5py.Group) -> dict[str, np.ndarray]:
    columns = {name: item[()] for name, item in group.items()}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError(f"the columns of {group.name} are not of one length")
    return columns


def _texts(data: h5py.Dataset, columns: dict[str, np.ndarray], prefix: str) -> list[str]:
    raw = data[()].tobytes()
    return [raw[begin:end].decode("utf-8", "replace")
            for begin, end in zip(columns[f"{prefix}_begin"], columns[f"{prefix}_end"])]


def _check(found: Round) -> None:
    for row in range(len(found)):
        nodes = found.tree(row).nodes
        parent = nodes["parent"].astype(np.int64)
        if not len(parent) or parent[0] != NO_NODE or (parent[1:] >= np.arange(1, len(parent))).any():
            raise ValueError(f"tree {row} is none")


def read_round(path: Path) -> Round:
    """Raises NoTrees."""
    try:
        with _open(path) as file:
            schema, version = _text(file.attrs.get("schema", "")), int(file.attrs.get("schema_version", -1))
            if (schema, version) != (SCHEMA, SCHEMA_VERSION):
                raise ValueError(f"schema '{schema}' {version}, this program reads '{SCHEMA}' {SCHEMA_VERSION}")
            trees, nodes = _columns(file["trees"]), _columns(file["nodes"])
            found = Round(path, *(int(file.attrs[name]) for name in ("round", "seed", "policy_updates")),
                          _text(file.attrs["reference"]),
                          {name: _text(value) for name, value in file["prompts"].attrs.items()},
                          {name: int(value) for name, value in file["tally"].attrs.items()},
                          trees, nodes, _columns(file["pairs"]), _columns(file["dropped"]), file["tokens"][()],
                          _texts(file["ids"], trees, "id"), _texts(file["answers"], trees, "answer"),
                          _texts(file["texts"], nodes, "text"))
            _check(found)
            return found
    except (OSError, ValueError, KeyError, RuntimeError, IndexError) as error:
        raise NoTrees(f"{path}: {_reason(error)}") from error


def tree_files(run: Path) -> dict[int, Path]:
    """Round -> file, in order; none when the run kept none."""
    files = {int(path.stem[6:]): path for path in (run / "trees").glob("round-*.h5")
             if re.fullmatch(r"round-\d+", path.stem)}
    return dict(sorted(files.items()))
