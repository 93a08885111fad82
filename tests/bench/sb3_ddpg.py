"""Stable-Baselines3's DDPG on one Gymnasium task; the actor's layers go to a file. A process of ddpg_peers.py.

    sb3_ddpg.py SETTINGS TASK STEPS SEED FILE    SETTINGS: ddpg_peers.Settings as JSON; FILE: .npz
"""
import json
import sys

import gymnasium
import numpy as np
import torch
from stable_baselines3 import DDPG
from stable_baselines3.common.noise import NormalActionNoise


def main(settings, task, steps, seed, path):
    settings = json.loads(settings)
    torch.set_num_threads(1)
    env = gymnasium.make(task)
    width = env.action_space.shape[0]
    noise = NormalActionNoise(np.zeros(width), np.full(width, settings["noise"])) if settings["noise"] > 0 else None
    model = DDPG("MlpPolicy", env, learning_rate=settings["lr"], batch_size=settings["batch"], tau=settings["tau"],
                 gamma=settings["gamma"], learning_starts=settings["warm_up"], buffer_size=settings["replay"],
                 action_noise=noise, policy_kwargs={"net_arch": settings["nets"]}, seed=int(seed), device="cpu")
    model.policy_delay = settings["actor_every"]  # no argument of DDPG's, but train() reads it
    model.learn(int(steps))
    layers = [layer for layer in model.actor.mu if isinstance(layer, torch.nn.Linear)]
    np.savez(path, *[each.detach().numpy() for layer in layers for each in (layer.weight, layer.bias)])


if __name__ == "__main__":
    main(*sys.argv[1:])
