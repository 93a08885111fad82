"""The games as their agents see them: docs/pictures/labyrinth.png and racing.png.

    cmake --build build/release --target game_sheet
"""
import argparse
import json
import pathlib
import subprocess

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
GAP, ZOOM = 4, 2
# Settings, seed, then choices as game_views takes them: a picture before and after each.
SHEETS = {
    "labyrinth": [("", 11, "0s8", "0s8", "0s6", "0s10"), ("", 94, "0s4", "4s5", "0s8", "4s6"),
                  ("", 2, "4s4", "0s8", "5s8", "0s6")],
    "racing": [("opponents=3", 2, "1s40", "1s40", "0s4", "4s10"), ("opponents=3", 3, "1s20", "1s40", "0s5", "4s8")],
}


def views(program, task, settings, seed, *choices):
    """uint8 [1 + choices, side, side, 3]."""
    run = subprocess.run([program, task, settings, str(seed), *choices], check=True, capture_output=True)
    head, _, pixels = run.stdout.partition(b"\n")
    side = json.loads(head)["side"]
    return np.frombuffer(pixels, np.uint8).reshape(-1, side, side, 3)


def sheet(rows):
    framed = [np.concatenate([np.pad(each.repeat(ZOOM, 0).repeat(ZOOM, 1), ((0, GAP), (0, GAP), (0, 0)),
                                     constant_values=255) for each in row], axis=1) for row in rows]
    return Image.fromarray(np.concatenate(framed))


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("program", help="the game_views of a build")
    parse.add_argument("--out", default=str(ROOT / "docs" / "pictures"), help="folder")
    chosen = parse.parse_args()
    for task, rows in SHEETS.items():
        image = sheet([views(chosen.program, task, *row) for row in rows])
        image.save(pathlib.Path(chosen.out) / f"{task}.png", optimize=True)


if __name__ == "__main__":
    main()
