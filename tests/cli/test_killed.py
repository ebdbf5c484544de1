"""`read`, stopped while it writes: the output is whole or absent, and nothing else."""

import importlib
import os
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")

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


@pytest.fixture
def killed(monkeypatch):
    """Return the benchmark that stops commands."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.killed")


@pytest.fixture
def finish(run, monkeypatch):
    """Run a command to its end in a folder, without a process of its own."""

    def call(command, folder):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        assert run(*command.arguments, "--out", command.out) == 0

    return call


def stopped(killed, finish, tmp_path, signals, *before):
    """What stands, and what else is left, after each signal to a `read` that writes."""
    table = tmp_path / "answers.csv"
    table.write_text("item,annotator,label\n" + "i,a,cat\ni,b,dog\nj,a,cat\n" * 9)

    def contents(folder):
        return killed.contents(folder, "out")

    command = killed.Command(
        ["read", str(table), "--repeats", "first"], "out", contents
    )
    driver = "\n".join((*before, killed.DRIVER))
    finish(command, tmp_path / "whole")
    folders = {name: tmp_path / name for name in signals}
    running = {}
    for name, folder in folders.items():
        folder.mkdir()
        running[name] = killed.start(command, folder, driver=driver)
    waiting = set(running)
    while waiting:
        for name in sorted(waiting):
            if killed.begun(command, folders[name]):
                running[name].send_signal(getattr(killed.signal, name))
                waiting.remove(name)
        assert all(running[name].poll() is None for name in waiting)
        time.sleep(0.001)
    results = {}
    for process in running.values():
        process.communicate(timeout=60)
    for name, folder in folders.items():
        stands = killed.state(command, folder, tmp_path / "whole", earlier=False)
        results[name] = stands, len(killed.left(command, folder))
    return results, command, folders


def test_what_read_writes_is_whole_or_absent_and_nothing_else_is_left(
    killed, finish, tmp_path
):
    result, command, folders = stopped(killed, finish, tmp_path, killed.SIGNALS, SLOW)
    assert result.pop("SIGKILL") == ("absent", 1)  # which the next run removes
    assert result == {"SIGTERM": ("absent", 0), "SIGINT": ("absent", 0)}
    finish(command, folders["SIGKILL"])
    assert killed.left(command, folders["SIGKILL"]) == set()
    whole = killed.contents(tmp_path / "whole", "out")
    assert killed.contents(folders["SIGKILL"], "out") == whole


def test_written_straight_into_place_it_would_be_broken(
    killed, finish, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        killed, "begun", lambda command, at: (at / command.out).exists()
    )
    result, _, _ = stopped(killed, finish, tmp_path, ["SIGTERM"], SLOW, BARE)
    assert result == {"SIGTERM": ("broken", 0)}
