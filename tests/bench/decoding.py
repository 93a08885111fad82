"""Tokens per CPU second of our decoder beside transformers' generate, on the same weights.

    cmake --build build/ci --target bench_decoding

Random weights written by transformers, rounded to bfloat16, so that they are the same in both types. Greedy tokens of
both sides are compared first. Then both draw at temperature 1, one thread each, in turns; medians. Prompts of 32
tokens, one for every row, and 16 branches behind one of 256 (for transformers a batch of 16 with the prompt repeated).
A prompt's tokens are part of the work, but not counted. transformers generates in float32 and in bfloat16; where ours
keeps weights in bfloat16 (and computes in float32), the ratio is against the faster of the two.
"""
import argparse
import copy
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
        "100M": [(1, 32, 64, "sample"), (16, 32, 64, "sample"), (64, 32, 16, "sample"), (16, 256, 32, "shared")]}
TYPES = {"float32": (torch.float32, "fused", 4), "bfloat16": (torch.bfloat16, "fused-bfloat16", 2)}
# What takes longer than this, in seconds, is measured once: transformers in bfloat16 on long prompts.
LONG = 5


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
        whole = transformers.LlamaForCausalLM(config).eval()
        with torch.no_grad():
            for parameter in whole.parameters():
                parameter.copy_(parameter.to(torch.bfloat16))
        half = copy.deepcopy(whole).to(torch.bfloat16)
        # Angles stay float32, as in a model that was loaded in bfloat16.
        half.model.rotary_emb = copy.deepcopy(whole.model.rotary_emb)
        self.models = {"float32": whole, "bfloat16": half}
        flat = np.zeros(self.shape["flat_size"], dtype=np.float32)
        state = self.models["float32"].state_dict()
        for entry, offset, size in self.shape["entries"]:
            flat[offset:offset + size] = state[entry].numpy().reshape(-1)
        self.weights = self.folder / f"{name}.weights"
        flat.tofile(self.weights)

    def prompts(self, batch, length):
        return np.random.default_rng(batch * 1000 + length).integers(0, self.shape["vocab_size"], (batch, length))

    def ours(self, prompts, tokens, how, kind="float32"):
        path = self.folder / "prompts"
        np.concatenate([prompts.shape, prompts.reshape(-1)]).astype(np.int32).tofile(path)
        run = subprocess.run([self.binary, "generate", self.name, self.weights, path, str(tokens), how, TYPES[kind][1]],
                             check=True, capture_output=True, text=True, env=launch.environment())
        return json.loads(run.stdout)

    def theirs(self, prompts, tokens, kind="float32", greedy=False):
        ids = torch.from_numpy(prompts.astype(np.int64))
        start = time.process_time()
        # top_k 0: all tokens, which is less work for it than its 50.
        chosen = {"do_sample": False} if greedy else {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0}
        out = self.models[kind].generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens,
                                         min_new_tokens=tokens, eos_token_id=None, pad_token_id=0, **chosen)
        seconds = time.process_time() - start
        assert out.shape[1] == prompts.shape[1] + tokens
        return seconds, out[:, prompts.shape[1]:].tolist()

    def same_greedy_tokens(self):
        prompts = self.prompts(3, 20)
        theirs = self.theirs(prompts, 32, greedy=True)[1]
        return all(self.ours(prompts, 32, "greedy", kind)["tokens"] == theirs for kind in TYPES)

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


def read_rate(size):
    """GB/s of reading so many bytes again and again, by whichever of two operators is faster."""
    data = torch.rand(size // 4096, 1024)
    vector = torch.rand(1024)
    count = max(1, 200_000_000 // size)
    best = 0
    for read in (data.sum, lambda: torch.mv(data, vector)):
        start = time.process_time()
        for _ in range(count):
            read()
        best = max(best, 1e-9 * count * 4 * data.numel() / (time.process_time() - start))
    return best


class Machine:
    """The best rates seen in this run: others may slow down any single measurement."""

    def __init__(self):
        self.gflops, self.gbytes = 0, {}

    def look(self, sizes):
        self.gflops = max(self.gflops, gemm_rate())
        for size in sizes:
            self.gbytes[size] = max(self.gbytes.get(size, 0), read_rate(size))


class Floor:
    """What the work cannot take less than: products at the machine's speed, and the weights read for every token."""

    def __init__(self, case, work, kind, machine, prompts_read):
        batch, prompt, tokens, _ = work
        layers, head = case.product_weights()
        size = TYPES[kind][2] * (layers + head)
        flops = 2 * layers * (prompts_read * prompt + batch * (tokens - 1)) + 2 * head * batch * tokens
        self.products, self.reading = flops / machine.gflops / 1e9, tokens * size / machine.gbytes[size] / 1e9
        self.seconds = max(self.products, self.reading)


HEAD = ["model", "work", "our weights", "tokens/s: ours", "transformers float32", "bfloat16", "ratio", "asked",
        "products, s", "reading, s", "ours, s", "ours at", "transformers at"]


def measure(case, work, rounds, machine):
    """Seconds of both sides in both types."""
    batch, prompt, tokens, how = work
    prompts = case.prompts(batch, prompt)
    if how == "shared":
        prompts[:] = prompts[0]
    times = {(side, kind): [] for side in ("ours", "theirs") for kind in TYPES}
    sizes = [TYPES[kind][2] * sum(case.product_weights()) for kind in TYPES]
    for kind in TYPES:
        case.theirs(prompts[:1], 2, kind)
    for _ in range(rounds):
        machine.look(sizes)
        for kind in TYPES:
            times["ours", kind].append(case.ours(prompts, tokens, how, kind)["seconds"])
            theirs = times["theirs", kind]
            if kind == "float32" or not theirs or theirs[0] < LONG:
                theirs.append(case.theirs(prompts, tokens, kind)[0])
    return {key: statistics.median(values) for key, values in times.items()}


def rows_of(case, work, seconds, machine):
    batch, prompt, tokens, how = work
    what = f"{batch} behind one of {prompt}" if how == "shared" else f"{batch} of {prompt}"
    speed = lambda time: f"{batch * tokens / time:,.0f}".replace(",", " ")
    for kind in TYPES:
        mine = seconds["ours", kind]
        peers = {other: seconds["theirs", other] for other in TYPES if kind == "bfloat16" or other == kind}
        fastest = min(peers, key=peers.get)
        floor = Floor(case, work, kind, machine, 1 if how == "shared" else batch)
        peer_floor = Floor(case, work, fastest, machine, batch)
        yield [case.name, f"{what}, {tokens} more", kind, speed(mine), speed(seconds["theirs", "float32"]),
               speed(seconds["theirs", "bfloat16"]), f"{peers[fastest] / mine:.2f}", "3" if how == "shared" else "2",
               f"{floor.products:.3f}", f"{floor.reading:.3f}", f"{mine:.3f}", f"{100 * floor.seconds / mine:.0f}%",
               f"{100 * peer_floor.seconds / peers[fastest]:.0f}%"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
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
            measured = {}
            for work in WORK[name]:
                measured[work] = measure(case, work, options.rounds, machine)
                print(name, *work, {" ".join(key): round(value, 4) for key, value in measured[work].items()}, flush=True)
            for work, seconds in measured.items():
                for row in rows_of(case, work, seconds, machine):
                    rows.append(row)
                    print("  ".join(f"{head} {value}" for head, value in zip(HEAD, row)), flush=True)
    rates = ", ".join(f"{size / 1e6:.1f} MB: {rate:.1f} GB/s" for size, rate in sorted(machine.gbytes.items()))
    text = f"""## Decoding: tokens per CPU second beside transformers

{results.provenance(["cmake", "--build", "build/ci", "--target", "bench_decoding"],
                    f"transformers {transformers.__version__}, its default attention", app="mcts_dpo")}

{__doc__.split(chr(10), 4)[4].strip()} Medians of {options.rounds} rounds; one alone of what takes transformers in
bfloat16 more than {LONG} s; parameters: {", ".join(sizes)}. Greedy tokens were the same.

Products and reading are floors of our seconds: all products at {machine.gflops:.0f} GFLOP/s (a product of 1024 x 1024, the same
run), and reading the weights once for every new token, at the rates seen for reading as many bytes again and again
({rates}). "At": the larger floor as a share of the seconds taken;
of transformers that of the type with which it is compared, with every prompt read. Where both sides are near the
floor of products, as at 64 prompts, no ratio of 2 exists: this processor has no faster products in bfloat16. Sampling,
attention, and our log-probabilities are not in the floors.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("mcts_dpo", "bench_decoding", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
