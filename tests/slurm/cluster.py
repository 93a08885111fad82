"""A Slurm of two nodes in a folder of its own (slurm/cluster), and what tests ask of it."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import launch

SCRIPTS = launch.SOURCE / "slurm" / "cluster"


class CannotStart(Exception):
    pass


def until(condition, what, seconds=90):
    """The first true value of condition(); fails with `what` when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


class Cluster:
    def __init__(self):
        # Short: sockets below it have names of at most 107 characters.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tf-slurm-", dir="/tmp"))
        self.env = launch.environment({"TENFOLD_SLURM_DIR": str(self.folder),
                                       "TENFOLD_BIN_DIR": str(launch.BIN.resolve()),
                                       "TENFOLD_PYTHON": os.environ.get("TENFOLD_PYTHON", "")
                                       or str(launch.SOURCE / ".venv/bin/python3")})
        started = self.script("start")
        if started.returncode != 0:
            shutil.rmtree(self.folder)
            raise CannotStart(started.stderr.strip().splitlines()[-1])
        for line in self.script("env").stdout.splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self.env[name] = value

    def stop(self):
        stopped = self.script("stop")
        assert stopped.returncode == 0, stopped.stderr
        assert self.processes() == []
        shutil.rmtree(self.folder)

    def script(self, name, *arguments):
        return subprocess.run([SCRIPTS / name, *arguments], env=self.env, capture_output=True, text=True)

    def slurm(self, *command, env=None):
        """Output of a Slurm command, which must succeed."""
        done = subprocess.run(command, env={**self.env, **(env or {})}, capture_output=True, text=True,
                              cwd=launch.SOURCE, timeout=60)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def submit(self, template, *command, options=(), env=None):
        """Number of the job; what it prints is in output(number)."""
        return self.slurm("sbatch", "--parsable", f"--output={self.folder}/%j.out", *options,
                          f"slurm/{template}.sbatch", *map(str, command), env=env)

    def output(self, job):
        """What it has printed so far."""
        out = self.folder / f"{job}.out"
        return out.read_text() if out.exists() else ""

    def job(self, number):
        """What Slurm knows of a job: JobState, Restarts, ExitCode, ..."""
        text = self.slurm("scontrol", "show", "job", "-o", number).splitlines()[0]
        return dict(re.findall(r"(\S+?)=(\S*)", text))

    def wait_for(self, number, state, seconds=90):
        ended = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED")

        def reached():
            now = self.job(number)
            assert now["JobState"] == state or now["JobState"] not in ended, self.report(number)
            return now if now["JobState"] == state else None

        try:
            return until(reached, state, seconds)
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.report(number)}") from None

    def report(self, number):
        """What to read when a job did not do what it should."""
        said = self.output(number)[-3000:] or "(no output)"
        return f"{self.slurm('scontrol', 'show', 'job', number)}\n{said}"

    def processes(self, job=None):
        """Living processes of the cluster: daemons, supervisors and tasks; of one job: its tasks."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                text = (process / "environ").read_bytes().decode(errors="replace").split("\0")
                if (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                    continue
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                ours = f"SLURM_CONF={self.folder}/slurm.conf" in text
                task = ours and (f"SLURM_JOB_ID={job}" if job else "SLURMD_NODENAME") in (
                    text if job else [name.partition("=")[0] for name in text])
                daemon = job is None and (str(self.folder) in command or ours and "slurm" in command)
            except OSError:
                continue  # it ended while being looked at
            if task or daemon:
                found.append(f"{process.name} {command}")
        return found
