"""Makes run directories by the schema (docs/schema.md) with h5py alone, independently of both the C++
writer and the reader under test."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

START = 1_700_000_000.0
LIBVER = ("v110", "v110")


def write_root(file: h5py.File) -> None:
    file.attrs["schema"] = "tenfold-run"
    file.attrs["schema_version"] = np.int64(1)
    file.attrs["created_utc"] = "2026-01-31T12:00:00Z"
    file.attrs["writer"] = "tests"


def write_manifest(run: Path, config: dict[str, tuple[str, str]] | None = None, **entries: str) -> None:
    run.mkdir(parents=True, exist_ok=True)
    for part in ("metrics", "logs", "checkpoint"):
        (run / part).mkdir(exist_ok=True)
    config = config or {"train.total-steps": ("4000", "command line"), "run.seed": ("1", "default")}
    with h5py.File(run / "manifest.h5", "w") as file:
        write_root(file)
        attrs = file.create_group("manifest").attrs
        for key, value in {"app": "ddpg", "run_id": run.name, "seed": "1", "world_size": "2",
                           "command_line": "ddpg --task cartpole_swingup", "dep.hdf5": "1.10.8",
                           **entries}.items():
            attrs[key] = value
        attrs["config"] = json.dumps({key: {"value": value, "origin": origin}
                                      for key, (value, origin) in config.items()})


def create_segment(run: Path, number: int, series: dict[str, int], resumed: int = -1) -> h5py.File:
    """An open, empty segment; series maps names to columns."""
    path = run / "metrics" / f"seg-{number:04}.h5"
    file = h5py.File(path, "w", libver=LIBVER)
    write_root(file)
    file.attrs["resumed_from_step"] = np.int64(resumed)
    for name, columns in series.items():
        group = file.create_group(f"metrics/{name}")
        group.attrs.update({"unit": "reward", "description": f"about {name}", "reduction": "mean",
                            "better": "max" if name == "eval/return" else ""})
        _column(group, "step", np.uint64)
        _column(group, "wall_s", np.float64)
        _column(group, "value", np.float64, columns)
    file.require_group("metrics")
    events = file.create_group("events")
    _column(events, "step", np.uint64)
    _column(events, "wall_s", np.float64)
    _column(events, "kind", h5py.string_dtype("utf-8", 16))
    _column(events, "text", h5py.string_dtype("utf-8", 256))
    return file


def _column(group: h5py.Group, name: str, dtype, columns: int = 1) -> None:
    tail = () if columns == 1 else (columns,)
    fill = np.nan if dtype is np.float64 else None
    group.create_dataset(name, (0, *tail), maxshape=(None, *tail), chunks=(64, *tail), dtype=dtype,
                         fillvalue=fill)


def append(group: h5py.Group, **columns) -> None:
    """Rows at the end of each named column."""
    for name, values in columns.items():
        dataset = group[name]
        values = np.asarray(values, dtype=dataset.dtype)
        first = dataset.shape[0]
        dataset.resize(first + len(values), axis=0)
        dataset[first:] = values
        dataset.flush()


def append_rows(file: h5py.File, name: str, steps, values, wall=None) -> None:
    steps = np.asarray(steps)
    append(file[f"metrics/{name}"], value=values,
           wall_s=START + steps / 100 if wall is None else wall, step=steps)


def append_event(file: h5py.File, step: int, kind: str, text: str = "") -> None:
    append(file["events"], text=[text.encode()], kind=[kind.encode()], wall_s=[START + step / 100],
           step=[step])


def make_run(run: Path, steps=range(0, 4001, 1000), end: str = "end", scale: float = 1.0, **manifest) -> Path:
    """A plain run with eval/return = scale * step / 10 and one event of kind `end` at its end."""
    write_manifest(run, **manifest)
    steps = np.array(list(steps))
    with create_segment(run, 0, {"eval/return": 1, "eval/random_return": 1, "eval/q_vs_return": 2,
                                 "train/critic_loss": 1}) as file:
        append_rows(file, "eval/return", steps, scale * steps / 10)
        append_rows(file, "eval/random_return", [0], [7.5])
        append_rows(file, "train/critic_loss", steps[1:], 1.0 / steps[1:])
        append_rows(file, "eval/q_vs_return", np.repeat(steps, 4),
                    [[2.0 * q + 1.0, q] for _ in steps for q in (1.0, 2.0, 4.0, 8.0)])
        append_event(file, 0, "start", "the beginning")
        if end:
            append_event(file, int(steps[-1]), end, "finished")
    return run


def make_checkpoint(run: Path, step: int, content: bytes = b"state") -> Path:
    """A folder as the reader of the analysis sees it (sizes, not digests)."""
    folder = run / "checkpoint" / f"step-{step:012}"
    folder.mkdir(parents=True)
    (folder / "state.h5").write_bytes(content)
    (folder / "COMMIT.json").write_text(json.dumps(
        {"schema": "tenfold-checkpoint", "step": step, "bytes": len(content), "world_size": 2,
         "created_utc": "2026-01-31T12:00:00Z"}))
    return folder
