"""Several seeds in one job (`--seeds`): each run is the one that its seed alone would be, and a run that fails,
or a job that stops, leaves the others as they must be."""

import launch
import small_run


def sweep(folder, *extra, ranks=4, fault=None):
    return small_run.go(folder, "--seeds", "3:5", "--ranks-per-seed", "2", *extra, ranks=ranks, fault=fault)


def alone(folder, seed):
    assert small_run.go(folder, "--seed", str(seed)).code == 0
    return launch.final_state(folder)


def test_each_seed_is_the_run_that_it_is_alone(tmp_path):
    result = sweep(tmp_path / "all")
    assert result.code == 0, result.out + result.err
    assert "3 of 3 seeds are done" in result.out
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["seed-3", "seed-4", "seed-5"]
    states = [launch.final_state(tmp_path / "all" / f"seed-{seed}") for seed in (3, 4, 5)]
    for seed in (3, 5):
        expected = alone(tmp_path / f"alone-{seed}", seed)
        assert launch.differences(expected, states[seed - 3]) == []
    assert launch.differences(states[0], states[1], only="model/")
    # A seed of the sweep can be gone on with as a run of its own.
    again = small_run.go(tmp_path / "all" / "seed-4", "--seed", "4")
    assert again.code == 0, again.out + again.err


def test_a_seed_that_fails_leaves_the_others_alone(tmp_path):
    # Rank 3 is in the second group, which runs seed 4 alone.
    result = sweep(tmp_path / "all", fault="nan:rank=3:at=reduce.gradient:n=50")
    assert result.code == 5
    assert len(result.fatal) == 1 and "rank 1" in result.fatal[0]
    assert "seed 4: ended with 5" in result.out and "2 of 3 seeds are done" in result.out
    assert sweep(tmp_path / "all").code == 0
    assert launch.differences(alone(tmp_path / "alone", 4),
                              launch.final_state(tmp_path / "all" / "seed-4")) == []


def test_stopped_and_gone_on_with(tmp_path):
    stopped = sweep(tmp_path / "all", "--stop-after", "320")
    assert stopped.code == 75, stopped.out + stopped.err
    assert "0 of 3 seeds are done" in stopped.out
    result = sweep(tmp_path / "all", ranks=2)
    assert result.code == 0, result.out + result.err
    assert launch.differences(alone(tmp_path / "alone", 5),
                              launch.final_state(tmp_path / "all" / "seed-5")) == []


def test_what_cannot_be_is_refused(tmp_path):
    for extra, words in ((["--seeds", "3:1"], "3 is after 1"), (["--ranks-per-seed", "3"], "groups of 3"),
                         (["--dry-run", "true"], "tries one run")):
        refused = launch.run("ddpg", launch.merged(["--run-dir", tmp_path / "run", "--seeds", "1:2"], extra), 2)
        assert refused.code == 2
        assert len(refused.fatal) == 1 and words in refused.fatal[0]
