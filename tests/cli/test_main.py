import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = (
    *("jax", "numpyro", "arviz_base", "arviz_stats", "pandas", "pyarrow", "sklearn"),
    *("onnx", "onnxruntime", "PIL"),
)
COMMANDS = (
    "annotators",
    "ratings",
    "contains decide",
    "demo",
    "read",
    "describe",
    "judges",
    "rank",
    "rate",
    "agreement",
    "fit",
    "predict",
    "models",
    "export",
    "score",
    "evaluate",
    "contains filtering",
    "contains leading-question",
    "report",
    "study",
    "benchmark",
    "images classify",
    "images candidates",
    "images tasks",
    "simulate",
    "images wrap",
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
    commands = ("", "contains", "images", *COMMANDS)
    done = start(f"COMMANDS, HEAVY = {commands!r}, {HEAVY + heavy!r}\n{HELP}")
    assert done.stdout.count("Usage: consilience") == len(commands)
    for command in commands:
        assert f"{command} heavy {list(heavy)}" in done.stdout.splitlines()


@pytest.mark.parametrize("group", ["", "contains", "images"])
def test_help_names_every_command_and_no_other(group, run, capsys):
    assert run(*group.split(), "--help") == 0
    shown = capsys.readouterr().out.splitlines()
    names = {line.split()[1] for line in shown if re.match(r"│ [a-z]", line)}
    commands = [command.split() for command in COMMANDS]
    at = len(group.split())
    assert names == {words[at] for words in commands if words[:at] == group.split()}
    assert len(names) <= 21


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


def test_options_come_from_the_command_line_then_environment_then_file(
    run, capsys, monkeypatch, tmp_path
):
    (tmp_path / "consilience.toml").write_text(
        '[simulate]\nitems = 3\nannotators = 6\nseed = 3\nprior = ["own=9"]\n'
    )
    monkeypatch.setenv("CONSILIENCE_SIMULATE_ANNOTATORS", "7")
    monkeypatch.setenv("CONSILIENCE_SIMULATE_SEED", "4")
    assert run("simulate", "--out", "study", "--seed", "5", "--json") == 0
    said = capsys.readouterr().out
    assert '"items": 3' in said
    assert '"seed": 5' in said
    assert '"annotators": 7' in said


def test_variables_of_other_programs_break_nothing(run, capsys, monkeypatch):
    monkeypatch.setenv("CONSILIENCE_DATA", "/somewhere")
    monkeypatch.setenv("CONSILIENCE_MODELS", "/elsewhere")
    monkeypatch.setenv("CONSILIENCE_MODELS_COLOUR", "red")
    assert run("models") == 0
    assert "majority" in capsys.readouterr().out


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


def test_a_misspelt_variable_of_the_environment_is_named(run, monkeypatch, capsys):
    monkeypatch.setenv("CONSILIENCE_MODELS_JSNO", "true")
    assert run("models") == 2
    said = capsys.readouterr().err
    assert "CONSILIENCE_MODELS_JSNO sets no option of models; did you mean" in said
    assert "CONSILIENCE_MODELS_JSON?" in said
    monkeypatch.delenv("CONSILIENCE_MODELS_JSNO")
    monkeypatch.setenv("CONSILIENCE_FIT_MODLE", "of another command")
    assert run("models") == 0
