"""jobs/submit: from a table to an array of runs and the report that waits for them."""

import subprocess

import launch
from cluster import until

TABLE = launch.SOURCE / "jobs" / "smoke.tsv"


def submit(cluster, table, *options):
    done = subprocess.run([launch.SOURCE / "jobs" / "submit", table, *options], env=cluster.env, text=True,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def jobs(cluster, printed):
    """Numbers of the array and of the report."""
    array = printed.split("array job ")[1].split()[0]
    report = printed.split("job ")[2].split(",")[0]
    return array, report


def ended(cluster, job, seconds=150):
    def state():
        now = cluster.job(job)
        return now if now["JobState"] not in ("PENDING", "RUNNING", "COMPLETING") else None

    return until(state, cluster.slurm("squeue"), seconds)


def test_slurm_would_take_it(cluster, tmp_path):
    assert "to start at" in submit(cluster, TABLE, "--folder", tmp_path / "sweep", "--test-only")
    assert not (tmp_path / "sweep").exists()
    assert cluster.slurm("squeue", "-h") == ""


def test_a_sweep_and_its_report(cluster, tmp_path):
    folder = tmp_path / "sweep"
    array, report = jobs(cluster, submit(cluster, TABLE, "--folder", folder, "--at-once", "2"))
    assert cluster.job(report)["Dependency"].startswith(f"afterany:{array}_*")
    waited = ended(cluster, report)
    said = next(folder.glob(f"slurm-smoke-report-{report}.out")).read_text()
    assert waited["JobState"] == "COMPLETED", said
    assert "3 of 3 runs have finished" in said
    assert (folder / "comparison.html").stat().st_size > 10_000

    # Kept by the run's name, not by the task's number.
    runs = [line.split("\t")[0] for line in TABLE.read_text().splitlines() if "smoke.cfg" in line]
    assert sorted(p.parent.name for p in folder.glob("*/manifest.h5")) == sorted(runs)
    for number, run in enumerate(runs):
        assert "finished at" in (folder / run / f"slurm-{array}_{number}.out").read_text()
    listed = subprocess.run([launch.BIN / "tenfold", "ls", folder], capture_output=True, text=True).stdout
    assert listed.count("finished") == 3 and all(run in listed for run in runs)

    # The same run, told on a command line, has the same parameters.
    alone = launch.run("ddpg", ["--config", "apps/ddpg/configs/smoke.cfg", "--task", "cart", "--seed", "1",
                                "--total-steps", "800", "--threads", "1", "--run-dir", tmp_path / "cart"], ranks=1)
    assert alone.code == 0, alone.err
    assert launch.differences(launch.final_state(tmp_path / "cart"), launch.final_state(folder / "cart-1")) == []

    # Submitted again, there is nothing left to do.
    before = {run: launch.checkpoints(folder / run) for run in runs}
    _, again = jobs(cluster, submit(cluster, TABLE, "--folder", folder))
    assert ended(cluster, again)["JobState"] == "COMPLETED"
    assert {run: launch.checkpoints(folder / run) for run in runs} == before


def test_a_run_that_fails_is_named_and_the_others_are_reported(cluster, tmp_path):
    table = tmp_path / "mixed.tsv"
    table.write_text("run\tapp\tconfig\ttotal-steps\tmjcf-dir\n"
                     "good\tddpg\tapps/ddpg/configs/smoke.cfg\t800\t\n"
                     f"bad\tddpg\tapps/ddpg/configs/smoke.cfg\t800\t{tmp_path}/none\n")
    array, report = jobs(cluster, submit(cluster, table, "--folder", tmp_path / "sweep"))
    waited = ended(cluster, report)
    assert (waited["JobState"], waited["ExitCode"]) == ("FAILED", "3:0")
    said = next((tmp_path / "sweep").glob(f"slurm-*-{report}.out")).read_text()
    assert "1 of 2 runs have finished" in said and "  bad: " in said
    assert (tmp_path / "sweep" / "comparison.html").exists()
    assert "tenfold: error[" in (tmp_path / "sweep" / "bad" / f"slurm-{array}_1.out").read_text()


def test_the_report_waits_for_tasks_that_are_queued_again(cluster, tmp_path):
    """A task that ends with 75 has not ended."""
    folder = tmp_path / "sweep"
    table = tmp_path / "stops.tsv"
    table.write_text("run\tapp\tconfig\ttotal-steps\tstop-after\n"
                     "halves\tddpg\tapps/ddpg/configs/smoke.cfg\t800\t416\n")
    array, report = jobs(cluster, submit(cluster, table, "--folder", folder))
    assert ended(cluster, report)["JobState"] == "COMPLETED"
    log = (folder / "halves" / f"slurm-{array}_0.out").read_text()
    assert "start 2" in log and "finished at 800" in log
    assert int(cluster.job(f"{array}_0")["Restarts"]) == 1
