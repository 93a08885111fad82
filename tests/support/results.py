"""docs/results/NAME.md, written by the scripts that measure: each owns the sections of its names and
rewrites no other. A section lies between its two markers; text outside of them stays as it is."""

import datetime
import fcntl
import os
import pathlib
import re
import shlex
import subprocess
import tempfile

from launch import BIN, SOURCE, environment

TITLE = """# Results of `{app}`

Every section is written by the command that it names and says when, from which commit and on what
machine. Misses are recorded as misses. On a machine that others use too, wall times are no speed
claims: ratios are of CPU seconds, measured in turns in one run.
"""


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first are set right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def text_output(command: list[str]) -> str:
    run = subprocess.run(command, capture_output=True, text=True, cwd=SOURCE, env=environment())
    return run.stdout.strip() if run.returncode == 0 else ""


def machine() -> str:
    """"AMD EPYC, 2 cores, 23 GiB, Linux 6.1"."""
    found = re.search(r"^model name\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = os.uname()
    return (f"{found[1] if found else system.machine}, {os.cpu_count()} cores, {gib:.0f} GiB, "
            f"{system.sysname} {system.release.split('-')[0]}")


def built_from(app: str) -> tuple[str, str]:
    """Commit and versions that the binary was built from, as it says itself."""
    first, *rest = text_output([str(BIN / app), "--version"]).splitlines() or [""]
    commit = re.search(r"\(([^()]+)\)$", first)
    return commit[1] if commit else "unknown", "; ".join(" ".join(line.split()) for line in rest)


def provenance(command: list[str], more: str = "", app: str = "ddpg") -> str:
    """A list for the head of a section: command, commit, date, machine, versions."""
    commit, versions = built_from(app)
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = [f"Command: `{shlex.join(command)}`",
             f"Commit {commit}, {now:%Y-%m-%d %H:%M} UTC",
             f"Machine: {machine()}; load {os.getloadavg()[1]:.1f} over the last 5 minutes",
             f"Versions: {versions}{'; ' + more if more else ''}"]
    return "\n".join(f"- {line}" for line in lines)


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- begin {name} -->", f"<!-- end {name} -->"


def with_section(document: str, name: str, text: str) -> str:
    """document with section name holding text: in its place, or at the end when it is new.

    Raises ValueError when only one of its markers is there."""
    begin, end = _markers(name)
    block = f"{begin}\n{text.strip()}\n{end}"
    if (begin in document) != (end in document):
        raise ValueError(f"section '{name}' has one marker without the other")
    if begin not in document:
        return f"{document.rstrip()}\n\n{block}\n"
    before, rest = document.split(begin, 1)
    return before + block + rest.split(end, 1)[1]


def picture(figure, name: str) -> str:
    """Saves a figure of matplotlib in docs/pictures; how a section shows it."""
    from tenfold_analysis import style  # not every bench has matplotlib on its path
    style.save(figure, SOURCE / "docs" / "pictures" / name)
    return f"![{name}](../pictures/{name})"


def record(app: str, name: str, text: str) -> pathlib.Path:
    """Writes section name of docs/results/APP.md; safe beside another script that does the same."""
    path = SOURCE / "docs" / "results" / f"{app}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        document = path.read_text() if path.exists() else TITLE.format(app=app)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
            file.write(with_section(document, name, text))
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    finally:
        os.close(folder)
    return path
