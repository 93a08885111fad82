"""A learning claim in returns: several cases (a method, a network), each a command and what its mean return over the
seeds must reach; run, judged and recorded. For families whose tasks have scores of their own; learning_claim.py is for
scores normalised by a planner.

The last evaluation of a run counts, not its best.
"""

import dataclasses
import json
import shlex
import shutil

import numpy as np

import claim_runs
import results
from tenfold_analysis import tables, tenfold_h5


SECONDS = "seconds.json"  # beside a run: what it took, wall and CPU


@dataclasses.dataclass(frozen=True)
class Case:
    label: str
    arguments: str  # without seed and run directory
    least: float | None = None  # mean return over the seeds
    most: float | None = None
    times_random: float | None = None  # least mean return over that of random actions
    ranks: int = 2


@dataclasses.dataclass(frozen=True)
class Claim:
    name: str
    title: str
    source: str  # where the acceptance comes from
    cases: tuple[Case, ...]
    seeds: tuple[int, ...] = (1, 2, 3)
    notes: tuple[str, ...] = ()
    timeout: float = 3600


@dataclasses.dataclass
class Outcome:
    seed: int
    problem: str = ""
    last: float = np.nan
    best: float = np.nan
    random: float = np.nan
    decisions: float = np.nan
    staleness: float = np.nan  # mean over the run
    wall: float = np.nan
    cpu: float = np.nan


def command(case, seed, run_dir):
    return [*shlex.split(case.arguments), "--seed", str(seed), "--run-dir", str(run_dir)]


def read_outcome(outcome, run_dir):
    """Fills in what the run's files say."""
    run = tenfold_h5.read_run(run_dir)
    if run.state != "finished":
        outcome.problem = f"the run is {run.state}, not finished"
        return
    returns, staleness = run.get("eval/return"), run.get("async/staleness")
    outcome.last, outcome.best = tables.last_value(returns), tables.best_value(returns)
    outcome.random = tables.first_value(run.get("eval/random_return"))
    outcome.decisions = float(returns.step[-1])
    if staleness is not None:
        outcome.staleness = float(np.nanmean(staleness.value))


def _kept(run_dir, seed):
    """Of a run that was made before; what it took is unknown where nobody wrote it down."""
    outcome, seconds = Outcome(seed), run_dir / SECONDS
    if seconds.is_file():
        outcome.wall, outcome.cpu = json.loads(seconds.read_text())
    try:
        read_outcome(outcome, run_dir)
    except tenfold_h5.NotARun as error:
        outcome.problem = str(error)
    return outcome


def run_seed(app, claim, case, seed, folder, keep=False):
    run_dir = folder / claim.name / case.label.replace(" ", "-") / f"seed-{seed}"
    if keep:
        return _kept(run_dir, seed)
    shutil.rmtree(run_dir, ignore_errors=True)
    outcome = Outcome(seed)

    def read():
        (run_dir / SECONDS).write_text(json.dumps([outcome.wall, outcome.cpu]))
        read_outcome(outcome, run_dir)

    return claim_runs.run(outcome, app, command(case, seed, run_dir), case.ranks, claim.timeout, read)


def checks(case, outcomes):
    """[(what is asked for, what it is, whether it holds)]. A seed that failed has no return, so nothing holds."""
    mean = float(np.mean([each.last for each in outcomes]))
    random = float(np.mean([each.random for each in outcomes]))
    found = []
    if case.least is not None:
        found.append((f"{case.label}: mean return >= {case.least:g}", mean, mean >= case.least))
    if case.most is not None:
        found.append((f"{case.label}: mean return <= {case.most:g}", mean, mean <= case.most))
    if case.times_random is not None:
        found.append((f"{case.label}: mean return over that of random actions >= {case.times_random:g}", mean / random,
                      mean / random >= case.times_random))
    return found


def _row(case, each):
    return [case.label, str(each.seed), tables.number(each.last), tables.number(each.best), tables.number(each.random),
            tables.number(each.decisions), tables.number(each.staleness),
            *("–" if np.isnan(value) else text for value, text in ((each.wall, f"{each.wall:.0f}"), (each.cpu, f"{each.cpu:.1f}")))]


def section(app, claim, outcomes):
    """(text, whether everything that is asked for holds). outcomes: of each case, by seed."""
    first = claim.cases[0]
    shown = ["mpirun", "-n", str(first.ranks), app, *command(first, "SEED", "DIR")]
    lines = [f"## {claim.title}", "", results.provenance(shown, app=app), f"- Acceptance from: {claim.source}"]
    lines += [f"- {case.label}: `{case.arguments}`{'' if case.ranks == first.ranks else f', {case.ranks} ranks'}"
              for case in claim.cases]
    lines += [f"- {note}" for note in claim.notes]
    lines += ["", results.table(["case", "seed", "return", "best on the way", "random", "decisions", "staleness",
                                 "wall s", "CPU s"],
                                [_row(case, each) for case, several in zip(claim.cases, outcomes) for each in several]),
              "", results.table(["case", "mean return", "worst seed"],
                                [[case.label, tables.number(np.mean([each.last for each in several])),
                                  tables.number(np.min([each.last for each in several]))]
                                 for case, several in zip(claim.cases, outcomes)]), ""]
    lines += [f"- {case.label}, seed {each.seed} failed: {each.problem}"
              for case, several in zip(claim.cases, outcomes) for each in several if each.problem]
    judged = [check for case, several in zip(claim.cases, outcomes) for check in checks(case, several)]
    lines += [f"- {'pass' if good else '**FAIL**'}: {asked}: {value:.3f}" for asked, value, good in judged]
    return "\n".join(lines), all(good for _, _, good in judged)


def main(app, claims, description):
    """The command line of tests/learning/APP.py."""
    def judge(claim, options):
        outcomes = [[run_seed(app, claim, case, seed, options.folder, options.keep) for seed in claim.seeds]
                    for case in claim.cases]
        return section(app, claim, outcomes)

    return claim_runs.main(app, claims, description, judge, can_keep=True)
