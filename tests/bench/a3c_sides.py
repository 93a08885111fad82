"""What a3c_speed.py, a3c_games.py and a3c_peers.py measure: each function is one process, or two, and CPU seconds."""
import json
import pathlib
import subprocess
import tempfile
import time

import torch

import launch
import peers

FOLDER = pathlib.Path(__file__).parent
SHORT = 10000  # decisions of a run that is taken off: start, two evaluations of an episode, the last checkpoint
QUIET = ["--eval-every", "0", "--eval-episodes", "1"]


def command(target):
    """What the section of that target was measured with."""
    return ["cmake", "--build", str(launch.BIN.parent.relative_to(launch.SOURCE)), "--target", target]


def output(command):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=launch.environment(),
                         cwd=launch.SOURCE)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {run.returncode}:\n{run.stdout}\n{run.stderr}")
    return run.stdout


def kept(folder, key, measure):
    """What measure gives, or a file of folder where it was measured already: a bench that was stopped goes on."""
    path = folder / f"{key}.json"
    if not path.exists():
        path.write_text(json.dumps(measure()))
    found = json.loads(path.read_text())
    print(key, found, flush=True)
    return found


def app_cpu(args, frames, ranks=1):
    """CPU seconds of a whole run of the application, all its processes, with the launcher."""
    with tempfile.TemporaryDirectory(prefix="bench-a3c-") as folder:
        before = launch.cpu_seconds()
        output(launch.command("a3c", [*args, *QUIET, "--total-steps", frames, "--run-dir", f"{folder}/run"], ranks))
        return launch.cpu_seconds() - before


def app_rate(args, frames):
    """Frames per CPU second of the application: a run less one that is SHORT, for the same learning rate."""
    args = [*args, "--lr-anneal", "none"]
    short = app_cpu(args, SHORT)
    return (frames - SHORT) / (app_cpu(args, frames) - short)


def eager(optimizer, frames):
    """Frames per CPU second of A3C in eager LibTorch, C++."""
    return float(output([launch.BIN / "a3c_eager_bench", optimizer, frames]).split()[0])


def peer(**spec):
    """What a3c_peer.py prints."""
    return json.loads(output([peers.python(), FOLDER / "a3c_peer.py", json.dumps(spec)]).splitlines()[-1])


def peer_rate(**spec):
    found = peer(**spec)
    return found["frames"] / found["cpu"]


def parts(task, *, net="128", conv="none", lstm=0, t_max=5, engine="fused", settings="", seconds=1.0):
    """What a3c_parts_bench prints: CPU nanoseconds per decision."""
    return json.loads(output([launch.BIN / "a3c_parts_bench", task, settings, net, conv, lstm, t_max, engine,
                              seconds]))


def peak_gflops():
    """What one core reaches on a large single-precision product."""
    torch.set_num_threads(1)
    a = torch.rand(1024, 1024)
    best = 0.0
    for _ in range(5):
        begin = time.process_time()
        torch.mm(a, a)
        best = max(best, 2 * 1024**3 / (time.process_time() - begin) / 1e9)
    return best


def shares(found):
    """Shares of env, network and update in the whole of a3c_parts_bench's numbers, and of the rest."""
    named = {name: found[name] / found["whole"] for name in ("env", "network", "update")}
    named["rest"] = 1 - sum(named.values())
    return named
