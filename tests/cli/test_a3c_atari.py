"""--task atari:GAME of a3c: what is said when package, game or ROM are missing, and that a resume in the middle of
episodes gives the bits of an unbroken run."""

import pytest

import launch
from launch import refused
from tenfold_analysis.tenfold_h5 import read_run

SHORT = ["--preset", "atari-ff", "--task", "atari:Pong", "--virtual-shards", "2", "--order", "turns", "--block", "40",
         "--total-steps", "240", "--horizon", "60", "--net", "16", "--eval-episodes", "1", "--eval-every", "0",
         "--watchdog", "60"]


def train(run_dir, ranks, *extra, env=None):
    return launch.run("a3c", launch.merged(SHORT, ["--run-dir", run_dir, *extra]), ranks, env=env)


def test_without_the_package_it_names_it(tmp_path):
    result = train(tmp_path / "run", 2, env={"TENFOLD_PYTHON": "/usr/bin/python3", "PYTHONPATH": ""})
    refused(result, 2, "atari:Pong", "ale-py", "/usr/bin/python3", "pip install")
    assert "Traceback" not in result.err


def test_a_resumed_run_ends_with_the_bits_of_an_unbroken_one(tmp_path):
    pytest.importorskip("ale_py")
    whole = train(tmp_path / "whole", 2)
    assert whole.code == 0, whole.out + whole.err
    stopped = train(tmp_path / "broken", 2, "--stop-after", "160")
    assert stopped.code == 75, stopped.out + stopped.err
    again = train(tmp_path / "broken", 1)
    assert again.code == 0, again.out + again.err
    assert launch.differences(launch.final_state(tmp_path / "whole"), launch.final_state(tmp_path / "broken")) == []
    # 60 decisions are too few for a point: 0, where random play gets -20.7 and the human 14.6 of a whole game.
    human = read_run(tmp_path / "whole").series["eval/human_normalised"]
    score = read_run(tmp_path / "whole").series["eval/return"].value
    assert human.value == pytest.approx((score + 20.7) / (14.6 + 20.7))


@pytest.mark.parametrize("task,settings,env,code,words", [
    ("atari:Pnog", "", {}, 2, ["atari:Pnog", "Did you mean atari:pong?"]),
    ("atari:joust", "", {}, 2, ["more than one player"]),
    ("atari:pong", "noop=3", {}, 2, ["noop", "Did you mean noops?"]),
    ("atari:pong", "", {"ALE_ROMS_DIR": "data"}, 3, ["pong.bin", "ALE_ROMS_DIR", "--force-reinstall ale-py"]),
], ids=["game", "players", "setting", "rom"])
def test_refusals(tmp_path, task, settings, env, code, words):
    pytest.importorskip("ale_py")
    more = ["--settings", settings] if settings else []
    refused(train(tmp_path / "run", 1, "--task", task, *more, env=env), code, *words)
