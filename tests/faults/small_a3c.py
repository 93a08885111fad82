"""The run of a3c that fault tests break: a second long, with four checkpoints, in every kind of state that an
actor can have: an LSTM, several environments, an action drawn ahead, RMSProp of its own."""

import launch

ARGS = ["--task", "classic_cartpole", "--horizon", "30", "--method", "sarsa", "--lstm", "4", "--net", "8",
        "--envs-per-actor", "2", "--optimizer", "rmsprop", "--total-steps", "4000", "--block", "200",
        "--target-period", "300", "--epsilon-anneal", "2000", "--eval-every", "0", "--eval-episodes", "4",
        "--checkpoint-every", "1000", "--checkpoint-background", "false", "--threads", "1"]
TURNS = ["--order", "turns"]

# Where, on which rank, at which passage, and the kinds. A rollout is 10 decisions: with two ranks, passage
# 150 comes after about 3000 decisions.
TABLE = [("actor.rollout", 1, 150, "kill hang eio"), ("actor.gradient", 1, 150, "kill nan")]


def go(run_dir, *extra, ranks=2, fault=None, timeout=60):
    """One start of the run in run_dir, with TENFOLD_FAULT set to fault."""
    return launch.run("a3c", launch.merged(ARGS, ["--run-dir", run_dir, *extra]), ranks,
                      {"TENFOLD_FAULT": fault} if fault else None, timeout)


def fault(kind, point):
    """That of the table."""
    (rank, passage), = [(rank, passage) for name, rank, passage, kinds in TABLE
                        if name == point and kind in kinds.split()]
    return f"{kind}:rank={rank}:at={point}:n={passage}"
