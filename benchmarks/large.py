"""Shards: from files to tables, on workers of Dask, and when something is killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from benchmarks.harness import (
    NO_CACHE,
    Call,
    Case,
    Figures,
    Report,
    alone,
    has_peer,
    measured,
)

COMMAND = (sys.executable, "-m", "consilience")
FEW = 10_000_000  # answers that memory holds
ABOUT = (
    "Ten labels, five answers an item, a thousand answers an annotator, text ids in a "
    "Parquet file; dawid_skene by em."
)
KILLS, PATIENCE = 30, 240.0


def _program(function: str, **arguments: Any) -> Call:
    return "benchmarks.shards", function, arguments


@contextmanager
def _made(answers: int) -> Iterator[tuple[str, str]]:
    """Give a file of answers, and a folder for what is made of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{answers}.parquet"
        alone(_program("make_large", path=path, answers=answers))
        yield path, folder


def large(*, quick: bool, repeats: int) -> Report:
    """From a file to tables of all items, in shards, in memory, by crowd-kit."""
    del repeats
    rows = []
    for answers in (5_000,) if quick else (10**power for power in range(3, 9)):
        with _made(answers) as (path, folder):
            named = {"path": path, "model": "dawid_skene", "engine": "em"}
            calls = {"shards": _program("in_shards", folder=folder, **named)}
            if answers <= FEW:
                calls = {"in memory": _program("in_memory", **named), **calls}
            if answers <= FEW and has_peer():
                calls["crowd-kit DawidSkene"] = _program("crowd_kit", path=path)
            cases = [
                Case({"responses": answers, "program": name}, call, NO_CACHE)
                for name, call in calls.items()
            ]
            rows += measured(cases, 1)
    notes = (
        (
            f"{ABOUT} To its default tolerance (1e-7 nats an answer), from the file to "
            "tables of all items and labels. Each once, in a process of its own; "
            "crowd-kit to the same tolerance, its frame read by pandas."
        ),
    )
    return Report("Large studies, in shards and in memory", rows, notes)


def many_answers(*, quick: bool, repeats: int) -> Report:
    """Models of many answers, in memory and in shards."""
    del repeats
    rows = []
    fitted = {
        "choice": {"auto": "auto"},
        "contains": {"contains_states": "auto", "contains": "em"},
    }
    for kind, models in fitted.items():
        for answers in (5_000,) if quick else (10**6, FEW):
            with tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/{answers}.parquet"
                make = "make_large" if kind == "choice" else "make_contains"
                alone(_program(make, path=path, answers=answers))
                cases = []
                for model, engine in models.items():
                    if engine == "em" and answers == FEW:  # a quarter of an hour
                        continue
                    named = {"path": path, "model": model, "engine": engine}
                    calls = {"shards": _program("in_shards", folder=folder, **named)}
                    if answers < FEW:
                        calls = {"in memory": _program("in_memory", **named), **calls}
                    cases += [
                        Case(
                            {
                                "kind": kind,
                                "model": model,
                                "responses": answers,
                                "program": name,
                            },
                            call,
                            NO_CACHE,
                        )
                        for name, call in calls.items()
                    ]
                rows += measured(cases, 1)
    notes = (
        (
            "Ten labels, five answers about an item, or about each of two labels of an "
            "item; text ids in a Parquet file; from it to tables of all items and "
            "labels. Each once, in a process of its own. auto of choice has no "
            "correlated rows where annotators are more than a thousand, as they are of "
            "ten million answers; of contains it is contains_states."
        ),
    )
    return Report("Models of many answers", rows, notes)


def workers(*, quick: bool, repeats: int) -> Report:
    """Sweeps in threads, and on workers of Dask on the same machine."""
    answers, sweeps = (5_000, 3) if quick else (10**7, 15)
    numbers = (None, 1) if quick else (None, 1, 2, 4)
    with _made(answers) as (path, folder):
        named = {"path": path, "folder": folder, "sweeps": sweeps}
        alone(_program("on_workers", workers=None, **named))  # writes the shards
        cases = [
            Case(
                {"responses": answers, "where": _where(number)},
                _program("on_workers", workers=number, **named),
                NO_CACHE,
            )
            for number in numbers
        ]
        rows = measured(cases, 1 if quick else repeats)
    threads = rows[0]["a sweep, s"]
    for row in rows[1:]:
        row["to threads"] = row["a sweep, s"] / threads
    notes = (
        (
            f"{ABOUT} {sweeps} sweeps; in turn, medians. starting: of the cluster, in "
            "seconds. result: digest of the table of annotators."
        ),
        (
            "Parameters and sums that travel between the workers and this process are "
            "not in the MiB between workers: they are twice the size of the "
            "confusions a sweep."
        ),
    )
    return Report("Sweeps of shards on workers of Dask", rows, notes)


def _where(number: int | None) -> str:
    if number is None:
        return "threads"
    return "1 worker" if number == 1 else f"{number} workers"


def swept(*, quick: bool, repeats: int) -> Report:
    """Sweeps beside copying as many bytes."""
    rows = []
    for answers in (5_000,) if quick else (10**6, 10**7):
        with _made(answers) as (path, folder):
            call = _program("swept", path=path, folder=folder, sweeps=5 * repeats)
            rows += measured([Case({"responses": answers}, call)], 1)
    notes = (
        (
            f"{ABOUT} stored: answers by items and by annotators, each read once a "
            "sweep. gathered: for each answer a row of its annotator's table and one "
            "of its item's posterior. Scores and posteriors of items, and tables, are "
            "written and read. Copying: as many bytes in all, read and written in "
            "order, by as many threads as there are cores. Medians of sweeps and "
            "copies in turn."
        ),
    )
    return Report("Sweeps beside copying", rows, notes)


def faults(*, quick: bool, repeats: int) -> Report:
    """Kill workers, schedulers and drivers at random, and look what becomes of it."""
    del repeats
    answers, rows = (20_000, 2_000) if quick else (500_000, 50_000)
    dice = random.Random(0)  # noqa: S311 (no secret)
    taken: list[Figures] = []
    with _made(answers) as (path, folder):
        place = Path(folder)
        words = {
            "read": ("read", path, "--shards", "--shard-rows", str(rows), "--out", "s"),
            "fit": ("fit", "s", "--model", "dawid_skene", "--engine", "em"),
        }
        words["fit"] += ("--tolerance", "0", "--sweeps", "60", "--out", "run")
        with _Cluster(place) as cluster:
            whole, seconds = {}, {}
            for name, call in words.items():
                started = time.perf_counter()
                _until_done(cluster, call, place)
                seconds[name] = time.perf_counter() - started
                whole[name] = _digest(place / call[-1])
            shutil.move(place / "s", place / "whole")
            for at in range(2 if quick else KILLS):
                what = ("worker", "scheduler", "driver")[at % 3]
                for left in ("s", "run", "s.unfinished", "run.unfinished"):
                    shutil.rmtree(place / left, ignore_errors=True)
                command = "read" if at % 2 else "fit"
                if command == "fit":
                    shutil.copytree(place / "whole", place / "s")
                moment = dice.uniform(0.2, 1.0) * seconds[command]
                taken.append(
                    {
                        "killed": what,
                        "command": command,
                        **_harmed(
                            cluster, words[command], place, what, moment, whole[command]
                        ),
                    }
                )
                digest = _digest(place / words[command][-1])
                taken[-1]["equal"] = digest == whole[command]
    rows_of_table = []
    for what in ("worker", "scheduler", "driver"):
        for command in ("read", "fit"):
            some = [
                each
                for each in taken
                if (each["killed"], each["command"]) == (what, command)
            ]
            if not some:
                continue
            rows_of_table.append(
                {
                    "killed": what,
                    "command": command,
                    "runs": len(some),
                    "ended whole": sum(each["times"] == 1 for each in some),
                    "ended when repeated": sum(each["times"] == 2 for each in some),
                    "otherwise": sum(each["times"] > 2 for each in some),
                    "in one sentence": sum(each["told"] for each in some),
                    "something half-written": sum(each["half"] for each in some),
                    "equal": sum(each["equal"] for each in some),
                }
            )
    notes = (
        (
            f"{answers:,} answers in {answers // rows} shards; a scheduler and two "
            "workers as processes of their own. SIGKILL at a random time of the "
            "command. A killed scheduler or driver: the cluster is started again and "
            "the same command repeated."
        ),
        (
            "in one sentence: the command ended with an error of one sentence, of "
            "those that were not killed themselves and did not end whole. "
            "half-written: there was a folder of the command's name that is not the "
            "whole one. equal: all files are those of an undisturbed run, but for "
            "seconds.toml."
        ),
    )
    return Report("What becomes of work that is killed", rows_of_table, notes)


class _Cluster:
    """A scheduler and two workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, list[subprocess.Popen[bytes]]()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start all, and wait until they are there."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        where = ["--scheduler-file", str(file)]
        scheduler = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", *where]
        self._run("distributed.cli.dask_scheduler", scheduler)
        worker = ["--nthreads", "1", "--no-dashboard", *where]
        for _ in range(2):
            self._run("distributed.cli.dask_worker", worker)
        while not file.exists():
            time.sleep(0.05)
        from distributed import Client

        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2)
            self.address = client.scheduler.address
            self.pids = list(client.run(os.getpid).values())

    def _run(self, module: str, words: Sequence[str]) -> None:
        with (self.folder / "cluster.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", module, *words],
                    cwd=self.folder,
                    stdout=log,
                    stderr=log,
                )
            )

    def stop(self) -> None:
        """End all."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes.clear()

    def kill_worker(self) -> None:
        """Kill the process of a worker; what watches over it starts another."""
        os.kill(self.pids[0], signal.SIGKILL)

    def kill_scheduler(self) -> None:
        """Kill the scheduler."""
        self.processes[0].kill()


def _started(
    cluster: _Cluster, words: Sequence[str], place: Path
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*COMMAND, *words, "--on", cluster.address],
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _until_done(cluster: _Cluster, words: Sequence[str], place: Path) -> None:
    process = _started(cluster, words, place)
    _, error = process.communicate(timeout=PATIENCE)
    if process.returncode:
        raise RuntimeError(error.decode()[-2000:])


def _harmed(
    cluster: _Cluster,
    words: Sequence[str],
    place: Path,
    what: str,
    moment: float,
    whole: str,
) -> Figures:
    """Kill something while a command runs, and repeat it until it has ended well."""
    process = _started(cluster, words, place)
    time.sleep(moment)
    {
        "worker": cluster.kill_worker,
        "scheduler": cluster.kill_scheduler,
        "driver": process.kill,
    }[what]()
    out = place / words[-1]
    _, error = process.communicate(timeout=PATIENCE)
    written = out.exists() and _digest(out) == whole  # killed with its work done
    failed = process.returncode != 0 and not written
    told = failed and what != "driver" and b"Traceback" not in error
    half = out.exists() and not written
    times = 1
    cluster.stop()
    cluster.start()
    while failed and process.returncode != 0 and times < 4:
        process = _started(cluster, words, place)
        process.communicate(timeout=PATIENCE)
        times += 1
    return {"times": times, "told": told, "half": half}


def _digest(folder: Path) -> str:
    """Return a digest of all files of a folder, but for what differs between runs."""
    hashed = sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != "seconds.toml":
            hashed.update(str(file.relative_to(folder)).encode())
            hashed.update(file.read_bytes())
    return hashed.hexdigest()
