"""One peer of a3c, in a process of its own in the peers' Python: of a3c_speed.py, a3c_games.py and a3c_peers.py.

    a3c_peer.py SPEC    SPEC: Spec as JSON

Prints JSON: CPU seconds of the frames after the first `warm_up`, and at each of `look_at` frames the mean return of
20 episodes with drawn actions beside the CPU seconds until then; evaluations and imports are not in them. The task is
CartPole-v1, or pictures that cost nothing to show: what they show does not change how long a network takes.
"""
import dataclasses
import json
import sys
import time

import gymnasium
import numpy as np
import torch

EPISODES = 20


@dataclasses.dataclass
class Spec:
    peer: str  # "sb3-a2c", "sb3-dqn", "pfrl-a3c"
    frames: int
    envs: int = 1
    seed: int = 1
    warm_up: int = 0
    hidden: int = 128
    t_max: int = 5
    lr: float = 3e-3
    anneal: bool = True
    eps: float = 0.01  # of the gradient that the peer forms: a mean or a sum over the rollout
    clip: float = 40.0
    entropy: float = 0.01
    reward_scale: float = 0.01
    picture: list = dataclasses.field(default_factory=list)  # height, width, channels; none: CartPole-v1
    choices: int = 2
    net: str = "mlp"  # PFRL: "mlp", "grid" (16 3x3), "dqn13-lstm" (16 8x8/4, 32 4x4/2, LSTM)
    look_at: list = dataclasses.field(default_factory=list)


class Clock:
    """CPU seconds since the first warm_up frames were done, without what pauses take."""

    def __init__(self, spec, play):
        self._spec, self._play = spec, play
        self._begin = time.process_time()
        self._looks = list(spec.look_at)
        self._warm = spec.warm_up == 0
        self.found = []

    def at(self, frames):
        if not self._warm and frames >= self._spec.warm_up:
            self._warm, self._begin = True, time.process_time()
        while self._looks and frames >= self._looks[0]:
            cpu = self.seconds()
            self.found.append([self._looks.pop(0), cpu, mean_return(self._play, self._spec.seed)])
            self._begin = time.process_time() - cpu

    def seconds(self):
        return time.process_time() - self._begin


def mean_return(play, seed):
    """play: observations [n, 4] -> actions [n]."""
    envs = [gymnasium.make("CartPole-v1") for _ in range(EPISODES)]
    seen = [env.reset(seed=100_000 * seed + i)[0] for i, env in enumerate(envs)]
    going, total = list(range(EPISODES)), 0.0
    while going:
        actions = play(np.stack([seen[i] for i in going]))
        for i, action in zip(list(going), actions, strict=True):
            seen[i], reward, terminated, truncated, _ = envs[i].step(int(action))
            total += float(reward)
            if terminated or truncated:
                going.remove(i)
    return total / EPISODES


class Pictures:
    """Random pictures, bytes if they are large, else 7% ones; episodes of 900 frames."""

    def __init__(self, spec):
        random = np.random.default_rng(1)
        height, width, channels = spec.picture
        shape = (64, channels, height, width)
        self._frames = random.integers(0, 256, shape, np.uint8) if height > 10 else \
            (random.random(shape) < 0.07).astype(np.float32)
        self._count = 0

    def reset(self, seed=None):
        return self._frames[0], {}

    def step(self, action):
        self._count += 1
        return self._frames[self._count % 64], float(self._count % 10 == 0), False, self._count % 900 == 0, {}


def scaled(spec):
    if spec.picture:
        return Pictures(spec)
    env = gymnasium.make("CartPole-v1")
    if spec.reward_scale == 1:
        return env
    return gymnasium.wrappers.TransformReward(env, lambda reward: spec.reward_scale * reward)


def sb3(spec):
    from stable_baselines3 import A2C, DQN
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
    from stable_baselines3.common.vec_env import DummyVecEnv

    class Trunk(BaseFeaturesExtractor):
        """One hidden layer for policy and value, as the paper has it."""

        def __init__(self, space):
            super().__init__(space, spec.hidden)
            self.layer = torch.nn.Linear(space.shape[0], spec.hidden)

        def forward(self, observation):
            return torch.relu(self.layer(observation))

    class Tell(BaseCallback):
        def _on_step(self):
            clock.at(self.num_timesteps)
            return True

    envs = DummyVecEnv([lambda: scaled(spec)] * spec.envs)
    if spec.peer == "sb3-a2c":
        rate = (lambda left: spec.lr * left) if spec.anneal else spec.lr
        model = A2C("MlpPolicy", envs, learning_rate=rate, n_steps=spec.t_max, gamma=0.99, gae_lambda=1.0,
                    ent_coef=spec.entropy, vf_coef=0.5, max_grad_norm=spec.clip, seed=spec.seed, device="cpu",
                    policy_kwargs={"features_extractor_class": Trunk, "net_arch": [], "ortho_init": False,
                                   "optimizer_class": RMSpropTFLike,
                                   "optimizer_kwargs": {"alpha": 0.99, "eps": spec.eps}})
        # It would begin with squares of 1, small steps; the paper's, and ours, begin with 0.
        for parameter in model.policy.parameters():
            model.policy.optimizer.state[parameter] = {"step": 0, "square_avg": torch.zeros_like(parameter)}
    else:  # its defaults but for the hidden layer and random steps at the start
        model = DQN("MlpPolicy", envs, policy_kwargs={"net_arch": [spec.hidden]}, learning_starts=100,
                    seed=spec.seed, device="cpu")
    clock = Clock(spec, lambda seen: model.predict(seen, deterministic=False)[0])
    model.learn(spec.frames, callback=Tell())
    return clock


def pfrl_model(spec):
    import pfrl

    nn, hidden = torch.nn, spec.hidden
    height, width, channels = spec.picture or (1, 1, 4)
    below, inputs = [nn.Flatten()], height * width * channels
    if spec.net == "grid":
        below, inputs = [nn.Conv2d(channels, 16, 3), nn.ReLU(), nn.Flatten()], 16 * (height - 2) * (width - 2)
    elif spec.net == "dqn13-lstm":
        below, inputs = [nn.Conv2d(channels, 16, 8, 4), nn.ReLU(), nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.Flatten()], \
            32 * 9 * 9
    layers = [*below, nn.Linear(inputs, hidden), nn.ReLU()]
    policy = nn.Sequential(nn.Linear(hidden, spec.choices), pfrl.policies.SoftmaxCategoricalHead())
    head = pfrl.nn.Branched(policy, nn.Linear(hidden, 1))
    if "lstm" in spec.net:
        return pfrl.nn.RecurrentSequential(*layers, nn.LSTM(hidden, hidden), head)
    return nn.Sequential(*layers, head)


def pfrl_a3c(spec):
    import pfrl
    from pfrl.optimizers import SharedRMSpropEpsInsideSqrt

    model = pfrl_model(spec)
    optimizer = SharedRMSpropEpsInsideSqrt(model.parameters(), lr=spec.lr, eps=spec.eps, alpha=0.99)
    agent = pfrl.agents.A3C(model, optimizer, t_max=spec.t_max, gamma=0.99, beta=spec.entropy,
                            max_grad_norm=spec.clip, recurrent="lstm" in spec.net,
                            phi=lambda seen: seen.astype(np.float32) / 255 if seen.dtype == np.uint8 else seen)
    # As pfrl.experiments.train_agent_async does.
    shared = [*agent.shared_model.state_dict().values()]
    shared += [value for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
    for value in shared:
        value.share_memory_()
    clock = Clock(spec, lambda seen: agent.model(torch.as_tensor(seen))[0].sample().numpy())
    env = scaled(spec)
    seen, _ = env.reset(seed=spec.seed)
    for frames in range(1, spec.frames + 1):
        seen, reward, terminated, truncated, _ = env.step(int(agent.act(seen)))
        agent.observe(seen, reward, terminated, truncated)
        if terminated or truncated:
            seen, _ = env.reset()
        if spec.anneal:
            optimizer.param_groups[0]["lr"] = spec.lr * (1 - frames / spec.frames)
        clock.at(frames)
    return clock


def main(text):
    spec = Spec(**json.loads(text))
    torch.set_num_threads(1)
    torch.manual_seed(spec.seed)
    clock = pfrl_a3c(spec) if spec.peer == "pfrl-a3c" else sb3(spec)
    print(json.dumps({"frames": spec.frames - spec.warm_up, "cpu": clock.seconds(), "looks": clock.found}))


if __name__ == "__main__":
    main(sys.argv[1])
