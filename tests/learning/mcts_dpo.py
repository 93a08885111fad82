"""The small experiment of mcts_dpo (notes, section 9): a model spoilt by a flawed teacher, then search and preferences,
beside their baselines. Trains, judges and records. Not part of CI: about three CPU minutes a seed.

    TENFOLD_BIN_DIR=build/release/bin PYTHONPATH=analysis:tests/support \\
        .venv/bin/python3 tests/learning/mcts_dpo.py arms|testtime|guidance|long [--keep] [--record]
"""
import argparse
import pathlib
import shlex
import shutil
import sys

import numpy as np

import launch
import results
from tenfold_analysis import plot_mcts_dpo, tables
from tenfold_analysis.tenfold_h5 import read_run

SEEDS = (1, 2, 3)
RANKS = 2
QUESTIONS = 1000  # of an evaluation: 95 % of them lie within 3.1 points

# Arms, each from the spoilt model of its seed: options, and what the table calls it.
ARMS = {
    "sft-continue": ("more of the flawed teacher", "--preset online --method sft-continue --flip 0.6"),
    "expert-iteration": ("expert iteration", "--preset expert-iteration"),
    "instance": ("instance-level DPO", "--preset instance"),
    "instance-nll": ("instance-level DPO + NLL", "--preset instance --beta 0.5 --nll 1 --lr 1.5e-4"),
    "offline": ("MCTS-DPO offline", "--preset offline"),
    "offline-nll": ("MCTS-DPO + NLL offline", "--preset online-nll --policy-refresh 0"),
    "online": ("MCTS-DPO online", "--preset online"),
    "online-nll": ("MCTS-DPO + NLL online", "--preset online-nll"),
}


class Study:
    """Runs below one folder, made once and read back."""

    def __init__(self, folder, keep, pictures):
        self.folder, self.keep, self.pictures = folder, keep, pictures
        self.made = set()  # by this process: studies share models

    def picture(self, figure, name, runs):
        """A figure of plot_mcts_dpo, saved and shown where results are recorded."""
        return results.picture(plot_mcts_dpo.FIGURES[figure]([read_run(each) for each in runs]), name) if self.pictures else ""

    def run(self, name, words):
        """The folder of a finished run of these words."""
        run_dir = self.folder / name
        if not (self.keep and run_dir.exists()):
            shutil.rmtree(run_dir, ignore_errors=True)
            result = launch.run("mcts_dpo", [*shlex.split(words), "--run-dir", str(run_dir)], RANKS, timeout=3600)
            if result.code != 0:
                raise SystemExit(f"{name}: exit code {result.code}: {' '.join(result.fatal)}")
            print(f"{name}: done", flush=True)
        return run_dir

    def model(self, name, words):
        """A run that leaves a model in its folder; the path of that."""
        model = self.folder / f"{name}-model"
        if not self.keep and name not in self.made:
            shutil.rmtree(model, ignore_errors=True)
        self.made.add(name)
        if not model.exists():
            shutil.rmtree(self.folder / name, ignore_errors=True)
            self.run(name, f"{words} --export {shlex.quote(str(model))}")
        return model

    def spoilt(self, seed, more=""):
        """The flawed model of a seed: right solutions first, the flawed teacher's then."""
        tag = "".join(c if c.isalnum() else "-" for c in more)
        size = f"--eval-questions {QUESTIONS} --seed {seed} {more}"
        clean = self.model(f"seed-{seed}/clean{tag}", f"--preset sft-clean {size}")
        return self.model(f"seed-{seed}/flawed{tag}", f"--preset sft-flawed --model {shlex.quote(str(clean))} {size}")


def accuracy(run_dir):
    return np.asarray(read_run(run_dir).get("eval/accuracy").value, float).ravel()


def last(run_dir, name):
    return float(tables.last_value(read_run(run_dir).get(name)))


def tokens_to(run_dir, level):
    """Tokens generated until the first evaluation at this accuracy or above; NaN: none."""
    run = read_run(run_dir)
    reached = np.flatnonzero(np.asarray(run.get("eval/accuracy").value, float).ravel() >= level)
    if not len(reached):
        return np.nan
    spent = np.asarray(run.get("tokens/generated").value, float).ravel()
    return float(spent[reached[0] - 1]) if reached[0] > 0 else 0.0  # the first evaluation is before all rounds


def accuracy_at(run_dir, tokens):
    """The last evaluation before more tokens than these were generated."""
    run = read_run(run_dir)
    spent = np.asarray(run.get("tokens/generated").value, float).ravel()
    return float(accuracy(run_dir)[np.count_nonzero(spent <= tokens)])


def percent(values):
    return " / ".join(f"{100 * value:.1f}" for value in values)


def checks_text(checks):
    return "\n".join(f"- {'pass' if good else '**FAIL**'}: {asked}: {found}" for asked, found, good in checks)


def arms(study):
    found = {}
    for seed in SEEDS:
        spoilt = study.spoilt(seed)
        for name, (_, words) in ARMS.items():
            found[name, seed] = study.run(
                f"seed-{seed}/{name}",
                f"{words} --model {shlex.quote(str(spoilt))} --eval-questions {QUESTIONS} --seed {seed}")
    curve = {key: accuracy(run) for key, run in found.items()}
    start = np.array([curve["online", seed][0] for seed in SEEDS])
    end = {name: np.array([curve[name, seed][-1] for seed in SEEDS]) for name in ARMS}
    best = max(("online", "online-nll"), key=lambda name: end[name].mean())
    gained = end[best].mean() - start.mean()
    over_more = end[best].mean() - end["sft-continue"].mean()
    over_offline = end["online"].mean() - end["offline"].mean()
    above_all = [end["online"][i] > curve["offline", seed].max() for i, seed in enumerate(SEEDS)]
    needed = {name: np.array([tokens_to(found[name, seed], 0.9) for seed in SEEDS]) for name in ARMS}
    step, instance = (np.mean(needed[name]) for name in (best, "instance"))
    same = [accuracy_at(found["expert-iteration", seed], last(found["online-nll", seed], "tokens/generated"))
            for seed in SEEDS]
    behind = np.mean(same) - end["online-nll"].mean()
    checks = [
        (f"{ARMS[best][0]} - SFT >= 40 points", f"{100 * gained:.1f}", gained >= 0.4),
        (f"{ARMS[best][0]} - SFT continued >= 40 points", f"{100 * over_more:.1f}", over_more >= 0.4),
        ("online - offline DPO at the last round >= 20 points", f"{100 * over_offline:.1f}", over_offline >= 0.2),
        ("online at the end above offline's best, in every seed", f"{sum(above_all)} of {len(SEEDS)}", all(above_all)),
        ("step-level reaches 90 % with <= 0.8 of instance-level's generated tokens",
         f"{step / instance:.2f}", bool(step / instance <= 0.8)),
        ("MCTS-DPO + NLL no more than 3 points behind expert iteration at as many generated tokens",
         f"{100 * behind:.1f} behind", bool(behind <= 0.03))]
    rows = [["the spoilt model (SFT)", f"{100 * start.mean():.1f}", percent(start), "", "", ""]]
    for name, (title, _) in ARMS.items():
        runs = [found[name, seed] for seed in SEEDS]
        rows.append([title, f"{100 * end[name].mean():.1f}", percent(end[name]),
                     percent(curve[name, seed].max() for seed in SEEDS),
                     " / ".join("-" if np.isnan(each) else f"{each / 1000:.0f}" for each in needed[name]),
                     f"{np.mean([last(run, 'tokens/compute') for run in runs]) / 1000:.0f}"])
    table = results.table(["arm", "accuracy %, mean", "seeds", "best on the way", "10^3 tokens to 90 %",
                           "10^3 tokens of compute"], rows)
    text = f"""## Step-level preferences beside their baselines

{results.provenance(["tests/learning/mcts_dpo.py", "arms"], app="mcts_dpo")}
- A **mis-trained policy with a verifiable reward**, not a claim about GSM8K: 118 592 parameters of a word model learn
  generated word problems from right solutions, then from a teacher who solves two of six verbs the wrong way round in
  60 % of cases. Search and preferences have to find the flaw from right and wrong final answers alone
- 12 rounds of 96 new questions; accuracy of greedy solutions on {QUESTIONS} other questions, last evaluation; seeds
  {", ".join(map(str, SEEDS))}, each with its own start values, data and order; {RANKS} ranks
- Arms: {"; ".join(f"{title}: `{words}`" for title, words in ARMS.values())}
- Compute: tokens generated + read + 3 x trained, at the end
- Acceptance from: section 9.4 of the paper's notes

{table}

{study.picture("accuracy", "mcts_dpo_arms.png", found.values())}

{checks_text(checks)}
"""
    return text, all(good for *_, good in checks)


# Searches that see no answers: iterations (K), searches of a question (R), self-evaluation.
DEPLOYABLE = [(1, 1, "off"), (5, 1, "off"), (20, 1, "off"), (5, 4, "off"), (5, 16, "off"), (5, 4, "forced")]


def deployable(study, models, samples):
    """A table of searches with hidden outcomes, beside the majority of as many generated tokens. models, samples:
    (name, seed) -> the model, the run that sampled from it."""
    rows = []
    for k, searches, opinion in DEPLOYABLE:
        row = [f"K = {k}, R = {searches}" + ("" if opinion == "off" else ", C")]
        for name in ("spoilt", "trained"):
            found = []
            for seed in SEEDS:
                run_dir = study.run(
                    f"seed-{seed}/{name}-hidden-{k}-{searches}-{opinion}",
                    f"--mode evaluate --eval-by search --outcomes hidden --reference none --self-evaluation {opinion} "
                    f"--iterations {k} --root-searches {searches} --eval-questions 300 "
                    f"--model {shlex.quote(str(models[name, seed]))} --seed {seed}")
                vote = "eval/vote_accuracy" if opinion == "off" else "eval/weighted_vote_accuracy"
                tokens = float(np.sum(read_run(run_dir).get("search/generated").value)) / 300
                found.append((100 * last(run_dir, "eval/search_accuracy"), 100 * last(run_dir, vote),
                              100 * majority_of(samples[name, seed], tokens), tokens))
            committed, voted, majority, tokens = np.mean(found, axis=0)
            row += [f"{committed:.1f}", f"{voted:.1f}", f"{majority:.1f}", f"{tokens:.0f}"]
        rows.append(row)
    return results.table(["search without answers"] + [f"{column}, {name}" for name in ("spoilt", "trained")
                                                       for column in ("committed", "vote", "majority", "tokens")], rows)


def majority_of(run_dir, tokens):
    """Accuracy of the majority of the most samples that come to no more tokens a question; of one at least."""
    run = read_run(run_dir)
    counts, right = (np.asarray(run.get(name).value, float)[-1] for name in ("eval/samples", "eval/self_consistency"))
    spent = counts / counts[-1] * last(run_dir, "eval/sample_tokens")
    return float(right[max(0, np.count_nonzero(spent <= tokens) - 1)])


def testtime(study):
    """The paper's trade-off: compute at test time against training."""
    models, samples = {}, {}
    pass_at, majority, searched, counts = {}, {}, {}, None
    for seed in SEEDS:
        spoilt = study.spoilt(seed)
        trained = study.model(f"seed-{seed}/trained", f"--preset online --model {shlex.quote(str(spoilt))} --seed {seed}")
        for name, model in (("spoilt", spoilt), ("trained", trained)):
            common = f"--mode evaluate --model {shlex.quote(str(model))} --eval-questions 300 --seed {seed}"
            models[name, seed] = model
            samples[name, seed] = study.run(f"seed-{seed}/{name}-samples", f"{common} --eval-by samples --eval-samples 64")
            run = read_run(samples[name, seed])
            counts = np.asarray(run.get("eval/samples").value)[-1]
            pass_at[name, seed] = np.asarray(run.get("eval/pass_at").value)[-1]
            majority[name, seed] = np.asarray(run.get("eval/self_consistency").value)[-1]
            for k in (1, 5, 20):
                run_dir = study.run(f"seed-{seed}/{name}-search-{k}", f"{common} --eval-by search --iterations {k}")
                searched[name, seed, k] = (last(run_dir, "eval/search_accuracy"), last(run_dir, "eval/search_tokens"))
    rows = []
    for i, k in enumerate(counts):
        row = [f"{int(k)} samples"]
        for values in (pass_at, majority):
            row += [f"{100 * np.mean([values[name, seed][i] for seed in SEEDS]):.1f}" for name in ("spoilt", "trained")]
        rows.append(row)
    head = ["solutions", "pass@k, spoilt", "pass@k, trained", "majority, spoilt", "majority, trained"]
    search_rows = [[f"K = {k}"] + [f"{100 * np.mean([searched[name, seed, k][0] for seed in SEEDS]):.1f} "
                                   f"({np.mean([searched[name, seed, k][1] for seed in SEEDS]):.0f} tokens)"
                                   for name in ("spoilt", "trained")] for k in (1, 5, 20)]
    text = f"""## Compute at test time

{results.provenance(["tests/learning/mcts_dpo.py", "testtime"], app="mcts_dpo")}
- The spoilt model and the one that online DPO made of it (12 rounds); 300 questions, seeds {", ".join(map(str, SEEDS))},
  means; samples at temperature 1; search sees the right answers (it is the training's search: an upper bound, not a
  deployable method); below it searches that do not

{results.table(head, rows)}

{results.table(["search", "committed solution right %, spoilt", "trained"], search_rows)}

Searches that see no answers (`--outcomes hidden`): R searches of K iterations a step, merged; guided by the policy's own
probabilities, in the last row by self-evaluation too (C, for which these models had no lessons). Right %, of the committed
solution and of the vote of all solutions in the tree by visits (in the last row times C); the majority of the most samples
(1, 2, 4, ...) that generate no more tokens; tokens generated per question.

{deployable(study, models, samples)}
"""
    return text, True


def guidance(study):
    """Self-evaluation: how good it is, and what search and training gain from it."""
    more = "--verdicts 0.5 --verdict-forms all"
    forms = [("solution", "B"), ("solution", "A"), ("answer", "B"), ("none", "B")]
    quality, arms_found = {}, {}
    for seed in SEEDS:
        spoilt = study.spoilt(seed, more)
        model = f"--model {shlex.quote(str(spoilt))} --seed {seed}"
        for reference, letter in forms:
            run_dir = study.run(f"seed-{seed}/opinion-{reference}-{letter}", f"--mode evaluate {model} --eval-by search "
                                f"--self-evaluation forced --reference {reference} --right-letter {letter}")
            quality[reference, letter, seed] = [last(run_dir, f"self_evaluation/{name}") for name in ("auc", "ece", "mean")]
        for opinion in ("off", "forced", "official"):
            arms_found[opinion, seed] = study.run(
                f"seed-{seed}/online-opinion-{opinion}",
                f"--preset online {model} --self-evaluation {opinion} --eval-questions {QUESTIONS}")
    rows = [[reference, letter] + [" / ".join(f"{quality[reference, letter, seed][i]:.3f}" for seed in SEEDS)
                                   for i in range(3)] for reference, letter in forms]
    arms_rows = []
    for opinion in ("off", "forced", "official"):
        success = [last(arms_found[opinion, seed], "search/success") for seed in SEEDS]
        first = [float(np.asarray(read_run(arms_found[opinion, seed]).get("search/success").value).ravel()[0]) for seed in SEEDS]
        arms_rows.append([opinion, percent(first), percent(success),
                          percent(accuracy(arms_found[opinion, seed])[-1] for seed in SEEDS)])
    text = f"""## Self-evaluation

{results.provenance(["tests/learning/mcts_dpo.py", "guidance"], app="mcts_dpo")}
- Half of the teacher's examples (`{more}`) ask whether a partial solution is right, in every form that is asked for
  below: with the solution, the answer or nothing to refer to, and either letter for right. AUC of the model's confidence
  against the truth of every step that search made (the paper: 0.747 with the solution in the prompt, 0.620 without, on
  GSM8K with a 7-billion model), expected calibration error, and the mean confidence
- An AUC of 0.5 is chance, and a standard error is 0.01 to 0.02 a seed (resampled by tree)
- Then online DPO with the confidence in the reward or without it; success of search in the first and the last round

{results.table(["reference shown", "letter for right", "AUC, seeds", "calibration error", "mean confidence"], rows)}

{results.table(["self-evaluation", "search success %, first round", "last round", "accuracy %, end"], arms_rows)}
"""
    return text, True


def long(study):
    """The long regime: outcome alone is often wrong everywhere."""
    found = {}
    task = "--task chain-long --flip 0.75 --depth-limit 9 --eval-questions 300"
    for seed in SEEDS:
        clean = study.model(f"seed-{seed}/long-clean", f"--preset sft-clean --task chain-long --eval-questions 300 --seed {seed}")
        spoilt = study.model(f"seed-{seed}/long-flawed", f"--preset sft-flawed {task} --model {shlex.quote(str(clean))} --seed {seed}")
        for name in ("online", "online-nll", "expert-iteration"):
            words = ARMS[name][1]
            found[name, seed] = study.run(f"seed-{seed}/long-{name}",
                                          f"{words} --task chain-long --depth-limit 9 --eval-questions 300 "
                                          f"--model {shlex.quote(str(spoilt))} --seed {seed}")
    rows = []
    for name in ("online", "online-nll", "expert-iteration"):
        curves = [accuracy(found[name, seed]) for seed in SEEDS]
        rows.append([ARMS[name][0], percent(curve[0] for curve in curves),
                     *(f"{100 * np.mean([curve[r] for curve in curves]):.1f}" for r in (2, 4, 8, 12)),
                     percent(curve[-1] for curve in curves)])
    text = f"""## Longer problems

{results.provenance(["tests/learning/mcts_dpo.py", "long"], app="mcts_dpo")}
- 4 to 6 clauses, the flawed teacher wrong in 75 % of two verbs: `{task}`

{results.table(["arm", "before %", "round 2", "4", "8", "12", "seeds, end"], rows)}
"""
    return text, True


STUDIES = {"arms": arms, "testtime": testtime, "guidance": guidance, "long": long}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", help=f"of {', '.join(STUDIES)}; none: all")
    parser.add_argument("--folder", type=pathlib.Path, default=launch.SOURCE / "runs" / "learning" / "mcts_dpo")
    parser.add_argument("--keep", action="store_true", help="train nothing that is there, judge it")
    parser.add_argument("--record", action="store_true", help="write docs/results/mcts_dpo.md and docs/pictures")
    options = parser.parse_args()
    unknown = set(options.studies) - set(STUDIES)
    if unknown:
        parser.error(f"no study is called {', '.join(sorted(unknown))}")
    good, study = True, Study(options.folder, options.keep, options.record)
    for name in options.studies or STUDIES:
        text, holds = STUDIES[name](study)
        print(text, flush=True)
        if options.record:
            results.record("mcts_dpo", f"mcts_dpo_{name}", text)
        good &= holds
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
