"""`tenfold show --video`: the policy of a run, as a film, as a sheet and in numbers."""

import json
import os
import shutil
import subprocess

import h5py
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

import launch
import run_files
from tenfold_tool import refused, tenfold

FFMPEG = os.environ.get("TENFOLD_FFMPEG") or imageio_ffmpeg.get_ffmpeg_exe()
EPISODES, HORIZON = 4, 20
PLAYED = ["--task", "pendulum", "--horizon", HORIZON, "--total-steps", 160, "--start-steps", 40, "--batch", 16,
          "--replay", 160, "--actor-net", "16x16", "--critic-net", "16x16", "--eval-episodes", EPISODES,
          "--eval-every", 80, "--checkpoint-every", 80, "--seed", 7]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("film") / "run"
    result = launch.run("ddpg", [*PLAYED, "--run-dir", run], ranks=1)
    assert result.code == 0, result.out + result.err
    return run


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def film(run, *arguments, **environment):
    result = tenfold("show", "--video", run, *arguments, TENFOLD_FFMPEG=FFMPEG, **environment)
    assert result.code == 0, result.out + result.err
    return result


def frames(path, width=480, height=360):
    done = subprocess.run([FFMPEG, "-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height, width, 3)


def test_the_film_is_of_the_last_evaluation(run):
    before = {path.name for path in run.iterdir()}
    result = film(run, "--episodes", EPISODES)
    assert {path.name for path in run.iterdir()} - before == {"film.mp4", "film.png", "film.json"}
    assert "pendulum after 160 decisions: 4 episodes" in result.out and str(run / "film.mp4") in result.out

    facts = json.loads((run / "film.json").read_text())
    assert facts["step"] == 160 and facts["lengths"] == [HORIZON] * EPISODES
    assert (run / "checkpoint" / facts["checkpoint"]).is_dir()
    with h5py.File(run / "metrics" / "seg-0000.h5") as file:
        last = file["metrics/eval/return/value"][-1]
    assert np.mean(facts["returns"]) == pytest.approx(last, abs=1e-4)

    # 0.04 s a decision: 21 pictures of an episode, the last for half a second more (13).
    assert facts["frames_per_second"] == 25
    pictures = frames(run / "film.mp4")
    assert len(pictures) == EPISODES * (HORIZON + 1 + 13)
    first, later, last, still = (pictures[i].astype(int) for i in (0, 8, HORIZON, HORIZON + 10))
    assert np.abs(first - later).max() > 50 and np.abs(last - still).max() < 20
    assert later.max() > 150 and later.std() > 10

    sheet = np.asarray(Image.open(run / "film.png").convert("RGB")).astype(int)
    assert sheet.shape == (360, 960, 3)
    assert np.abs(sheet[:178, :238] - sheet[180:358, 720:958]).max() > 50  # its first and last picture
    assert (sheet[:, 238:240] == 255).all()
    assert facts["sheet_seconds"] == pytest.approx([0.04 * (k * HORIZON // 7) for k in range(8)])


def test_other_kinds_of_films_and_places(run, tmp_path):
    for name in ("a.gif", "b.webm"):
        film(run, "-n", 1, "-o", tmp_path / "films" / name)
        assert len(frames(tmp_path / "films" / name)) >= HORIZON + 1
    assert {path.name for path in (tmp_path / "films").iterdir()} == {
        "a.gif", "a.png", "a.json", "b.webm", "b.png", "b.json"}


def test_a_damaged_checkpoint_is_passed_over(run, tmp_path):
    newest = run / "checkpoint" / "step-000000000160" / "state.h5"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    result = film(run, "-n", 1)
    assert "after 80 decisions" in result.out
    assert "warning" in result.err and "step-000000000160" in result.err

    shutil.rmtree(run / "checkpoint")
    (run / "checkpoint").mkdir()
    refused(6, ["show", "--video", run], "no checkpoint that is whole", TENFOLD_FFMPEG=FFMPEG)


@pytest.mark.parametrize("options, words", [
    ({"task.task": "torcs"}, ["torcs", "cannot be filmed"]),
    ({"task.task": "gym:Pendulum-v1"}, ["gym:Pendulum-v1", "cannot be filmed"]),
    ({"task.task": "pendulum", "planner.method": "cem"}, ["played a planner"]),
])
def test_what_has_no_pictures_or_no_policy(tmp_path, options, words):
    run_files.write_manifest(tmp_path / "run", {key: (value, "command line") for key, value in options.items()})
    refused(2, ["show", "--video", tmp_path / "run"], *words, TENFOLD_FFMPEG=FFMPEG)


def test_runs_that_it_cannot_read(tmp_path):
    run_files.write_manifest(tmp_path / "other", app="newcomer")
    refused(2, ["show", "--video", tmp_path / "other"], "newcomer cannot be filmed here", "newcomer_film")
    run_files.write_manifest(tmp_path / "bad", app="../evil")
    refused(3, ["show", "--video", tmp_path / "bad"], "names no application")
    run_files.write_manifest(tmp_path / "newer", {"network.memory": ("lstm", "command line")})
    refused(3, ["show", "--video", tmp_path / "newer"], "network.memory", "does not know")
    refused(3, ["show", "--video", tmp_path / "none"], "none")


def test_a_policy_of_another_shape(run):
    with h5py.File(run / "manifest.h5", "r+") as file:
        config = json.loads(file["manifest"].attrs["config"])
        config["network.actor-net"]["value"] = "16x8"
        file["manifest"].attrs["config"] = json.dumps(config)
    refused(3, ["show", "--video", run], "layer1.weight is 16x16", "8x16", TENFOLD_FFMPEG=FFMPEG)


def test_bad_words(run):
    refused(2, ["show", run, "--episodes", 3], "--episodes is of --video")
    refused(2, ["show", "--video", run, "-n", 0], "--episodes", "from 1 to 1000")
    refused(2, ["show", "--video", run, "-o", "film.avi"], "film.avi", ".mp4")


def test_an_ffmpeg_that_fails_or_is_not_there(run, tmp_path):
    refused(2, ["show", "--video", run], "TENFOLD_FFMPEG", TENFOLD_FFMPEG=tmp_path / "none")
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho 'Unknown encoder' >&2\nexit 8\n")
    program.chmod(0o755)
    before = {path.name for path in run.iterdir()}
    refused(4, ["show", "--video", run], "film", "Unknown encoder", TENFOLD_FFMPEG=program)
    assert {path.name for path in run.iterdir()} == before


@pytest.mark.parametrize("options, side", [
    (["--task", "labyrinth", "--settings", "cells=4,apples=3,picture=32", "--conv", "grid", "--lstm", 8, "--horizon", 30], 384),
    (["--task", "catch", "--method", "q"], 384),
])
def test_a_film_of_a3c_is_of_its_last_evaluation(tmp_path, options, side):
    run = tmp_path / "run"
    result = launch.run("a3c", [*options, "--net", 16, "--virtual-shards", 2, "--total-steps", 60, "--eval-episodes", 3,
                                "--run-dir", run], ranks=1)
    assert result.code == 0, result.out + result.err
    film(run, "--episodes", 3)
    facts = json.loads((run / "film.json").read_text())
    with h5py.File(run / "metrics" / "seg-0000.h5") as file:
        assert np.mean(facts["returns"]) == pytest.approx(file["metrics/eval/return/value"][-1], abs=1e-4)
        assert np.mean(facts["lengths"]) == pytest.approx(file["metrics/eval/length/value"][-1])
    pictures = frames(run / "film.mp4", side, side)
    assert len(pictures) > sum(facts["lengths"]) and pictures[0].std() > 5
    assert np.asarray(Image.open(run / "film.png")).shape == (side, 2 * side, 3)


def test_a_task_of_numbers_has_nothing_to_film(tmp_path):
    run_files.write_manifest(tmp_path / "run", {"task.task": ("classic_cartpole", "default")}, app="a3c")
    refused(2, ["show", "--video", tmp_path / "run"], "classic_cartpole cannot be filmed", "4 numbers",
            TENFOLD_FFMPEG=FFMPEG)
