"""ddpg --obs pixels: the same bits on any number of ranks, and nothing is lost."""

import ctypes
import re
import shutil

import h5py
import numpy as np
import pytest

import launch
import small_run

# 20 rows of frames per shard for 30 decisions: an episode of 20, its last frame, half of another.
ARGS = ["--config", "apps/ddpg/configs/smoke.cfg", "--obs", "pixels", "--pixel-size", "16",
        "--conv-filters", "4x4x4", "--actor-net", "16", "--critic-net", "16", "--batch", "8",
        "--total-steps", "240", "--start-steps", "80", "--eval-every", "0", "--eval-episodes", "3",
        "--horizon", "20", "--replay", "160", "--checkpoint-every", "80", "--reduce", "ordered",
        "--threads", "1"]
ROWS = 20
ALL_OPTIONS = ["--n-step", "3", "--envs-per-shard", "2", "--sampling", "prioritised", "--augment-shift", "2",
               "--total-steps", "320", "--replay-checkpoint", "incremental"]


def can_draw():
    """Whether a driver is installed: where one is, a run that does not start is a failure."""
    for name in ("libEGL_mesa.so.0", "libEGL_nvidia.so.0", "libOSMesa.so.8"):
        try:
            ctypes.CDLL(name)
            return True
        except OSError:
            pass
    return False


if not can_draw():  # tests/faults/ddpg.cmake looks for the words
    pytest.exit("PICTURES NOT TESTED, no OpenGL driver: install libegl1 libegl-mesa0 libosmesa6", 0)


def go(run_dir, *extra, ranks=2, fault=None, env=None):
    result = launch.run("ddpg", launch.merged(ARGS, ["--run-dir", run_dir, *extra]), ranks,
                        {**(env or {}), **({"TENFOLD_FAULT": fault} if fault else {})})
    assert fault or result.code in (0, 75), result.out + result.err
    return result


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("unbroken") / "run"
    go(run_dir)
    return run_dir


def test_bits_do_not_depend_on_ranks(tmp_path, unbroken):
    go(tmp_path / "run", ranks=1)
    two, one = launch.final_state(unbroken), launch.final_state(tmp_path / "run")
    assert two["optimizer/actor/step"] == 160, "something was learned"
    assert launch.differences(two, one) == []


def test_killed_and_resumed(tmp_path, unbroken):
    run_dir = tmp_path / "run"
    assert go(run_dir, fault="kill:rank=1:at=loop.step:n=27").code != 0
    go(run_dir)
    assert launch.differences(launch.final_state(unbroken), launch.final_state(run_dir)) == []


def test_all_options_at_once_stopped_and_moved(tmp_path):
    go(tmp_path / "unbroken", *ALL_OPTIONS)
    run_dir = tmp_path / "run"
    assert go(run_dir, *ALL_OPTIONS, "--stop-after", "160").code == 75
    newest = launch.checkpoints(run_dir)[-1]
    assert launch.data_sets(newest)["replay/frame"][1]["scope"] == b"increment"
    go(run_dir, *ALL_OPTIONS, ranks=1)
    ends = [launch.final_state(run) for run in (tmp_path / "unbroken", run_dir)]
    assert launch.differences(*ends) == []


def test_frames_are_stored_once_and_documented(unbroken):
    sets = launch.data_sets(launch.checkpoints(unbroken)[-1])
    assert sets["replay/frame"][0].shape == (8, ROWS, 16 * 16 * 9)
    assert sets["replay/frame"][0].dtype == np.uint8
    per_row = sum(values.dtype.itemsize * int(np.prod(values.shape[2:]))
                  for name, (values, _) in sets.items()
                  if name.startswith("replay/") and values.shape[1:2] == (ROWS,))
    assert per_row == 16 * 16 * 9 + 4 + 4 + 1 + 4, "frame, action, reward, ending, environment"
    text = (launch.SOURCE / "docs" / "schema.md").read_text()
    for name in sets:
        if name.startswith(("replay/", "env/")):
            assert f"`/checkpoint/{name}`" in text, name
    assert sets["replay/added"][0].tolist() == [30] * 8 and sets["replay/cursor"][0].tolist() == [11] * 8
    kinds = sets["replay/terminal"][0]
    assert (kinds == 3).sum() == 8 and (kinds == 2).sum() == 8
    assert len({row.tobytes() for row in sets["replay/frame"][0][0]}) > ROWS // 2


def test_what_draws_is_in_the_manifest_and_another_one_warns(tmp_path, unbroken):
    with h5py.File(unbroken / "manifest.h5") as file:
        drawn_by = file["manifest"].attrs["render.backend"]
    drawn_by = drawn_by.decode() if isinstance(drawn_by, bytes) else drawn_by
    assert "OpenGL" in drawn_by
    try:
        ctypes.CDLL("libOSMesa.so.8")
    except OSError:
        pytest.skip("no OSMesa to draw with instead")
    shutil.copytree(unbroken, tmp_path / "run")
    result = go(tmp_path / "run", "--total-steps", "248", env={"MUJOCO_GL": "osmesa"})
    warning = re.search(r"resumed with another render.backend: .*", result.out + result.err)
    assert ("OSMesa" in drawn_by) == (warning is None), result.out + result.err
    assert "OSMesa" in (warning[0] if warning else drawn_by)


def test_states_and_pictures_are_not_mixed(tmp_path, unbroken):
    shutil.copytree(unbroken, tmp_path / "run")
    states = [word for pair in zip(ARGS[::2], ARGS[1::2])
              if pair[0] not in ("--obs", "--pixel-size", "--conv-filters") for word in pair]
    result = launch.run("ddpg", [*states, "--run-dir", tmp_path / "run"])
    assert result.code == 6 and "obs" in " ".join(result.fatal), result.out + result.err


@pytest.mark.parametrize("args,words", [
    (["--replay", "99999999"], ["replay", "memory", "GB", "an observation"]),
    (["--replay", "8"], ["frames", "at least 4"]),
    (["--camera", "behind"], ["behind", "side"]),
], ids=lambda value: value[0])
def test_refused(tmp_path, args, words):
    result = launch.run("ddpg", launch.merged(ARGS, ["--run-dir", tmp_path / "run", *args]))
    launch.refused(result, 2, *words)
