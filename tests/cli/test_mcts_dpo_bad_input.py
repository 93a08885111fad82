"""Bad input to mcts_dpo under two ranks: one clear message, the right exit code, no hang, nothing lost."""

import json
import shutil
import struct
import subprocess
import sys

import pytest

import launch
import small_mcts_dpo
from launch import refused
from small_mcts_dpo import ITERATE, SFT

FRESH = launch.merged(SFT, ["--steps", "1", "--examples", "40"])

OPTIONS = [
    (["--mode", "iterate"], 2, ["--mode iterate", "--model"]),
    (["--mode", "evaluate"], 2, ["--mode evaluate", "--model"]),
    (["--preset", "onlin"], 2, ["onlin", "online"]),
    (["--task", "chains"], 2, ["chains", "chain-long"]),
    (["--task", "files"], 2, ["--task files", "--train-file"]),
    (["--task", "files", "--train-file", "a.jsonl"], 2, ["--task files", "--eval-file"]),
    (["--train-file", "a.jsonl"], 2, ["train-file", "--task files"]),
    (["--method", "dpo"], 2, ["dpo", "mcts-dpo"]),
    (["--flip", "0.5"], 2, ["flip", "--task chain"]),
    (["--depth-limit", "0"], 2, ["depth-limit", "0"]),
    (["--depth-limit", "1000000"], 2, ["depth-limit", "1000000"]),
    (["--iterations", "0"], 2, ["iterations", "0"]),
    (["--breadth", "0"], 2, ["breadth", "0"]),
    (["--beta", "0"], 2, ["beta", "0"]),
    (["--beta", "-0.1"], 2, ["beta", "-0.1"]),
    (["--lr", "nan"], 2, ["lr", "nan"]),
    (["--search.temperature", "-1"], 2, ["temperature", "-1"]),
    (["--root-temperature", "1e-9"], 2, ["root-temperature", "1e-9", "0.000001"]),
    (["--top-p", "0"], 2, ["top-p", "0"]),
    (["--loss", "ipo"], 2, ["--loss ipo", "--smoothing none"]),
    (["--smoothing-constant", "0.2"], 2, ["smoothing-constant", "--smoothing constant"]),
    (["--lr-schedule", "constant"], 2, ["--lr-final", "--lr-schedule cosine"]),
    (["--step-tokens", "200"], 2, ["--step-tokens", "--solution-tokens"]),
    (["--step-rule", "token(0)"], 2, ["token(0)"]),
    (["--paths-in-flight", "3"], 2, ["--paths-in-flight", "--virtual loss"]),
    (["--virtual", "wu"], 2, ["--virtual wu", "--paths-in-flight"]),
    (["--root-searches", "2"], 2, ["--root-searches", "--eval-by search"]),
    (["--outcomes", "hidden"], 2, ["--outcomes hidden", "--eval-by search"]),
    (["--step-rule", "delimiter(()"], 2, ["delimiter"]),
    (["--step-rule", "delimiter(a*)"], 2, ["delimiter(a*)", "nothing at all"]),
    (["--symbolic-timeout", "1"], 2, ["symbolic-timeout", "--symbolic-checker"]),
    (["--mode", "theory"], 2, ["--mode theory", "--smoothing constant", "--preset theory"]),
    (["--mode", "theory", "--smoothing", "constant", "--answers", "1"], 2, ["--answers", "2 to 16"]),
    (["--answers", "3"], 2, ["answers", "--mode theory"]),
    (["--right-option", "no"], 2, ["--right-option", "--wrong-option"]),
    (["--prompt.question", "{quest}"], 2, ["prompt.question", "quest"]),
    (["--prompt.evaluation", "{question} {part"], 2, ["prompt.evaluation"]),
    (["--prompt.question", "{question}\\t"], 2, ["prompt.question"]),
    (["--heads", "5"], 2, ["--heads 5", "--width 24"]),
    (["--positions", "8"], 2, ["--positions"]),
    (["--lora-rank", "2", "--lora-targets", "k_prj"], 2, ["k_prj"]),
    (["--export-adapters", "there"], 2, ["--export-adapters", "--lora-rank"]),
    (["--verdicts", "1"], 2, ["verdicts", "1"]),
    (["--batch", "64"], 3, ["40 examples", "batch of 64"]),
    (["--virtual-shards", "7"], 2, ["7", "2 ranks"]),
    (["--engine", "fussed"], 2, ["fussed", "fused"]),
]


@pytest.mark.parametrize("args,code,words", OPTIONS, ids=[" ".join(o[0]) for o in OPTIONS])
def test_options(tmp_path, args, code, words):
    refused(launch.run("mcts_dpo", launch.merged(FRESH, [*args, "--run-dir", tmp_path / "run"])), code, *words)


def test_a_python_that_is_not_there_is_said_before_the_run(tmp_path):
    args = launch.merged(FRESH, ["--symbolic-checker", "true", "--run-dir", tmp_path / "run"])
    result = launch.run("mcts_dpo", args, env={"TENFOLD_PYTHON": "/nowhere/python3"})
    refused(result, 2, "--symbolic-checker", "/nowhere/python3", "TENFOLD_PYTHON")
    assert not launch.checkpoints(tmp_path / "run")
    # A Python without its packages has no SymPy.
    worker = launch.SOURCE / "data" / "mcts_dpo" / "symbolic_worker.py"
    check = subprocess.run([sys.executable, "-I", "-S", worker, "--check"], capture_output=True, text=True)
    assert "no package sympy" in json.loads(check.stdout)["failed"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Of one update: what it says does not matter here."""
    folder = tmp_path_factory.mktemp("model")
    small_mcts_dpo.run(FRESH, folder / "sft", "--export", folder / "model")
    return folder / "model"


HIDDEN = [
    (["--mode", "iterate"], ["Learning from searches", "known"]),
    (["--self-evaluation", "forced"], ["shown the right answer", "--reference none"]),
    (["--inject-solution", "true"], ["--inject-solution"]),
    (["--eval-by", "samples"], ["--eval-by search"]),
]


@pytest.mark.parametrize("args,words", HIDDEN, ids=[" ".join(h[0]) for h in HIDDEN])
def test_answers_are_hidden_or_known(tmp_path, args, words):
    hidden = [*small_mcts_dpo.TASK, "--mode", "evaluate", "--eval-by", "search", "--outcomes", "hidden", "--model", "none"]
    refused(launch.run("mcts_dpo", launch.merged(hidden, [*args, "--run-dir", tmp_path / "run"]), 1), 2, *words)


@pytest.fixture
def copy(tmp_path, model):
    shutil.copytree(model, tmp_path / "model")
    return tmp_path / "model"


def iterate(tmp_path, model, *more, ranks=2):
    args = launch.merged(ITERATE, ["--model", model, "--run-dir", tmp_path / "run", *more])
    return launch.run("mcts_dpo", args, ranks)


def edit(path, **values):
    """Sets members of a JSON file; None takes one out."""
    document = json.loads(path.read_text())
    for name, value in values.items():
        document.pop(name, None) if value is None else document.__setitem__(name, value)
    path.write_text(json.dumps(document))


def spoil(path):
    """The last weight becomes one that is no number."""
    data = bytearray(path.read_bytes())
    data[-4:] = struct.pack("<f", float("nan"))
    path.write_bytes(data)


def add_tensor(path, name):
    """One number more, under a name of its own."""
    data = path.read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    end = len(data) - 8 - size
    header[name] = {"dtype": "F32", "shape": [1], "data_offsets": [end, end + 4]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size:] + bytes(4))


FOLDERS = {
    "nothing": (lambda m: shutil.rmtree(m), 3, ["no such folder"]),
    "no config": (lambda m: (m / "config.json").unlink(), 3, ["config.json", "model.safetensors"]),
    "no weights": (lambda m: (m / "model.safetensors").unlink(), 3, ["model.safetensors", "config.json"]),
    "no tokenizer": (lambda m: (m / "tokenizer.json").unlink(), 4, ["tokenizer.json", "config.json"]),
    "unknown model": (lambda m: edit(m / "config.json", model_type="mamba"), 3, ["mamba", "llama"]),
    "unknown activation": (lambda m: edit(m / "config.json", hidden_act="relu"), 3, ["hidden_act", "relu"]),
    "other shape": (lambda m: edit(m / "config.json", intermediate_size=40), 3, ["intermediate_size", "48", "40"]),
    "endless layers": (lambda m: edit(m / "config.json", num_hidden_layers=10**9), 3, ["1000000000 layers", "10000"]),
    "small vocabulary": (lambda m: edit(m / "config.json", vocab_size=100), 3, ["tokenizer has 284", "100 rows"]),
    "no end": (lambda m: (edit(m / "config.json", eos_token_id=None), edit(m / "generation_config.json", eos_token_id=None),
                          edit(m / "tokenizer_config.json", eos_token=None)), 3, ["ends a text", "eos_token"]),
    "cut weights": (lambda m: (m / "model.safetensors").write_bytes((m / "model.safetensors").read_bytes()[:-100]), 3,
                    ["model.safetensors"]),
    "weights that are no numbers": (lambda m: spoil(m / "model.safetensors"), 3, ["1 of the", "not finite"]),
}


@pytest.mark.parametrize("what", FOLDERS)
def test_folders_of_models(tmp_path, copy, what):
    change, code, words = FOLDERS[what]
    change(copy)
    refused(iterate(tmp_path, copy), code, *words)


def test_a_tensor_too_many_is_an_error_where_that_is_asked_for(tmp_path, copy):
    add_tensor(copy / "model.safetensors", "score.weight")
    refused(iterate(tmp_path, copy, "--strict", "true"), 3, "no place for", "score.weight")


def test_questions_without_a_word_for_the_tokenizer_are_named(tmp_path, copy):
    rows = [{"id": "strange", "question": "what is a zebra-crossing ?", "answer": "3"}]
    (tmp_path / "strange.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    refused(measure(tmp_path, copy, tmp_path / "strange.jsonl"), 3, "zebra-crossing")


def measure(tmp_path, model, file, *more):
    args = ["--mode", "evaluate", "--task", "files", "--model", model, "--eval-file", file, "--threads", "1",
            "--run-dir", tmp_path / "run", *more]
    return launch.run("mcts_dpo", args)


def rows(tmp_path, *texts):
    path = tmp_path / f"{len(texts)}.jsonl"
    path.write_text("".join(text if text.endswith("\n") else text + "\n" for text in texts))
    return path


def row(number, text="what is a thing ?"):
    return json.dumps({"id": f"q{number}", "question": text + " the" * number, "answer": "thing"})


@pytest.fixture
def words(copy):
    """The model's tokenizer knows these words, too."""
    path = copy / "tokenizer.json"
    text = path.read_text()
    vocabulary = json.loads(text)["model"]["vocab"]
    known = [word for word in vocabulary if word.isalpha()][:5]
    return known


def known_row(words, number, length=4):
    text = " ".join(words[(number + i) % len(words)] for i in range(length))
    return json.dumps({"id": f"q{number}", "question": text, "answer": words[0]})


def test_files_of_questions(tmp_path, copy, words):
    good = [known_row(words, i) for i in range(4)]
    refused(measure(tmp_path, copy, tmp_path / "none.jsonl"), 4, "none.jsonl")
    bad = rows(tmp_path, *good, "{not json", good[0].replace('"q0"', '"q9"').replace('"answer"', '"reply"'))
    refused(measure(tmp_path, copy, bad), 3, "6.jsonl:5")
    skipping = measure(tmp_path, copy, bad, "--skip-bad-rows", "2")
    assert skipping.code == 0 and "2 rows left out" in skipping.err, skipping.out + skipping.err


def test_questions_that_leak(tmp_path, copy, words):
    train = rows(tmp_path, *[known_row(words, i) for i in range(4)])
    test = rows(tmp_path, *[known_row(words, i) for i in range(2, 5)])
    leaking = ["--train-file", train]
    refused(measure(tmp_path, copy, test, *leaking), 3, "of 3 evaluation questions are training questions",
            "--allow-leak")
    assert measure(tmp_path, copy, test, *leaking, "--allow-leak", "true").code == 0


def test_the_train_file_is_read_once(tmp_path, copy, words):
    solved = [json.dumps({**json.loads(known_row(words, i)), "solution": " ".join(words[:2])}) for i in range(2)]
    args = ["--mode", "sft", "--task", "files", "--model", copy, "--train-file", rows(tmp_path, *solved, "{not json"),
            "--eval-file", rows(tmp_path, known_row(words, 3)), "--skip-bad-rows", "1", "--steps", "1", "--batch", "1",
            "--threads", "1", "--run-dir", tmp_path / "run"]
    result = launch.run("mcts_dpo", args)
    assert result.code == 0, result.out + result.err
    assert result.err.count("1 rows left out") == 1


def test_questions_longer_than_the_model(tmp_path, copy, words):
    long = [known_row(words, i, 300) for i in range(2)]
    refused(measure(tmp_path, copy, rows(tmp_path, *long)), 3, "all 2 questions are too long")
    some = measure(tmp_path, copy, rows(tmp_path, *long, known_row(words, 3)))
    assert some.code == 0 and "2 of 3 questions are too long" in some.err, some.out + some.err


def test_a_cache_that_is_too_small_for_one_question(tmp_path):
    wide = launch.merged(FRESH, ["--width", "1024", "--feed-forward", "16"])
    small_mcts_dpo.run(wide, tmp_path / "sft", "--export", tmp_path / "model")
    tight = ["--cache-mib", "1", "--depth-limit", "6"]
    refused(iterate(tmp_path, tmp_path / "model", *tight), 2, "--cache-mib", "bytes")


def test_a_cache_that_is_larger_than_memory(tmp_path):
    refused(launch.run("mcts_dpo", [*FRESH, "--cache-mib", 1 << 20, "--run-dir", tmp_path / "run", "--dry-run"]), 2,
            "--cache-mib 1048576", "2 ranks share", f"{2 << 40} bytes", "free")
    assert not list(tmp_path.iterdir())


def test_a_folder_to_export_to_is_looked_at_before_the_work(tmp_path, model):
    there = tmp_path / "there"
    there.mkdir()
    (there / "file").touch()
    for args in (FRESH, [*ITERATE, "--model", model]):
        run_dir = tmp_path / f"run{len(args)}"
        result = launch.run("mcts_dpo", [*args, "--export", there, "--run-dir", run_dir])
        refused(result, 2, "there", "already")
        assert not launch.checkpoints(run_dir)


def test_a_folder_that_cannot_be_made_is_known_before_the_work(tmp_path):
    result = launch.run("mcts_dpo", [*FRESH, "--export", "/proc/none/model", "--run-dir", tmp_path / "run"])
    refused(result, 4, "/proc/none/model", "cannot create")
    assert "eval/accuracy" not in result.out and not launch.checkpoints(tmp_path / "run")


def test_a_run_that_has_ended_leaves_what_it_exported(tmp_path):
    args = [*FRESH, "--export", tmp_path / "model", "--run-dir", tmp_path / "run"]
    assert launch.run("mcts_dpo", args, 1).code == 0
    before = (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns
    again = launch.run("mcts_dpo", args, 1)
    assert again.code == 0 and "stays as it is" in again.out, again.out + again.err
    assert (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_a_policy_that_is_right_about_everything_has_reached_its_end(tmp_path, model):
    """A model that knows four questions by heart, and learns from them."""
    words = sorted(w for w in json.loads((model / "tokenizer.json").read_text())["model"]["vocab"] if w.isalpha())
    rows = [{"id": f"q{i}", "question": " ".join(words[5 * i:5 * i + 4]), "solution": f"The answer is {words[0]}",
             "answer": words[0]} for i in range(4)]
    (tmp_path / "four.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    files = ["--task", "files", "--train-file", tmp_path / "four.jsonl", "--eval-file", tmp_path / "four.jsonl",
             "--allow-leak", "true", "--threads", "1"]
    learn = ["--preset", "sft-clean", "--mode", "sft", "--steps", "60", "--batch", "4", "--lr", "1e-2", "--model", model]
    small_mcts_dpo.run([*files, *learn], tmp_path / "sft", "--export", tmp_path / "model")
    rounds = [*files, "--mode", "iterate", "--method", "instance-dpo", "--samples", "2", "--temperature", "0",
              "--questions", "4", "--rounds", "9", "--most-empty-rounds", "2", "--model", tmp_path / "model"]
    end = small_mcts_dpo.run(rounds, tmp_path / "run", "--export", tmp_path / "better")
    assert "all solutions are right: done after 2 of 9 rounds" in end.out and "finished at 72" in end.out, end.out
    assert (tmp_path / "better" / "model.safetensors").exists()
    assert "finished at 72" in small_mcts_dpo.run(rounds, tmp_path / "run").out


def test_rounds_that_give_nothing_say_why(tmp_path, model):
    wrong = ["--most-empty-rounds", "1", "--rounds", "4", "--min-gap", "5", "--require-right-path", "false"]
    refused(iterate(tmp_path, model, *wrong), 3, "nothing to learn from", "wrong")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("finished")
    result = iterate(folder, model, "--rounds", "1", "--require-right-path", "false", "--self-evaluation", "forced")
    assert result.code == 0, result.out + result.err
    return folder


def test_checkpoint_of_another_experiment(tmp_path, finished, model):
    shutil.copytree(model, tmp_path / "other")
    weights = tmp_path / "other" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-4:] = struct.pack("<f", 0.125)
    weights.write_bytes(data)
    more = ["--require-right-path", "false", "--self-evaluation", "forced"]
    before = [launch.commit(c) for c in launch.checkpoints(finished / "run")]
    for change, words in [(["--model", tmp_path / "other"], ["reference"]), (["--questions", "6"], ["questions", "8"]),
                          (["--method", "sft-continue"], ["method", "mcts-dpo"]), (["--lora-rank", "2"], ["lora"])]:
        args = launch.merged([*ITERATE, *more, "--model", model], [*change, "--run-dir", finished / "run"])
        refused(launch.run("mcts_dpo", args), 6, *words)
    assert [launch.commit(c) for c in launch.checkpoints(finished / "run")] == before
