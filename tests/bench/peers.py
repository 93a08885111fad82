"""The Python that peers run in: build/peers, which sees all of .venv and holds requirements-peers.txt beside it."""

import hashlib
import pathlib
import subprocess
import sys
import sysconfig

from launch import SOURCE

FOLDER = SOURCE / "build" / "peers"
REQUIREMENTS = pathlib.Path(__file__).with_name("requirements-peers.txt")


def python() -> str:
    """Path of that Python; made and filled first where it is not there or was filled from another list."""
    made, stamp = FOLDER / "bin" / "python", FOLDER / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return str(made)
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", FOLDER], check=True)
    packages = next(FOLDER.glob("lib/python*/site-packages"))
    (packages / "venv.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    # No dependencies: pip must not look for other versions of what .venv holds.
    subprocess.run([made, "-m", "pip", "install", "--no-deps", "-r", REQUIREMENTS], check=True)
    stamp.write_text(wanted)
    return str(made)


def version(package: str) -> str:
    run = subprocess.run([python(), "-c", f"import importlib.metadata as m; print(m.version({package!r}))"],
                         check=True, capture_output=True, text=True)
    return f"{package} {run.stdout.strip()}"
