"""Every MuJoCo task as a pixel agent's camera sees it: its start, and after random actions.

    cmake --build build/release --target task_sheet     # writes docs/pictures/tasks.png
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS, GAP, TEXT = 6, 4, 14


def read_pictures(path):
    """(task names, pictures uint8 [task, 2, side, side, 3])."""
    with open(path, "rb") as file:
        head = json.loads(file.readline())
        pixels = np.frombuffer(file.read(), np.uint8)
    side = head["side"]
    return head["tasks"], pixels.reshape(len(head["tasks"]), 2, side, side, 3)


def sheet(tasks, pictures):
    side = pictures.shape[2]
    width, height = 2 * side + 2 * GAP, side + TEXT + GAP
    rows = -(-len(tasks) // COLUMNS)
    image = Image.new("RGB", (COLUMNS * width, rows * height), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=11)
    for i, (task, pair) in enumerate(zip(tasks, pictures)):
        x, y = i % COLUMNS * width + GAP, i // COLUMNS * height
        draw.text((x, y), task, "black", font)
        for k in range(2):
            image.paste(Image.fromarray(pair[k]), (x + k * side, y + TEXT))
    return image


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("program", help="the task_pictures of a build")
    parse.add_argument("--side", type=int, default=96, help="pixels of a picture")
    parse.add_argument("--decisions", type=int, default=15, help="with random actions (0.1 to 0.9 s)")
    parse.add_argument("--out", default=str(ROOT / "docs" / "pictures" / "tasks.png"))
    chosen = parse.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "pictures"
        subprocess.run([chosen.program, str(chosen.side), str(chosen.decisions), path], check=True)
        image = sheet(*read_pictures(path))
    pathlib.Path(chosen.out).parent.mkdir(parents=True, exist_ok=True)
    image.quantize(256, dither=Image.Dither.NONE).save(chosen.out, optimize=True)


if __name__ == "__main__":
    main()
