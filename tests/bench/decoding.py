"""Tokens per CPU second of our decoder beside transformers' generate, on the same weights.

    cmake --build build/release --target bench_decoding

Random weights written by transformers; greedy tokens of both are compared first. Then both draw at temperature 1,
one thread each, in turns; medians. Prompts of 32 tokens, one for every row, and 16 branches behind one of 256 (for
transformers a batch of 16 with the prompt repeated). A prompt's tokens are part of the work, but not counted.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
import transformers

import launch
import results

# case: (batch, prompt, new tokens, how)
WORK = {"tiny": [(1, 32, 64, "sample"), (16, 32, 64, "sample"), (64, 32, 64, "sample"), (16, 256, 32, "shared")],
        "10M": [(1, 32, 64, "sample"), (16, 32, 64, "sample"), (64, 32, 64, "sample"), (16, 256, 32, "shared")],
        "100M": [(1, 32, 16, "sample"), (16, 32, 16, "sample"), (64, 32, 16, "sample"), (16, 256, 32, "shared")]}


class Case:
    def __init__(self, binary, name, folder):
        self.binary, self.name, self.folder = binary, name, pathlib.Path(folder)
        described = subprocess.run([binary, "describe", name], check=True, capture_output=True, text=True)
        self.shape = json.loads(described.stdout)
        fields = {k: v for k, v in self.shape.items() if k not in ("entries", "flat_size", "parameters")}
        torch.manual_seed(0)
        config = transformers.LlamaConfig(**fields, rms_norm_eps=1e-5, tie_word_embeddings=False)
        # Wider than transformers draws them, so that the likeliest token stands out.
        config.initializer_range = 0.05
        self.model = transformers.LlamaForCausalLM(config).eval()
        flat = np.zeros(self.shape["flat_size"], dtype=np.float32)
        state = self.model.state_dict()
        for entry, offset, size in self.shape["entries"]:
            flat[offset:offset + size] = state[entry].numpy().reshape(-1)
        self.weights = self.folder / f"{name}.weights"
        flat.tofile(self.weights)

    def prompts(self, batch, length):
        return np.random.default_rng(batch * 1000 + length).integers(0, self.shape["vocab_size"], (batch, length))

    def ours(self, prompts, tokens, how, engine="fused"):
        path = self.folder / "prompts"
        np.concatenate([prompts.shape, prompts.reshape(-1)]).astype(np.int32).tofile(path)
        run = subprocess.run([self.binary, "generate", self.name, self.weights, path, str(tokens), how, engine],
                             check=True, capture_output=True, text=True, env=launch.environment())
        return json.loads(run.stdout)

    def theirs(self, prompts, tokens, greedy=False):
        ids = torch.from_numpy(prompts.astype(np.int64))
        start = time.process_time()
        # top_k 0: all tokens, which is less work for it than its 50.
        chosen = {"do_sample": False} if greedy else {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
        out = self.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens,
                                  min_new_tokens=tokens, eos_token_id=None, pad_token_id=0, **chosen)
        seconds = time.process_time() - start
        assert out.shape[1] == prompts.shape[1] + tokens
        return seconds, out[:, prompts.shape[1]:].tolist()

    def same_greedy_tokens(self):
        prompts = self.prompts(3, 20)
        return self.theirs(prompts, 32, greedy=True)[1] == self.ours(prompts, 32, "greedy")["tokens"]

    def product_weights(self):
        """Numbers of all weights that a token is multiplied with, without and with the head's."""
        head = self.shape["vocab_size"] * self.shape["hidden_size"]
        embedding = head
        return self.shape["parameters"] - embedding - head, head


def gemm_rate():
    """GFLOP/s of a product of 1024 x 1024."""
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    c = torch.empty(1024, 1024)
    start = time.process_time()
    for _ in range(5):
        torch.mm(a, b, out=c)
    return 1e-9 * 5 * 2 * 1024**3 / (time.process_time() - start)


def read_rate(numbers):
    """GB/s of reading so many float32 numbers again and again."""
    data = torch.rand(numbers)
    count = max(1, 50_000_000 // numbers)
    start = time.process_time()
    for _ in range(count):
        data.sum()
    return 1e-9 * count * 4 * numbers / (time.process_time() - start)


def floor_seconds(case, batch, prompt, tokens, how, gflops, gbytes):
    """Products at the machine's speed, or reading all weights once for every forward pass: what takes longer."""
    layers, head = case.product_weights()
    read = prompt if how == "shared" else batch * prompt
    flops = 2 * layers * (read + batch * (tokens - 1)) + 2 * head * batch * tokens
    return max(flops / gflops / 1e9, tokens * 4 * (layers + head) / gbytes / 1e9)


HEAD = ["model", "work", "tokens/s: ours", "transformers", "ratio", "asked", "floor", "ours of the floor",
        "transformers of its floor"]


class Machine:
    """The best rates seen in this run: others may slow down any single measurement."""

    def __init__(self):
        self.gflops, self.gbytes = 0, {}

    def look(self, numbers):
        self.gflops = max(self.gflops, gemm_rate())
        self.gbytes[numbers] = max(self.gbytes.get(numbers, 0), read_rate(numbers))


def measure(case, batch, prompt, tokens, how, rounds, machine):
    ours, theirs = [], []
    prompts = case.prompts(batch, prompt)
    if how == "shared":
        prompts[:] = prompts[0]
    weights = sum(case.product_weights())
    case.theirs(prompts, tokens)
    for _ in range(rounds):
        machine.look(weights)
        ours.append(batch * tokens / case.ours(prompts, tokens, how)["seconds"])
        theirs.append(batch * tokens / case.theirs(prompts, tokens)[0])
    return statistics.median(ours), statistics.median(theirs)


def row(case, batch, prompt, tokens, how, rates, machine):
    mine, peer = rates
    gflops, gbytes = machine.gflops, machine.gbytes[sum(case.product_weights())]
    floor = batch * tokens / floor_seconds(case, batch, prompt, tokens, how, gflops, gbytes)
    peer_floor = batch * tokens / floor_seconds(case, batch, prompt, tokens, "sample", gflops, gbytes)
    asked = 3 if how == "shared" else 2
    what = f"{batch} behind one of {prompt}" if how == "shared" else f"{batch} of {prompt}"
    shown = lambda value: f"{value:,.0f}".replace(",", " ")
    return [case.name, what, shown(mine), shown(peer), f"{mine / peer:.2f}", f"{asked}", shown(floor),
            f"{100 * mine / floor:.0f}%", f"{100 * peer / peer_floor:.0f}%"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", nargs="+", default=list(WORK), choices=list(WORK))
    parser.add_argument("--record", action="store_true", help="write docs/results/mcts_dpo.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    machine, rows, sizes = Machine(), [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.cases:
            case = Case(options.binary, name, folder)
            sizes.append(f"{name} {case.shape['parameters'] / 1e6:.2f} M")
            if not case.same_greedy_tokens():
                raise SystemExit(f"{name}: greedy tokens differ from transformers'")
            rates = {work: measure(case, *work, options.rounds, machine) for work in WORK[name]}
            for work, rate in rates.items():
                rows.append(row(case, *work, rate, machine))
                print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows[-1])), flush=True)
    text = f"""## Decoding: tokens per CPU second beside transformers

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_decoding"],
                    f"transformers {transformers.__version__}, its default attention", app="mcts_dpo")}

{__doc__.split(chr(10), 4)[4].strip()} Medians of {options.rounds} rounds; parameters: {", ".join(sizes)}. Greedy
tokens were the same. Floor: what all products take at {machine.gflops:.0f} GFLOP/s (a product of 1024 x 1024, the same run),
or what it takes to read the weights once for every token, whichever is more; of transformers with every prompt read.
Both at the best rates seen in the run. Sampling, and our log-probabilities, are not in it.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("mcts_dpo", "bench_decoding", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
