"""Bad input under two ranks: one clear message, the right exit code, no hang, nothing lost."""

import os
import pathlib
import subprocess

import pytest

import launch
from launch import refused

SMOKE = ["--config", "apps/ddpg/configs/smoke.cfg"]


OPTIONS = [
    (["--tasc", "pendulum"], 2, ["tasc", "task"]),
    (["--batch", "many"], 2, ["batch", "many"]),
    (["--gamma", "1"], 2, ["gamma", "1"]),
    (["--tau", "0"], 2, ["tau"]),
    (["--tau", "nan"], 2, ["tau", "nan"]),
    (["--sigma", "-1"], 2, ["sigma", "-1"]),
    (["--ou-theta", "2"], 2, ["ou-theta"]),
    (["--per-beta", "0.7"], 2, ["--per-beta", "--sampling prioritised", "'uniform'"]),
    (["--reduce", "orderd"], 2, ["orderd", "ordered"]),
    (["--preset", "papr"], 2, ["papr", "paper"]),
    (["stray"], 2, ["stray"]),
    (["--task", "pendulm"], 2, ["pendulm", "pendulum"]),
    (["--batch", "63"], 2, ["63", "8", "virtual"]),
    (["--virtual-shards", "7"], 2, ["7", "2 ranks"]),
    (["--action-layer", "9"], 2, ["action-layer", "9"]),
    (["--replay", "10"], 2, ["replay", "10"]),
    (["--replay", "99999999999"], 2, ["replay", "memory"]),
    (["--task", "torcs", "--obs", "pixels"], 2, ["torcs", "no pictures"]),
    (["--camera", "fixed"], 2, ["camera", "--obs pixels"]),
    (["--obs", "pixels", "--planner", "cem"], 2, ["planner", "pixels"]),
    (["--augment-shift", "2"], 2, ["augment-shift", "--obs pixels"]),
    (["--obs", "pixels", "--pixel-size", "16", "--augment-shift", "16"], 2, ["augment-shift 16", "16 pixels"]),
    (["--stop-after", "soon"], 2, ["stop-after", "soon"]),
    (["--device", "cuda"], 2, ["--device cuda"]),
    (["--config", "no/such.cfg"], 2, ["no/such.cfg"]),
    (["--config", "apps"], 2, ["apps"]),
    (["--resume", "/no/such/run"], 6, ["/no/such/run"]),
    (["--mjcf-dir", "/no/such/folder"], 3, ["/no/such/folder"]),
    (["--mjcf", "no/such.xml", "--reward", "1"], 3, ["no/such.xml", "--mjcf"]),
    (["--mjcf", "data/mjcf/cart.xml"], 2, ["cart.xml", "--reward"]),
    (["--mjcf", "data/mjcf/cart.xml", "--reward", "q.slidr"], 2, ["q.slidr", "q.slider"]),
    (["--reward", "q.slider"], 2, ["--reward", "--mjcf"]),
    (["--task", "torcs", "--mjcf-dir", "/no/such/folder"], 2, ["torcs", "no MuJoCo model"]),
]


@pytest.mark.parametrize("args,code,words", OPTIONS, ids=[" ".join(o[0]) for o in OPTIONS])
def test_options(tmp_path, args, code, words):
    smoke = [] if "--config" in args else SMOKE
    refused(launch.run("ddpg", [*smoke, *args, "--run-dir", tmp_path / "run"]), code, *words)


@pytest.mark.skipif(os.path.exists("/dev/nvidia0"), reason="this machine has a GPU")
def test_no_gpu_is_said_with_a_remedy(tmp_path):
    result = launch.run("ddpg", [*SMOKE, "--device", "cuda", "--run-dir", tmp_path / "run"])
    refused(result, 2, "no usable GPU", "--device cpu")


@pytest.mark.parametrize("text,words", [
    ("[train]\ntotal_steps = 5\n", ["total_steps", "total-steps"]),
    ("[train]\ntotal-steps = 5\ntotal-steps = 6\n", ["total-steps"]),
    ("[learning]\ngamma = 2\n", ["gamma", "2"]),
    ("\x00\x07\x1b[31m", []),
], ids=["unknown key", "twice", "range", "binary"])
def test_config_files(tmp_path, text, words):
    path = tmp_path / "bad.cfg"
    path.write_text(text)
    result = launch.run("ddpg", ["--config", path, "--run-dir", tmp_path / "run"])
    refused(result, 2, *words)
    assert "\x1b" not in result.err and "\x07" not in result.err


def test_unknown_environment_variable(tmp_path):
    result = launch.run("ddpg", [*SMOKE, "--run-dir", tmp_path / "run"],
                        env={"TENFOLD_TRAIN__TOTAL_STEP": "5"})
    refused(result, 2, "TENFOLD_TRAIN__TOTAL_STEP")


def test_malformed_mjcf_names_file_and_line(tmp_path):
    (tmp_path / "pendulum.xml").write_text("<mujoco>\n  <worldbody>\n    <bodi/>\n  </worldbody>\n</mujoco>\n")
    result = launch.run("ddpg", [*SMOKE, "--mjcf-dir", tmp_path, "--run-dir", tmp_path / "run"])
    refused(result, 3, "pendulum.xml", "bodi")


def test_run_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(launch.run("ddpg", [*SMOKE, "--run-dir", tmp_path / "file" / "run"]), 4, "file")
    refused(launch.run("ddpg", [*SMOKE, "--run-dir", "/proc/tenfold"]), 4, "/proc/tenfold")


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("do not touch")
    refused(launch.run("ddpg", [*SMOKE, "--run-dir", tmp_path]), 2, str(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_run_directory_in_use(tmp_path):
    run_dir = tmp_path / "run"
    first = launch.start("ddpg", [*SMOKE, "--total-steps", "10000000", "--eval-every", "0",
                                  "--run-dir", run_dir])
    try:
        while not list(run_dir.glob("metrics/seg-*.h5")):
            assert first.poll() is None, first.communicate()
        refused(launch.run("ddpg", [*SMOKE, "--run-dir", run_dir]), 2, str(run_dir), "in use")
        assert first.poll() is None
        (run_dir / "STOP").touch()
        assert launch.finish(first).code == 75
    finally:
        first.kill()


def test_disk_that_is_really_full(tmp_path):
    """A file system of one megabyte: checkpoints cannot fit; the run says so and leaves with 4."""
    mount = tmp_path / "small"
    mount.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount],
                             capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("cannot mount a small tmpfs here (not root): the fault points cover the rest")
    try:
        result = launch.run("ddpg", [*SMOKE, "--total-steps", "16000", "--updates-per-step", "0",
                                     "--eval-every", "0", "--run-dir", mount / "run"])
        refused(result, 4, "space")
        assert not list((mount / "run").glob("checkpoint/*.partial"))
    finally:
        subprocess.run(["umount", mount], check=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("finished") / "run"
    assert launch.run("ddpg", [*SMOKE, "--total-steps", "480", "--eval-every", "0", "--run-dir",
                               run_dir]).code == 0
    return run_dir


def damage_truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def damage_empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [damage_truncate, damage_flip, damage_empty])
def test_damaged_only_checkpoint_never_starts_over(finished, tmp_path, damage):
    import shutil
    run_dir = tmp_path / "run"
    shutil.copytree(finished, run_dir)
    file = launch.checkpoints(run_dir)[-1] / "state.h5"
    damage(file)
    for each in launch.checkpoints(run_dir)[:-1]:
        shutil.rmtree(each)
    result = launch.run("ddpg", [*SMOKE, "--total-steps", "960", "--run-dir", run_dir])
    refused(result, 6, "state.h5")
    assert file.exists()


@pytest.mark.parametrize("change,words", [
    (["--task", "cartpole_swingup"], ["task", "pendulum", "cartpole_swingup"]),
    (["--actor-net", "32x32"], ["actor_net", "64x64", "32x32"]),
    (["--virtual-shards", "16"], ["shards", "8", "16"]),
])
def test_checkpoint_of_another_experiment(finished, change, words):
    before = [launch.commit(c) for c in launch.checkpoints(finished)]
    result = launch.run("ddpg", [*SMOKE, "--total-steps", "960", *change, "--run-dir", finished])
    refused(result, 6, *words)
    assert [launch.commit(c) for c in launch.checkpoints(finished)] == before


def test_resume_none_does_not_overwrite(finished):
    refused(launch.run("ddpg", [*SMOKE, "--resume", "none", "--run-dir", finished]), 2, "resume",
            str(finished))


@pytest.mark.parametrize("reduce", ["ordered", "fixed", "fast"])
def test_nan_names_parameter_and_rank(tmp_path, reduce):
    result = launch.run("ddpg", [*SMOKE, "--reduce", reduce, "--eval-every", "0", "--run-dir",
                                 tmp_path / "run"],
                        env={"TENFOLD_FAULT": "nan:rank=1:at=reduce.gradient:n=41"})
    refused(result, 5, "critic layer0.weight", "rank 1", "not finite")
