"""A learning claim: a command, several seeds, what counts as learnt; run, judged and recorded.

Scores are the runs' own eval/score, normalised as the papers do: 0 is what random actions get, 1 what a planner
that knows the dynamics gets. The last evaluation of a run counts, not its best.
"""

import dataclasses
import shlex
import shutil

import numpy as np

import claim_runs
import planner_entries
import results
from tenfold_analysis import tables, tenfold_h5


@dataclasses.dataclass(frozen=True)
class Claim:
    name: str
    title: str
    source: str  # where the acceptance comes from
    arguments: str  # without seed and run directory
    mean: float | None = None  # least mean score; None: not asked for
    worst: float | None = None  # least score of any seed
    planner: float | None = None  # return per 1000 control steps, where its entry has another action repeat
    slope: tuple[float, float] | None = None  # Q's estimate over the return that followed
    seeds: tuple[int, ...] = (1, 2, 3)
    ranks: int = 2
    notes: tuple[str, ...] = ()
    timeout: float = 3600
    pictures: int = 0  # drawn per decision; above 0: also say how fast the runs went


@dataclasses.dataclass
class Outcome:
    """One seed. Returns are per 1000 decisions, so that a planner's figure holds at any horizon. Rewards
    of a decision are means over its control steps, so they are per 1000 control steps as well: the same
    scale at any action repeat."""

    seed: int
    problem: str = ""
    score: float = np.nan
    reference: str = ""  # what is 0 and what is 1
    last: float = np.nan
    best: float = np.nan
    random: float = np.nan
    wall: float = np.nan
    cpu: float = np.nan
    updates: float = np.nan
    update_seconds: float = np.nan  # all of them, by the clock
    decisions: float = np.nan  # played, in evaluations too
    calibration: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros((0, 2)))


def command(claim, seed, run_dir):
    return [*shlex.split(claim.arguments), "--seed", str(seed), "--run-dir", str(run_dir)]


def read_outcome(outcome, run_dir, claim):
    """Fills in what the run's files say."""
    run = tenfold_h5.read_run(run_dir)
    if run.state != "finished":
        outcome.problem = f"the run is {run.state}, not finished"
        return
    score, last = tables.last_value(run.get("eval/score")), tables.last_value(run.get("eval/return"))
    random = tables.first_value(run.get("eval/random_return"))
    if claim.planner is not None:
        scale = 1000 / tables.last_value(run.get("eval/length"))
        outcome.score = (scale * last - scale * random) / (claim.planner - scale * random)
        outcome.reference = f"the planner's {claim.planner:g} per 1000 control steps and the run's own random actions"
    elif score is None:
        outcome.problem = "the run has no eval/score: no planner's score for its task"
        return
    else:
        try:
            entry = planner_entries.behind(run.config["task.task"].value, last, score)
        except LookupError as error:
            outcome.problem = str(error)
            return
        scale = 1000 / entry.horizon
        outcome.score, outcome.reference = score, entry.text()
    outcome.last = scale * last
    outcome.best = scale * tables.best_value(run.get("eval/return"))
    outcome.random = scale * random
    read_rates(outcome, run)
    pairs = run.get("eval/q_vs_return")
    if pairs is not None:
        outcome.calibration = pairs.value[pairs.step == pairs.step.max()]


def read_rates(outcome, run):
    outcome.updates = tables.last_value(run.get("train/updates"))
    outcome.update_seconds = outcome.updates * float(np.mean(run.get("perf/update_mean_seconds").value))
    number = lambda key: float(run.config[key].value)
    # Evaluations step an environment for each of their episodes, in a multiple of the shards; the
    # first one plays random actions too.
    shards = number("parallel.virtual-shards")
    rows = shards * np.ceil(number("eval.episodes") / shards)
    evaluated = len(run.get("eval/return").value) + 1
    outcome.decisions = (number("train.total-steps")
                         + evaluated * rows * tables.last_value(run.get("eval/length")))


def run_seed(app, claim, seed, folder):
    run_dir = folder / claim.name / f"seed-{seed}"
    shutil.rmtree(run_dir, ignore_errors=True)
    outcome = Outcome(seed)
    return claim_runs.run(outcome, app, command(claim, seed, run_dir), claim.ranks, claim.timeout,
                          lambda: read_outcome(outcome, run_dir, claim))


def huber_slope(x, y):
    """Slope of the line through (x, y) with Huber's loss (1.345 robust standard deviations), by
    reweighted least squares."""
    weight = np.ones_like(x)
    for _ in range(100):
        mean_x, mean_y = np.average(x, weights=weight), np.average(y, weights=weight)
        slope = np.sum(weight * (x - mean_x) * (y - mean_y)) / np.sum(weight * (x - mean_x) ** 2)
        rest = np.abs(y - mean_y - slope * (x - mean_x))
        bound = 1.345 * np.median(rest) / 0.6745
        if bound <= 1e-9 * np.std(y):  # all on the line
            break
        weight = bound / np.maximum(rest, bound)
    return float(slope)


@dataclasses.dataclass
class Verdict:
    scores: np.ndarray
    slope: float
    checks: list[tuple[str, float, bool]]  # what is asked for, what it is, whether it holds

    @property
    def passed(self):
        return all(good for _, _, good in self.checks)


def judge(claim, outcomes):
    """A seed that failed to run has no score, and the claim does not hold."""
    scores = np.array([each.score for each in outcomes])
    checks, slope = [], np.nan
    if claim.mean is not None:
        checks.append((f"mean score >= {claim.mean}", scores.mean(), bool(scores.mean() >= claim.mean)))
    if claim.worst is not None:
        checks.append((f"worst seed >= {claim.worst}", scores.min(), bool(scores.min() >= claim.worst)))
    pairs = np.concatenate([each.calibration for each in outcomes])
    if len(pairs) > 2:
        slope = huber_slope(pairs[:, 1], pairs[:, 0])
    if claim.slope is not None:
        low, high = claim.slope
        checks.append((f"slope of Q over return in [{low}, {high}]", slope, bool(low <= slope <= high)))
    return Verdict(scores, slope, checks)


def section(app, claim, outcomes, verdict):
    shown = ["mpirun", "-n", str(claim.ranks), app, *command(claim, "SEED", "DIR")]
    rows = [[str(each.seed), tables.number(each.last), tables.number(each.best),
             tables.number(each.random), f"{score:.3f}", f"{each.wall:.0f}", f"{each.cpu:.0f}"]
            for each, score in zip(outcomes, verdict.scores)]
    own = "the run's own eval/score, " if claim.planner is None else ""
    lines = [f"## {claim.title}", "",
             results.provenance(shown, app=app), f"- Acceptance from: {claim.source}",
             f"- Returns per 1000 decisions, last evaluation. Score: {own}(return - random) / (planner - random) with "
             f"{'; '.join(sorted({each.reference for each in outcomes} - {''}))}"]
    lines += [f"- {note}" for note in claim.notes]
    heads = ["seed", "return", "best on the way", "random in the run", "score", "wall s", "CPU s"]
    if claim.pictures:
        heads += ["updates / CPU s", "pictures / CPU s", "time in updates"]
        rows = [[*row, tables.number(each.updates / each.cpu),
                 tables.number(claim.pictures * each.decisions / each.cpu),
                 f"{100 * each.update_seconds / each.wall:.0f}%"]
                for row, each in zip(rows, outcomes)]
        lines.append("- Updates and pictures over the whole run, evaluations included; the rest of the time is "
                     "pictures, acting and evaluations")
    lines += ["", results.table(heads, rows), ""]
    lines += [f"- seed {each.seed} failed: {each.problem}" for each in outcomes if each.problem]
    if np.isfinite(verdict.slope) and claim.slope is None:
        lines.append(f"- slope of Q's estimate over the return: {verdict.slope:.2f} (no claim)")
    for asked, value, good in verdict.checks:
        lines.append(f"- {'pass' if good else '**FAIL**'}: {asked}: {value:.3f}")
    if not verdict.checks:
        lines.append(f"- recorded, nothing asked for: mean score {verdict.scores.mean():.3f}")
    return "\n".join(lines)


def main(app, claims, description):
    """The command line of tests/learning/APP.py."""
    def judge_claim(claim, options):
        outcomes = [run_seed(app, claim, seed, options.folder) for seed in claim.seeds]
        verdict = judge(claim, outcomes)
        return section(app, claim, outcomes, verdict), verdict.passed

    return claim_runs.main(app, claims, description, judge_claim)
