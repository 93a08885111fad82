"""A two-node Slurm per test file, and a loud line where there can be none."""

import pytest
from cluster import Cluster, CannotStart

SKIPPED = "SLURM TESTS SKIPPED"  # tests/slurm/CMakeLists.txt looks for it


@pytest.fixture(scope="module")
def cluster():
    try:
        running = Cluster()
    except CannotStart as reason:
        pytest.skip(f"{SKIPPED}: {reason}")
    yield running
    running.stop()


def pytest_terminal_summary(terminalreporter):
    reasons = {report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])}
    for reason in sorted(reasons):
        terminalreporter.write_line(reason.removeprefix("Skipped: "))
