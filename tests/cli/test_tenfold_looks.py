"""tenfold ls, show and tail on runs that are finished, live, stopped, killed, damaged and foreign."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import h5py
import numpy as np
import pytest

import launch
import run_files
from tenfold_tool import V1, refused, said, tenfold


def rows_of(table):
    """Lines of a table by their first word."""
    return {line.split()[0]: line.split() for line in table.splitlines() if line.strip()}


def test_help_names_every_command_and_fits_a_terminal():
    text = said("help")
    assert said() == said("--help") == said("-h") == text
    for command in ("ls", "show", "tail", "verify", "doctor", "help"):
        assert re.search(rf"^  {command}\b", text, re.M)
        own = said("help", command)
        assert own == said(command, "--help") and own.startswith(f"usage: tenfold {command}")
        assert max(map(len, own.splitlines())) <= 88
    assert max(map(len, text.splitlines())) <= 80
    for code in ("0 done", "2 wrong usage", "3 bad data", "6 checkpoint"):
        assert code in text
    assert said("--version").startswith("tenfold ")


@pytest.mark.parametrize("arguments,words", [
    (["lss"], ["'lss'", "Did you mean 'ls'"]),
    (["frobnicate"], ["Commands: ls, show"]),
    (["-x"], ["'-x'", "Commands: ls, show"]),
    (["help", "nope"], ["'nope'"]),
    (["show"], ["RUN [PLACE] is missing", "tenfold show --help"]),
    (["show", "a", "b"], ["'b'", "too many"]),
    (["ls", "--all"], ["--all"]),
    (["tail", "a", "--line", "3"], ["--line", "Did you mean --lines"]),
    (["tail", "a", "-n", "x"], ["--lines", "'x'", "whole number"]),
    (["tail", "a", "-n", "-3"], ["'-3'"]),
    (["tail", "a", "--every", "0"], ["--every", "'0'"]),
    (["tail", "a", "-n"], ["--lines"]),
    (["sh\x1b[31mow"], ["\\x1b"]),
], ids=lambda value: " ".join(value).replace("\x1b", "ESC"))
def test_wrong_usage(arguments, words):
    refused(2, arguments, *words)


def test_a_path_that_is_no_run(tmp_path):
    (tmp_path / "file").write_text("x")
    refused(3, ["show", tmp_path / "none"], "does not exist", "tenfold ls")
    refused(3, ["show", tmp_path], "not a run directory", "--run-dir")
    refused(3, ["show", tmp_path / "file"], "not a run directory")
    refused(3, ["tail", tmp_path], "not a run directory")
    refused(3, ["ls", tmp_path / "none"], "not a folder")
    run_files.make_run(tmp_path / "a", steps=[0])
    refused(3, ["show", tmp_path], "holds runs", "tenfold ls")


def test_ls_says_state_progress_and_measure(tmp_path):
    run_files.make_run(tmp_path / "done")
    run_files.make_run(tmp_path / "deep" / "stopped", steps=[0, 1000], end="stop")
    run_files.make_run(tmp_path / "killed", steps=[0], end="")
    (tmp_path / "a file").write_text("x")
    (tmp_path / "empty").mkdir()
    rows = rows_of(said("ls", ".", cwd=tmp_path))
    assert list(rows) == ["run", "./deep/stopped", "./done", "./killed"]
    assert rows["run"] == ["run", "app", "state", "step", "of", "measure", "last", "changed"]
    assert rows["./done"][1:7] == ["ddpg", "finished", "4000", "4000", "eval/return", "400"]
    assert rows["./deep/stopped"][2:7] == ["stopped", "1000", "4000", "eval/return", "100"]
    assert rows["./killed"][2:7] == ["killed", "0", "4000", "eval/return", "0"]


def test_ls_looks_in_runs_and_says_when_there_is_nothing(tmp_path):
    assert "no runs below runs" in said("ls", cwd=tmp_path)
    run_files.make_run(tmp_path / "runs" / "ddpg" / "a", steps=[0])
    assert "runs/ddpg/a" in rows_of(said("ls", cwd=tmp_path))
    assert list(rows_of(said("ls", "runs/ddpg/a", cwd=tmp_path))) == ["run", "runs/ddpg/a"]


def test_ls_goes_round_no_circle_of_links(tmp_path):
    run_files.make_run(tmp_path / "z", steps=[0])
    (tmp_path / "again").symlink_to(tmp_path / "z")
    (tmp_path / "loop").symlink_to(tmp_path)
    other = run_files.make_run(tmp_path.parent / (tmp_path.name + "-elsewhere") / "b", steps=[0])
    (tmp_path / "scratch").symlink_to(other.parent)
    assert list(rows_of(said("ls", ".", cwd=tmp_path))) == ["run", "./scratch/b", "./z"]


def test_ls_goes_on_after_a_damaged_run(tmp_path):
    run_files.make_run(tmp_path / "good", steps=[0])
    bad = run_files.make_run(tmp_path / "bad", steps=[0])
    (bad / "manifest.h5").write_text("hello")
    torn = run_files.make_run(tmp_path / "torn", steps=[0])
    (torn / "metrics" / "seg-0000.h5").write_bytes(b"")
    result = tenfold("ls", ".", cwd=tmp_path)
    rows = rows_of(result.out)
    assert result.code == 0
    assert rows["./bad"][1:3] == ["?", "unreadable"] and rows["./good"][2] == "finished"
    assert rows["./torn"][2] == "unknown"
    assert "bad/manifest.h5" in result.err and "seg-0000.h5" in result.err


def test_names_that_would_move_the_cursor_are_shown_as_codes(tmp_path):
    run_files.make_run(tmp_path / "a\x1b[31m\nb", steps=[0], command_line="x\x1b[2J")
    out = said("ls", ".", cwd=tmp_path)
    assert "\x1b" not in out and "a\\x1b[31m\\x0ab" in out and len(out.splitlines()) == 2
    assert "\x1b" not in said("show", tmp_path / "a\x1b[31m\nb")


def test_show_says_what_how_far_and_how_it_goes(tmp_path):
    path = run_files.make_run(tmp_path / "a", hosts="n1,n1,n2", world_size="3", virtual_shards="6",
                              reduce="ordered", device="cpu", version="0.1.0", git_commit="abc")
    out = said("show", path)
    assert out.startswith("ddpg a (finished: all steps done)\n")
    for words in ("4000 of 4000", "ddpg --task cartpole_swingup", "3 on n1 x2, n2 x1", "6, reduce ordered",
                  "0.1.0 (abc)", "hdf5", "1.10.8"):
        assert words in out
    assert re.search(r"train.total-steps +4000 +command line", out) and "run.seed" not in out
    assert re.search(r"run.seed +1 +default", said("show", "--all", path))
    assert re.search(r"eval/return +400 +400 +reward +5 +▁▃▅▇█$", out, re.M)
    assert re.search(r"eval/q_vs_return \[1 of 2\] +17 +reward +20", out) and "eval/q_vs_return [2 of 2]" in out
    assert re.search(r"0 +start +the beginning", out) and "Events (2)" in out
    assert "none that is committed" in out
    assert re.search(r"eval/return .* _:\=\*#$|eval/return .*_-=\*#$", said("show", "--ascii", path), re.M)
    assert "█" not in said("show", path, LANG="C")


def test_show_joins_a_resumed_run_as_the_python_reader_does(tmp_path):
    path = run_files.make_run(tmp_path / "a", end="stop")
    with run_files.create_segment(path, 1, {"eval/return": 1}, resumed=2500) as file:
        run_files.append_rows(file, "eval/return", [3000, 5000], [7.0, 9.0])
        run_files.append_event(file, 2500, "resume", "step-000000002500")
        run_files.append_event(file, 5000, "end", "finished")
    out = said("show", path)
    # 0 1000 2000 of the first segment, 3000 5000 of the second: the best of those is 200.
    assert re.search(r"eval/return +9 +200 +reward +5 ", out) and out.startswith("ddpg a (finished")
    assert re.search(r"train/critic_loss +0.0005 +reward +2 ", out)
    assert "Events (4)" in out


def test_show_says_which_part_cannot_be_read_and_shows_the_rest(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    (path / "metrics" / "seg-0001.h5").write_bytes(b"\0" * 5000)
    result = tenfold("show", path)
    assert result.code == 0 and result.out.startswith("ddpg a (unknown: its newest metrics")
    assert "eval/return" in result.out
    assert result.err.count("\n") == 1 and "seg-0001.h5 skipped" in result.err


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + b"\0" * 500])
def test_a_damaged_manifest_is_bad_data(tmp_path, content):
    path = run_files.make_run(tmp_path / "a", steps=[0])
    (path / "manifest.h5").write_bytes(content)
    for command in ("show", "tail", "verify"):
        refused(3, [command, path], "manifest.h5")


def test_a_newer_schema_is_refused_by_number(tmp_path):
    path = run_files.make_run(tmp_path / "a", steps=[0])
    with h5py.File(path / "manifest.h5", "r+") as file:
        file.attrs["schema_version"] = np.int64(2)
    refused(3, ["show", path], "version 2")


@pytest.mark.parametrize("place", [0.001, 0.002, 0.05, 0.3])
def test_a_flipped_byte_in_metrics_neither_hangs_nor_crashes(tmp_path, place):
    """SWMR reading retries a wrong checksum with doubling pauses: 100 times, unless told otherwise."""
    shutil.copytree(V1, tmp_path / "a")
    file = tmp_path / "a" / "metrics" / "seg-0000.h5"
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= 1
    file.write_bytes(data)
    begin = time.monotonic()
    assert tenfold("show", tmp_path / "a").code == 0
    assert time.monotonic() - begin < 10


def test_the_first_version_is_shown_for_ever():
    out = said("show", V1)
    assert out.startswith("ddpg run-v1 (finished: all steps done)\n") and "800 of 800" in out
    assert "network.actor-net" in out and "2 on vm" in out and "step-000000000800" in out
    assert len(said("tail", V1, "-n", "5").splitlines()) == 5


def test_tail_gives_the_last_lines_with_one_per_step_and_group(tmp_path):
    path = run_files.make_run(tmp_path / "a", steps=[0, 1000])
    lines = said("tail", path).splitlines()
    # At step 0: start, eval; at step 1000: eval, train, end.
    assert [line.split()[2:4] for line in lines] == [
        ["0", "eval"], ["0", "start"], ["1000", "eval"], ["1000", "train"], ["1000", "end"]]
    assert lines[0].startswith("2023-11-14 22:13:20 ") and "return 0" in lines[0]
    assert "q_vs_return (4 rows)" in lines[0]  # four rows of one moment are four
    assert lines[-1].endswith("end         finished")
    assert said("tail", path, "-n", "2").splitlines() == lines[-2:]
    assert said("tail", path, "--lines=0") == ""


def test_following_a_run_that_ended_ends():
    out = said("tail", "-f", V1)
    assert out.splitlines()[-1] == "not running: finished, all steps done"


def test_following_prints_every_row_once_and_ends_with_the_run(tmp_path):
    path = tmp_path / "live"
    run_files.write_manifest(path)
    lock = (path / ".lock").open("w+")
    lock.write(f"{socket.gethostname()}:{os.getpid()}:2026-01-31T12:00:00Z\n")
    lock.flush()
    fcntl.flock(lock, fcntl.LOCK_EX)
    with run_files.create_segment(path, 0, {"eval/return": 1}) as file:
        file.swmr_mode = True
        run_files.append_rows(file, "eval/return", [0, 1, 2], [0, 10, 20])
        assert "running" in said("ls", path)
        follower = subprocess.Popen([launch.BIN / "tenfold", "tail", "-f", "--every", "1", path],
                                    text=True, stdout=subprocess.PIPE)
        try:
            seen = [follower.stdout.readline() for _ in range(3)]
            run_files.append_rows(file, "eval/return", [3, 3, 3], [30, 31, 32], [run_files.START + 0.03] * 3)
            run_files.append_event(file, 3, "end", "finished")
            lock.close()
            rest, _ = follower.communicate(timeout=60)
        finally:
            follower.kill()
    assert [line.split()[2] for line in seen] == ["0", "1", "2"]
    assert [line.split()[2:4] for line in rest.splitlines()[:-1]] == [["3", "eval"], ["3", "end"]]
    assert "return (3 rows)" in rest and follower.returncode == 0
    assert rest.splitlines()[-1] == "not running: finished, all steps done"


def test_a_pipe_that_closes_and_a_disk_that_is_full():
    reader = subprocess.Popen([launch.BIN / "tenfold", "tail", V1, "-n", "100"], stdout=subprocess.PIPE)
    reader.stdout.close()
    assert reader.wait(timeout=60) in (0, -signal.SIGPIPE)
    with open("/dev/full", "w") as full:
        done = subprocess.run([launch.BIN / "tenfold", "show", V1], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=60)
    assert done.returncode == 4 and "error[4]" in done.stderr


def test_a_job_of_two_ranks_is_seen_running_then_stopped(tmp_path):
    path = tmp_path / "run"
    job = launch.start("ddpg", ["--config", "apps/ddpg/configs/smoke.cfg", "--total-steps", "10000000",
                                "--eval-every", "0", "--flush-every", "1", "--run-dir", path])
    try:
        while not list(path.glob("metrics/seg-*.h5")):
            assert job.poll() is None, job.communicate()
        assert rows_of(said("ls", path))[str(path)][2] == "running"
        assert "(running: a job owns it now)" in said("show", path)
        (path / "STOP").touch()
        assert launch.finish(job).code == 75
    finally:
        job.kill()
    assert "stopped" in said("show", path) and rows_of(said("ls", path))[str(path)][2] == "stopped"
    assert "1 checkpoint, good" in said("verify", path)
