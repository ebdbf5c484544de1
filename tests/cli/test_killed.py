"""Commands stopped while they write: output is whole or absent, and nothing else."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")

# A shell that starts this in the background has children ignore Ctrl-C: put back.
DRIVER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
from consilience.cli import main
main(sys.argv[1:])
"""

# After its first file a command waits, for longer than any signal takes to come.
SLOW = """
import time
from pyarrow import parquet
write = parquet.write_table
def slowly(*arguments, **more):
    write(*arguments, **more)
    time.sleep(600)
parquet.write_table = slowly
"""
# Writes straight into place.
BARE = """
from contextlib import contextmanager
from consilience.responses import canonical_folder
@contextmanager
def bare(place, **_):
    place.mkdir()
    yield place
canonical_folder.whole_folder = bare
"""


def begun(folder):
    """Whether the command has begun to write."""
    return any(folder.glob(".*/out"))


def start(arguments, folder, driver):
    return subprocess.Popen(
        [sys.executable, "-c", driver, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def contents(folder):
    """Every file of the output by name, as a hash."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in filter(Path.is_file, (folder / "out").rglob("*"))
    }


def state(folder, whole):
    """What stands at the place after a signal."""
    if not (folder / "out").exists():
        return "absent"
    return "whole" if contents(folder) == whole else "broken"


def left(folder):
    """What lies there beside the output: nothing, it should be."""
    others = {path for path in folder.iterdir() if path.name != "out"}
    return others | set(folder.rglob(".*"))


@pytest.fixture
def finish(run, monkeypatch):
    """Run a command to its end in a folder, without a process of its own."""

    def call(arguments, folder):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        assert run(*arguments) == 0

    return call


def stopped(finish, tmp_path, signals, *before):
    """What stands, and what else is left, after each signal to a `read` that writes."""
    table = tmp_path / "answers.csv"
    table.write_text("item,annotator,label\n" + "i,a,cat\ni,b,dog\nj,a,cat\n" * 9)
    arguments = ["read", str(table), "--repeats", "first", "--out", "out"]
    driver = "\n".join((*before, DRIVER))
    finish(arguments, tmp_path / "whole")
    folders = {name: tmp_path / name for name in signals}
    running = {}
    for name, folder in folders.items():
        folder.mkdir()
        running[name] = start(arguments, folder, driver)
    waiting = set(running)
    while waiting:
        for name in sorted(waiting):
            if begun(folders[name]):
                running[name].send_signal(getattr(signal, name))
                waiting.remove(name)
        assert all(running[name].poll() is None for name in waiting)
        time.sleep(0.001)
    for process in running.values():
        process.communicate(timeout=60)
    whole = contents(tmp_path / "whole")
    results = {
        name: (state(folder, whole), len(left(folder)))
        for name, folder in folders.items()
    }
    return results, arguments, folders


def test_what_read_writes_is_whole_or_absent_and_nothing_else_is_left(finish, tmp_path):
    result, arguments, folders = stopped(finish, tmp_path, SIGNALS, SLOW)
    assert result.pop("SIGKILL") == ("absent", 1)  # which the next run removes
    assert result == {"SIGTERM": ("absent", 0), "SIGINT": ("absent", 0)}
    finish(arguments, folders["SIGKILL"])
    assert left(folders["SIGKILL"]) == set()
    assert contents(folders["SIGKILL"]) == contents(tmp_path / "whole")


def test_written_straight_into_place_it_would_be_broken(finish, tmp_path, monkeypatch):
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "begun", lambda folder: (folder / "out").exists())
    result, _, _ = stopped(finish, tmp_path, ["SIGTERM"], SLOW, BARE)
    assert result == {"SIGTERM": ("broken", 0)}
