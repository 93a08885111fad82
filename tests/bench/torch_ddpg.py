"""The peer of ddpg_update.py: the same DDPG update in Python torch, as people write it and tuned."""
import copy

import torch
from torch import nn
from torch.nn import functional

OBSERVATION, ACTION, PIXELS, CHANNELS = 17, 6, 64, 9
TAU, RATE = 0.005, 1e-3


class Net(nn.Module):
    """Layers named as in our checkpoints. The action enters layer action_layer (0: never). With batch
    norm: the observation and the layers before the action, as the paper has it. pixels: the paper's three
    convolutions of 32 filters in front."""

    def __init__(self, widths, action_layer, normed, squash, pixels=False):
        super().__init__()
        self.count, self.action_layer, self.squash = len(widths), action_layer, squash
        self.norms = nn.ModuleDict()
        self.layers = nn.ModuleDict()
        self.convs = 3 if pixels else 0
        for i in range(self.convs):
            self.layers[f"conv{i}"] = nn.Conv2d(32 if i else CHANNELS, 32, 3, stride=2, padding=1)
        widths = [32 * (PIXELS // 8) ** 2 if pixels else OBSERVATION, *widths]
        hidden = self.count - 1 if action_layer == 0 else action_layer - 1
        if normed:
            self.norms["input_norm"] = nn.BatchNorm1d(widths[0])
        for l in range(self.count):
            inputs = widths[l] + (ACTION if l + 1 == action_layer else 0)
            with_norm = normed and l < hidden
            self.layers[f"layer{l}"] = nn.Linear(inputs, widths[l + 1], bias=not with_norm)
            if with_norm:
                self.norms[f"norm{l}"] = nn.BatchNorm1d(widths[l + 1])

    def load(self, values):
        """values: flat lists under our names."""
        named = {name.split(".", 1)[1]: each for name, each in self.named_parameters()}
        assert set(named) == set(values), (sorted(named), sorted(values))
        with torch.no_grad():
            for name, each in named.items():
                ours = self.as_ours(name, each)
                ours.copy_(torch.tensor(values[name]).view(ours.shape))

    def as_ours(self, name, parameter):
        """A view in our order: kernels have their channels last, and so has what layer 0 sees of them."""
        if parameter.dim() == 4:
            return parameter.permute(0, 2, 3, 1)
        if self.convs and name == "layer0.weight":
            side = PIXELS // 8
            return parameter.view(parameter.shape[0], 32, side, side).permute(0, 2, 3, 1)
        return parameter

    def flat(self):
        named = ((name.split(".", 1)[1], each.detach()) for name, each in self.named_parameters())
        return {name: self.as_ours(name, each).reshape(-1) for name, each in named}

    def norm(self, name, x, frozen):
        """frozen: the batch's statistics, without moving the running ones."""
        if name not in self.norms:
            return x
        layer = self.norms[name]
        if frozen:
            return functional.batch_norm(x, None, None, layer.weight, layer.bias, True)
        return layer(x)

    def forward(self, x, action=None, frozen=False):
        if self.convs:
            x = x.float() / 255
        for i in range(self.convs):
            x = torch.relu(self.layers[f"conv{i}"](x))
        if self.convs:
            x = x.flatten(1)
        x = self.norm("input_norm", x, frozen)
        for l in range(self.count):
            if l + 1 == self.action_layer:
                x = torch.cat([x, action], dim=1)
            x = self.norm(f"norm{l}", self.layers[f"layer{l}"](x), frozen)
            if l + 1 < self.count:
                x = torch.relu(x)
        return torch.tanh(x) if self.squash else x


class Peer:
    """tuned: Adam's fused kernel, Polyak over all tensors at once, no gradients of Q's parameters in the
    actor's step, pictures and kernels channels last. Else torch's defaults and the loops of the usual
    single-file implementations."""

    def __init__(self, case, tuned, start=None, batch=None):
        self.tuned = tuned
        self.actor = Net([*case.widths, ACTION], 0, case.normed, True, case.pixels)
        self.critic = Net([*case.widths, 1], case.action_layer, case.normed, False, case.pixels)
        if tuned and case.pixels:
            self.actor.to(memory_format=torch.channels_last)
            self.critic.to(memory_format=torch.channels_last)
        if start:
            self.actor.load(start["actor"])
            self.critic.load(start["critic"])
        self.target_actor, self.target_critic = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.target_actor.eval()
        self.target_critic.eval()
        self.adam_actor = torch.optim.Adam(self.actor.parameters(), lr=RATE, fused=tuned or None)
        self.adam_critic = torch.optim.Adam(self.critic.parameters(), lr=RATE, fused=tuned or None)
        self.batch = self.make_batch(case, batch)
        self.pairs = [(list(target.parameters()) + self.floats(target),
                       list(net.parameters()) + self.floats(net))
                      for target, net in ((self.target_actor, self.actor),
                                          (self.target_critic, self.critic))]

    def make_batch(self, case, ours):
        made = {}
        for name in ("observation", "action", "reward", "next_observation", "discount"):
            seen = name.endswith("observation")
            width = OBSERVATION if seen else ACTION if name == "action" else 1
            if seen and case.pixels:
                shape = (case.batch, PIXELS, PIXELS, CHANNELS)
                bytes_ = (torch.tensor(ours[name], dtype=torch.uint8).view(shape) if ours else
                          torch.randint(256, shape, dtype=torch.uint8))
                made[name] = bytes_.permute(0, 3, 1, 2)
                if not self.tuned:
                    made[name] = made[name].contiguous()
            else:
                made[name] = (torch.tensor(ours[name]).view(case.batch, width) if ours else
                              torch.rand(case.batch, width))
        return made

    @staticmethod
    def floats(net):
        return [each for each in net.buffers() if each.is_floating_point()]

    def update(self):
        b = self.batch
        with torch.no_grad():
            q_next = self.target_critic(b["next_observation"], self.target_actor(b["next_observation"]))
            y = b["reward"] + b["discount"] * q_next
        loss = functional.mse_loss(self.critic(b["observation"], b["action"]), y)
        self.adam_critic.zero_grad()
        loss.backward()
        self.adam_critic.step()
        if self.tuned:
            self.critic.requires_grad_(False)
        action = self.actor(b["observation"])
        loss = -self.critic(b["observation"], action, frozen=True).mean()
        self.adam_actor.zero_grad()
        loss.backward()
        self.adam_actor.step()
        if self.tuned:
            self.critic.requires_grad_(True)
        self.follow()

    @torch.no_grad()
    def follow(self):
        for targets, sources in self.pairs:
            if self.tuned:
                torch._foreach_lerp_(targets, sources, TAU)
            else:
                for target, source in zip(targets, sources):
                    target.copy_(TAU * source + (1 - TAU) * target)
