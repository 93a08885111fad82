"""table1_ddpg: the paper's table 1 from runs of ddpg."""

import pytest

import run_files
from tenfold_analysis import table1_ddpg
from tenfold_analysis.tenfold_h5 import NotARun, read_run


def make(path, task, seed, scores, series="eval/score", end="end", app="ddpg", **options):
    """A run of two evaluations or more, whose scores are given; options: of the configuration."""
    named = {"target_networks": "learning.target-networks", "batch_norm": "network.batch-norm", "obs": "task.obs",
             "steps": "train.total-steps", "gamma": "learning.gamma", "target_bn": "network.target-bn"}
    options = {"target_networks": "true", "batch_norm": "paper", "steps": "2000", **options}
    config = {"task.task": (task, "command line"),
              **{named[key]: (value, "default") for key, value in options.items()}}
    run_files.write_manifest(path, config, seed=str(seed), app=app)
    with run_files.create_segment(path, 0, {series: 1}) as file:
        run_files.append_rows(file, series, range(0, 1000 * len(scores), 1000), scores)
        run_files.append_event(file, 1000, end)
    return read_run(path)


@pytest.fixture
def runs(tmp_path):
    """Two tasks under the names of two authors; 0.9 and 0.7 are the last scores, not the best."""
    def seeds(name, task, scores, **options):
        return [make(tmp_path / "all" / name / f"seed-{seed}", task, seed, [0.0, 2.0, score], **options)
                for seed, score in enumerate(scores, 1)]

    return (seeds("a", "pendulum", [0.9, 0.7]) + seeds("b", "pendulum", [0.1, -0.3], target_networks="false") +
            seeds("c", "pendulum", [0.5, 0.1], batch_norm="none") +
            seeds("d", "cartpole_balance", [0.2, 0.5]) +
            seeds("e", "cartpole_balance", [0.625, 0.375], target_networks="false", steps="3000"))


def cells_of(runs):
    return table1_ddpg.collect(runs, table1_ddpg.paper_table())[0]


def test_the_papers_numbers_are_all_there():
    paper = table1_ddpg.paper_table()
    assert len(paper) == 27 and len(set(paper.index)) == 27
    assert paper.loc["hardCheetah"].tolist() == ["", 1.311, 1.990, 1.204, 1.431, -0.031, 1.411]
    assert (paper["best_lowd"] >= paper["av_lowd"]).all() and (paper["best_cntrl"] >= paper["av_cntrl"]).all()
    assert (paper["best_pix"] >= paper["av_pix"]).all()


@pytest.mark.parametrize("options, variant", [
    ({}, "low-dim"), ({"batch_norm": "none"}, "low-dim, no batch norm"), ({"target_networks": "false"}, "cntrl"),
    ({"target_networks": "false", "batch_norm": "none"}, "cntrl, no batch norm"), ({"obs": "lowdim"}, "low-dim"),
    ({"obs": "pixels"}, "pixels"), ({"obs": "pixels", "batch_norm": "none"}, "pixels, no batch norm"),
    ({"obs": "pixels", "target_networks": "false"}, "pixels, cntrl")])
def test_the_variant_is_what_the_manifest_says(tmp_path, options, variant):
    assert table1_ddpg.variant_of(make(tmp_path / "a", "cart", 1, [0, 1], **options)) == variant
    assert variant in table1_ddpg.ORDER


def test_mean_and_best_of_the_last_scores(runs):
    table = table1_ddpg.make(cells_of(runs), table1_ddpg.paper_table())
    assert table.head == [
        "task", "seeds", "decisions", "av low-dim", "best low-dim", "av low-dim, no batch norm",
        "best low-dim, no batch norm", "av cntrl", "best cntrl", "paper: av lowd", "paper: best lowd",
        "paper: av cntrl", "paper: best cntrl"]
    assert table.rows == [
        ["cartpoleBalance", "2", "2,000 to 3,000", "0.350", "0.500", "–", "–", "0.500", "0.625", "0.951", "1.000",
         "−0.468", "0.528"],
        ["pendulum", "2", "2,000", "0.800", "0.900", "0.300", "0.500", "−0.100", "0.100", "0.946", "1.021", "0.099",
         "0.951"]]
    assert table.seed_rows == [["cartpoleBalance", "0.200 0.500", "–", "0.625 0.375"],
                               ["pendulum", "0.900 0.700", "0.500 0.100", "0.100 −0.300"]]


def test_what_the_switches_bring(runs):
    # Pendulum 0.8 + 0.1, cartpole 0.35 - 0.5: mean 0.375. The paper's: 0.946 - 0.099 and 0.951 + 0.468.
    table = table1_ddpg.make(cells_of(runs), table1_ddpg.paper_table())
    assert table.lines == [
        "Target networks: av with less av without is 0.375 on average; above 0 on 1 of 2 tasks; the paper's: 1.133, "
        "above 0 on 2",
        "Batch normalisation: av with less av without is 0.500 on average; above 0 on 1 of 1 tasks"]


def test_pixel_runs_bring_their_columns(tmp_path):
    runs = [make(tmp_path / "a", "reacherSingle", 1, [0, 0.75], obs="pixels", batch_norm="none")]
    table = table1_ddpg.make(cells_of(runs), table1_ddpg.paper_table())
    assert table.head[3:] == ["av pixels, no batch norm", "best pixels, no batch norm", "paper: av pix",
                              "paper: best pix"]
    assert table.rows == [["reacherSingle", "1", "2,000", "0.750", "0.750", "1.000", "1.083"]]
    assert table.lines == []


def test_torcs_is_raw_reward_as_in_the_paper(tmp_path):
    run = make(tmp_path / "a", "torcs", 1, [5, 120.5], series="eval/return")
    assert table1_ddpg.make(cells_of([run]), table1_ddpg.paper_table()).rows[0][3:5] == ["120.500", "120.500"]


def test_what_has_no_score_is_left_out_and_named(tmp_path):
    paper = table1_ddpg.paper_table()
    bad = [make(tmp_path / "nan", "cart", 1, [float("nan")] * 2),
           make(tmp_path / "stopped", "cart", 2, [0, 1], end="stop"),
           make(tmp_path / "other", "point_mass", 1, [0, 1]), make(tmp_path / "app", "cart", 1, [0, 1], app="a3c")]
    cells, left_out = table1_ddpg.collect(bad, paper)
    assert cells == {}
    assert [line.partition(": ")[2] for line in left_out] == [
        "no planner's score for cart: eval/score is NaN", "it is stopped, not finished",
        "the paper's table has no task point_mass", "it is a run of a3c, not of ddpg"]
    assert all(str(run.path) in line for run, line in zip(bad, left_out))
    with pytest.raises(NotARun, match="eval/score is NaN"):
        table1_ddpg.document(bad)


def test_a_seed_is_not_counted_twice(tmp_path):
    runs = [make(tmp_path / name, "cart", 1, [0, 1]) for name in ("a", "b")]
    with pytest.raises(table1_ddpg.SameSeedTwice, match="both cart, low-dim, seed 1"):
        cells_of(runs)


def test_other_settings_that_differ_are_said(tmp_path):
    runs = [make(tmp_path / name, "cart", seed, [0, 1], gamma=gamma)
            for name, seed, gamma in (("a", 1, "0.99"), ("b", 2, "0.95"))]
    assert table1_ddpg.settings_that_differ(runs) == ["learning.gamma: 0.95, 0.99"]
    assert "Differs between the runs: learning.gamma: 0.95, 0.99" in table1_ddpg.document(runs)


def test_what_normalises_targets_says_nothing_of_a_run_without_batch_normalisation(tmp_path):
    runs = [make(tmp_path / str(seed), "cart", seed, [0, 1], batch_norm=norm, target_bn=target)
            for seed, norm, target in ((1, "paper", "batch"), (2, "none", "running"), (3, "paper", "batch"))]
    assert table1_ddpg.settings_that_differ(runs) == []
    runs.append(make(tmp_path / "4", "cart", 4, [0, 1], target_bn="running"))
    assert table1_ddpg.settings_that_differ(runs) == ["network.target-bn: batch, running"]


def test_command_line(runs, tmp_path, capsys):
    folder = str(tmp_path / "all")
    assert table1_ddpg.main([folder]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == [each for each in ("low-dim", "no-BN", "cntrl", "lowd", "cntrl") for _ in range(2)]
    assert lines[2].split() == ["task", "seeds", "decisions", *["av", "best"] * 5]
    assert lines[4].split() == ["pendulum", "2", "2,000", "0.800", "0.900", "0.300", "0.500", "−0.100", "0.100",
                                "0.946", "1.021", "0.099", "0.951"]
    assert len({len(line) for line in lines[2:5]}) == 1
    out = tmp_path / "table.md"
    assert table1_ddpg.main([folder, "--markdown", "--out", str(out)]) == 0
    written = out.read_text().splitlines()
    assert written[1].startswith("| --- | ---: | ---: |") and written[3].startswith("| pendulum | 2 | 2,000 | 0.800 |")
    assert "- Target networks: av with less av without is 0.375" in out.read_text()
    assert table1_ddpg.main([str(tmp_path / "none")]) == 3
    assert "does not exist" in capsys.readouterr().err
    assert table1_ddpg.main([folder, "--out", str(tmp_path / "none" / "x")]) == 4
