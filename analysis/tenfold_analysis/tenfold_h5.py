"""The one reader of run directories (HDF5 schema v1, docs/schema.md).

Works for finished, stopped, killed and running runs, and never writes to a run's files.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import re
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

SCHEMA = "tenfold-run"
SCHEMA_VERSION = 1
# A job on another host whose lock this file system does not show is taken as running while its
# metrics are younger than this.
FRESH_SECONDS = 600
# An SWMR reader tries again when metadata does not have its checksum: the writer may be at it. The
# pause doubles each time, so HDF5's own 100 attempts on a damaged file never end; these take 40 ms.
_ATTEMPTS = 25


class NotARun(Exception):
    """The path is not a readable run directory; the text says which path and why."""


@dataclass
class Series:
    """One metric. step [n] int64, wall_s [n] (Unix time), value [n] or [n, k], segment [n]."""

    name: str
    unit: str = ""
    description: str = ""
    reduction: str = ""
    better: str = ""
    step: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    wall_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    value: np.ndarray = field(default_factory=lambda: np.zeros(0))
    segment: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.step)

    @property
    def columns(self) -> int:
        return 1 if self.value.ndim == 1 else self.value.shape[1]

    def rows(self, keep: np.ndarray) -> "Series":
        return Series(self.name, self.unit, self.description, self.reduction, self.better,
                      self.step[keep], self.wall_s[keep], self.value[keep], self.segment[keep])


@dataclass
class Event:
    step: int
    wall_s: float
    kind: str
    text: str
    segment: int


@dataclass
class ConfigValue:
    value: str
    origin: str


@dataclass
class Checkpoint:
    """A folder of checkpoint/. problem is "" when its commit record and size are as they should be;
    digests are checked by `tenfold verify`, not here."""

    path: Path
    step: int
    bytes: int = 0
    created_utc: str = ""
    world_size: int = 0
    problem: str = ""


@dataclass
class Run:
    path: Path
    manifest: dict[str, str]
    config: dict[str, ConfigValue]
    series: dict[str, Series]
    events: list[Event]
    checkpoints: list[Checkpoint]
    state: str  # running | finished | stopped | killed | unknown
    warnings: list[str]

    @property
    def app(self) -> str:
        return self.manifest.get("app", "?")

    @property
    def run_id(self) -> str:
        return self.manifest.get("run_id") or self.path.name

    @property
    def last_step(self) -> int:
        steps = [int(s.step.max()) for s in self.series.values() if len(s)]
        return max(steps + [e.step for e in self.events], default=0)

    @property
    def total_steps(self) -> int | None:
        for key, entry in self.config.items():
            if key.endswith(".total-steps") and entry.value.isdigit():
                return int(entry.value)
        return None

    def get(self, name: str) -> Series | None:
        """The series, or None when the run has no row of it."""
        found = self.series.get(name)
        return found if found is not None and len(found) else None


@dataclass
class _Segment:
    resumed_from: int
    series: dict[str, Series]
    events: list[Event]


def _reason(error: Exception) -> str:
    """In one line; a KeyError's own text is in quotes."""
    return " ".join(str(error.args[0] if error.args else error).split())


def _text(value) -> str:
    if isinstance(value, bytes):
        return value.rstrip(b"\0").decode("utf-8", "replace")
    return str(value)


def _open(path: Path) -> h5py.File:
    """SWMR reading suits live files and those of killed jobs, which plain reading refuses. Takes no
    lock: not every file system has any, and a reader must never be in a job's way."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    access.set_file_locking(False, True)
    # h5py has no name for this call; its own extension module knows the library that it uses.
    limit = ctypes.CDLL(h5py.h5p.__file__).H5Pset_metadata_read_attempts
    limit.argtypes = (ctypes.c_int64, ctypes.c_uint)
    limit(access.id, _ATTEMPTS)
    flags = h5py.h5f.ACC_RDONLY | h5py.h5f.ACC_SWMR_READ
    return h5py.File(h5py.h5f.open(os.fsencode(path), flags, fapl=access))


def _check_schema(file: h5py.File) -> None:
    schema = _text(file.attrs.get("schema", ""))
    if schema != SCHEMA:
        raise ValueError(f"schema is '{schema}', not '{SCHEMA}'")
    version = int(file.attrs.get("schema_version", -1))
    if version != SCHEMA_VERSION:
        raise ValueError(f"schema version {version}, this program reads {SCHEMA_VERSION}")


def _whole_rows(wall_s: np.ndarray) -> int:
    """Rows before the first torn one: a length that became visible before its data reads as NaN."""
    torn = np.flatnonzero(~np.isfinite(wall_s))
    return int(torn[0]) if len(torn) else len(wall_s)


def _read_series(group: h5py.Group, name: str, segment: int) -> Series:
    step, wall, value = group["step"], group["wall_s"], group["value"]
    if value.ndim not in (1, 2):
        raise ValueError(f"'{name}' has a value of an unknown shape")
    rows = min(step.shape[0], wall.shape[0], value.shape[0])
    wall_s = wall[:rows]
    rows = _whole_rows(wall_s)
    return Series(name, *(_text(group.attrs.get(key, "")) for key in
                          ("unit", "description", "reduction", "better")),
                  step[:rows].astype(np.int64), wall_s[:rows], value[:rows].astype(float),
                  np.full(rows, segment, np.int64))


def _read_events(group: h5py.Group, segment: int) -> list[Event]:
    columns = [group[name] for name in ("step", "wall_s", "kind", "text")]
    rows = min(column.shape[0] for column in columns)
    step, wall_s, kind, text = (column[:rows] for column in columns)
    rows = _whole_rows(wall_s)
    return [Event(int(step[i]), float(wall_s[i]), _text(kind[i]), _text(text[i]), segment)
            for i in range(rows)]


def _read_segment(path: Path, number: int) -> _Segment:
    with _open(path) as file:
        _check_schema(file)
        names: list[str] = []
        metrics = file["metrics"]
        metrics.visititems(lambda name, item: names.append(name)
                           if isinstance(item, h5py.Group) and "step" in item else None)
        return _Segment(int(file.attrs.get("resumed_from_step", -1)),
                        {name: _read_series(metrics[name], name, number) for name in sorted(names)},
                        _read_events(file["events"], number) if "events" in file else [])


def _join(older: Series, newer: Series | None, resumed: int, warnings: list[str]) -> Series:
    """What the older rows and those of a segment that went on from step `resumed` say together."""
    again = newer is not None and bool(np.any(newer.step == resumed))
    kept = older.rows(older.step < resumed if resumed < 0 or again else older.step <= resumed)
    if newer is None:
        return kept
    if newer.columns != kept.columns:
        if len(kept):
            warnings.append(f"'{older.name}' has {kept.columns} columns in older segments, which "
                            "are left out")
        return newer
    return Series(newer.name, newer.unit, newer.description, newer.reduction, newer.better,
                  *(np.concatenate([getattr(kept, key), getattr(newer, key)])
                    for key in ("step", "wall_s", "value", "segment")))


def _read_metrics(run: Path, warnings: list[str]) -> tuple[dict[str, Series], list[Event], bool]:
    """Series, events, and whether the newest segment, which tells how the run ended, could be read."""
    series: dict[str, Series] = {}
    events: list[Event] = []
    whole = True
    files = [path for path in (run / "metrics").glob("seg-*.h5") if re.fullmatch(r"seg-\d+", path.stem)]
    for path in sorted(files, key=lambda path: int(path.stem[4:])):
        number = int(path.stem[4:])
        try:
            segment = _read_segment(path, number)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            warnings.append(f"{path} skipped: {_reason(error)}")
            whole = False
            continue
        whole = True
        for name in list(series):
            series[name] = _join(series[name], segment.series.get(name), segment.resumed_from, warnings)
        for name, new in segment.series.items():
            series.setdefault(name, new)
        events += segment.events
    return series, events, whole


def _read_manifest(run: Path) -> dict[str, str]:
    path = run / "manifest.h5"
    if not path.is_file():
        raise NotARun(f"{run} is not a run directory (it has no manifest.h5)")
    try:
        with _open(path) as file:
            _check_schema(file)
            return {key: _text(value) for key, value in file["manifest"].attrs.items()}
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise NotARun(f"{path}: {_reason(error)}") from error


def _config(manifest: dict[str, str], warnings: list[str]) -> dict[str, ConfigValue]:
    try:
        entries = json.loads(manifest.get("config", "{}"))
        return {key: ConfigValue(str(entry["value"]), str(entry.get("origin", "")))
                if isinstance(entry, dict) else ConfigValue(str(entry), "")
                for key, entry in entries.items()}
    except (ValueError, KeyError, AttributeError) as error:
        warnings.append(f"manifest: the configuration cannot be read: {error}")
        return {}


def _read_checkpoint(folder: Path) -> Checkpoint:
    found = Checkpoint(folder, int(folder.name[5:].split(".")[0]))
    try:
        record = json.loads((folder / "COMMIT.json").read_text())
        found.bytes = int(record["bytes"])
        found.created_utc = str(record.get("created_utc", ""))
        found.world_size = int(record.get("world_size", 0))
        size = (folder / "state.h5").stat().st_size
        if size != found.bytes:
            found.problem = f"state.h5 has {size} bytes, its record says {found.bytes}"
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        found.problem = "not committed" if missing == "COMMIT.json" else f"{missing} is missing"
    except (OSError, ValueError, KeyError, TypeError) as error:
        found.problem = f"COMMIT.json cannot be read: {error}"
    return found


def read_checkpoints(run: Path) -> list[Checkpoint]:
    """Newest first."""
    folders = [path for path in (run / "checkpoint").glob("step-*")
               if path.is_dir() and re.fullmatch(r"step-\d+(\.old)?", path.name)]
    return sorted((_read_checkpoint(path) for path in folders), key=lambda c: -c.step)


def is_locked(run: Path) -> bool:
    """Whether a job owns the run directory now."""
    path = run / ".lock"
    try:
        note = path.read_text(errors="replace")
        if not note.strip():
            return False
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    except OSError:
        return False
    if note.split(":")[0] in (socket.gethostname(), os.uname().nodename):
        return False
    ages = [time.time() - file.stat().st_mtime for file in (run / "metrics").glob("seg-*.h5")]
    return min(ages, default=FRESH_SECONDS) < FRESH_SECONDS


def _state(locked: bool, events: list[Event], newest_read: bool) -> str:
    if locked:
        return "running"
    if not newest_read:
        return "unknown"
    return {"end": "finished", "stop": "stopped"}.get(events[-1].kind if events else "", "killed")


def read_run(path: str | os.PathLike) -> Run:
    """Raises NotARun; whatever else cannot be read is left out and named in warnings."""
    run = Path(path)
    if not run.is_dir():
        raise NotARun(f"{run} does not exist" if not run.exists() else f"{run} is not a folder")
    manifest = _read_manifest(run)
    warnings: list[str] = []
    # Asked before reading: what a job that lets go of the run has written is then all there.
    locked = is_locked(run)
    series, events, newest_read = _read_metrics(run, warnings)
    return Run(run, manifest, _config(manifest, warnings), series, events, read_checkpoints(run),
               _state(locked, events, newest_read), warnings)


def find_runs(path: str | os.PathLike) -> list[Path]:
    """The path itself when it is a run, else the runs below it (two levels), in order of name."""
    root = Path(path)
    if (root / "manifest.h5").exists() or not root.is_dir():
        return [root]
    found = sorted(item.parent for pattern in ("*/manifest.h5", "*/*/manifest.h5")
                   for item in root.glob(pattern))
    return found or [root]


def log_tail(run: Run, lines: int = 40) -> list[str]:
    """The end of rank 0's log."""
    path = run.path / "logs" / "rank-00000.log"
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []
