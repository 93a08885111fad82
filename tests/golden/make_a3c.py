"""Writes a3c.json: what some rollouts of each method of a3c give, computed by PyTorch's autograd in float64.

Run by hand when a case is added, from the checkout's root; the result is committed:
    .venv/bin/python tests/golden/make_a3c.py

The environment is a script (tests/support/scripted_env.hpp): observations and rewards are draws of a counter
that C++ draws alike, ends are listed. Actions are drawn as the suite's streams do (Philox, from its
paper). What is held is what the algorithms of Mnih et al. 2016 say, written down directly: returns as
sums of discounted rewards, losses as sums over the rollout, one graph for all of it.
"""

import json
import math
import pathlib

import numpy as np
import torch
from make_ddpg import draw, drawn

OBSERVATION, CHOICES, COMPONENTS, HIDDEN, LSTM = 3, 3, 2, 6, 4
SEED, ACTOR, POLICY_SAMPLE = 11, 2, 10
ROLLOUTS, SCALE = 3, 0.7

DEFAULTS = {"t_max": 5, "gamma": 0.9, "gae_lambda": 1.0, "entropy": 0.05, "value_coef": 0.5, "epsilon": 0.4,
            "reward_scale": 0.5, "reward_clip": 0.0, "timeout_as_terminal": False, "lstm": 0, "rows": 1}
# Of one environment: the third step of the first rollout ends it, the second rollout is whole, a time limit
# cuts the first step of the third. Of three: within rollouts and at the end of one.
ENDS = {1: [[3, 0, "end"], [9, 0, "cut"]],
        3: [[2, 0, "end"], [4, 1, "cut"], [5, 2, "end"], [7, 0, "cut"], [8, 0, "end"], [10, 1, "cut"], [13, 2, "cut"]]}


def philox(counter, key):
    """Ten rounds of Philox4x32 (Salmon et al. 2011)."""
    for _ in range(10):
        a, b = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(b >> 32) ^ counter[1] ^ key[0], b & 0xFFFFFFFF, (a >> 32) ^ counter[3] ^ key[1], a & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


class Stream:
    """Random numbers of one decision of one environment."""

    def __init__(self, index, step):
        self.words = [word for block in range(4) for word in philox([block, step, 0, index], [SEED, POLICY_SAMPLE])]

    def uniform(self):
        high, low = self.words.pop(0) >> 5, self.words.pop(0) >> 6
        return (high * 2**26 + low) * 2.0**-53

    def below(self, bound):
        high, low = self.words.pop(0), self.words.pop(0)
        return (high << 32 | low) % bound

    def normal(self):
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        return radius * math.cos(2 * math.pi * self.uniform())


def epsilon_greedy(values, epsilon, stream):
    explore, other = stream.uniform() < epsilon, stream.below(len(values))
    return other if explore else int(values.argmax())


def nets_of(config):
    """Prefix and width of the output of each network."""
    if config["method"] != "a3c":
        return [("q/", CHOICES)]
    return [("policy/", COMPONENTS + 1), ("value/", 1)] if config["gaussian"] else [("policy_value/", CHOICES + 1)]


def shapes(config):
    found = {}
    for prefix, width in nets_of(config):
        cells = config["lstm"]
        found[prefix + "layer0.weight"], found[prefix + "layer0.bias"] = (OBSERVATION, HIDDEN), (HIDDEN,)
        if cells:
            found[prefix + "lstm.weight"], found[prefix + "lstm.bias"] = (HIDDEN + cells, 4 * cells), (4 * cells,)
        found[prefix + "output.weight"], found[prefix + "output.bias"] = (cells or HIDDEN, width), (width,)
    return found


def parameters(config, salt):
    return {name: drawn(salt + i, shape, SCALE).requires_grad_() for i, (name, shape) in enumerate(shapes(config).items())}


class Memory:
    """States of the LSTMs of all rows: of each network [E, cells], twice."""

    def __init__(self, config):
        cells, rows = config["lstm"], config["rows"]
        self.states = {prefix: [torch.zeros(rows, cells, dtype=torch.float64) for _ in range(2)]
                       for prefix, _ in nets_of(config)}

    def clone(self):
        """As constants."""
        other = Memory.__new__(Memory)
        other.states = {k: [s.detach() for s in both] for k, both in self.states.items()}
        return other

    def begin(self, row):
        for both in self.states.values():
            for i, state in enumerate(both):
                keep = torch.ones(len(state), 1, dtype=torch.float64)
                keep[row] = 0
                both[i] = state * keep

    def numbers(self):
        """[E, h c h c]."""
        return torch.cat([torch.cat(both, 1) for both in self.states.values()], 1)


def forward(config, p, observation, memory):
    """Outputs of all networks side by side; memory moves on."""
    outputs = []
    for prefix, _ in nets_of(config):
        x = torch.relu(observation @ p[prefix + "layer0.weight"] + p[prefix + "layer0.bias"])
        if config["lstm"]:
            h, c = memory.states[prefix]
            i, f, g, o = (torch.cat([x, h], 1) @ p[prefix + "lstm.weight"] + p[prefix + "lstm.bias"]).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            x = torch.sigmoid(o) * torch.tanh(c)
            memory.states[prefix] = [x, c]
        outputs.append(x @ p[prefix + "output.weight"] + p[prefix + "output.bias"])
    return torch.cat(outputs, 1)


class World:
    """The script, and what an actor carries from one rollout to the next."""

    def __init__(self, config):
        self.config, self.rows = config, config["rows"]
        self.time = self.decisions = 0
        self.ends = {(step, row): kind for step, row, kind in ENDS[self.rows]}
        self.fresh = set()  # rows that were reset after the last step
        self.memory, self.next_actions = Memory(config), [None] * self.rows

    def observation(self, fresh):
        """Of all rows; of those in fresh, the first of an episode that began after the last step."""
        salts = [2 if row in fresh else 1 for row in range(self.rows)]
        size = self.rows * OBSERVATION
        at = slice(self.time * size, (self.time + 1) * size)
        both = {salt: 2 * draw(salt, (self.time + 1) * size)[at].reshape(self.rows, OBSERVATION) for salt in (1, 2)}
        return torch.from_numpy(np.stack([both[salt][row] for row, salt in enumerate(salts)]))

    def reward(self, row):
        config = self.config
        reward = 2 * draw(3, self.time * self.rows + row + 1)[-1]
        if config["reward_clip"]:
            reward = max(-config["reward_clip"], min(config["reward_clip"], reward))
        return reward * config["reward_scale"]

    def stream(self, row):
        return Stream(ACTOR * self.rows + row, self.decisions)


def draw_action(world, row, outputs):
    config, stream = world.config, world.stream(row)
    if config["method"] != "a3c":
        carried, world.next_actions[row] = world.next_actions[row], None
        return carried if carried is not None else epsilon_greedy(outputs, config["epsilon"], stream)
    if config["gaussian"]:
        deviation = math.sqrt(torch.nn.functional.softplus(outputs[COMPONENTS]).item() + 1e-6)
        return [float(np.float32(outputs[i].item() + deviation * stream.normal())) for i in range(COMPONENTS)]
    left = stream.uniform()
    for choice, p in enumerate(torch.softmax(outputs[:CHOICES], 0)):
        left -= p.item()
        if left < 0:
            return choice
    return CHOICES - 1


def rollout(world, p, target):
    """Plays; returns what the losses need: per step [E] lists."""
    config, method = world.config, world.config["method"]
    asks_target = method != "a3c"
    shadow = world.memory.clone()  # of the target network
    told = []
    for _ in range(config["t_max"]):
        now = world.observation(world.fresh)
        outputs = forward(config, p, now, world.memory)
        seen_by_target = forward(config, target, now, shadow).detach() if asks_target else None
        actions = [draw_action(world, row, outputs[row].detach()) for row in range(world.rows)]
        world.time += 1
        world.decisions += 1
        step = {"outputs": outputs, "target": seen_by_target, "actions": actions, "rewards": [], "after": [],
                "cut_value": [None] * world.rows}
        world.fresh = set()
        last = world.observation(set())  # the true last one where an episode ends
        for row in range(world.rows):
            step["rewards"].append(world.reward(row))
            kind = world.ends.get((world.time, row), "next")
            if kind == "cut":
                step["cut_value"][row] = value_after(world, p, target, last, shadow, row)
            step["after"].append("end" if kind == "cut" and config["timeout_as_terminal"] else kind)
            if kind != "next":
                world.fresh.add(row)
        for row in world.fresh:
            world.memory.begin(row)
            shadow.begin(row)
            world.next_actions[row] = None
        told.append(step)
        if world.rows == 1 and world.fresh:
            break
    return told, follow_up(world, p, target, shadow, told)


def value_after(world, p, target, observation, shadow, row):
    """What the state is worth that a time limit cut off."""
    config = world.config
    own = forward(config, p, observation, world.memory.clone()).detach()[row]
    if config["method"] == "a3c":
        return own[-1].item()
    theirs = forward(config, target, observation, shadow.clone()).detach()[row]
    if config["method"] == "sarsa":
        return theirs[epsilon_greedy(own, config["epsilon"], world.stream(row))].item()
    return theirs.max().item()


def follow_up(world, p, target, shadow, told):
    """What the networks say of where the rollout stops, and Sarsa's next actions."""
    if all(after != "next" for after in told[-1]["after"]):
        return None
    config, now = world.config, world.observation(world.fresh)
    own = forward(config, p, now, world.memory.clone()).detach()
    if config["method"] == "a3c":
        return own[:, -1]
    if config["method"] == "sarsa":
        for row in range(world.rows):
            world.next_actions[row] = epsilon_greedy(own[row], config["epsilon"], world.stream(row))
    return forward(config, target, now, shadow.clone()).detach()


def bootstrap(config, told, following, row, t):
    """The value of the state after step t, by what follows it; method's own."""
    step = told[t]
    if step["after"][row] == "end":
        return 0.0
    if step["after"][row] == "cut":
        return step["cut_value"][row]
    last = t + 1 == len(told)
    if config["method"] == "a3c":
        return (following[row] if last else told[t + 1]["outputs"][row, -1].detach()).item()
    q = following[row] if last else told[t + 1]["target"][row]
    if config["method"] == "sarsa":
        return q[config["carried"][row] if last else told[t + 1]["actions"][row]].item()
    return q.max().item()


def n_step_return(config, told, following, row, t):
    """sum of gamma^i r over what is left of the episode or the rollout, and gamma^k of the value there."""
    total, factor = 0.0, 1.0
    for s in range(t, len(told)):
        total += factor * told[s]["rewards"][row]
        factor *= config["gamma"]
        if told[s]["after"][row] != "next" or s + 1 == len(told):
            return total + factor * bootstrap(config, told, following, row, s)
    raise AssertionError


def generalised_advantage(config, told, following, row, t):
    """sum of (gamma lambda)^l delta (Schulman et al. 2016, equation 16)."""
    total, factor = 0.0, 1.0
    for s in range(t, len(told)):
        value = told[s]["outputs"][row, -1].item()
        total += factor * (told[s]["rewards"][row] + config["gamma"] * bootstrap(config, told, following, row, s) - value)
        factor *= config["gamma"] * config["gae_lambda"]
        if told[s]["after"][row] != "next":
            break
    return total


def policy_of(config, outputs):
    if not config["gaussian"]:
        return torch.distributions.Categorical(logits=outputs[:CHOICES])
    deviation = (torch.nn.functional.softplus(outputs[COMPONENTS]) + 1e-6).sqrt()
    return torch.distributions.Independent(torch.distributions.Normal(outputs[:COMPONENTS], deviation), 1)


def loss_of(config, told, following):
    loss = torch.zeros((), dtype=torch.float64)
    for row in range(config["rows"]):
        for t, step in enumerate(told):
            outputs, action = step["outputs"][row], step["actions"][row]
            if config["method"] == "a3c":
                value = outputs[-1]
                if config["gae_lambda"] == 1:
                    result = n_step_return(config, told, following, row, t)
                    advantage = result - value.item()
                else:
                    advantage = generalised_advantage(config, told, following, row, t)
                    result = advantage + value.item()
                policy = policy_of(config, outputs)
                log_probability = policy.log_prob(torch.tensor(action, dtype=torch.float64))
                loss = loss - log_probability * advantage - config["entropy"] * policy.entropy()
                loss = loss + config["value_coef"] * (result - value) ** 2
            else:
                one_step = step["rewards"][row] + config["gamma"] * bootstrap(config, told, following, row, t)
                result = n_step_return(config, told, following, row, t) if config["method"] == "nstep-q" else one_step
                loss = loss + config["value_coef"] * (result - outputs[action]) ** 2
    return loss


def numbers(tensor):
    return [float(f"{value:.8g}") for value in tensor.detach().reshape(-1).tolist()]


def summary(name, gradient):
    """A few elements, the norm, and a projection on a random direction, which every element moves."""
    flat = gradient.reshape(-1)
    stride = max(1, flat.numel() // 4)
    projection = (flat * torch.from_numpy(draw(1, flat.numel()))).sum()
    return {"name": name, "stride": stride, "probes": numbers(flat[::stride]),
            "norm": numbers(flat.norm())[0], "projection": numbers(projection)[0]}


def case(name, method, gaussian=False, **changes):
    config = {**DEFAULTS, "method": method, "gaussian": gaussian, **changes}
    world = World(config)
    rollouts = []
    for r in range(ROLLOUTS):
        p, target = parameters(config, 100 * (r + 1)), parameters(config, 1000 + 100 * r)
        world.memory = world.memory.clone()
        told, following = rollout(world, p, target)
        config["carried"] = world.next_actions
        gradients = torch.autograd.grad(loss_of(config, told, following), list(p.values()))
        rollouts.append({"decisions": len(told) * config["rows"], "actions": [step["actions"] for step in told],
                         "memory": numbers(world.memory.numbers()),
                         "gradient": [summary(*each) for each in zip(p, gradients, strict=True)]})
    del config["carried"]
    return {"name": name, "config": config, "ends": ENDS[config["rows"]], "tensors": list(shapes(config)),
            "rollouts": rollouts}


def main():
    cases = []
    for label, method, gaussian in [("a3c softmax", "a3c", False), ("a3c gaussian", "a3c", True), ("q", "q", False),
                                    ("sarsa", "sarsa", False), ("nstep-q", "nstep-q", False)]:
        for lstm in (0, LSTM):
            for rows in (1, 3):
                cases.append(case(f"{label}, lstm {lstm}, E {rows}", method, gaussian, lstm=lstm, rows=rows))
        cases.append(case(f"{label}, time limits are ends, clipped rewards, the paper's value loss", method, gaussian,
                          lstm=LSTM, rows=3, timeout_as_terminal=True, reward_clip=0.6, value_coef=1.0, gamma=1.0))
    cases += [case("generalised advantages", "a3c", rows=3, gae_lambda=0.7),
              case("generalised advantages of deltas alone", "a3c", rows=3, gae_lambda=0.0)]
    result = {"made_by": f"tests/golden/make_a3c.py, torch {torch.__version__}", "seed": SEED, "actor": ACTOR,
              "observation": OBSERVATION, "choices": CHOICES, "components": COMPONENTS, "hidden": HIDDEN,
              "scale": SCALE, "cases": cases}
    text = json.dumps(result, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("a3c.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
