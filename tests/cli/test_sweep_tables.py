"""jobs/submit refuses bad tables, naming file and line; needs no Slurm."""

import pathlib
import subprocess

import launch
import pytest

SUBMIT = launch.SOURCE / "jobs" / "submit"


def submit(table, *options):
    env = launch.environment({"TENFOLD_BIN_DIR": str(launch.BIN.resolve())})
    done = subprocess.run([SUBMIT, table, *options], capture_output=True, text=True, env=env, timeout=120)
    return launch.Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def refused(tmp_path):
    def check(text, code=2):
        table = tmp_path / "t.tsv"
        table.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = submit(table, "--dry-run")
        assert result.code == code and result.out == ""
        assert result.fatal and len(result.fatal) == len(result.err.splitlines())
        return [line.partition("jobs/submit: ")[2].replace(f"{table}:", "t:") for line in result.fatal]

    return check


@pytest.mark.parametrize("text,said", [
    ("", "t: holds no header"),
    ("# only words\n\n", "t: holds no header"),
    ("run\tapp\n", "t: holds no run"),
    ("run app seed\na ddpg 1\n", "t:1: the columns must be separated by tabs, not spaces"),
    ("app\tseed\nddpg\t1\n", "t:1: column 'run' is missing"),
    ("# c\nrun\tapp\tseed\tseed\na\tddpg\t1\t2\n", "t:2: column 'seed' is there twice"),
    ("run\tapp\t\na\tddpg\t1\n", "t:1: column 3 has no name"),
    ("run\tapp\t--seed\na\tddpg\t1\n", "t:1: column '--seed': write options without dashes"),
    ("run\tapp\trun-dir\na\tddpg\tx\n", "t:1: column 'run-dir' is not for a table: every run gets FOLDER/RUN"),
    ("run\tapp\tseed\na\tddpg\n", "t:2: 2 cells, the header has 3"),
    ("run\tapp\n\n../a\tddpg\n", "t:3: '../a' cannot be a run's name: letters, digits and . _ + = - only"),
    ("run\tapp\na\tddpg\n# c\na\tddpg\n", "t:4: run 'a' is also on line 2"),
    ("run\tapp\na\t\n", "t:2: run 'a' names no app"),
    (b"run\tapp\n\xff\tddpg\n", "t: cannot be read: it is not UTF-8 text"),
])
def test_a_bad_table(refused, text, said):
    assert [line.replace(str(launch.SOURCE), "") for line in refused(text)][0].endswith(said)


def test_every_mistake_is_said(refused):
    assert refused("run\tapp\tseed\na\tddpg\n-b\tddpg\t1\na\tddpg\t1\n") == [
        "t:2: 2 cells, the header has 3",
        "t:3: '-b' cannot be a run's name: letters, digits and . _ + = - only"]


def test_names_and_values_are_the_apps(refused):
    assert refused("# c\nrun\tapp\ttotal-step\na\tddpg\t1\n") == [
        "t:2: ddpg has no option 'total-step'. Did you mean 'total-steps'?"]
    (line,) = refused("run\tapp\ngood\tddpg\nbad\tdppg\n")
    assert line.startswith("t:3: there is no app 'dppg'") and line.endswith("Did you mean 'ddpg'?")
    first, second = refused("run\tapp\tseed\treduce\na\tddpg\t1\t\nb\tddpg\tx\t\nc\tddpg\t3\tfats\n")
    assert first.startswith("t:3: run 'b': ") and "seed" in first
    assert second.startswith("t:4: run 'c': ") and "fast" in second


def test_no_such_table(tmp_path):
    result = submit(tmp_path / "none.tsv")
    assert result.code == 4 and "No such file" in result.fatal[0]


def test_dry_run_shows_every_run_and_both_jobs(tmp_path):
    table = tmp_path / "two.tsv"
    table.write_text("# c\r\nrun\tseed\tapp\tterminate-on-fall\r\na\t1\tddpg\t\r\n\r\nb\t2\tddpg\tfalse\r\n")
    result = submit(table, "--dry-run", "--folder", tmp_path / "runs", "--at-once", "1", "--", "--time=5")
    assert result.code == 0, result.err
    first, second, array, report = result.out.splitlines()
    assert (first, second) == ("a\tddpg\t--seed=1", "b\tddpg\t--seed=2\t--terminate-on-fall=false")
    assert array.startswith("sbatch ") and "--array=0-1%1" in array and "--time=5" in array
    assert report.startswith("sbatch --dependency=afterany:")
    assert not (tmp_path / "runs").exists()


def sampled(table, folder):
    """The table, or of a long one some rows: each costs a start of its application."""
    lines = [line for line in table.read_text().splitlines() if line and not line.startswith("#")]
    if len(lines) <= 50:
        return table
    (folder / table.name).write_text("\n".join(lines[:1] + lines[1::20]) + "\n")
    return folder / table.name


def test_the_shipped_tables_are_good(tmp_path):
    for table in sorted((launch.SOURCE / "jobs").glob("*.tsv")):
        for result in (submit(table, "--dry-run", "--no-check"), submit(sampled(table, tmp_path), "--dry-run")):
            assert result.code == 0, result.err


def test_without_slurm(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in pathlib.Path("/usr/bin").iterdir():
        if program.name != "sbatch":
            (programs / program.name).symlink_to(program)
    env = launch.environment({"TENFOLD_BIN_DIR": str(launch.BIN.resolve()), "PATH": str(programs)})
    done = subprocess.run([SUBMIT, launch.SOURCE / "jobs" / "smoke.tsv", "--folder", tmp_path / "runs"],
                          capture_output=True, text=True, env=env)
    assert done.returncode == 4 and "there is no sbatch on PATH" in done.stderr
