"""Writes files of search trees by the schema (docs/schema.md) with h5py alone, independently of the C++ writer."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

NO_NODE = 2**32 - 1


class Node:
    """text of its step; the node above; then what the search says of it."""

    def __init__(self, text, parent=NO_NODE, N=1, Q=0.0, V=0.0, R=0.0, C=0.0, O=0.0, prior=0.5, log_prob=-1.0, flags=0,
                 committed=False, truth=2):
        self.text, self.parent = text, parent
        self.columns = {"N": N, "Q": Q, "V": V, "R": R, "C": C, "O": O, "prior": prior, "log_prob": log_prob,
                        "flags": flags, "committed": committed, "truth": truth}


def small_tree():
    """Right by 12 + 5 = 17, wrong by 12 - 5 = 7; the committed path is 0, 1, 3."""
    return [Node("tom has 12 . finds 5 ?\n", N=5, V=0.8, committed=True),
            Node("12 + 5 = 17", 0, N=4, Q=1.0, V=1.0, prior=0.3, committed=True, truth=1),
            Node("12 - 5 = 7", 0, N=1, Q=-1.0, prior=0.6, truth=0),
            Node("\nThe answer is 17", 1, N=3, Q=1.0, R=1.0, O=1.0, flags=1, committed=True, truth=1),
            Node("\nThe answer is 7", 2, N=1, Q=-1.0, R=-1.0, O=-1.0, flags=1, truth=0)]


SMALL_PAIR = {"parent": 0, "winner": 1, "winner_end": 3, "loser": 2, "loser_end": 4, "alpha": 0.2, "gap": 2.0,
              "reference_winner": -3.0, "reference_loser": -1.5, "policy_updates": 24}
_TYPES = {"N": np.uint32, "flags": np.uint32, "committed": np.uint8, "truth": np.uint8}


def _blob(texts):
    raw = [text.encode() for text in texts]
    ends = np.cumsum([len(each) for each in raw], dtype=np.uint64) if raw else np.zeros(0, np.uint64)
    begins = ends - np.array([len(each) for each in raw], np.uint64)
    return np.frombuffer(b"".join(raw), np.uint8), begins, ends


def write_round(run: Path, number: int, trees=None, pairs=None, dropped=(), right=None, **attributes) -> Path:
    """trees: lists of Node; pairs: (tree, columns as SMALL_PAIR); dropped: (tree, node, reason)."""
    trees = [small_tree()] if trees is None else trees
    pairs = [(0, SMALL_PAIR)] if pairs is None else pairs
    path = run / "trees" / f"round-{number:06}.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    nodes = [node for tree in trees for node in tree]
    with h5py.File(path, "w") as file:
        file.attrs.update({"schema": "tenfold-trees", "schema_version": np.int64(1), "round": np.int64(number),
                           "seed": np.int64(1), "policy_updates": np.int64(24), "reference": "0123456789abcdef",
                           **attributes})
        file.create_group("prompts").attrs["question"] = "{question}\\n"
        file.create_group("tally").attrs.update({name: np.int64(value) for name, value in {
            "trees": len(trees), "wrong_path": 0, "kept": len(pairs), "only_child": 1, "small_gap": 0, "over_limit": 0,
            "too_long": 0}.items()})
        group = file.create_group("trees")
        counts = np.array([len(tree) for tree in trees], np.uint32)
        group["question"] = 96 * (max(number, 1) - 1) + np.arange(len(trees), dtype=np.uint64)
        group["first_node"] = (np.cumsum(counts) - counts).astype(np.uint64)
        group["nodes"] = counts
        group["right"] = np.array([1] * len(trees) if right is None else right, np.uint8)
        for name, texts in (("id", [f"chain-{number}-{i}" for i in range(len(trees))]), ("answer", ["17"] * len(trees))):
            file[name + "s"], group[name + "_begin"], group[name + "_end"] = _blob(texts)
        group = file.create_group("nodes")
        group["tree"] = np.repeat(np.arange(len(trees), dtype=np.uint32), counts)
        group["parent"] = np.array([node.parent for node in nodes], np.uint32)
        group["depth"] = np.array([depth for tree in trees for depth in _depths(tree)], np.uint32)
        for name in Node("").columns:
            group[name] = np.array([node.columns[name] for node in nodes], _TYPES.get(name, np.float64))
        file["texts"], group["text_begin"], group["text_end"] = _blob([node.text for node in nodes])
        group["token_begin"] = np.arange(len(nodes), dtype=np.uint64)
        group["token_end"] = np.arange(1, len(nodes) + 1, dtype=np.uint64)
        file["tokens"] = np.arange(len(nodes), dtype=np.int32)
        group = file.create_group("pairs")
        group["tree"] = np.array([tree for tree, _ in pairs], np.uint32)
        for name, value in SMALL_PAIR.items():
            kind = np.float64 if isinstance(value, float) else np.int64 if name == "policy_updates" else np.uint32
            group[name] = np.array([each[name] for _, each in pairs], kind)
        group = file.create_group("dropped")
        for place, (name, kind) in enumerate((("tree", np.uint32), ("node", np.uint32), ("reason", np.uint8))):
            group[name] = np.array([each[place] for each in dropped], kind)
    return path


def _depths(tree):
    depths = []
    for node in tree:
        depths.append(0 if node.parent == NO_NODE else depths[node.parent] + 1)
    return depths
