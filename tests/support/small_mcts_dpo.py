"""Runs of mcts_dpo that take a second of a core: a model that learned the form of answers and little more, so
that some of its guesses are right and others are not, and rounds of search and learning with it."""

import struct

import launch

TASK = ["--task", "commonsense", "--eval-questions", "12", "--threads", "1"]
SFT = [*TASK, "--preset", "sft-clean", "--width", "24", "--layers", "1", "--heads", "2", "--feed-forward", "48",
       "--examples", "400", "--batch", "16", "--steps", "120", "--lr-cycle", "0", "--lr-warmup", "10",
       "--lr", "1e-2", "--lr-final", "1e-3"]
ITERATE = [*TASK, "--rounds", "2", "--questions", "8", "--passes", "2", "--batch", "4", "--lr", "1e-3",
           "--iterations", "3", "--root-breadth", "3", "--breadth", "2", "--depth-limit", "4",
           "--solution-tokens", "48"]
STEPS = 2 * 2 * 8  # of ITERATE: both halves of two rounds
# What a run did, not what came of it: work that was lost is done again, what is cached is not read again.
COSTS = ("progress/generated", "progress/prefilled")


def run(args, run_dir, *more, ranks=1, fault=None, code=0, timeout=120):
    result = launch.run("mcts_dpo", launch.merged(args, ["--run-dir", run_dir, *more]), ranks,
                        {"TENFOLD_FAULT": fault} if fault else None, timeout)
    assert result.code == code, f"exit code {result.code}\n{result.out}\n{result.err}"
    return result


def model(folder):
    """The directory of a small model that was made there."""
    run(SFT, folder / "sft", "--export", folder / "model")
    return folder / "model"


def end(run_dir):
    """The state at the end but for what it cost."""
    return {name: values for name, values in launch.final_state(run_dir).items() if name not in COSTS}


def records(step_folder, name="search/records"):
    """Questions that are done and those under way in a checkpoint: two dictionaries, position -> bytes."""
    done, under_way = {}, {}
    for shard in launch.state(step_folder)[name]:
        data = shard.tobytes()
        count, at = struct.unpack_from("<Q", data)[0], 8
        for _ in range(count):
            position, finished, size = struct.unpack_from("<QBQ", data, at)
            at += 17
            (done if finished else under_way)[position] = data[at:at + size]
            at += size
    return done, under_way
