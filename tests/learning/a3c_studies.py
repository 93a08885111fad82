"""The paper's studies on Catch: robustness to learning rates (its figure 2) and what more ranks bring (its figures 3 and
4, its table 2). Trains the rows of jobs/a3c_rates.tsv or jobs/a3c_workers.tsv one after the other, draws and records.
Not part of CI: a few CPU minutes a study.

    TENFOLD_BIN_DIR=build/release/bin PYTHONPATH=analysis:tests/support \\
        .venv/bin/python3 tests/learning/a3c_studies.py rates|workers [ROW...] [--keep] [--record]
"""
import argparse
import pathlib
import shutil
import sys

import numpy as np

import job_table
import launch
import results
from tenfold_analysis import a3c_runs, plot_a3c, table2_a3c
from tenfold_analysis.tenfold_h5 import find_runs, read_run

LEARNT = 0.8  # E5 of the paper's notes
WANTED = 6    # of 20 rates
REFERENCE = 0.5  # return that is to be reached; the best are 0.9 to 1
CPU = "cpu_seconds"  # a file beside the runs of a row


def train(row, folder):
    """All seeds of a row: a job of 2 ranks that splits them, or of as many as each seed wants."""
    run_dir = folder / row["run"]
    shutil.rmtree(run_dir, ignore_errors=True)
    before = launch.cpu_seconds()
    result = launch.run(row["app"], [*job_table.arguments(row), "--run-dir", run_dir],
                        int(row.get("ranks-per-seed") or 2), timeout=7200)
    used = launch.cpu_seconds() - before
    if result.code != 0:
        raise SystemExit(f"{row['run']}: exit code {result.code}: {' '.join(result.fatal)}")
    (run_dir / CPU).write_text(f"{used:.1f}\n")
    print(f"{row['run']}: {used:.0f} CPU s", flush=True)


def read(rows, folder):
    """(rows that were trained, their runs)"""
    there = [row for row in rows if (folder / row["run"] / CPU).exists()]
    return there, [read_run(path) for row in there for path in find_runs(folder / row["run"])]


def _cpu_lines(rows, folder):
    seconds = ", ".join(f"{row['run']} {(folder / row['run'] / CPU).read_text().strip()}" for row in rows)
    return f"CPU seconds of a row's seeds together: {seconds}."


def rates(rows, folder):
    """(text, whether what is asked for holds)."""
    there, runs = read(rows, folder)
    lines, good = [], True
    for (method,), members in a3c_runs.groups(runs, a3c_runs.method).items():
        returns = np.array([a3c_runs.last_return(run) for run in members])
        learnt = np.array([a3c_runs.learning_rate(run) for run in members])[returns >= LEARNT]
        finite = all(np.isfinite(series.value).all() for run in members
                     for series in [run.get("eval/return")] if series is not None)
        holds = len(learnt) >= WANTED and finite and all(run.state == "finished" for run in members)
        good &= holds
        between = f", with rates from {learnt.min():.2g} to {learnt.max():.2g}" if len(learnt) else ""
        lines.append(f"- {'pass' if holds else '**FAIL**'}: {a3c_runs.METHODS[method]}: at least {WANTED} of {len(members)} end "
                     f"with {LEARNT} or more, none with NaN: {len(learnt)}{between}")
    table = results.table(["method", "rates and returns of the last evaluation, by rate"],
                          [[a3c_runs.METHODS[method], ", ".join(
                              f"{a3c_runs.learning_rate(run):.2g}: {a3c_runs.last_return(run):.2f}"
                              for run in sorted(members, key=a3c_runs.learning_rate))]
                           for (method,), members in a3c_runs.groups(runs, a3c_runs.method).items()])
    text = f"""## E5: robustness to learning rates and initialisations

{results.provenance(["tests/learning/a3c_studies.py", "rates"], app="a3c")}
- Rows: `jobs/a3c_rates.tsv`, each one job of 2 ranks that splits 20 seeds; a seed draws its rate and its initialisation
- Acceptance from: E5 of the paper's notes for A3C; of the others the same is asked

{results.picture(plot_a3c.robustness_figure(runs), "a3c_robustness.png")}

{table}

{_cpu_lines(there, folder)}

""" + "\n".join(lines)
    return text, good


def workers(rows, folder):
    there, runs = read(rows, folder)
    head, body = table2_a3c.make(runs, REFERENCE)
    text = f"""## E4: data efficiency and time to a score, on 1, 2 and 4 ranks

{results.provenance(["tests/learning/a3c_studies.py", "workers"], app="a3c")}
- Rows: `jobs/a3c_workers.tsv`; actors are as many as ranks. Evaluations every 10 000 decisions, so no finer than that
- Catch, until the first evaluation that returns {REFERENCE} or more; the paper's are wall time on seven Atari games on 16 cores
- Two cores, which others used too (load above): 4 ranks never had a core each, and no number of seconds here is a claim

{results.picture(plot_a3c.workers_figure(runs), "a3c_workers.png")}

{results.table(head, body)}

{_cpu_lines(there, folder)}

- recorded, nothing asked for: E4 asks a wall-clock speed-up of 1.6 of two free cores
"""
    return text, True


STUDIES = {"rates": rates, "workers": workers}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("rows", nargs="*", help="rows of the table to train; none: all")
    parser.add_argument("--folder", type=pathlib.Path, default=launch.SOURCE / "runs" / "learning")
    parser.add_argument("--keep", action="store_true", help="train nothing, judge the runs that are there")
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md and docs/pictures")
    options = parser.parse_args()
    table, folder = launch.SOURCE / "jobs" / f"a3c_{options.study}.tsv", options.folder / f"a3c_{options.study}"
    if not options.keep:
        for row in job_table.chosen(parser, table, options.rows):
            train(row, folder)
    text, good = STUDIES[options.study](job_table.rows(table), folder)
    print(text)
    if options.record:
        results.record("a3c", f"a3c_{options.study}", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
