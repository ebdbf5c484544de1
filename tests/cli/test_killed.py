"""Commands stopped while they write: output is whole or absent, and nothing else."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import consilience as cs

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
PIECE = 8  # images

# A shell that starts this in the background has children ignore Ctrl-C: put back.
DRIVER = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
if "classify" in sys.argv:
    from consilience.classifiers import classifying
    classifying.PIECE = {PIECE}
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


@dataclass(frozen=True, slots=True)
class Command:
    """Arguments but for the output, its name, and what of it is always the same."""

    arguments: Sequence[str]
    out: str
    whole: Callable[[Path], Mapping[str, str]]


def begun(command, folder):
    """Whether a command has begun to write."""
    hidden = any(folder.glob(f".*/{command.out}"))
    return hidden or any(folder.glob(f"{command.out}/*/part-*"))


def start(command, folder, *, overwrite=False, driver=DRIVER):
    more = ["--overwrite"] if overwrite else []
    arguments = [*command.arguments, "--out", command.out, *more]
    return subprocess.Popen(
        [sys.executable, "-c", driver, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def run_to_end(command, folder, *, overwrite=False):
    """Run a command to its end in a folder; return its seconds."""
    folder.mkdir(exist_ok=True)
    # What was written before the signal came stands; predictions are taken up.
    replace = overwrite or (folder / command.out).exists()
    replace = replace and "classify" not in command.arguments
    started = time.perf_counter()
    process = start(command, folder, overwrite=replace)
    _, printed = process.communicate(timeout=600)
    assert process.returncode == 0, printed.decode(errors="replace")
    return time.perf_counter() - started


def state(command, folder, reference, *, earlier=False):
    """What stands at the place after a signal."""
    if not (folder / command.out).exists():
        return "broken" if earlier else "absent"
    try:
        here, whole = command.whole(folder), command.whole(reference)
    except (OSError, ValueError):
        return "broken"
    if here == whole:
        return "whole"
    pieces = all(whole.get(name) == each for name, each in here.items())
    resumable = "classify" in command.arguments and pieces
    return "resumable" if resumable else "broken"


def left(command, folder):
    """What lies there beside the output: nothing, it should be."""
    others = {path for path in folder.iterdir() if path.name != command.out}
    return others | set(folder.rglob(".*"))


def contents(folder, out):
    """Every file of an output by name, as a hash."""
    place = folder / out
    files = [place] if place.is_file() else filter(Path.is_file, place.rglob("*"))
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def of_run(folder, out):
    """The files of a run, which holds its seconds, and whether all are there."""
    record = tomllib.loads((folder / out / "run.toml").read_text())
    size = (folder / out / "fit.nc").stat().st_size
    names = dict.fromkeys(contents(folder, out), "")
    return names | {"fit.nc": "whole" if size == record["fit_bytes"] else "cut off"}


@pytest.fixture
def finish(run, monkeypatch):
    """Run a command to its end in a folder, without a process of its own."""

    def call(command, folder):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        assert run(*command.arguments, "--out", command.out) == 0

    return call


def stopped(finish, tmp_path, signals, *before):
    """What stands, and what else is left, after each signal to a `read` that writes."""
    table = tmp_path / "answers.csv"
    table.write_text("item,annotator,label\n" + "i,a,cat\ni,b,dog\nj,a,cat\n" * 9)

    arguments = ["read", str(table), "--repeats", "first"]
    command = Command(arguments, "out", lambda folder: contents(folder, "out"))
    driver = "\n".join((*before, DRIVER))
    finish(command, tmp_path / "whole")
    folders = {name: tmp_path / name for name in signals}
    running = {}
    for name, folder in folders.items():
        folder.mkdir()
        running[name] = start(command, folder, driver=driver)
    waiting = set(running)
    while waiting:
        for name in sorted(waiting):
            if begun(command, folders[name]):
                running[name].send_signal(getattr(signal, name))
                waiting.remove(name)
        assert all(running[name].poll() is None for name in waiting)
        time.sleep(0.001)
    results = {}
    for process in running.values():
        process.communicate(timeout=60)
    for name, folder in folders.items():
        stands = state(command, folder, tmp_path / "whole", earlier=False)
        results[name] = stands, len(left(command, folder))
    return results, command, folders


def test_what_read_writes_is_whole_or_absent_and_nothing_else_is_left(finish, tmp_path):
    result, command, folders = stopped(finish, tmp_path, SIGNALS, SLOW)
    assert result.pop("SIGKILL") == ("absent", 1)  # which the next run removes
    assert result == {"SIGTERM": ("absent", 0), "SIGINT": ("absent", 0)}
    finish(command, folders["SIGKILL"])
    assert left(command, folders["SIGKILL"]) == set()
    whole = contents(tmp_path / "whole", "out")
    assert contents(folders["SIGKILL"], "out") == whole


def test_written_straight_into_place_it_would_be_broken(finish, tmp_path, monkeypatch):
    module = sys.modules[__name__]
    monkeypatch.setattr(module, "begun", lambda one, at: (at / one.out).exists())
    result, _, _ = stopped(finish, tmp_path, ["SIGTERM"], SLOW, BARE)
    assert result == {"SIGTERM": ("broken", 0)}


def prepared(name, data):
    """Make what a command reads."""
    table = data / "answers.csv"
    size = {"items": 4000, "annotators": 50, "classes": 5, "per_item": 5}
    answers = cs.simulate(**size).responses.table[["item", "annotator", "label"]]
    answers.to_csv(table, index=False)
    how = ("--model", "bayesian_dawid_skene", "--engine", "vb")
    fit = Command(["fit", str(table), *how], "run", lambda at: of_run(at, "run"))
    if name == "fit":
        return fit
    if name == "read":
        arguments, out = ["read", str(table)], "responses"
    elif name == "report":
        run_to_end(fit, data)
        arguments = ["report", str(data / "run"), "--responses", str(table)]
        out = "r.html"
    else:
        image = pytest.importorskip("PIL.Image")
        generator = np.random.default_rng(0)
        images, model = data / "images", ROOT / "models" / "efficientnet_lite0"
        images.mkdir()
        for i in range(48):
            noise = generator.integers(0, 256, (240, 320, 3), np.uint8)
            image.fromarray(noise).save(images / f"{i:03d}.png")
        arguments = ["images", "classify", str(images), "--model-dir", str(model)]
        arguments, out = [*arguments, "--device", "cpu"], "predictions"
    return Command(arguments, out, lambda at: contents(at, out))


@pytest.mark.study
@pytest.mark.parametrize("name", ["read", "report", "classify", "fit"])
def test_a_command_stopped_at_any_moment_leaves_nothing_broken(name, tmp_path):
    dice = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    command, reference = prepared(name, tmp_path / "data"), tmp_path / "whole"
    seconds = run_to_end(command, reference)
    for i in range(12):
        which, folder = SIGNALS[i % len(SIGNALS)], tmp_path / str(i)
        earlier = i // len(SIGNALS) % 2 == 1
        if earlier:
            shutil.copytree(reference, folder)
        folder.mkdir(exist_ok=True)
        process = start(command, folder, overwrite=earlier)
        moment = dice.uniform(0, 1.1 * seconds)
        if i % 2 == 0:  # while it writes
            while process.poll() is None and not begun(command, folder):
                time.sleep(0.0005)
            moment = dice.uniform(0, 2 if name == "classify" else 0.03)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(getattr(signal, which))
        process.communicate(timeout=600)
        ended = process.returncode == 0
        assert ended or state(command, folder, reference, earlier=earlier) != "broken"
        if which == "SIGKILL":  # the next run removes what it has left
            run_to_end(command, folder, overwrite=earlier)
            assert command.whole(folder) == command.whole(reference)
        assert not left(command, folder)
