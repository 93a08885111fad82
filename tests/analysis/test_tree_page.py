"""tree_h5 and tree_page: search trees read from their files, and drawn as a page that needs no network."""

import re

import h5py
import numpy as np
import pytest

import run_files
import tree_files
from tenfold_analysis import report, tree_h5, tree_page
from tenfold_analysis.tenfold_h5 import read_run
from test_report import Page, self_contained


def make(path, **manifest):
    run_files.write_manifest(path, {"data.task": ("chain", "default")}, app="mcts_dpo", **manifest)
    return path


def test_a_round_is_read_as_it_was_written(tmp_path):
    wrong = [tree_files.Node("q", committed=True), tree_files.Node("é", 0, O=-1.0, committed=True, flags=1 | 16)]
    path = tree_files.write_round(tmp_path, 3, [wrong, tree_files.small_tree()], [(1, tree_files.SMALL_PAIR)],
                                  [(1, 1, 0), (0, 0, 9)], right=[0, 1])
    found = tree_h5.read_round(path)
    assert (found.round, found.policy_updates, found.reference) == (3, 24, "0123456789abcdef")
    assert (found.prompts, found.tally["kept"], len(found)) == ({"question": "{question}\\n"}, 1, 2)
    first, second = found.tree(0), found.tree(1)
    assert (first.question, first.id, first.right, first.texts) == (192, "chain-3-0", False, ["q", "é"])
    assert first.dropped == {0: "another reason"} and second.dropped == {1: "an only child"}
    assert second.children() == [[1, 2], [3], [4], [], []] and second.nodes["N"].tolist() == [5, 4, 1, 3, 1]
    assert second.text(0, 1) == "tom has 12 . finds 5 ?\n12 + 5 = 17" and second.text(2, 4) == "12 - 5 = 7\nThe answer is 7"
    assert found.row_of("193") == found.row_of("chain-3-1") == 1
    with pytest.raises(tree_h5.NoTrees, match="no tree of question '7'"):
        found.row_of("7")


def test_files_come_in_order_of_rounds(tmp_path):
    assert tree_h5.tree_files(tmp_path) == {}
    for number in (12, 2, 1000000):
        tree_files.write_round(tmp_path, number)
    (tmp_path / "trees" / "round-000003.h5.tmp").write_bytes(b"")
    assert list(tree_h5.tree_files(tmp_path)) == [2, 12, 1000000]


def damage(path, how):
    with h5py.File(path, "r+") as file:
        how(file)


@pytest.mark.parametrize("how,reason", [
    (lambda file: file.attrs.update(schema="x"), "schema 'x' 1"),
    (lambda file: file.attrs.update(schema_version=2), "schema 'tenfold-trees' 2"),
    (lambda file: file["nodes/parent"].write_direct(np.array([2**32 - 1, 1, 0, 1, 2], np.uint32)), "tree 0 is none"),
    (lambda file: file.__delitem__("tokens"), "tokens"),
    (lambda file: (file.__delitem__("nodes/N"), file.create_dataset("nodes/N", data=[1, 2])), "not of one length"),
], ids=["schema", "version", "parent", "column", "length"])
def test_damaged_files_are_refused(tmp_path, how, reason):
    path = tree_files.write_round(tmp_path, 1)
    damage(path, how)
    with pytest.raises(tree_h5.NoTrees, match=f"{re.escape(str(path))}.*{reason}"):
        tree_h5.read_round(path)


def test_the_page_shows_every_node_and_needs_no_network(tmp_path):
    run = make(tmp_path / "run")
    nasty = tree_files.small_tree()
    nasty[2].text = "<script>alert(1)</script>"
    tree_files.write_round(run, 2, [nasty], dropped=[(0, 1, 0)])
    assert tree_page.main([str(run), "--out", str(tmp_path / "x.html")]) == 0
    text = (tmp_path / "x.html").read_text()
    self_contained(text)
    found = Page(text)
    assert "<script>" not in text and "<script>alert(1)</script>" in found.text
    assert found.tags.count("details") == 3 and text.count('class="leaf') == 2
    assert text.count("<details class=\"path\" open>") == 2 and text.count('<details class="side">') == 1
    for words in ("winner, α 0.20, gap 2.00", "loser", "no pair below: an only child", "N 4 · Q +1.00 · p 0.300",
                  "Question 96 (chain-2-0), answer 17", "1 pairs", "prefers-color-scheme: dark"):
        assert words in text, words


def test_trees_that_tell_most_come_first(tmp_path):
    wrong = [tree_files.Node("q", committed=True)]
    path = tree_files.write_round(tmp_path, 1, [wrong, wrong, tree_files.small_tree()], [(2, tree_files.SMALL_PAIR)] * 2,
                                  right=[0, 1, 1])
    found = tree_h5.read_round(path)
    assert tree_page.telling_rows(found) == [2, 0] and len(found.tree(2).pairs["tree"]) == 2
    assert "1 nodes with one child" in tree_page.summary(found)
    alone = tree_h5.read_round(tree_files.write_round(tmp_path, 0, [tree_files.small_tree()], []))
    assert tree_page.telling_rows(alone) == [0]
    assert tree_page.summary(alone) == "Evaluation by search: 1 trees, 1 committed to a right solution."


def test_a_deep_tree_is_drawn(tmp_path):
    deep = [tree_files.Node("q", committed=True)] + [tree_files.Node("s", i) for i in range(3000)]
    found = tree_h5.read_round(tree_files.write_round(tmp_path, 1, [deep], []))
    assert tree_page.tree_html(found.tree(0)).count("</details>") == 3000


def test_the_report_shows_trees_of_the_first_and_the_newest_round(tmp_path):
    run = make(tmp_path / "run")
    for number in (1, 2, 3):
        tree_files.write_round(run, number)
    text = report.render(read_run(run))
    self_contained(text)
    assert "Search trees" in text and text.count('<div class="tree">') == 2
    assert "Trees of round 1" in text and "Trees of round 3" in text and "Trees of round 2" not in text
    tree_h5.tree_files(run)[3].write_bytes(b"x")
    assert "round-000003.h5" in report.render(read_run(run))
    assert "Search trees" not in report.render(read_run(make(tmp_path / "none")))


def test_command_line(tmp_path, capsys):
    run = make(tmp_path / "run")
    assert tree_page.main([str(run)]) == 3
    tree_files.write_round(run, 1)
    assert tree_page.main([str(run), "--round", "4"]) == 3
    assert tree_page.main([str(run), "--question", "x"]) == 3
    assert tree_page.main([str(tmp_path / "absent")]) == 3
    assert tree_page.main([str(run), "--out", str(tmp_path / "no" / "x.html")]) == 4
    said = capsys.readouterr().err
    for words in ("kept: none", "of round 4; kept: 1", "question 'x'", "does not exist", "No such file"):
        assert words in said
