"""atari57: scores of Atari runs, normalised by a human tester's."""

import pytest

import run_files
from tenfold_analysis import atari57
from tenfold_analysis.tenfold_h5 import read_run


def make(path, task, seed, returns):
    run_files.write_manifest(path, {"task.task": (task, "command line")}, seed=str(seed), app="a3c")
    with run_files.create_segment(path, 0, {"eval/return": 1}) as file:
        run_files.append_rows(file, "eval/return", range(0, 1000 * len(returns), 1000), returns)
        run_files.append_event(file, 1000, "end")
    return path


@pytest.fixture
def folder(tmp_path):
    make(tmp_path / "a", "atari:Pong", 1, [-21, 14.6])
    make(tmp_path / "b", "atari:ALE/Pong-v5", 2, [-21, -20.7])
    make(tmp_path / "c", "atari:ms_pacman", 1, [0, 307.3])
    make(tmp_path / "d", "catch", 1, [0, 1])
    return tmp_path


def test_the_table_is_whole():
    table = atari57.human_table()
    assert len(table) == 57 and table.index.is_unique
    assert (table["human"] > table["random"]).all()
    assert table.loc["pong"].tolist() == [-20.7, 14.6]


def test_zero_is_random_play_and_one_the_human():
    table = atari57.human_table()
    assert atari57.normalised(1.7, "breakout", table) == 0
    assert atari57.normalised(30.5, "breakout", table) == 1
    # PFRL's 581 (shared notes): (581 - 1.7) / 28.8.
    assert atari57.normalised(581, "breakout", table) == pytest.approx(20.1146, abs=1e-4)


def test_a_games_score_is_the_mean_of_its_seeds_last_values(folder):
    table = atari57.human_table()
    scores = [atari57.score_of(read_run(folder / name), table)[0] for name in "abc"]
    made = atari57.make(scores, table)
    assert made.index.tolist() == ["ms_pacman", "pong"]
    assert made.loc["pong"].tolist() == pytest.approx([2, 1000, -3.05, -20.7, 14.6, 0.5])
    assert made.loc["ms_pacman", "normalised"] == 0
    with pytest.raises(ValueError, match="two runs of pong have one seed"):
        atari57.make([scores[0], scores[0]], table)


def test_command_line(folder, capsys):
    assert atari57.main([str(folder)]) == 0
    said = capsys.readouterr()
    assert "2 of 57 games: mean 25.0%, median 25.0%" in said.out
    assert "left out" in said.err and "task catch is none of the 57 games" in said.err
    assert atari57.main([str(folder / "d")]) == 3
