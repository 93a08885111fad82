"""The run that fault tests break: ddpg, a second or two long, with four checkpoints."""

import launch

ARGS = ["--config", "apps/ddpg/configs/smoke.cfg", "--total-steps", "640", "--start-steps", "160",
        "--eval-every", "320", "--eval-episodes", "3", "--horizon", "60", "--replay", "1600",
        "--checkpoint-every", "160", "--threads", "1"]
STEPS = 640 // 8  # loop steps: 8 shards decide once each


def go(run_dir, *extra, ranks=2, fault=None, timeout=120):
    """One start of the run in run_dir, with TENFOLD_FAULT set to fault."""
    return launch.run("ddpg", launch.merged(ARGS, ["--run-dir", run_dir, *extra]), ranks,
                      {"TENFOLD_FAULT": fault} if fault else None, timeout)


def left_over(run_dir):
    """What a run must not leave in its checkpoint folder."""
    return [path.name for path in run_dir.glob("checkpoint/*")
            if path.name.endswith((".partial", ".old", ".tmp")) or ".superseded-" in path.name]
