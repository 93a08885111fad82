"""Writes ddpg.json: parameters after some updates of DDPG, computed by PyTorch's autograd and Adam.

Run by hand when a case is added, from the checkout's root; the result is committed:
    .venv/bin/python tests/golden/make_ddpg.py

Start values and minibatches are not stored: both sides draw them with the same few lines of integer
arithmetic (draw here, tests/support/exact_numbers.hpp there), exact in float32. PyTorch runs in float64.
"""

import contextlib
import json
import pathlib

import numpy as np
import torch
from make_nn import Net, numbers
from torch import nn

OBSERVATION, ACTION = 5, 2
SHARDS, ROWS = 4, 4  # minibatch rows of each virtual shard
PICTURE = (9, 8, 3)  # height, width, channels; the convolutions make 5 x 4, then 3 x 2 of it
PROBES = 8  # elements of each parameter that the file holds, evenly spread

DEFAULTS = {"actor_net": [20, 14], "critic_net": [20, 14], "action_layer": 1, "batch_norm": "none",
            "target_bn": "running", "bn_momentum": 0.1, "lr_actor": 1e-3, "lr_critic": 2e-3,
            "critic_l2": 0.0, "gamma": 0.97, "tau": 0.05, "reward_scale": 0.5,
            "update_order": "sequential", "target_networks": True, "conv_filters": []}


def draw(salt, count):
    """Multiples of 2^-23 in [-1, 1): MurmurHash3's 32-bit finalizer of a counter."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(salt << 20)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return (x >> np.uint64(8)).astype(np.float64) * 2.0**-23 - 1.0


def drawn(salt, shape, scale=1.0, offset=0.0):
    values = offset + scale * draw(salt, int(np.prod(shape)))
    return torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(shape)


def pictures(salt, rows):
    """Bytes: draws from [0, 256), rounded down."""
    return torch.floor(drawn(salt, (rows, *PICTURE), 128.0, 128.0))


def minibatch(config, update):
    """Rows of shard 0, then of shard 1, ...; terminal is 1 in about a quarter of the rows."""
    rows, salt = SHARDS * ROWS, 2000 + 10 * update
    see = pictures if config["conv_filters"] else lambda salt, rows: drawn(salt, (rows, OBSERVATION), 2.0, 0.5)
    return {"observation": see(salt, rows),
            "action": drawn(salt + 1, (rows, ACTION)),
            "reward": drawn(salt + 2, (rows, 1), 1.0, 0.5),
            "next_observation": see(salt + 3, rows),
            "terminal": (drawn(salt + 4, (rows, 1)) > 0.5).double()}


def floats(net):
    """Parameters and running statistics by name."""
    return {k: v for k, v in net.state_dict(keep_vars=True).items() if v.dtype.is_floating_point}


@contextlib.contextmanager
def statistics(net, mode):
    """train: batch statistics, running averages move; frozen: they stay; eval: they are used."""
    norms = [m for m in net.modules() if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d))]
    momentum = [m.momentum for m in norms]
    net.train(mode != "eval")
    for norm in norms:
        norm.momentum = 0.0 if mode == "frozen" else norm.momentum
    yield net
    for norm, value in zip(norms, momentum, strict=True):
        norm.momentum = value


class Learner:
    def __init__(self, name, spec, lr, l2):
        self.name, self.net, self.target = name, Net(spec), Net(spec)
        last = f"layer{len(spec['hidden'])}."
        decays = {k: k.startswith(("layer", "conv")) and p.dim() > 1 and not k.startswith(last)
                  for k, p in self.net.named_parameters()}
        groups = [{"params": [p for k, p in self.net.named_parameters() if decays[k] == choice],
                   "weight_decay": l2 if choice else 0.0} for choice in (True, False)]
        self.adam = torch.optim.Adam(groups, lr=lr)

    def step(self, gradients):
        for parameter, gradient in zip(self.net.parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.adam.step()

    @torch.no_grad()
    def follow(self, tau):
        source = floats(self.net)
        for key, value in floats(self.target).items():
            value.lerp_(source[key], tau)

    def state(self):
        """Tensors under the names of Agent::state, as it lays them out: kernels' channels last."""
        for name, value in self.tensors():
            yield name, value.permute(0, 2, 3, 1) if value.dim() == 4 else value

    def tensors(self):
        for key, value in floats(self.net).items():
            yield f"model/{self.name}/{key}", value
        for key, value in floats(self.target).items():
            yield f"model/target_{self.name}/{key}", value
        for key, parameter in self.net.named_parameters():
            moments = self.adam.state.get(parameter)
            if moments:
                yield f"optimizer/{self.name}/m/{key}", moments["exp_avg"]
                yield f"optimizer/{self.name}/v/{key}", moments["exp_avg_sq"]


def net_spec(config, hidden, **changes):
    normed = config["batch_norm"] == "paper"
    filters = config["conv_filters"]
    convolutions = {"filters": filters, "channels": PICTURE[2], "kernel": 3, "stride": 2, "padding": 1,
                    "conv_batch_norm": normed} if filters else {}
    return {"input": filters[-1] * 3 * 2 if filters else OBSERVATION, "hidden": hidden, "second_input": 0, "second_layer": 1,
            "hidden_activation": "relu", "output_activation": "identity",
            "batch_norm_input": normed, "batch_norm_hidden": 0, "batch_norm_eps": 1e-5,
            "batch_norm_momentum": config["bn_momentum"], "layer_norm_hidden": 0, **convolutions, **changes}


def learners(config):
    normed = config["batch_norm"] == "paper"
    actor = net_spec(config, config["actor_net"], output=ACTION, output_activation="tanh",
                     batch_norm_hidden=len(config["actor_net"]) if normed else 0)
    critic = net_spec(config, config["critic_net"], output=1, second_input=ACTION,
                      second_layer=config["action_layer"],
                      batch_norm_hidden=config["action_layer"] - 1 if normed else 0)
    return (Learner("actor", actor, config["lr_actor"], 0.0),
            Learner("critic", critic, config["lr_critic"], config["critic_l2"]))


@torch.no_grad()
def start(learner, salt, gain):
    """Fills every tensor; returns how, so that C++ can do the same. Targets start elsewhere. gain is
    for the actor's last layer: a large one saturates its tanh."""
    rules = []
    for name, value in learner.state():
        scale, offset = 0.25, 0.0
        if value.dim() >= 2:
            scale = 2.0 ** -np.floor(np.log2(value[0].numel()) / 2)
            scale *= gain if value.shape[0] == ACTION else 1.0
        elif name.endswith("running_var"):
            offset = 1.0
        elif "norm" in name and name.endswith("weight"):
            offset = 1.0
        value.copy_(drawn(salt, value.shape, scale, offset))
        rules.append({"name": name, "salt": salt, "scale": float(scale), "offset": offset})
        salt += 1
    return rules


def update(config, actor, critic, batch, number):
    own = config["target_networks"]
    mode = "frozen" if config["target_bn"] == "batch" else "eval"
    with (torch.no_grad(), statistics(actor.target if own else actor.net, mode) as mu,
          statistics(critic.target if own else critic.net, mode) as q):
        following = q(batch["next_observation"], mu(batch["next_observation"], None))
        y = config["reward_scale"] * batch["reward"] + config["gamma"] * (1 - batch["terminal"]) * following
    with statistics(critic.net, "train") as q:
        values = q(batch["observation"], batch["action"])
    loss = (values - y).square().mean()
    critic_gradients = torch.autograd.grad(loss, list(critic.net.parameters()))
    norm = lambda gradients: torch.cat([g.reshape(-1) for g in gradients]).norm().item()
    told = {"critic_loss": loss.item(), "q_mean": values.mean().item(),
            "critic_gradient_norm": norm(critic_gradients)}
    if number % config.get("actor_every", 1) != 0:
        critic.step(critic_gradients)
        return told
    if config["update_order"] == "sequential":
        critic.step(critic_gradients)
    with statistics(actor.net, "train") as mu, statistics(critic.net, "frozen") as q:
        actions = mu(batch["observation"], None)
        objective = -q(batch["observation"], actions).mean()
    actor_gradients = torch.autograd.grad(objective, list(actor.net.parameters()))
    if config["update_order"] == "simultaneous":
        critic.step(critic_gradients)
    actor.step(actor_gradients)
    actor.follow(config["tau"])
    critic.follow(config["tau"])
    return {**told, "actor_gradient_norm": norm(actor_gradients),
            "saturation": (actions.abs() > 0.99).double().mean().item()}


def summary(name, tensor):
    """A few elements, and a projection on a random direction, which every element moves."""
    flat = tensor.detach().reshape(-1)
    stride = max(1, flat.numel() // (PROBES // 2 if name.startswith("optimizer") else PROBES))
    projection = (flat * torch.from_numpy(draw(1, flat.numel()))).sum().item()
    return {"name": name, "stride": stride, "probes": numbers(flat[::stride]),
            "projection": float(f"{projection:.9g}")}


def case(name, updates, gain=1.0, **changes):
    config = {**DEFAULTS, **changes}
    actor, critic = learners(config)
    rules = start(actor, 100, gain) + start(critic, 300, gain)
    told = [update(config, actor, critic, minibatch(config, k), k + 1) for k in range(updates)]
    end = [summary(*each) for learner in (actor, critic) for each in learner.state()]
    return {"name": name, "config": config, "start": rules,
            "statistics": [{k: float(f"{v:.9g}") for k, v in each.items()} for each in told], "end": end}


def main():
    normed = {"batch_norm": "paper", "action_layer": 2, "critic_l2": 1e-2}
    cases = [
        case("modern", 6, actor_net=[64, 64], critic_net=[64, 64]),
        case("modern, simultaneous, saturated", 6, gain=16.0, update_order="simultaneous"),
        case("batch norm, targets with running averages", 6, **normed),
        case("batch norm, targets with the batch, simultaneous", 6, target_bn="batch",
             update_order="simultaneous", **normed),
        case("heavy decay, action at the last layer, no target networks", 6, critic_l2=0.5,
             action_layer=3, target_networks=False),
        case("pictures", 6, conv_filters=[5, 4], critic_l2=1e-2),
        case("pictures, batch norm", 6, conv_filters=[5, 4], **normed),
        case("mu and targets in every second update, simultaneous", 5, actor_every=2,
             update_order="simultaneous"),
    ]
    result = {"made_by": f"tests/golden/make_ddpg.py, torch {torch.__version__}",
              "observation": OBSERVATION, "picture": PICTURE, "action": ACTION, "shards": SHARDS, "rows": ROWS,
              "cases": cases}
    text = json.dumps(result, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("ddpg.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
