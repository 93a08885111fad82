"""The rows of jobs/*.tsv, for the scripts here that run them one after the other instead of submitting them."""

import csv


def rows(path):
    """[{column: cell}] of a table that jobs/submit takes."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t"))


def arguments(row):
    """The command line of a row, without its run directory."""
    return [word for name, value in row.items() if value and name not in ("run", "app")
            for word in (f"--{name}", value)]


def chosen(parser, path, names):
    """The rows of those names, all for none. Ends the program when there is no such row."""
    found = rows(path)
    unknown = set(names) - {row["run"] for row in found}
    if unknown:
        parser.error(f"{path.name} has no row called {', '.join(sorted(unknown))}")
    return [row for row in found if not names or row["run"] in names]
