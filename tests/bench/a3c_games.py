"""A3C's frames per CPU second on games from pictures: Breakout of 10 x 10 planes, Labyrinth of 84 x 84 pixels.

    cmake --build build/release --target bench_a3c_games

Acting and updating, one environment, one thread; our engines beside PFRL's A3C with the same network, in turns.
"""
import argparse
import dataclasses
import statistics
import sys

import a3c_sides as sides
import peers
import results

TARGET = 5  # times PFRL's, as on CartPole


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    task: str
    picture: tuple[int, ...]
    choices: int
    peer_net: str
    net: str
    conv: str = "none"
    lstm: int = 0
    t_max: int = 5
    fused_frames: int = 200_000
    slow_frames: int = 2000  # of LibTorch's engine, beyond a start, and of PFRL

    def app(self, engine):
        return ["--preset", "breakout10", "--task", self.task, "--net", self.net, "--conv", self.conv, "--lstm",
                self.lstm, "--t-max", self.t_max, "--engine", engine, "--lr", "1e-4", "--horizon", "900"]

    def parts(self, engine, seconds):
        return sides.parts(self.task, net=self.net, conv=self.conv, lstm=self.lstm, t_max=self.t_max, engine=engine,
                           seconds=seconds)

    def peer(self):
        return sides.peer_rate(peer="pfrl-a3c", picture=self.picture, choices=self.choices, net=self.peer_net,
                               hidden=int(self.net), t_max=self.t_max, frames=self.slow_frames,
                               warm_up=self.slow_frames // 10)


CASES = [Case("Breakout 10 x 10 x 4, 128", "breakout", (10, 10, 4), 3, "mlp", "128", fused_frames=400_000,
              slow_frames=4000),
         Case("Breakout 10 x 10 x 4, 16 3x3, 128", "breakout", (10, 10, 4), 3, "grid", "128", conv="grid",
              slow_frames=3000),
         Case("Labyrinth 84 x 84 x 3, 16 8x8/4, 32 4x4/2, 256, LSTM 256", "labyrinth", (84, 84, 3), 8, "dqn13-lstm",
              "256", conv="dqn13", lstm=256, t_max=20, fused_frames=25_000, slow_frames=1000)]


def measure(case, rounds):
    """Medians: rates of the application, of both engines without the application round them, and of PFRL; parts."""
    rates, parts = {"app": [], "fused": [], "torch": [], "PFRL": []}, []
    for _ in range(rounds):
        rates["app"].append(sides.app_rate(case.app("fused"), case.fused_frames))
        parts.append(case.parts("fused", 1.0))
        rates["fused"].append(1e9 / parts[-1]["whole"])
        rates["torch"].append(1e9 / case.parts("torch", 1.0)["whole"])
        rates["PFRL"].append(case.peer())
        print(case.name, {name: round(values[-1]) for name, values in rates.items()}, parts[-1], flush=True)
    return ({name: statistics.median(values) for name, values in rates.items()},
            {key: statistics.median(each[key] for each in parts) for key in parts[0]})


HEAD = ["task, network", "parameters", "t_max", "app", "fused", "torch engine", "PFRL", "app / PFRL", "fused / torch"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    rows, splits, lines, good = [], [], [], True
    for case in CASES:
        rate, parts = measure(case, options.rounds)
        ratio = rate["app"] / rate["PFRL"]
        good &= ratio >= TARGET
        lines.append(f"- {'pass' if ratio >= TARGET else '**FAIL**'}: {case.name}: {ratio:.1f} times PFRL's A3C "
                     f"(asked for: {TARGET})")
        rows.append([case.name, f"{parts['parameters']:.0f}", str(case.t_max),
                     *(f"{rate[name]:.0f}" for name in ("app", "fused", "torch", "PFRL")), f"{ratio:.1f}",
                     f"{rate['fused'] / rate['torch']:.1f}"])
        splits.append([case.name, f"{parts['whole'] / 1000:.2f}", f"{parts['rollout']:.1f}",
                       *(f"{100 * share:.0f}%" for share in sides.shares(parts).values())])
    text = f"""## A3C's frames per CPU second on games

{results.provenance(sides.command("bench_a3c_games"),
                    f"{peers.version('pfrl')}", app="a3c")}
{chr(10).join(lines)}

Acting and updating (shared RMSProp), one environment, one thread; medians of {options.rounds} rounds in turns. App: the
application, a long run less a short one. Fused and torch engine: the same rollouts and updates without the application
round them. PFRL's A3C has the same network, update and t_max, and pictures of the same shape that cost it nothing: its
side has no environment to compute, ours has.

{results.table(HEAD, rows)}

Where ours (fused) goes, each part measured alone. Update: copy of the parameters, gradient norm, shared RMSProp, once a
rollout, whose mean length is given (an episode's end cuts it). Network is measured on whole rollouts; Breakout's short
ones pay their bootstrap more often, which is in the rest.

{results.table(["task, network", "us / frame", "rollout", "env", "network", "update", "rest"], splits)}
"""
    print(text)
    if options.record:
        results.record("a3c", "bench_a3c_games", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
