"""Atari frames per CPU second: ours beside Gymnasium's wrappers and ale-py's own vector environment.

    cmake --build build/release --target bench_atari

All play uniform random actions on the same preprocessing (4 frames held, maximum of two, grey, 84 x 84, 4 stacked, up
to 30 no-ops), one thread, in turns, medians. Frames are the emulator's: 4 to a decision. Beside them stands the
emulator alone, 4 frames and two screens a decision, called from Python with nothing done to the screens.
`--learning` is the other section: a3c as it trains Pong by the preset atari-ff, all in.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import ale_py
import cv2
import gymnasium
import numpy as np
from ale_py import roms
from ale_py.env import AtariEnv
from ale_py.vector_env import AtariVectorEnv
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

import launch
import results

GAMES = ["pong", "breakout"]
ROWS = (1, 8)
REPEAT, PERIOD = 4, 1024


def ours(binary, game, rows, decisions):
    command = [binary, f"atari:{game}", str(rows), str(decisions)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return REPEAT * json.loads(run.stdout)["frames_per_s"]


def drawn(choices, rows):
    return np.random.default_rng(1).integers(0, choices, (PERIOD, rows))


def wrappers(game, rows, decisions):
    def make():
        env = AtariEnv(game=game, frameskip=1, repeat_action_probability=0.0, obs_type="grayscale",
                       max_num_frames_per_episode=108_000)
        return FrameStackObservation(AtariPreprocessing(env), 4)

    envs = [make() for _ in range(rows)]
    actions = drawn(envs[0].action_space.n, rows)
    for env in envs:
        env.reset()
    begin = time.process_time()
    for k in range(decisions):
        for env, action in zip(envs, actions[k % PERIOD]):
            _, _, terminated, truncated, _ = env.step(int(action))
            if terminated or truncated:
                env.reset()
    return REPEAT * rows * decisions / (time.process_time() - begin)


def vector(game, rows, decisions):
    envs = AtariVectorEnv(game, rows, num_threads=1, reward_clipping=False, use_fire_reset=False)
    actions = drawn(envs.single_action_space.n, rows)
    envs.reset(seed=1)
    resets, begin = 0, time.process_time()
    for k in range(decisions):
        _, _, terminated, truncated, _ = envs.step(actions[k % PERIOD])
        resets += np.count_nonzero(terminated | truncated)
    return REPEAT * (rows * decisions - resets) / (time.process_time() - begin)


def emulator(game, rows, decisions):
    ale = ale_py.ALEInterface()
    ale.loadROM(roms.get_rom_path(game))
    moves = ale.getMinimalActionSet()
    actions = [moves[each] for each in drawn(len(moves), 1)[:, 0]]
    screen = np.empty(ale.getScreenDims(), np.uint8)
    begin = time.process_time()
    for k in range(rows * decisions):
        for frame in range(REPEAT):
            ale.act(actions[k % PERIOD])
            if frame >= REPEAT - 2:
                ale.getScreenGrayscale(screen)
        if ale.game_over():
            ale.reset_game()
    return REPEAT * rows * decisions / (time.process_time() - begin)


def trained(preset, decisions):
    """CPU seconds of a run of a3c on one rank."""
    with tempfile.TemporaryDirectory(prefix="bench-atari-") as folder:
        command = [results.BIN / "a3c", "--preset", preset, "--task", "atari:pong", "--threads", "1",
                   "--horizon", "1000", "--total-steps", str(decisions), "--block", "500", "--eval-every", "0",
                   "--eval-episodes", "1", "--run-dir", f"{folder}/run"]
        before = launch.cpu_seconds()
        subprocess.run(command, check=True, capture_output=True)
    return launch.cpu_seconds() - before


def learning(options):
    """Start, evaluations and the last checkpoint are in both runs, so that their difference has none of them."""
    few, many = 1000, 1000 + options.decisions
    rows = []
    for preset in ("atari-ff", "atari-lstm"):
        rates = sorted(REPEAT * (many - few) / (trained(preset, many) - trained(preset, few))
                       for _ in range(options.rounds))
        rate = statistics.median(rates)
        rows.append([preset, f"{rate:.0f}", f"{rates[0]:.0f} to {rates[-1]:.0f}", f"{1e6 * REPEAT / rate:.0f}",
                     f"{80e6 * REPEAT / rate / 16 / 3600:.1f}"])
        print("  ".join(rows[-1]), flush=True)
    return f"""## Atari, learning

{results.provenance(["cmake", "--build", f"build/{results.BIN.parent.name}", "--target", "bench_atari_learning"],
                    f"ale-py {ale_py.__version__}", app="a3c")}

Emulator frames per CPU second of `a3c` on Pong, one rank with 16 actors in turns, {options.decisions} decisions,
medians of {options.rounds} rounds: acting, learning and the emulator, without the start. The last column is a
projection: 80 million decisions on 16 cores as fast as this one, were nothing lost between them.

{results.table(["preset", "frames per CPU s", "range", "µs a decision", "hours"], rows)}
"""


HEAD = ["game", "environments", "ours", "wrappers", "ratio", "AtariVectorEnv", "ratio", "emulator alone",
        "ours over it, µs a decision"]


def table_row(game, rows, rate):
    over = 1e6 * REPEAT * (1 / rate["ours"] - 1 / rate["emulator"])
    return [game, str(rows), f"{rate['ours']:.0f}", f"{rate['wrappers']:.0f}", f"{rate['ours'] / rate['wrappers']:.2f}",
            f"{rate['vector']:.0f}", f"{rate['ours'] / rate['vector']:.2f}", f"{rate['emulator']:.0f}", f"{over:.0f}"]


def playing(options):
    """(text, whether ours is the faster one in every row)."""
    contenders = {"ours": lambda *of: ours(options.binary, *of), "wrappers": wrappers, "vector": vector,
                  "emulator": emulator}
    rows_out, over_wrappers = [], []
    for game in GAMES:
        for rows in ROWS:
            rates = {name: [] for name in contenders}
            for _ in range(options.rounds):
                for name, measured in contenders.items():
                    rates[name].append(measured(game, rows, options.decisions // rows))
            rate = {name: statistics.median(values) for name, values in rates.items()}
            rows_out.append(table_row(game, rows, rate))
            over_wrappers.append(rate["ours"] / rate["wrappers"])
            print("  ".join(rows_out[-1]), flush=True)
    good = min(over_wrappers) > 1
    build = f"build/{pathlib.Path(options.binary).parents[1].name}"
    return f"""## Atari frames

{results.provenance(["cmake", "--build", build, "--target", "bench_atari"],
                    f"ale-py {ale_py.__version__}, Gymnasium {gymnasium.__version__}, OpenCV {cv2.__version__}",
                    app="games_bench")}
- {"pass" if good else "**FAIL**"}: ours over Gymnasium's wrappers > 1 in every row: {min(over_wrappers):.2f} to \
{max(over_wrappers):.2f}

Emulator frames per CPU second of random play, {REPEAT} to a decision, one thread, medians of {options.rounds} rounds
in turns; ratios are ours over the peer's. All on one preprocessing: {REPEAT} frames held, the maximum of the last two,
grey, 84 x 84, four stacked. Wrappers: AtariPreprocessing and FrameStackObservation. AtariVectorEnv is ale-py's own, in
C++ with one thread. Emulator alone: its frames and two grey screens a decision, called from Python; the last column is
what ours takes beyond that, calls through Python's interface, the resize and the stack together.

{results.table(HEAD, rows_out)}
""", good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?", default=str(results.BIN / "games_bench"))
    parser.add_argument("--learning", action="store_true", help="the section of a3c as it trains, not that of playing")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--decisions", type=int, default=2000, help="of one measurement, over all environments")
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    name = "bench_atari_learning" if options.learning else "bench_atari"
    text, good = (learning(options), True) if options.learning else playing(options)
    print(text)
    if options.record:
        results.record("a3c", name, text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
