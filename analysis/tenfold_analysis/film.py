"""What `tenfold show --video RUN` left in a run's folder: film.json and the files that it names."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

_LARGEST = 8_000_000  # bytes of a file that a page takes in
_VIDEOS = {".mp4": "video/mp4", ".webm": "video/webm", ".gif": "image/gif"}


@dataclasses.dataclass
class Film:
    task: str
    step: int
    returns: list[float]
    sheet_seconds: list[float]
    sheet: bytes  # PNG
    video_name: str
    video: bytes | None  # None: not there, or too large for a page
    video_kind: str


def _small(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else None


def _plain(name: object, endings) -> str:
    """A file beside film.json and nowhere else."""
    if not isinstance(name, str) or Path(name).name != name or Path(name).suffix not in endings:
        raise ValueError(f"'{name}' is no file that it may name")
    return name


def read_film(run: Path) -> Film | None:
    """None: no film was made. Raises ValueError: what lies there cannot be used."""
    path = run / "film.json"
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        if (facts["schema"], facts["schema_version"]) != ("tenfold-film", 1):
            raise ValueError("another schema or version")
        video = _plain(facts["video"], _VIDEOS)
        sheet = _small(run / _plain(facts["sheet"], (".png",)))
        if sheet is None or not sheet.startswith(b"\x89PNG"):
            raise ValueError("its sheet is missing, too large or no PNG")
        return Film(str(facts["task"]), int(facts["step"]), [float(each) for each in facts["returns"]],
                    [float(each) for each in facts["sheet_seconds"]], sheet, video, _small(run / video),
                    _VIDEOS[Path(video).suffix])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"film.json: {error}") from None
