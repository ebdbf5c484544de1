import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from consilience.cli import APP
from consilience.cli.options import commands_in

HEAVY = (
    *("jax", "numpyro", "arviz_base", "arviz_stats", "pandas", "pyarrow", "sklearn"),
    *("onnx", "onnxruntime", "PIL"),
)


def start(code, **more):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


HELP = """
import sys
from consilience.cli import main
for command in COMMANDS:
    try:
        main([*command.split(), "--help"])
    except SystemExit as left:
        assert not left.code, command
    print(command, "heavy", sorted(set(HEAVY) & set(sys.modules)))
"""


@pytest.mark.parametrize("heavy", [(), ("cyclopts",)])
def test_help_imports_nothing_heavy(heavy):
    """The command line's own library is imported: the twin finds it."""
    commands = ("", "contains", "images", *dict(commands_in(APP)))
    done = start(f"COMMANDS, HEAVY = {commands!r}, {HEAVY + heavy!r}\n{HELP}")
    assert done.stdout.count("Usage: consilience") == len(commands)
    for command in commands:
        assert f"{command} heavy {list(heavy)}" in done.stdout.splitlines()


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit",),
        ("describe", "nowhere.csv"),
        ("fit", "nowhere.csv", "--out", "run"),
        ("fit", "x", "--out", "run", "--engine", "magic"),
        ("fit", "x", "--out", "run", "--prior", "own=many"),
        ("score", "nowhere", "--gold", "nowhere.csv"),
        ("export", "nowhere", "--out", "tables"),
        ("simulate", "--out", "study", "--kind", "objects", "--model", "tsipras2020"),
        ("models", "--loud"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence_and_exit_code_2(
    arguments, run, capsys, tmp_path
):
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("consilience: ")
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_defect_shows_its_traceback_and_exit_code_1():
    done = start(
        "import consilience.cli as cli\n"
        "def broken():\n"
        "    raise RuntimeError('our own fault')\n"
        "cli.APP.command(broken)\n"
        "cli.main(['broken'])\n"
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "our own fault" in done.stderr


def printed(to, *words):
    """Exit code and complaints of a command whose output goes to a file."""
    command = [sys.executable, "-m", "consilience", *(words or ("models", "--json"))]
    with os.fdopen(to, "w") as file:
        done = subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, text=True, check=False
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize("words", [("models", "--json"), ("--help",)])
def test_a_reader_who_has_had_enough_is_no_defect(words):
    reading, writing = os.pipe()
    os.close(reading)
    code, complaints = printed(writing, *words)
    assert code == 0
    assert "Traceback" not in complaints


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_results_that_cannot_be_printed_are_a_sentence():
    code, complaints = printed(os.open("/dev/full", os.O_WRONLY))
    assert code == 2
    assert complaints.startswith("consilience: ")
    assert complaints.count("\n") == 1


STOPPED = """
import sys, time
from pathlib import Path
import consilience.cli as cli
from consilience.whole_folder import whole_folder
def slow():
    with whole_folder(Path("out")) as partial:
        (partial / "one").touch()
        print("now", flush=True)
        while True:  # a signal between two of them ends no long sleep
            time.sleep(0.1)
cli.APP.command(slow)
cli.main(["slow"])
"""


# Signals that the tests ignore or handle, their children would ignore as well.
PUT_BACK = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
for each in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, signal.SIG_DFL)
"""


def stopped(code, name, folder):
    """Exit code, output and complaints of work that a signal stops."""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{PUT_BACK}\n{code}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "now\n"
    process.send_signal(getattr(signal, name))
    said, complaints = process.communicate(timeout=60)
    return process.returncode, said, complaints


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)]
)
def test_every_signal_to_end_clears_up_and_has_its_exit_code(tmp_path, name, code):
    said = "consilience: interrupted; no partial output was left\n"
    assert stopped(STOPPED, name, tmp_path) == (code, "", said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_without_it_a_signal_leaves_what_was_half_written(tmp_path):
    alone = STOPPED.replace("cli.main(", "cli.APP(")
    assert stopped(alone, "SIGTERM", tmp_path)[0] == -signal.SIGTERM
    assert len(list(tmp_path.iterdir())) == 1


def test_importing_handles_no_signal():
    done = start(
        "import signal\n"
        "def state():\n"
        "    return [signal.getsignal(each) for each in signal.valid_signals()]\n"
        "before = state()\n"
        "import consilience, consilience.cli\n"
        "print(state() == before)\n"
    )
    assert done.stdout == "True\n"


DROPPED = """
import sys, time
from contextlib import nullcontext
from consilience.cli.terminal import handle_interrupts
class Late:
    def __del__(self):
        print("now", flush=True)
        time.sleep(20)
try:
    with handle_interrupts():
        try:
            Late()
            time.sleep(1)
        finally:
            time.sleep(1.2)
            print("cleared", flush=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a signal")
def test_an_interrupt_that_python_drops_is_handled_and_lets_clear_up(tmp_path):
    assert stopped(DROPPED, "SIGINT", tmp_path) == (130, "cleared\n", "")
    without = DROPPED.replace("handle_interrupts()", "nullcontext()")
    code, said, complaints = stopped(without, "SIGINT", tmp_path)
    assert (code, said) == (0, "cleared\n")
    assert "KeyboardInterrupt" in complaints


def test_options_come_from_the_command_line_then_the_file(run, capsys, tmp_path):
    (tmp_path / "consilience.toml").write_text(
        '[simulate]\nitems = 3\nannotators = 6\nseed = 3\nprior = ["own=9"]\n'
    )
    assert run("simulate", "--out", "study", "--seed", "5", "--json") == 0
    said = capsys.readouterr().out
    assert '"items": 3' in said
    assert '"seed": 5' in said
    assert '"annotators": 6' in said


@pytest.mark.parametrize(
    ("text", "said"), [("[models]\nloud = true\n", "loud"), ("[models\n", "")]
)
def test_a_mistake_in_the_file_of_options_is_a_sentence(
    run, capsys, tmp_path, text, said
):
    (tmp_path / "consilience.toml").write_text(text)
    assert run("models") == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("consilience: ")
    assert said in complaint
