"""How docs/results/*.md are written, and how a learning claim is judged."""

import pathlib
import sys

import numpy as np
import pytest

import results

sys.path.append(str(pathlib.Path(results.SOURCE) / "tests" / "learning"))
import learning_claim  # noqa: E402

DOCUMENT = "# T\n\n<!-- begin a -->\nold a\n<!-- end a -->\n\nby hand\n\n<!-- begin b -->\nold b\n<!-- end b -->\n"


def test_a_section_is_replaced_and_nothing_else():
    assert results.with_section(DOCUMENT, "a", "new\n") == DOCUMENT.replace("old a", "new")


def test_a_new_section_goes_to_the_end():
    assert results.with_section(DOCUMENT, "c", "new") == (
        DOCUMENT + "\n<!-- begin c -->\nnew\n<!-- end c -->\n")


def test_writing_twice_changes_nothing():
    once = results.with_section(DOCUMENT, "c", "new")
    assert results.with_section(once, "c", "new") == once


def test_a_lost_marker_is_refused():
    with pytest.raises(ValueError, match="section 'a'"):
        results.with_section(DOCUMENT.replace("<!-- end a -->", ""), "a", "new")


def outcome(last, random=10.0, **more):
    return learning_claim.Outcome(1, last=last, random=random, **more)


CLAIM = learning_claim.Claim("x", "X", "here", "", planner=110, mean=0.8, worst=0.6)


def test_scores_are_0_for_random_and_1_for_the_planner():
    verdict = learning_claim.judge(CLAIM, [outcome(10), outcome(60), outcome(110)])
    assert verdict.scores.tolist() == [0.0, 0.5, 1.0]
    assert [good for _, _, good in verdict.checks] == [False, False]


@pytest.mark.parametrize("returns, passed", [([90, 90, 90], True), ([110, 110, 69], False), ([75, 75, 75], False)])
def test_mean_and_worst_seed_both_count(returns, passed):
    assert learning_claim.judge(CLAIM, [outcome(each) for each in returns]).passed is passed


def test_a_seed_without_a_result_fails_the_claim():
    verdict = learning_claim.judge(CLAIM, [outcome(110), learning_claim.Outcome(2, problem="exit code 5")])
    assert not verdict.passed


def test_huber_slope_is_exact_on_a_line_and_keeps_its_head_among_outliers():
    x = np.arange(41.0)
    assert learning_claim.huber_slope(x, 3 + 0.75 * x) == pytest.approx(0.75, abs=1e-12)
    noise = np.where(np.arange(41) % 2 == 0, 1.0, -1.0)
    y = 3 + 0.75 * x + noise
    y[38:] += 1000
    assert abs(np.polyfit(x, y, 1)[0] - 0.75) > 5
    assert learning_claim.huber_slope(x, y) == pytest.approx(0.75, abs=0.05)
