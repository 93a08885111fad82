"""Megabytes of text per CPU second to ids and back: our tokenizers beside Hugging Face's `tokenizers`.

    cmake --build build/ci --target bench_tokenizer

Two tokenizers are trained first: GPT-2's kind (byte-level) and Llama 2's (SentencePiece's "▁", byte fallback). One
thread each, in turns in one run; medians. The ids must be equal.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import pydoc_data.topics
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers  # noqa: E402
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers  # noqa: E402

import launch  # noqa: E402
import results  # noqa: E402

VOCABULARY = 16000
TRAINED_ON = 4_000_000  # characters
TEXTS = {"prose": 600_000, "code": 2_000_000}


def sources():
    """Python's own standard library: every second file is trained on, the others are measured."""
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    files = sorted(path for path in folder.rglob("*.py") if "site-packages" not in path.parts)
    texts = []
    for path in files:
        try:
            texts.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
    return texts[::2], texts[1::2]


def cut(texts, size):
    """Lines of texts up to size characters."""
    lines, total = [], 0
    for text in texts:
        for line in text.splitlines(keepends=True):
            if total >= size:
                return lines
            lines.append(line)
            total += len(line)
    return lines


def train(lines, folder):
    byte_level = Tokenizer(models.BPE())
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_level.decoder = decoders.ByteLevel()
    byte_level.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=VOCABULARY, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Metaspace()
    words.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=pieces, show_progress=False))
    model = json.loads(words.to_str())["model"]
    marked = Tokenizer(models.BPE(model["vocab"], [tuple(pair) for pair in model["merges"]], unk_token="<unk>",
                                  byte_fallback=True, fuse_unk=True))
    marked.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    marked.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
                                        decoders.Strip(" ", 1, 0)])
    for name, tokenizer in {"byte-level": byte_level, "▁": marked}.items():
        (folder / name).mkdir()
        tokenizer.save(str(folder / name / "tokenizer.json"))


def theirs(tokenizer, texts, seconds):
    size = sum(len(text.encode()) for text in texts)

    def rate(body):
        begin, passes = time.thread_time(), 0
        while True:
            value = body()
            passes += 1
            spent = time.thread_time() - begin
            if spent >= seconds:
                return value, passes * size / spent
    encodings, encode = rate(lambda: tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    ids = [id for encoding in encodings for id in encoding.ids]
    _, decode = rate(lambda: tokenizer.decode(ids))
    total = 0
    for id in ids:
        total = (total * 31 + id) & 0xFFFFFFFF
    return {"encode": encode, "decode": decode, "ids": len(ids), "sum": total}


def ours(binary, folder, file, seconds):
    return json.loads(subprocess.run([binary, folder, file, str(seconds)], check=True, capture_output=True, text=True,
                                     env=launch.environment()).stdout)


def measure(binary, folder, name, texts, rounds, seconds):
    """Medians of both sides: {"encode": [ours, theirs], "decode": ...}."""
    file = folder / "texts.json"
    file.write_text(json.dumps(texts))
    tokenizer = Tokenizer.from_file(str(folder / name / "tokenizer.json"))
    seen = [[], []]
    for _ in range(rounds):
        pair = [ours(binary, folder / name, file, seconds), theirs(tokenizer, texts, seconds)]
        if any(pair[0][key] != pair[1][key] for key in ("ids", "sum")):
            raise SystemExit(f"{name}: ids differ: {pair}")
        for values, value in zip(seen, pair):
            values.append(value)
    return {what: [statistics.median(value[what] for value in values) for values in seen] for what in ("encode", "decode")}


def head():
    commit = results.text_output(["git", "rev-parse", "--short=12", "HEAD"])
    now = datetime.datetime.now(datetime.timezone.utc)
    return (f"- Command: `cmake --build build/ci --target bench_tokenizer`\n- Commit {commit}, {now:%Y-%m-%d %H:%M} UTC\n"
            f"- Machine: {results.machine()}; load {os.getloadavg()[1]:.1f} over the last 5 minutes\n"
            f"- Versions: tokenizers {tokenizers.__version__}, Python {platform.python_version()}")


HEAD = ["tokenizer, text, given as", "encode: ours", "theirs", "ratio", "decode: ours", "theirs", "ratio"]


def row(label, rates):
    cells = [label]
    for what in ("encode", "decode"):
        mine, peer = rates[what]
        cells += [f"{mine / 1e6:.1f}", f"{peer / 1e6:.2f}", f"{mine / peer:.1f}"]
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each measurement, at least")
    parser.add_argument("--record", action="store_true", help="write docs/results/mcts_dpo.md")
    options = parser.parse_args()
    trained, held = sources()
    prose = "".join(pydoc_data.topics.topics[topic] for topic in sorted(pydoc_data.topics.topics))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        train(cut(trained, TRAINED_ON), folder)
        for kind in ("byte-level", "▁"):
            for text, lines in {"prose": cut([prose], TEXTS["prose"]), "code": cut(held, TEXTS["code"])}.items():
                for given, texts in {"lines": lines, "one text": ["".join(lines)]}.items():
                    rates = measure(options.binary, folder, kind, texts, options.rounds, options.seconds)
                    rows.append(row(f"{kind}, {text}, {given}", rates))
                    print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows[-1])), flush=True)
    section = f"""## Text to ids and back: megabytes per CPU second

{head()}

`tokenizer.json` read by ours and by Hugging Face's `tokenizers` (in Rust, called from Python with whole lists), one
thread each, in turns; medians of {options.rounds} rounds. Both kinds were trained to {VOCABULARY} tokens on other files than
those measured. Prose is Python's documentation, code its library. Each side goes through the same text again and again, so both remember
its words. The ids were equal. "one text" has no end of line where
theirs could begin anew: with "▁" it is one word to them, and to ours many, since no token holds a "▁" inside.

{results.table(HEAD, rows)}
"""
    print(section)
    if options.record:
        results.record("mcts_dpo", "bench_tokenizer", section)
    return 0


if __name__ == "__main__":
    sys.exit(main())
