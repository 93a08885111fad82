"""What mcts_dpo keeps of its searches: trees/round-NNNNNN.h5, against a re-implementation of the choice of pairs."""

import json
import shutil

import h5py
import numpy as np
import pytest

import launch
import tree_files
from tenfold_analysis import tree_h5
from tenfold_tool import said

QUESTIONS = 8
SMALL = ["--task", "commonsense", "--eval-questions", 4, "--threads", 1]
FRESH = ["--mode", "sft", "--width", 24, "--layers", 1, "--heads", 2, "--feed-forward", 48, "--examples", 400, "--batch", 16,
         "--steps", 120, "--lr", "1e-2"]
ROUNDS = ["--method", "mcts-dpo", "--questions", QUESTIONS, "--rounds", 2, "--batch", 4, "--slice", 4, "--root-breadth", 3,
          "--breadth", 2, "--eval-every", 2, "--self-evaluation", "forced"]


def mcts_dpo(*arguments, code=0):
    result = launch.run("mcts_dpo", [*SMALL, *arguments], ranks=1)
    assert result.code == code, result.out + result.err
    return result


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trees")
    mcts_dpo(*FRESH, "--verdicts", 0.2, "--run-dir", folder / "sft", "--export", folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def run(model):
    path = model.parent / "run"
    mcts_dpo("--model", model, *ROUNDS, "--run-dir", path)
    return path


@pytest.fixture(scope="module")
def rounds(run):
    files = tree_h5.tree_files(run)
    assert list(files) == [1, 2] and sum(len(tree_h5.read_round(path).pairs["tree"]) for path in files.values()) > 0
    return [tree_h5.read_round(path) for path in files.values()]


def layout(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: getattr(item, "dtype", None)}))
    return found


def test_the_file_is_as_documented(run, tmp_path):
    """test_schema.py compares the same layout with docs/schema.md."""
    assert layout(tree_h5.tree_files(run)[1]) == layout(tree_files.write_round(tmp_path, 1))


def test_facts_of_rounds(rounds, run):
    assert [each.policy_updates for each in rounds][0] == 0 < rounds[1].policy_updates
    assert len({each.reference for each in rounds}) == 1 and len(rounds[0].reference) == 16
    for number, each in enumerate(rounds):
        assert each.trees["question"].tolist() == list(range(QUESTIONS * number, QUESTIONS * (number + 1)))
        assert (each.pairs["policy_updates"] == each.policy_updates).all()
        assert each.tally["kept"] == len(each.pairs["tree"]) and each.tally["trees"] == QUESTIONS
        assert each.tally["wrong_path"] == (each.trees["right"] == 0).sum()
    with h5py.File(run / "manifest.h5") as file:
        assert file["manifest"].attrs["reference"] in (rounds[0].reference, rounds[0].reference.encode())


def test_trees_obey_the_search(rounds):
    """Specification 2.8 and 2.9: V follows from the children's N and Q wherever the last backup came by: not above the
    last root of the search, for subtrees of committed steps were searched on."""
    for each in rounds:
        for row in range(len(each)):
            tree = each.tree(row)
            value, children = tree.nodes, tree.children()
            path = [node for node in range(len(children)) if value["committed"][node]]
            assert path[0] == 0 and all(value["parent"][b] == a for a, b in zip(path, path[1:])) and not children[path[-1]]
            assert tree.right == (value["O"][path[-1]] > 0)
            for node, below in enumerate(children):
                assert bool(below) == bool(value["flags"][node] & 2)
                if not below or not value["N"][node] or node in path[:-2]:
                    continue
                weights = np.maximum(1, value["N"][below])
                assert value["V"][node] == pytest.approx((weights * value["Q"][below]).sum() / weights.sum())


def pairs_again(tree):
    """(pairs, dropped) of a tree as specification 2.10 has them: loser worst, smoothing by visits."""
    value, children = tree.nodes, tree.children()
    pairs, dropped = [], {}
    for node in np.flatnonzero(value["committed"])[:-1] if tree.right else []:
        if len(children[node]) < 2:
            dropped[int(node)] = "an only child"
            continue
        order = sorted(children[node], key=lambda c: tuple(value[name][c] for name in ("Q", "prior", "R", "N")), reverse=True)
        winner, loser = order[0], order[-1]
        gap = value["Q"][winner] - value["Q"][loser]
        if gap < 1e-6:
            dropped[int(node)] = "the gap is too small"
            continue
        ends = []
        for end in (winner, loser):
            while len(children[end]) == 1:
                end = children[end][0]
            ends.append(end)
        won, lost = int(value["N"][winner]), int(value["N"][loser])
        pairs.append((int(node), winner, ends[0], loser, ends[1], min(lost / (max(1, won) + lost), 0.5) if lost else 0.0, gap))
    return pairs, dropped


def test_pairs_are_those_of_the_specification(rounds):
    for each in rounds:
        for row in range(len(each)):
            tree = each.tree(row)
            pairs, dropped = pairs_again(tree)
            columns = [tree.pairs[name] for name in ("parent", "winner", "winner_end", "loser", "loser_end", "alpha", "gap")]
            assert [tuple(values) for values in zip(*columns)] == [pytest.approx(pair) for pair in pairs]
            assert tree.dropped == dropped


def test_texts_are_the_tokens(rounds):
    """The word tokenizer: words with single spaces, newlines as they are."""
    tree = rounds[0].tree(0)
    assert "Answer Choices: (A)" in tree.texts[0]
    for node in np.flatnonzero(tree.nodes["O"] > 0):
        assert "The answer is (" in tree.text(0, int(node))
    assert all(each.nodes["token_end"][-1] == len(each.tokens) for each in rounds)


def test_the_reference_of_round_one_is_the_policy(rounds):
    """Before the first update both are the same: a pair's summed log-probabilities are those of its steps' tokens."""
    each = rounds[0]
    log_prob, parent = each.nodes["log_prob"], each.nodes["parent"]
    for i, row in enumerate(each.pairs["tree"]):
        first = int(each.trees["first_node"][row])
        for side in ("winner", "loser"):
            node, total = int(each.pairs[f"{side}_end"][i]), 0.0
            while node != each.pairs["parent"][i]:
                total += log_prob[first + node]
                node = int(parent[first + node])
            assert each.pairs[f"reference_{side}"][i] == pytest.approx(total, abs=1e-3)


def test_the_tool_draws_them(run, rounds):
    text = said("show", run, "--tree", "1", "--all")
    assert text.count("[W ") == len(rounds[0].pairs["tree"]) and text.count("question ") >= QUESTIONS
    lines = [json.loads(line) for line in said("show", run, "--pairs").splitlines()]
    expected = [(tree.text(0, int(tree.pairs["parent"][i])), tree.text(int(tree.pairs["winner"][i]), int(tree.pairs["winner_end"][i])))
                for each in rounds for tree in (each.tree(row) for row in range(len(each)))
                for i in range(len(tree.pairs["tree"]))]
    assert [(line["prompt"], line["chosen"]) for line in lines] == expected


def test_a_resumed_round_writes_the_same_bytes_and_a_lost_folder_is_a_warning(run, model, tmp_path):
    # 2 QUESTIONS steps a round: in the middle of the second one's updates.
    stopped = tmp_path / "stopped"
    command = ["--model", model, *ROUNDS, "--run-dir", stopped]
    mcts_dpo(*command, "--stop-after", f"{3 * QUESTIONS + 1}", code=75)
    shutil.rmtree(stopped / "trees")
    shutil.copytree(stopped, tmp_path / "full")
    mcts_dpo(*command)
    assert (stopped / "trees" / "round-000002.h5").read_bytes() == (run / "trees" / "round-000002.h5").read_bytes()
    (tmp_path / "full" / "trees").write_text("in the way")
    result = mcts_dpo("--model", model, *ROUNDS, "--run-dir", tmp_path / "full")
    assert "the trees of round 2 are not kept" in result.out + result.err


def test_which_rounds_are_kept(model, tmp_path):
    mcts_dpo("--model", model, *launch.merged(ROUNDS, ["--rounds", 3]), "--save-trees", 2, "--run-dir", tmp_path / "a")
    assert list(tree_h5.tree_files(tmp_path / "a")) == [2, 3]
    result = mcts_dpo("--mode", "evaluate", "--eval-by", "search", "--model", model, "--run-dir", tmp_path / "b")
    assert list(tree_h5.tree_files(tmp_path / "b")) == [0], result.out
    assert "evaluation by search: 4 trees" in said("show", tmp_path / "b", "--tree")
    launch.refused(launch.run("mcts_dpo", [*SMALL, "--model", model, "--save-trees", "some", "--run-dir", tmp_path / "c"],
                              ranks=1), 2, "--save-trees", "'some'", "all, none")
