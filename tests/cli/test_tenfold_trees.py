"""tenfold show --tree and --pairs on files made by the schema."""

import json

import h5py
import numpy as np
import pytest

import run_files
import tree_files
from tenfold_tool import V1, refused, said


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "run"
    run_files.write_manifest(path, app="mcts_dpo")
    tree_files.write_round(path, 2, dropped=[(0, 1, 0)])
    long = tree_files.small_tree()
    long[2].text = "é" * 300 + "\x1b[31m"
    tree_files.write_round(path, 12, [tree_files.small_tree(), long], [(1, tree_files.SMALL_PAIR)], [(0, 0, 1)], right=[0, 1])
    return path


def rows(text):
    """Lines of the tree: committed or not, and what stands behind the numbers."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.split()[:3] == ["N", "Q", "V"])
    return [(line[41] == ">", line[43:]) for line in lines[first + 1:first + 6]]


def test_a_tree_is_drawn_with_its_path_and_pairs(run):
    text = said("show", run, "--tree", "2")
    assert "round 2: 1 trees by the policy after 24 updates, reference 0123456789abcdef" in text
    assert "question 96 (chain-2-0), answer 17: committed to a right solution; 5 nodes, 1 of 2 solutions right" in text
    assert "1 pairs; left out: 0 trees whose path is wrong, 1 nodes with one child" in text
    assert rows(text) == [
        (True, "tom has 12 . finds 5 ?"),
        (True, "├─12 + 5 = 17 [W alpha 0.20, gap 2.00] [no pair below: an only child]"),
        (True, "│ └─The answer is 17 [end] [right]"),
        (False, "└─12 - 5 = 7 [L]"),
        (False, "  └─The answer is 7 [end] [wrong]")]
    assert "    4  +1.00  +1.00  +0.00  +0.00  0.300 > ├─12" in text
    assert rows(said("show", run, "--tree", "2", "--ascii"))[1][1].startswith("|-12 + 5")


def test_the_newest_round_and_the_tree_that_tells_most(run):
    text = said("show", run, "--tree")
    assert "round 12: 2 trees" in text and "question 1057 (chain-12-1)" in text and "question 1056" not in text
    assert "ROUND:QUESTION, questions 1056 to 1057" in text
    for name in ("12:1056", "12:chain-12-0"):
        text = said("show", run, "--tree", name)
        assert "committed to a wrong solution" in text and "[no pair below: the gap is too small]" in text
    text = said("show", run, "-t", "-a")
    assert "question 1056" in text and "question 1057" in text


def test_steps_are_cut_to_the_width_and_hold_no_control_characters(run):
    text = said("show", run, "--tree", "12:1057", COLUMNS="80")
    assert "\x1b" not in text
    line = next(line for line in text.splitlines() if "é" in line)
    assert len(line) == 80 and line.endswith("…" + " [L]")
    line = next(line for line in said("show", run, "--tree", "12:1057", "--ascii", COLUMNS="60").splitlines() if "é" in line)
    assert len(line) == 60 and line.endswith("... [L]")


def test_pairs_are_json_lines(run):
    found = [json.loads(line) for line in said("show", run, "--pairs").splitlines()]
    assert [each["round"] for each in found] == [2, 12]
    assert found[0] == {
        "prompt": "tom has 12 . finds 5 ?\n", "chosen": "12 + 5 = 17\nThe answer is 17",
        "rejected": "12 - 5 = 7\nThe answer is 7", "chosen_ends": True, "rejected_ends": True, "alpha": 0.2, "gap": 2.0, "reference_log_prob_chosen": -3.0,
        "reference_log_prob_rejected": -1.5, "round": 2, "question": 96, "id": "chain-2-0", "policy_updates": 24,
        "reference": "0123456789abcdef"}
    assert said("show", run, "--pairs", "2").splitlines() == said("show", run, "--pairs").splitlines()[:1]
    assert said("show", run, "--pairs", "12:1056") == ""


@pytest.mark.parametrize("arguments,code,words", [
    (["--tree", "3"], 3, ["no trees of round 3", "Kept are those of 2, 12"]),
    (["--tree", "12:7"], 3, ["round 12 has no tree of question '7'", "from 1056 to 1057"]),
    (["--tree", "x"], 2, ["'x'", "ROUND:QUESTION"]), (["--tree", "2:"], 2, ["'2:'"]), (["--tree", "-1"], 2, ["'-1'"]),
    (["2"], 2, ["'2' is one argument too many", "--tree"]), (["--tree", "2", "3"], 2, ["'3'", "too many"])])
def test_what_is_not_there_is_refused(run, arguments, code, words):
    refused(code, ["show", run, *arguments], *words)


def test_runs_without_trees(tmp_path):
    refused(3, ["show", V1, "--tree"], "kept no search trees", "--save-trees")
    refused(3, ["show", tmp_path / "absent", "--pairs"], "does not exist")


def replace(file, name, values):
    kind = file[name].dtype
    del file[name]
    file[name] = np.array(values, kind)


@pytest.mark.parametrize("how,words", [
    (lambda file: file.attrs.update(schema="x"), ["not a file of trees"]),
    (lambda file: file.attrs.update(schema_version=np.int64(2)), ["schema version 2", "reads version 1"]),
    (lambda file: replace(file, "nodes/parent", [2**32 - 1, 0, 2, 1, 2]), ["impossible parent"]),
    (lambda file: replace(file, "nodes/depth", [0, 1, 1, 9, 2]), ["impossible depth"]),
    (lambda file: replace(file, "nodes/Q", [1.0]), ["'nodes/Q'"]),
    (lambda file: replace(file, "nodes/text_end", [9, 8, 7, 6, 5]), ["ends before it begins"]),
    (lambda file: replace(file, "nodes/text_end", [10**12] * 5), ["'texts'"]),
    (lambda file: replace(file, "trees/nodes", [2**32 - 1]), ["'nodes/parent'"]),
    (lambda file: replace(file, "trees/nodes", [0]), ["without a node"]),
    (lambda file: replace(file, "trees/right", []), ["another length"]),
    (lambda file: replace(file, "pairs/winner_end", [4]), ["pair names nodes"]),
    (lambda file: replace(file, "pairs/loser", [77]), ["pair names nodes"]),
    (lambda file: file.__delitem__("pairs"), ["pairs/tree"]),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_damaged_files_are_refused(run, how, words):
    with h5py.File(run / "trees" / "round-000002.h5", "r+") as file:
        how(file)
    refused(3, ["show", run, "--tree", "2"], "round-000002.h5", *words)
