"""The Pythons that peers run in: build/NAME sees all of .venv and holds requirements-NAME.txt beside it."""

import hashlib
import pathlib
import subprocess
import sys
import sysconfig

from launch import SOURCE


def python(name: str = "peers") -> str:
    """Path of that Python; made and filled first where it is not there or was filled from another list."""
    folder = SOURCE / "build" / name
    requirements = pathlib.Path(__file__).with_name(f"requirements-{name}.txt")
    made, stamp = folder / "bin" / "python", folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return str(made)
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "venv.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    # No dependencies: pip must not look for other versions of what .venv holds.
    subprocess.run([made, "-m", "pip", "install", "--no-deps", "-r", requirements], check=True)
    stamp.write_text(wanted)
    return str(made)


def version(package: str, name: str = "peers") -> str:
    run = subprocess.run([python(name), "-c", f"import importlib.metadata as m; print(m.version({package!r}))"],
                         check=True, capture_output=True, text=True)
    return f"{package} {run.stdout.strip()}"
