"""A rank that fails or hangs ends the job with its code, and one line says why."""

import time
import xml.etree.ElementTree as ElementTree

import launch
import pytest


@pytest.mark.parametrize("code", [1, 4, 5])
def test_one_rank_ends_the_job_with_its_code(code):
    result = launch.run("comm_driver", ["abort", code], ranks=3, timeout=30)
    assert result.code == code
    assert len(result.fatal) == 1 and result.fatal[0] in result.err
    assert result.fatal[0].startswith(f"tenfold: error[{code}] rank 2 (")
    assert "the\\x1b[31m disk" in result.fatal[0]


def test_watchdog_ends_a_hung_job():
    begin = time.monotonic()
    result = launch.run("comm_driver", ["hang"], ranks=2, timeout=30)
    assert time.monotonic() - begin < 20
    assert result.code == 124
    assert len(result.fatal) == 1
    assert "error[124] rank 1 (" in result.fatal[0]
    assert "'gathering gradients'" in result.fatal[0] and "--watchdog" in result.fatal[0]
    assert "comm_driver(" in result.err.split(result.fatal[0])[1], "no stack follows"


def test_watchdog_leaves_a_moving_job_alone():
    result = launch.run("comm_driver", ["beat"], ranks=2, timeout=30)
    assert (result.code, result.out, result.fatal) == (0, "", [])


def faults(text, ranks=2):
    return launch.run("comm_driver", ["faults"], ranks=ranks, env={"TENFOLD_FAULT": text}, timeout=30)


def test_faults_happen_once_at_their_passage_and_rank():
    result = faults("enospc:rank=1:at=loop.step:n=2")
    assert result.code == 0
    assert result.out == "step 2: 4 loop.step: No space left on device\n"
    assert faults("eio:rank=0:at=loop.step").out == "step 1: 4 loop.step: Input/output error\n"
    assert faults("nan:rank=0:at=loop.after_update:n=3").out == "step 3: nan\n"
    assert faults("enospc:rank=7:at=loop.step").out == ""
    assert faults("enospc:rank=0:at=loop.step:n=4").out == ""


def test_kill_fault_ends_the_job():
    result = faults("kill:rank=1:at=loop.step:n=2")
    assert result.code == 137 and result.out == ""


def test_malformed_fault_is_a_usage_error():
    result = faults("kill:at=loop.stop", ranks=1)
    assert result.code == 2
    assert "no point is called 'loop.stop'" in result.fatal[0]


def probe(filter, ranks, *more):
    args = [f"--gtest_filter={filter}", "--gtest_color=no", *more]
    return launch.run("comm_main_probe", args, ranks=ranks, timeout=30)


def test_passing_test_reports_once():
    result = probe("Probe.Passes", 3)
    assert result.code == 0
    assert result.out.count("[       OK ] Probe.Passes") == 1


def test_failure_on_one_rank_fails_the_test_and_rank_0_says_whose(tmp_path):
    path = tmp_path / "report.xml"
    result = probe("Probe.FailsOnRank1", 3, f"--gtest_output=xml:{path}")
    assert result.code == 1
    assert "[  FAILED  ] Probe.FailsOnRank1" in result.out
    assert "rank 1: only rank 1 sees this" in result.out
    report = ElementTree.parse(path).getroot()
    assert (report.get("tests"), report.get("failures")) == ("1", "1")
    assert len(list(tmp_path.iterdir())) == 1


def test_failure_on_all_ranks():
    result = probe("Probe.FailsEverywhere", 2)
    assert result.code == 1
    assert "rank 1: all ranks see this" in result.out


def test_failure_in_a_suites_set_up_on_one_rank():
    result = probe("ProbeSuite.*", 2)
    assert result.code == 1
    assert "rank 1: in the set-up" in result.out


def test_hung_test_is_named():
    result = probe("Probe.HangsOnRank0", 2)
    assert result.code == 124
    assert "rank 1: Probe.HangsOnRank0 did not end within 60 s" in result.err
