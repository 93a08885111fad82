"""How docs/results/*.md are written, and how a learning claim is judged."""

import pathlib
import sys

import h5py
import numpy as np
import pytest

import results

sys.path.append(str(pathlib.Path(results.SOURCE) / "tests" / "learning"))
import ddpg_planner  # noqa: E402
import ddpg_table1  # noqa: E402
import job_table  # noqa: E402
import learning_claim  # noqa: E402
import planner_entries  # noqa: E402
from tenfold_analysis import table1_ddpg  # noqa: E402

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


def outcome(score, **more):
    return learning_claim.Outcome(1, score=score, **more)


CLAIM = learning_claim.Claim("x", "X", "here", "", mean=0.8, worst=0.6)


@pytest.mark.parametrize("scores, passed", [([0.8, 0.8, 0.8], True), ([1, 1, 0.59], False),
                                            ([0.65, 0.65, 0.65], False)])
def test_mean_and_worst_seed_both_count(scores, passed):
    assert learning_claim.judge(CLAIM, [outcome(each) for each in scores]).passed is passed


def test_a_seed_without_a_result_fails_the_claim():
    verdict = learning_claim.judge(CLAIM, [outcome(1), learning_claim.Outcome(2, problem="exit code 5")])
    assert not verdict.passed


@pytest.fixture
def scores(tmp_path):
    """Two methods of one task: random actions get 2, the planners 10 and 12, in episodes of 500 decisions."""
    path = tmp_path / "scores.h5"
    with h5py.File(path, "w") as file:
        for method, returns in (("cem", [9.0, 11.0]), ("ilqg", [12.0, 12.0])):
            entry = file.create_group(f"scores/pendulum/{method}")
            entry.attrs["horizon"] = 500
            entry["return"], entry["random_return"] = returns, [1.0, 3.0]
    return path


@pytest.mark.parametrize("episode_return, score, method", [(7.0, 0.5, "ilqg"), (6.0, 0.5, "cem"), (10.0, 1.0, "cem")])
def test_the_entry_behind_a_score_is_the_one_that_makes_it(scores, episode_return, score, method):
    entry = planner_entries.behind("pendulum", episode_return, score, scores)
    assert entry.method == method and entry.score(entry.random) == 0 and entry.score(entry.planner) == 1
    assert entry.text().startswith(f"entry pendulum/{method} of data/planner_scores.h5 (random 4.0, planner 2")


def test_a_score_that_no_entry_makes_is_refused(scores):
    for task, score in (("pendulum", 0.75), ("cart", 0.5)):
        with pytest.raises(LookupError, match=f"for {task}"):
            planner_entries.behind(task, 7.0, score, scores)


def last_line(planner, deviation, episodes, random, random_deviation, random_episodes):
    """As ddpg --planner ends."""
    return (f"cart: ilqg returns {planner} +- {deviation} (mean and deviation of {episodes} episodes, looking 30 "
            f"decisions ahead, 4.60 CPU s each, seed 1); random actions get {random} +- {random_deviation} "
            f"({random_episodes} episodes)")


def test_a_planner_is_above_random_actions_by_standard_errors():
    # Errors of the means 6 / 2 = 3 and 32 / 8 = 4: together 5.
    assert ddpg_planner.above_random(last_line(30.0, 6.0, 4, 10.0, 32.0, 64)) == pytest.approx(4)
    assert ddpg_planner.above_random(last_line(-5.0, 6.0, 4, 10.0, 32.0, 64)) == pytest.approx(-3)
    assert ddpg_planner.above_random(last_line(0.0, 0.0, 4, 0.0, 0.0, 64)) == 0


def test_a_task_is_either_played_or_said_to_be_left_out():
    played = {row["task"] for row in job_table.rows(ddpg_planner.TABLE)}
    played |= {"cartpole", "cartpoleBalance"}  # under their other names
    left_out = {task for task, _ in ddpg_planner.without_entry()}
    assert not played & left_out
    assert set(table1_ddpg.paper_table().index) <= played | left_out
    assert {row["task"] for row in job_table.rows(ddpg_table1.TABLE)} <= played


def test_a_table_of_jobs_is_a_list_of_commands(tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text("# c\nrun\tapp\ttask\tseeds\na\tddpg\tcart\t1:3\n\nb\tddpg\tpendulum\t\n")
    assert [job_table.arguments(row) for row in job_table.rows(table)] == [
        ["--task", "cart", "--seeds", "1:3"], ["--task", "pendulum"]]


def test_rows_of_table_1_differ_by_task_and_switch_alone():
    rows = job_table.rows(ddpg_table1.TABLE)
    assert len({row["task"] for row in rows}) * 3 == len(rows)
    budget = ("total-steps", "eval-every")
    settings = {tuple(value for name, value in row.items()
                      if name not in ("run", "task", "target-networks", "batch-norm", "target-bn", *budget))
                for row in rows}
    assert len(settings) == 1
    assert {(row["batch-norm"], row["target-bn"]) for row in rows} == {("paper", "batch"), ("none", "")}
    budgets = {(row["task"], *(row[name] for name in budget)) for row in rows}
    assert len(budgets) == len({row["task"] for row in rows})
    switches = {"lowdim": ("true", "paper"), "nobn": ("true", "none"), "cntrl": ("false", "paper")}
    for row in rows:
        task, variant = row["run"].split("-")
        assert task == row["task"] and switches[variant] == (row["target-networks"], row["batch-norm"])


@pytest.mark.parametrize("control, brought, good", [([0.2, 0.4], 0.45, True), ([0.6, 0.4], 0.25, False)])
def test_target_networks_have_to_bring_what_d5_says(control, brought, good):
    def scores(task, variant, values):
        return {(task, variant): [table1_ddpg.Score(task, variant, seed, value, 1)
                                  for seed, value in enumerate(values)]}

    # cart has no control, so it does not count: (0.5 + 1.0) / 2 less the control's mean of cartpole.
    cells = {**scores("cartpole", "low-dim", [0.5, 1.0]), **scores("cartpole", "cntrl", control),
             **scores("cart", "low-dim", [1.0])}
    ((_, value, holds),) = ddpg_table1.checks(cells, ["cart", "cartpole"])
    assert value == pytest.approx(brought) and holds is good


def test_huber_slope_is_exact_on_a_line_and_keeps_its_head_among_outliers():
    x = np.arange(41.0)
    assert learning_claim.huber_slope(x, 3 + 0.75 * x) == pytest.approx(0.75, abs=1e-12)
    noise = np.where(np.arange(41) % 2 == 0, 1.0, -1.0)
    y = 3 + 0.75 * x + noise
    y[38:] += 1000
    assert abs(np.polyfit(x, y, 1)[0] - 0.75) > 5
    assert learning_claim.huber_slope(x, y) == pytest.approx(0.75, abs=0.05)
