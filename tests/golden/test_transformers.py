"""src/nn's transformers and model folders beside Hugging Face's transformers: random small models that it builds and
saves, run by transformer_driver in one process for all of them."""

import json
import random
import subprocess

import pytest

import launch

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, MistralConfig

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)
LENGTHS = (5, 17, 40)
SHAPE = dict(vocab_size=97, hidden_size=48, intermediate_size=112, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32, rope_theta=500.0)
MODELS = {
    "llama": LlamaConfig(**SHAPE, rope_parameters=dict(rope_type="default", rope_theta=12345.0)),
    "llama_old_style": LlamaConfig(**SHAPE, rope_parameters=dict(rope_type="default", rope_theta=12345.0)),
    "llama3": LlamaConfig(**SHAPE, rope_parameters=dict(LLAMA3)),
    "llama_tied": LlamaConfig(**SHAPE, tie_word_embeddings=True),
    "mistral": MistralConfig(**SHAPE, head_dim=16, sliding_window=8),
    "gpt2": GPT2Config(vocab_size=97, n_positions=64, n_embd=48, n_layer=3, n_head=4, bos_token_id=1, eos_token_id=2),
    "gpt2_bare": GPT2Config(vocab_size=97, n_positions=64, n_embd=48, n_layer=2, n_head=4, n_inner=40,
                            activation_function="gelu_pytorch_tanh"),
}
# Targets of adapters: some parts of joint products, all, GPT-2's matrices the other way round.
ADAPTED = {"llama": ["v_proj", "q_proj", "up_proj"],
           "mistral": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
           "gpt2": ["c_attn", "c_proj", "c_fc"]}
RANK, ALPHA = 3, 5.0


def build(name, folder):
    """A model with norms, biases and matrices that all matter, saved as its user would find it."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(MODELS[name], attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
            else:
                parameter.mul_(4.0)
    model.save_pretrained(folder)
    if name == "llama_old_style":
        config = json.loads((folder / "config.json").read_text())
        config["rope_theta"] = config.pop("rope_parameters")["rope_theta"]
        config["rope_scaling"] = None
        (folder / "config.json").write_text(json.dumps(config))
    if name == "gpt2_bare":
        # As OpenAI's own checkpoint: no prefix, and the masks that older versions stored.
        stored = {key.removeprefix("transformer."): value
                  for key, value in load_file(folder / "model.safetensors").items()}
        for layer in range(2):
            stored[f"h.{layer}.attn.bias"] = torch.tril(torch.ones(1, 1, 64, 64, dtype=torch.uint8))
        save_file(stored, folder / "model.safetensors", {"format": "pt"})
    return model


def mean_loss(model, rows):
    """And -loss of each token but the first of each row."""
    chosen = torch.cat([torch.log_softmax(model(row[None]).logits[0, :-1], -1).gather(1, row[1:, None])[:, 0]
                        for row in rows])
    return -chosen.mean(), chosen.detach()


def rows():
    generator = torch.Generator().manual_seed(7)
    tokens = torch.randint(3, 97, (len(LENGTHS), max(LENGTHS)), generator=generator)
    return [tokens[b, :length] for b, length in enumerate(LENGTHS)], tokens


def adapt(name, model, folder):
    """Adapters in PEFT's files, and in the model as hooks; returns them by PEFT's names."""
    generator = torch.Generator().manual_seed(3)
    adapters = {}

    def hook(down, up):
        return lambda module, inputs, output: output + ALPHA / RANK * (inputs[0] @ down.T @ up.T)

    for path, module in model.named_modules():
        if path.split(".")[-1] not in ADAPTED[name]:
            continue
        shape = module.weight.shape if name != "gpt2" else module.weight.T.shape
        pair = [torch.randn(RANK, shape[1], generator=generator) / 7, torch.randn(shape[0], RANK, generator=generator) / 7]
        for letter, tensor in zip("AB", pair):
            adapters[f"base_model.model.{path}.lora_{letter}.weight"] = tensor
        module.register_forward_hook(hook(*(tensor.requires_grad_() for tensor in pair)))
    folder.mkdir()
    save_file({key: tensor.detach() for key, tensor in adapters.items()}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(
        dict(peft_type="LORA", task_type="CAUSAL_LM", r=RANK, lora_alpha=ALPHA, target_modules=ADAPTED[name], bias="none",
             lora_dropout=0.1, fan_in_fan_out=name == "gpt2", rank_pattern={}, modules_to_save=None, use_dora=False)))
    return adapters


class Case:
    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.model = build(name, folder)
        self.rows, tokens = rows()
        save_file({"tokens": tokens, "lengths": torch.tensor(LENGTHS)}, folder / "inputs.safetensors")
        self.ours = self.adapters = None
        if name in ADAPTED:
            self.adapted = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
            self.adapters = adapt(name, self.adapted, folder / "adapter")

    def logits(self, model):
        with torch.no_grad():
            return [model(row[None]).logits[0].float() for row in self.rows]


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    made = {}
    for name in MODELS:
        (root / name).mkdir()
        made[name] = Case(name, root / name)
    run = subprocess.run([launch.BIN / "transformer_driver", *(case.folder for case in made.values())],
                         capture_output=True, text=True, env=launch.environment(), timeout=120)
    assert run.returncode == 0, run.stderr
    for case in made.values():
        case.ours = load_file(case.folder / "outputs.safetensors")
    return made


@pytest.mark.parametrize("name", MODELS)
def test_logits(cases, name):
    case = cases[name]
    for b, theirs in enumerate(case.logits(case.model)):
        padded = case.ours["logits.f32"][b, :LENGTHS[b]]
        alone = case.ours[f"alone.{b}"][0]
        assert theirs.abs().max() > 0.5
        assert (padded - theirs).abs().max() < 2e-5
        assert (alone - theirs).abs().max() < 2e-5
        assert (alone - padded).abs().max() < 1e-5


@pytest.mark.parametrize("name", MODELS)
def test_greedy_text(cases, name):
    """M5: the tokens of generate(do_sample=False), up to the first choice that is none."""
    case = cases[name]
    config, compared = case.model.config, 0
    for b, row in enumerate(case.rows):
        count = min(32, config.max_position_embeddings - len(row))
        theirs = case.model.generate(row[None], attention_mask=torch.ones_like(row[None]), do_sample=False,
                                     max_new_tokens=count, min_new_tokens=count, eos_token_id=None, pad_token_id=0,
                                     output_logits=True, return_dict_in_generate=True)
        best = torch.cat(theirs.logits).topk(2).values
        clear = (best[:, 0] - best[:, 1] >= 1e-4).long().cumprod(0).sum()
        tokens = theirs.sequences[0, len(row):]
        for engine in ("fused", "torch"):
            ours = case.ours[f"greedy.{engine}.{b}"].long()
            assert len(ours) == len(tokens) == count
            assert ours[:clear].tolist() == tokens[:clear].tolist(), (engine, b)
        compared += clear
    assert compared >= 64


@pytest.mark.parametrize("name", MODELS)
def test_half_precision(cases, name):
    case = cases[name]
    ours = torch.cat([case.ours["logits.bf16"][b, :length] for b, length in enumerate(LENGTHS)])
    half = AutoModelForCausalLM.from_pretrained(case.folder, dtype=torch.bfloat16, attn_implementation="eager")
    theirs = torch.cat(case.logits(half))
    assert (ours - theirs).abs().mean() < 2e-2
    # bfloat16 has ties: any of the tokens that share the largest logit is the first one.
    largest = theirs.gather(-1, ours.argmax(-1, keepdim=True))[:, 0] == theirs.amax(-1)
    assert largest.float().mean() >= 0.98


@pytest.mark.parametrize("name", MODELS)
def test_gradients(cases, name):
    case = cases[name]
    case.model.zero_grad()
    loss, chosen = mean_loss(case.model, case.rows)
    loss.backward()
    assert (case.ours["log_probabilities"] - chosen).abs().max() < 2e-5
    gradients = {key: parameter.grad for key, parameter in case.model.named_parameters()}
    assert {"gradient." + key for key in gradients} == {key for key in case.ours if key.startswith("gradient.")}
    for key, theirs in gradients.items():
        assert (case.ours["gradient." + key] - theirs).norm() < 1e-5 * theirs.norm(), key


@pytest.mark.parametrize("name", MODELS)
def test_exported_models_load(cases, name):
    case = cases[name]
    whole = AutoModelForCausalLM.from_pretrained(case.folder / "exported", attn_implementation="eager")
    assert type(whole) is type(case.model) and whole.dtype == torch.float32
    assert whole.generation_config.eos_token_id == MODELS[name].eos_token_id
    # Exported as gelu_new, which is the same function in another order of operations.
    tolerance = 2e-6 if MODELS[name].to_dict().get("activation_function") == "gelu_pytorch_tanh" else 0
    for ours, theirs in zip(case.logits(whole), case.logits(case.model)):
        assert (ours - theirs).abs().max() <= tolerance
    shards = list((case.folder / "exported_bf16").glob("model-*.safetensors"))
    assert len(shards) > 3 and all(shard.stat().st_size < 40_000 for shard in shards)
    half = AutoModelForCausalLM.from_pretrained(case.folder / "exported_bf16")
    assert half.dtype == torch.bfloat16
    for key, theirs in case.model.state_dict().items():
        assert torch.equal(half.state_dict()[key], theirs.to(torch.bfloat16)), key


@pytest.mark.parametrize("name", ADAPTED)
def test_adapters(cases, name):
    case = cases[name]
    ours = load_file(case.folder / "adapted.safetensors")
    merged = AutoModelForCausalLM.from_pretrained(case.folder / "merged", attn_implementation="eager")
    for b, (adapted, base) in enumerate(zip(case.logits(case.adapted), case.logits(case.model))):
        assert (adapted - base).abs().max() > 0.1
        assert (ours["logits.f32"][b, :LENGTHS[b]] - adapted).abs().max() < 2e-5
        assert (ours["merged.f32"][b, :LENGTHS[b]] - ours["logits.f32"][b, :LENGTHS[b]]).abs().max() < 1e-5
        assert (case.logits(merged)[b] - adapted).abs().max() < 2e-5
    mean_loss(case.adapted, case.rows)[0].backward()
    assert {key for key in ours if key.startswith("gradient.")} == {"gradient." + key for key in case.adapters}
    for key, adapter in case.adapters.items():
        assert (ours["gradient." + key] - adapter.grad).norm() < 1e-5 * adapter.grad.norm(), key
    again = load_file(case.folder / "adapter_again" / "adapter_model.safetensors")
    assert again.keys() == case.adapters.keys()
    assert all(torch.equal(again[key], adapter) for key, adapter in case.adapters.items())
    config = json.loads((case.folder / "adapter_again" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["target_modules"]) == (RANK, ALPHA, ADAPTED[name])


STORED = {"f32": torch.tensor([1.5, -0.0, float("nan"), float("inf"), 1e-40]), "f16": torch.tensor([[1.0], [6e-8]]).half(),
          "bf16": torch.randn(3, 1, 2).bfloat16(), "i64": torch.tensor([-(2**63), 2**63 - 1]),
          "u8": torch.tensor([0, 255], dtype=torch.uint8), "bool": torch.tensor([True, False]),
          "f64": torch.tensor(3.0, dtype=torch.float64), "f8": torch.ones(4).to(torch.float8_e4m3fn),
          "empty": torch.zeros(0, 7), "i16": torch.tensor([-7], dtype=torch.int16), "scalar": torch.tensor(2.5),
          'a "name"\n \u00e9\u4e2d': torch.zeros(2, 2)}


def bits(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).tolist()


def test_safetensors_both_ways(tmp_path):
    """What their library wrote and ours read and wrote again is the same file, byte for byte."""
    save_file(STORED, tmp_path / "theirs.safetensors", {"format": "pt"})
    run = subprocess.run([launch.BIN / "transformer_driver", "--copy", tmp_path / "theirs.safetensors",
                          tmp_path / "ours.safetensors"], capture_output=True, text=True, env=launch.environment())
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "ours.safetensors").read_bytes() == (tmp_path / "theirs.safetensors").read_bytes()
    ours = load_file(tmp_path / "ours.safetensors")
    assert ours.keys() == STORED.keys()
    for key, tensor in STORED.items():
        assert ours[key].dtype == tensor.dtype and ours[key].shape == tensor.shape and bits(ours[key]) == bits(tensor)


def damaged(good, draws):
    """The bytes of a small file after one or two changes: of any byte, or of what its header says."""
    length = int.from_bytes(good[:8], "little")
    header, data = json.loads(good[8:8 + length]), good[8 + length:]
    kind = draws.randrange(6)
    if kind == 0:
        changed = bytearray(good)
        for _ in range(draws.randint(1, 2)):
            changed[draws.randrange(len(changed))] = draws.randrange(256)
        return bytes(changed)
    tensor = header[draws.choice(["f16", "i64", "u8", "empty", "scalar"])]
    if kind == 1:
        tensor["data_offsets"][draws.randrange(2)] += draws.choice([-2**70, -8, -1, 1, 2, 8, 2**40, 2**64])
    elif kind == 2:
        tensor["dtype"] = draws.choice(["F32", "F64", "BF16", "U8", "BOOL", "F128", "", 3, None])
    elif kind == 3:
        tensor["shape"] = draws.choice([tensor["shape"] + [1], tensor["shape"] + [0], tensor["shape"][:-1], [2**32, 2**32],
                                        [2**63, 2], [-1], [2.0], None, tensor["shape"][::-1]])
    elif kind == 4:
        tensor.pop(draws.choice(["dtype", "shape", "data_offsets"]))
    else:
        data = data + b"x" if draws.random() < 0.5 else data[:-1]
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_damaged_files_are_refused_as_their_library_refuses_them(tmp_path):
    save_file(STORED, tmp_path / "good.safetensors", {"format": "pt"})
    good, draws = (tmp_path / "good.safetensors").read_bytes(), random.Random(5)
    files, theirs = [], []
    for i in range(600):
        files.append(tmp_path / f"{i}.safetensors")
        files[-1].write_bytes(damaged(good, draws))
        try:
            with safe_open(files[-1], "pt"):
                theirs.append("valid")
        except (SafetensorError, OSError) as error:
            theirs.append(str(error))
    run = subprocess.run([launch.BIN / "transformer_driver", "--verdicts", *files], capture_output=True, text=True,
                         env=launch.environment())
    assert run.returncode == 0, run.stderr
    ours = run.stdout.splitlines()
    assert len(ours) == len(theirs) and 50 < theirs.count("valid") < 550
    stricter = [our for our, their in zip(ours, theirs) if their == "valid" and our != "valid"]
    assert [their for our, their in zip(ours, theirs) if our == "valid" and their != "valid"] == []
    assert stricter == []
