"""Writes nn.json: what PyTorch computes for the networks and optimizers of src/nn and src/kernels.

Run by hand when a case is added, from the checkout's root; the result is committed:
    .venv/bin/python tests/golden/make_nn.py

Everything is computed in float64 from parameters that are exact in float32, so the file's error is
far below the tolerances of nn_golden_test.cpp.
"""

import json
import pathlib

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def exact(tensor):
    """Rounded to float32, so that C++ starts from the same numbers."""
    return tensor.float().double()


class Net(nn.Module):
    """torch.nn modules under the names that ParameterLayout uses."""

    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        widths = [spec["input"], *spec["hidden"], spec["output"]]
        norm = {"eps": spec["batch_norm_eps"], "momentum": spec["batch_norm_momentum"]}
        self.convs = spec.get("filters", [])
        if self.convs:
            self.add_convolutions(spec, norm)
        elif spec["batch_norm_input"]:
            self.input_norm = nn.BatchNorm1d(spec["input"], **norm)
        for l in range(len(widths) - 1):
            inputs = widths[l] + (spec["second_input"] if l + 1 == spec["second_layer"] else 0)
            normed = l < spec["batch_norm_hidden"]
            setattr(self, f"layer{l}", nn.Linear(inputs, widths[l + 1], bias=not normed))
            if normed:
                setattr(self, f"norm{l}", nn.BatchNorm1d(widths[l + 1], **norm))
            if l < spec["layer_norm_hidden"]:
                setattr(self, f"layer_norm{l}", nn.LayerNorm(widths[l + 1], eps=spec["layer_norm_eps"]))
        self.count = len(widths) - 1

    def add_convolutions(self, spec, norm):
        channels = spec["channels"]
        if spec["batch_norm_input"]:
            self.input_norm = nn.BatchNorm2d(channels, **norm)
        for i, filters in enumerate(self.convs):
            setattr(self, f"conv{i}", nn.Conv2d(channels, filters, spec["kernel"], spec["stride"],
                                                spec["padding"], bias=not spec["conv_batch_norm"]))
            if spec["conv_batch_norm"]:
                setattr(self, f"conv_norm{i}", nn.BatchNorm2d(filters, **norm))
            channels = filters

    def see(self, x):
        """Pictures [B, height, width, channels] in 0..255."""
        x = (x / 255).permute(0, 3, 1, 2)
        if self.spec["batch_norm_input"]:
            x = self.input_norm(x)
        for i in range(len(self.convs)):
            x = getattr(self, f"conv{i}")(x)
            if self.spec["conv_batch_norm"]:
                x = getattr(self, f"conv_norm{i}")(x)
            x = torch.relu(x)
        return x.permute(0, 2, 3, 1).flatten(1)

    def forward(self, x, second):
        act = {"relu": torch.relu, "tanh": torch.tanh, "identity": lambda v: v}
        if self.convs:
            x = self.see(x)
        elif self.spec["batch_norm_input"]:
            x = self.input_norm(x)
        for l in range(self.count):
            if l + 1 == self.spec["second_layer"] and self.spec["second_input"]:
                x = torch.cat([x, second], dim=1)
            x = getattr(self, f"layer{l}")(x)
            if l < self.spec["batch_norm_hidden"]:
                x = getattr(self, f"norm{l}")(x)
            if l < self.spec["layer_norm_hidden"]:
                x = getattr(self, f"layer_norm{l}")(x)
            last = l + 1 == self.count
            x = act[self.spec["output_activation" if last else "hidden_activation"]](x)
        return x


def numbers(tensor):
    if tensor.dim() == 4 and tensor.shape[-1] == tensor.shape[-2]:  # kernels: channels last, as ours lie
        tensor = tensor.permute(0, 2, 3, 1)
    return [float(f"{v:.9g}") for v in tensor.detach().reshape(-1).tolist()]


def named(items):
    return {name: numbers(t) for name, t in items if t.dtype.is_floating_point}


def network_case(name, mode, rows=8, **changes):
    spec = {"input": 5, "hidden": [9, 7], "output": 2, "second_input": 0, "second_layer": 1,
            "hidden_activation": "relu", "output_activation": "identity",
            "batch_norm_input": False, "batch_norm_hidden": 0, "batch_norm_eps": 1e-5,
            "batch_norm_momentum": 0.1, "layer_norm_hidden": 0, "layer_norm_eps": 1e-5, **changes}
    net = Net(spec)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(exact(0.4 * torch.randn_like(p) + (1.0 if p.dim() == 1 else 0.0)))
        for key, b in net.named_buffers():
            if key.endswith("running_mean"):
                b.copy_(exact(0.3 * torch.randn_like(b)))
            if key.endswith("running_var"):
                b.copy_(exact(0.5 + torch.rand_like(b)))
    if "filters" in spec:
        x = torch.randint(256, (rows, spec["height"], spec["width"], spec["channels"])).double()
    else:
        x = exact(2.0 * torch.randn(rows, spec["input"]) + 0.5)
    second = exact(torch.randn(rows, spec["second_input"])).requires_grad_(True)
    gradient = exact(torch.randn(rows, spec["output"]))
    case = {"name": name, "mode": mode, "rows": rows, "spec": spec,
            "parameters": named(net.named_parameters()), "buffers": named(net.named_buffers()),
            "input": numbers(x), "second_input": numbers(second),
            "output_gradient": numbers(gradient)}
    net.train(mode == "train")
    output = net(x, second)
    output.backward(gradient)
    case["output"] = numbers(output)
    case["gradients"] = {key: numbers(p.grad) for key, p in net.named_parameters()}
    case["buffers_after"] = named(net.named_buffers())
    case["second_gradient"] = numbers(second.grad) if spec["second_input"] else []
    return case


def picture_case(name, mode, **changes):
    """Two convolutions of 11 x 9 pixels; what is behind them is 6 x 5, then 3 x 3."""
    usual = {"input": 3 * 3 * 4, "kernel": 3, "stride": 2, "padding": 1, "conv_batch_norm": False}
    return network_case(name, mode, height=11, width=9, channels=3, filters=[5, 4],
                        **{**usual, **changes})


def adam_case():
    """100 steps; the decay falls on one of two groups, as it falls on weights only in ddpg."""
    size, steps, lr, decay = 12, 100, 1e-3, 1e-2
    start = exact(torch.randn(size))
    mask = [i % 3 != 0 for i in range(size)]
    decaying = torch.tensor(mask)
    with_decay = start[decaying].clone().requires_grad_(True)
    without = start[~decaying].clone().requires_grad_(True)
    optimizer = torch.optim.Adam([{"params": [with_decay], "weight_decay": decay},
                                  {"params": [without]}], lr=lr)
    gradients = exact(torch.randn(steps, size) * torch.logspace(-3, 1, size))
    for g in gradients:
        with_decay.grad, without.grad = g[decaying].clone(), g[~decaying].clone()
        optimizer.step()
    end = torch.empty(size)
    end[decaying], end[~decaying] = with_decay.detach(), without.detach()
    return {"lr": lr, "decay": decay, "mask": mask, "start": numbers(start),
            "gradients": [numbers(g) for g in gradients], "end": numbers(end)}


def polyak_case():
    tau, steps = 0.05, 40
    target, sources = exact(torch.randn(6)), exact(torch.randn(steps, 6))
    start = numbers(target)
    for source in sources:
        target.lerp_(source, tau)
    return {"tau": tau, "start": start, "sources": [numbers(s) for s in sources],
            "end": numbers(target)}


def running_case():
    """Running statistics after 20 training batches."""
    norm, batches = nn.BatchNorm1d(3, momentum=0.1), exact(3 * torch.randn(20, 8, 3) + 1)
    for batch in batches:
        norm(batch)
    return {"batches": [numbers(b) for b in batches], "mean": numbers(norm.running_mean),
            "var": numbers(norm.running_var)}


def main():
    torch.manual_seed(20260731)
    critic = {"output": 1, "second_input": 3}
    normed = {"batch_norm_input": True}
    cases = [
        network_case("actor", "train", output_activation="tanh"),
        network_case("critic, action at layer 2", "train", second_layer=2, **critic),
        network_case("critic, action at layer 1", "train", second_layer=1, **critic),
        network_case("critic, action at the last layer", "train", second_layer=3, **critic),
    ]
    for mode in ("train", "eval"):
        cases += [
            network_case("actor, batch norm", mode, output_activation="tanh",
                         batch_norm_hidden=2, **normed),
            network_case("critic, batch norm, action at layer 2", mode, second_layer=2,
                         batch_norm_hidden=1, **normed, **critic),
            network_case("critic, input norm only, action at layer 1", mode, second_layer=1,
                         **normed, **critic),
            network_case("tanh critic, batch norm above the action", mode, second_layer=1,
                         hidden_activation="tanh", batch_norm_hidden=2, **critic),
        ]
    result = {"made_by": f"tests/golden/make_nn.py, torch {torch.__version__}", "networks": cases,
              "adam": adam_case(), "polyak": polyak_case(), "running": running_case()}
    # Added later: numbers of their own, so that those above stay.
    torch.manual_seed(20261125)
    cases += [
        network_case("actor, layer norm", "train", output_activation="tanh", layer_norm_hidden=2),
        network_case("critic, layer norm, action at layer 2", "train", second_layer=2,
                     layer_norm_hidden=2, **critic),
        network_case("tanh critic, layer norm on one, input norm", "train", second_layer=2,
                     hidden_activation="tanh", layer_norm_hidden=1, **normed, **critic),
    ]
    conv_normed = {"conv_batch_norm": True, **normed}
    result["pictures"] = [
        picture_case("actor", "train", output_activation="tanh"),
        picture_case("critic, action at layer 2", "train", second_layer=2, **critic),
        picture_case("critic of other strides, action at layer 1", "train", input=5 * 3 * 4,
                     kernel=4, stride=1, padding=0, second_layer=1, layer_norm_hidden=2, **critic),
    ]
    for mode in ("train", "eval"):
        result["pictures"] += [
            picture_case("actor, batch norm", mode, output_activation="tanh", batch_norm_hidden=2,
                         **conv_normed),
            picture_case("critic, batch norm, action at layer 2", mode, second_layer=2,
                         batch_norm_hidden=1, **conv_normed, **critic),
        ]
    text = json.dumps(result, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("nn.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
