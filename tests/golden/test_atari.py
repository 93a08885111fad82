"""atari: tasks beside Gymnasium's own wrappers on ale-py's own environment: every byte of every picture, rewards, ends
and lost lives, for the same no-ops and actions."""

import subprocess

import numpy as np
import pytest

import launch

ale_py = pytest.importorskip("ale_py")
cv2 = pytest.importorskip("cv2")
from ale_py.env import AtariEnv
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

RECORD = np.dtype([("begins", "u1"), ("action", "u1"), ("terminal", "u1"), ("truncated", "u1"), ("life_lost", "u1"),
                   ("none", "u1", 3), ("reward", "<f4"), ("frame", "u1", (84, 84, 4))])
SEED = 3


def played(task, settings, decisions):
    run = subprocess.run([launch.BIN / "atari_driver", task, settings, str(SEED), str(decisions)], capture_output=True,
                         env=launch.environment(), timeout=120)
    assert run.returncode == 0, run.stderr.decode()
    return np.frombuffer(run.stdout, RECORD)


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., 2011)."""
    counter, key = list(counter), list(key)
    for _ in range(10):
        low, high = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [high >> 32 ^ counter[1] ^ key[0], high & 0xFFFFFFFF, low >> 32 ^ counter[3] ^ key[1], low & 0xFFFFFFFF]
        key = [key[0] + 0x9E3779B9 & 0xFFFFFFFF, key[1] + 0xBB67AE85 & 0xFFFFFFFF]
    return counter


def drawn_noops(episode, most):
    """base::Stream(SEED, kEnvReset, 0, episode) asked for 1 to most; what is drawn again is too rare to matter."""
    high, low, _, _ = philox([0, episode, 0, 0], [SEED, 2])
    return 1 + (high << 32 | low) % most


class Screens(AtariEnv):
    """ale-py's environment, with a number of no-ops that is given and the screens of a decision kept."""

    noops = 0

    class Drawn:
        def __init__(self, owner):
            self._owner = owner

        def integers(self, low, high):
            assert low <= self._owner.noops < high
            return self._owner.noops

    @property
    def np_random(self):
        return self.Drawn(self)

    @np_random.setter
    def np_random(self, value):
        pass

    def step(self, action):
        result = super().step(action)
        self.screens.append(self.ale.getScreenGrayscale())
        return result


def reference(game, frames, life_loss, noops):
    env = Screens(game=game, frameskip=1, repeat_action_probability=0.0, full_action_space=False, obs_type="grayscale",
                  max_num_frames_per_episode=frames)
    return FrameStackObservation(AtariPreprocessing(env, noop_max=noops, terminal_on_life_loss=life_loss), 4)


def last_of_short(screens):
    """What a decision shows that ended before its last frame (Gymnasium's would be of the decision before)."""
    last = np.maximum(screens[-2], screens[-1]) if len(screens) > 3 else screens[-1]
    return cv2.resize(last, (84, 84), interpolation=cv2.INTER_AREA)


def compare(records, env, noops):
    """Counts of what happened."""
    episode, seen = 0, {"steps": 0, "rewards": 0, "ends": 0, "cuts": 0, "lives": 0, "short": 0}
    screens = env.unwrapped.screens = []
    for number, record in enumerate(records):
        if record["begins"]:
            env.unwrapped.noops = drawn_noops(episode, noops) if noops else 0
            shown, _ = env.reset(seed=1000 + episode)  # its seed is no matter: the game draws nothing
            episode += 1
        else:
            screens.clear()
            shown, reward, terminated, truncated, _ = env.step(record["action"])
            if terminated or truncated:
                env.obs_queue[-1][...] = last_of_short(screens)
                shown = np.stack(env.obs_queue)
            assert reward == record["reward"], number
            assert terminated == bool(record["terminal"] or record["life_lost"]), number
            assert (truncated and not terminated) == bool(record["truncated"]), number
            seen["steps"] += 1
            seen["rewards"] += reward != 0
            seen["ends"] += int(record["terminal"])
            seen["lives"] += int(record["life_lost"])
            seen["cuts"] += int(record["truncated"])
            seen["short"] += len(screens) < 4
        np.testing.assert_array_equal(record["frame"], np.moveaxis(shown, 0, -1), err_msg=f"record {number}")
    return seen


@pytest.mark.parametrize("task,settings,game,decisions,happened", [
    ("atari:Pong", "", "pong", 400, ["rewards"]),
    ("atari:ALE/Breakout-v5", "life-loss=1", "breakout", 300, ["ends", "lives", "short"]),
    ("atari:Seaquest", "", "seaquest", 480, ["rewards", "ends"]),
    ("atari:ms_pacman", "noops=0,frames=478", "ms_pacman", 160, ["rewards", "cuts", "short"]),
], ids=["pong", "breakout", "seaquest", "ms_pacman"])
def test_pictures_rewards_and_ends_are_those_of_gymnasiums_wrappers(task, settings, game, decisions, happened):
    given = dict(each.split("=") for each in settings.split(",") if each)
    noops = int(given.get("noops", 30))
    env = reference(game, int(given.get("frames", 108_000)), "life-loss" in given, noops)
    seen = compare(played(task, settings, decisions), env, noops)
    assert seen["steps"] == decisions
    assert all(seen[each] for each in happened), seen


def test_our_games_start_where_ale_py_starts_with_any_seed():
    """What lets an episode begin from one kept state."""
    def start(seed):
        env = Screens(game="breakout", frameskip=1, repeat_action_probability=0.0, obs_type="ram")
        env.screens = []
        env.reset(seed=seed)
        for _ in range(40):
            env.step(1)
        return [*env.screens, env.ale.getRAM()]

    for one, other in zip(start(1), start(2), strict=True):
        np.testing.assert_array_equal(one, other)
