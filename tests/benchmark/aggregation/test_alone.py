import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from benchmarks.aggregation import processes
from benchmarks.aggregation.processes import Limits, run

PYTHON = sys.executable


def test_a_program_that_ends_by_itself_gives_its_exit_code(tmp_path):
    program = [
        PYTHON,
        "-c",
        "import os; print(os.environ['WORD']); raise SystemExit(4)",
    ]
    ending = run(program, Limits(60.0), tmp_path / "said", {"WORD": "hello"})
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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_program_that_holds_too_much_memory_is_ended(tmp_path):
    hold = "import time; held = b'1' * (400 * 2**20); time.sleep(600)"
    limits = Limits(120.0, gib=0.2)
    assert run([PYTHON, "-c", hold], limits, tmp_path / "said", {}).how == "memory"


def test_one_that_holds_less_is_left_alone(tmp_path):
    hold = "import time; held = b'1' * (4 * 2**20); time.sleep(0.5)"
    limits = Limits(120.0, gib=0.2)
    assert run([PYTHON, "-c", hold], limits, tmp_path / "said", {}).how == "done"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_the_peak_of_a_child_does_not_begin_at_its_parents():
    program = (
        "held = b'1' * (300 * 2**20)\n"
        "import subprocess, sys\n"
        "tell = 'from benchmarks import harness; print(harness.peak_mib())'\n"
        "print(subprocess.check_output([sys.executable, '-c', tell], text=True))\n"
    )
    output = subprocess.check_output([PYTHON, "-c", program], text=True)
    assert 5 < float(output) < 300


def test_an_interrupted_wait_leaves_no_process(tmp_path, monkeypatch):
    started = []

    def interrupted(process, _limits):
        started.append(process)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "_watch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(
            [PYTHON, "-c", "import time; time.sleep(600)"],
            Limits(60.0),
            tmp_path / "s",
            {},
        )
    assert started[0].returncode == -signal.SIGKILL
