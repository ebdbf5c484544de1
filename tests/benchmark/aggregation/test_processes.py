import sys
import time

import pytest
from benchmarks.aggregation.processes import Limits, in_a_process, run

PYTHON, LIMITS = sys.executable, Limits(60.0)


def test_a_program_that_ends_by_itself_gives_its_exit_code(tmp_path):
    program = "import os; print(os.environ['WORD']); raise SystemExit(4)"
    said, word = tmp_path / "said", {"WORD": "hello"}
    ending = run([PYTHON, "-c", program], LIMITS, said, word)
    assert (ending.how, ending.code) == ("done", 4)
    assert (tmp_path / "said").read_text().strip() == "hello"


def test_a_program_and_what_it_started_are_ended_at_the_limit_of_time(tmp_path):
    # It starts another one, which would write a file a second later.
    later = f"import time; time.sleep(1.5); open({str(tmp_path / 'late')!r}, 'w')"
    program = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {later!r}])\n"
        "time.sleep(600)"
    )
    started = time.monotonic()
    ending = run([PYTHON, "-c", program], Limits(0.7), tmp_path / "said", {})
    assert ending.how == "timeout"
    assert time.monotonic() - started < 30
    time.sleep(1.5)
    assert not (tmp_path / "late").exists()


def test_a_method_in_its_own_process_gives_labels_and_figures(first, fake):
    outcome, table = in_a_process(LIMITS)(first, fake("without_gold"), 0)
    assert set(table["variant"]) == {"", "even"}
    assert outcome["seconds"] > 0
    assert outcome["peak_mib"] > 20
    assert outcome["version"] == "unknown"


@pytest.mark.parametrize(
    ("setting", "status", "reason"),
    [
        ("crash", "error", "exit code 3: last words"),
        ("killed", "memory", "ended by the system (signal 9)"),
    ],
)
def test_a_failure_is_a_result_with_its_reason(setting, status, reason, first, fake):
    outcome, table = in_a_process(LIMITS)(first, fake(setting), 0)
    assert table is None
    assert outcome["status"] == status
    assert reason in outcome["reason"]


def test_one_that_takes_too_long_or_too_much_is_given_up(first, fake):
    slow, _ = in_a_process(Limits(2.0))(first, fake("sleep"), 0)
    assert (slow["status"], slow["reason"]) == ("timeout", "not done after 2 s")
    greedy, _ = in_a_process(Limits(100.0, gib=0.7))(first, fake("greedy"), 0)
    assert (greedy["status"], greedy["reason"]) == ("memory", "held more than 0.7 GiB")
