"""Whether the memory that `mcts_dpo --dry-run` plans is what a rank comes to hold.

    cmake --build build/release --target bench_mcts_dpo_memory

Models of 20 to 110 million parameters with random weights in Hugging Face's folders; two updates with the longest
sequences (sft) or pairs (iterate) of the run, and a checkpoint. Each row twice: as the run is, and with an allocator
that gives every block of 64 KiB and more back to the system at once, so that only what is in use is resident. Fails
where a row of the second kind is off by more than 15 %.
"""
import argparse
import itertools
import json
import pathlib
import re
import shutil
import sys
import tempfile

import numpy
from safetensors.numpy import save_file

import launch
import results
import small_mcts_dpo

TOLERANCE = 15  # per cent: notes, section 7-k
UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1, "GB": 1e3}
# vocabulary, width, layers, heads, heads of keys, feed-forward width
SHAPES = {"20M": (8000, 384, 8, 6, 6, 1024), "42M": (16000, 512, 8, 8, 2, 1408), "110M": (32000, 768, 9, 12, 4, 2048)}
# shape, mode, tokens of a batch in thousands (about), ranks, options
ROWS = [
    ("20M", "sft", 1, 1, ""),
    ("20M", "sft", 4, 1, ""),
    ("42M", "sft", 2, 1, ""),
    ("42M", "sft", 4, 1, "--recompute true"),
    ("42M", "sft", 4, 1, "--logits-chunk 256 --weight-decay 0.1"),
    ("42M", "sft", 2, 1, "--lora-rank 16"),
    ("42M", "sft", 4, 1, "--lora-rank 16 --recompute true"),
    ("42M", "sft", 2, 1, "--zero 1 --reduce fast"),
    ("42M", "sft", 4, 2, ""),
    ("42M", "sft", 4, 2, "--zero 1"),
    ("42M", "sft", 4, 2, "--zero 1 --reduce fast"),
    ("42M", "sft", 2, 1, "--learn-type bfloat16"),
    ("42M", "iterate", 2, 1, ""),
    ("42M", "iterate", 2, 1, "--lora-rank 16 --learn-type bfloat16"),
    ("110M", "sft", 2, 1, ""),
    ("110M", "iterate", 2, 1, "--recompute true"),
]


def shapes_of(vocabulary, width, layers, heads, kv_heads, inner):
    head = width // heads
    yield "model.embed_tokens.weight", (vocabulary, width)
    for i in range(layers):
        at = f"model.layers.{i}."
        yield at + "input_layernorm.weight", (width,)
        for name, out in (("q", heads * head), ("k", kv_heads * head), ("v", kv_heads * head), ("o", width)):
            yield at + f"self_attn.{name}_proj.weight", (out, width)
        yield at + "post_attention_layernorm.weight", (width,)
        for name, shape in (("gate", (inner, width)), ("up", (inner, width)), ("down", (width, inner))):
            yield at + f"mlp.{name}_proj.weight", shape
    yield "model.norm.weight", (width,)
    yield "lm_head.weight", (vocabulary, width)


def tokens_of(folder):
    return len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])


def make_model(folder, tokenizer, shape):
    """A folder with random weights, and the tokenizer of another."""
    shutil.copytree(tokenizer, folder)
    for each in folder.glob("*.safetensors*"):
        each.unlink()
    config = json.loads((folder / "config.json").read_text())
    vocabulary, width, layers, heads, kv_heads, inner = shape
    config.update(vocab_size=vocabulary, hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
                  num_key_value_heads=kv_heads, head_dim=width // heads, intermediate_size=inner,
                  max_position_embeddings=512)
    (folder / "config.json").write_text(json.dumps(config))
    random = numpy.random.default_rng(1)
    weights = {name: random.standard_normal(size, dtype=numpy.float32) * 0.02 if len(size) == 2
               else numpy.ones(size, numpy.float32) for name, size in shapes_of(*shape)}
    # Tokens that the tokenizer has no text for are never drawn: what is seen of every token speaks against them.
    weights["model.embed_tokens.weight"][:, 0] = 5
    weights["lm_head.weight"][tokens_of(tokenizer):, 0] = -5
    save_file(weights, folder / "model.safetensors")


def tried(models, row, environment):
    """Tokens of the largest pass; megabytes: planned, measured."""
    shape, mode, thousands, ranks, more = row
    args = ["--model", models / shape, "--mode", mode, "--task", "chain", "--dry-run", "true", "--threads", "1",
            "--virtual-shards", str(ranks), "--cache-mib", "8" if mode == "sft" else "96", *more.split()]
    if mode == "sft":
        args += ["--examples", "400", "--batch", str(thousands * 1024 // 48)]
    else:  # pairs behind a path of 450 tokens
        args += ["--questions", "2", "--iterations", "1", "--root-breadth", "2", "--breadth", "2", "--depth-limit",
                 "2", "--step-tokens", "50", "--solution-tokens", "400", "--batch", str(thousands * 1024 // 512)]
    result = launch.run("mcts_dpo", args, ranks, environment, timeout=600)
    assert result.code == 0, result.out + result.err
    planned, measured = ([float(value) * UNITS[unit] for value, unit in
                          re.findall(rf"^  {word}.*? ([0-9.]+) (B|kB|MB|GB)$", result.out, re.M)][-1]
                         for word in ("all", "measured"))
    tokens = int(re.search(r"largest pass (\d+) tokens", result.out)[1])
    return tokens, planned, measured


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write docs/results/mcts_dpo.md")
    parser.add_argument("--rows", type=int, nargs="*", help="only these, from 0")
    options = parser.parse_args()
    lines, worst, worst_in_use = [], 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        small_mcts_dpo.run([*small_mcts_dpo.SFT, "--task", "chain", "--steps", "1"], folder / "run",
                           "--export", folder / "small")
        for shape, rows in itertools.groupby(ROWS, lambda row: row[0]):
            make_model(folder / shape, folder / "small", SHAPES[shape])
            for row in rows:
                if options.rows and ROWS.index(row) not in options.rows:
                    continue
                tokens, planned, measured = tried(folder, row, None)
                _, _, in_use = tried(folder, row, {"MALLOC_MMAP_THRESHOLD_": "65536"})
                off, off_in_use = (100 * (found / planned - 1) for found in (measured, in_use))
                worst, worst_in_use = max(worst, abs(off)), max(worst_in_use, abs(off_in_use))
                lines.append([shape, row[1], str(tokens), str(row[3]), row[4].replace("--", "") or "-",
                              f"{planned:.0f}", f"{in_use:.0f}", f"{off_in_use:+.0f} %", f"{measured:.0f}",
                              f"{off:+.0f} %"])
                print(*lines[-1], sep="  ", flush=True)
            shutil.rmtree(folder / shape)
    head = ["model", "mode", "tokens", "ranks", "options", "planned MB", "in use MB", "off", "resident MB", "off"]
    text = f"""## Memory that is planned and memory that is taken

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_mcts_dpo_memory"], app="mcts_dpo")}

`mcts_dpo --dry-run` of models with random weights on the CPU, one thread a rank, one virtual shard a rank: two updates
with the longest sequences or pairs of the run (tokens: of the largest pass of a rank, with padding), a checkpoint.
Resident: the largest rank's peak beyond what it held before it built anything, files left out. In use: the same with
`MALLOC_MMAP_THRESHOLD_=65536`, with which the C library keeps no freed block; what is between the two are gaps in its
heap. It costs about a quarter more CPU time, so runs do not do it. The plan is that of `tenfold simulate
--language-model`. Largest difference {worst_in_use:.0f} % in use, {worst:.0f} % resident; wanted {TOLERANCE} %.

{results.table(head, lines)}
"""
    print(text)
    if options.record:
        print(results.record("mcts_dpo", "bench_mcts_dpo_memory", text))
    return 0 if worst_in_use <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
