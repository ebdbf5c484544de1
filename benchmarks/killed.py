"""Commands that are stopped while they work: is what they write whole or absent?

Each command is started and sent a signal, half of the times at any moment, half of them
while it writes. Then its folder is looked at: the output, and what else lies there.
"""

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import ROOT, Report, alone

SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT")
RUNS = {"read": 15, "report": 12, "classify": 12, "fit": 12}
QUICK = {"read": 3, "classify": 3}
IMAGES, PIECE = 48, 8
SIZE = {"items": 4000, "annotators": 50, "classes": 5, "per_item": 5}
MODEL = ROOT / "models" / "efficientnet_lite0"

# A shell that starts this in the background has children ignore Ctrl-C: put back.
DRIVER = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_DFL)
if sys.argv[1] == "classify":
    from consilience.classifiers import classifying
    classifying.PIECE = {PIECE}
from consilience.cli import main
main(sys.argv[1:])
"""

NOTES = (
    (
        "Complete processes of the command line, each receiving one signal: half of "
        "the times at a random moment of the usual run time, half of the times "
        "within 30 ms after writing has begun (classify: two seconds). Every second "
        "time there is earlier output, to be replaced by --overwrite."
    ),
    (
        "`old`, `new`, `absent`: the output afterwards, compared with the complete "
        "output byte by byte (a run: its files, and the bytes of fit.nc that "
        "run.toml counts). `resumable`: complete pieces of predictions. `broken`: "
        "anything else. `ended`: finished before the signal arrived."
    ),
    (
        "`left behind`: cases in which anything else was in the folder, hidden or "
        "not, after the signal; for KILL also after the same command had run again "
        "to its end. That output was compared with an uninterrupted run: `not the "
        "same`."
    ),
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that writes one output.

    Attributes
    ----------
    arguments
        All but the output.
    out
        Name of the output.
    whole
        What the whole output is made of, as far as it is the same in every run.
    """

    arguments: Sequence[str]
    out: str
    whole: Callable[[Path], Mapping[str, str]]


def killed(*, quick: bool, repeats: int) -> Report:
    """Stop every command at random."""
    del repeats
    dice = random.Random(0)  # noqa: S311 (moments, no secrets)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, number in (QUICK if quick else RUNS).items():
            command = prepare(name, Path(folder, "data"), quick=quick)
            reference = Path(folder, f"{name}-whole")
            seconds = finish(command, reference)
            rows += of_command(name, command, reference, number, seconds, dice)
    return Report("Interrupted commands", rows, NOTES)


def of_command(
    name: str,
    command: Command,
    reference: Path,
    number: int,
    seconds: float,
    dice: random.Random,
) -> list[dict[str, object]]:
    """Stop one command a number of times, and count what is found by signal."""
    found: dict[str, list[str]] = {each: [] for each in SIGNALS}
    for i in range(number):
        which = SIGNALS[i % len(SIGNALS)]
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            earlier = i // len(SIGNALS) % 2 == 1
            if earlier:
                shutil.copytree(reference, folder, dirs_exist_ok=True)
            moment = dice.uniform(0, 1.1 * seconds) if i % 2 else None
            code = stop(command, folder, which, moment, dice, overwrite=earlier)
            stands = state(command, folder, reference, earlier=earlier)
            found[which].append("ended" if code == 0 else stands)
            if left(command, folder):
                found[which].append("left behind")
            if which != "SIGKILL":
                continue
            finish(command, folder, overwrite=earlier)
            if left(command, folder):
                found[which].append("left behind by the next")
            if command.whole(folder) != command.whole(reference):
                found[which].append("not the same")
    stood = ("ended", "old", "new", "absent", "resumable", "broken")
    wrong = ("left behind", "left behind by the next", "not the same")
    return [
        {"command": name, "signal": which, "runs": sum(r in stood for r in results)}
        | {result: results.count(result) for result in (*stood, *wrong)}
        for which, results in found.items()
    ]


def stop(
    command: Command,
    folder: Path,
    which: str,
    moment: float | None,
    dice: random.Random,
    *,
    overwrite: bool = False,
    driver: str = DRIVER,
) -> int:
    """Start a command and send it a signal; return its exit code.

    Parameters
    ----------
    moment
        Seconds after its start; None: while it writes.
    """
    process = start(command, folder, overwrite=overwrite, driver=driver)
    if moment is None:
        while process.poll() is None and not begun(command, folder):
            time.sleep(0.0005)
        moment = dice.uniform(0, 2 if command.arguments[0] == "classify" else 0.03)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(getattr(signal, which))
    process.communicate(timeout=600)
    return process.returncode


def begun(command: Command, folder: Path) -> bool:
    """Say whether a command has begun to write."""
    hidden = any(folder.glob(f".*/{command.out}"))
    return hidden or any(folder.glob(f"{command.out}/*/part-*"))


def start(
    command: Command, folder: Path, *, overwrite: bool = False, driver: str = DRIVER
) -> "subprocess.Popen[bytes]":
    """Start a command in a folder."""
    more = ["--overwrite"] if overwrite else []
    arguments = [*command.arguments, "--out", command.out, *more]
    return subprocess.Popen(
        [sys.executable, "-c", driver, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(command: Command, folder: Path, *, overwrite: bool = False) -> float:
    """Run a command to its end in a folder; return its seconds."""
    folder.mkdir(exist_ok=True)
    # What was written before the signal came stands; predictions are taken up.
    replace = overwrite or (folder / command.out).exists()
    replace = replace and command.arguments[0] != "classify"
    started = time.perf_counter()
    process = start(command, folder, overwrite=replace)
    _, said = process.communicate(timeout=600)
    if process.returncode:
        raise RuntimeError(said.decode(errors="replace")[-2000:])
    return time.perf_counter() - started


def state(command: Command, folder: Path, reference: Path, *, earlier: bool) -> str:
    """Say what stands at the place after a signal."""
    place = folder / command.out
    if not place.exists():
        return "broken" if earlier else "absent"
    try:
        if command.whole(folder) == command.whole(reference):
            return "old" if earlier else "new"
        return "resumable" if resumable(command, folder, reference) else "broken"
    except (OSError, ValueError):
        return "broken"


def resumable(command: Command, folder: Path, reference: Path) -> bool:
    """Say whether a folder holds predictions of whole pieces."""
    if command.arguments[0] != "classify":
        return False
    whole = command.whole(reference)
    return all(whole.get(name) == each for name, each in command.whole(folder).items())


def left(command: Command, folder: Path) -> set[Path]:
    """Return what lies there beside the output: nothing, it should be."""
    others = {path for path in folder.iterdir() if path.name != command.out}
    return others | set(folder.rglob(".*"))


def contents(folder: Path, out: str) -> Mapping[str, str]:
    """Return every file of an output by name, as a hash."""
    place = folder / out
    files = [place] if place.is_file() else _files(place)
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def of_run(folder: Path, out: str) -> Mapping[str, str]:
    """Return the files of a run, which holds its seconds, and whether all are there."""
    place = folder / out
    record = tomllib.loads((place / "run.toml").read_text())
    found = {file.name: "" for file in _files(place)}
    size = (place / "fit.nc").stat().st_size
    return found | {"fit.nc": "whole" if size == record["fit_bytes"] else "cut off"}


def prepare(name: str, data: Path, *, quick: bool = False) -> Command:
    """Make what a command reads."""
    data.mkdir(exist_ok=True)
    table = data / "answers.csv"
    if not table.exists():
        size = {**SIZE, "items": 50} if quick else SIZE
        alone(("benchmarks.start", "csv", {"path": str(table), **size}))
    how = ("--model", "bayesian_dawid_skene", "--engine", "vb")
    if name == "read":
        arguments = ["read", str(table)]
        return Command(arguments, "responses", lambda at: contents(at, "responses"))
    if name == "fit":
        return Command(["fit", str(table), *how], "run", lambda at: of_run(at, "run"))
    if name == "report":
        fitted = Command(["fit", str(table), *how], "run", lambda at: of_run(at, "run"))
        if not (data / "run").exists():
            finish(fitted, data)
        arguments = ["report", str(data / "run"), "--responses", str(table)]
        return Command(arguments, "r.html", lambda at: contents(at, "r.html"))
    images = data / "images"
    if not images.exists():
        alone(("benchmarks.killed", "draw", {"folder": str(images)}))
    arguments = ["classify", str(images), "--model-dir", str(MODEL), "--device", "cpu"]
    return Command(arguments, "predictions", lambda at: contents(at, "predictions"))


def draw(folder: str) -> dict[str, int]:
    """Draw images of noise."""
    import numpy as np
    from PIL import Image

    Path(folder).mkdir()
    generator = np.random.default_rng(0)
    for i in range(IMAGES):
        noise = generator.integers(0, 256, (240, 320, 3), np.uint8)
        Image.fromarray(noise).save(Path(folder, f"{i:03d}.png"))
    return {"images": IMAGES}
