"""Long loops that go on where they were stopped, and end when their time is over.

A fit is a chain of loops whose steps depend on nothing but the state before them, with
that of random generators. While a `Journal` is open, a loop that takes long saves its
state from time to time; when the same fit is started again, the loop starts from what
was saved, and so the result is the same. What lies between the loops is done again.

States are saved as arrays and a description of how they lie in dictionaries, lists,
records and objects: nothing in the files is code. An object names in `CHANGES` the
attributes that steps change.

**An end to the time** is heeded where a loop says how few steps it can do with. The
loops behind it then take as few, so that a result comes soon after. From then on
nothing is saved, so that a fit with more time goes on from where this one was whole.
"""

import hashlib
import inspect
import json
import math
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from threading import Lock
from types import CodeType
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from consilience.errors import CannotWriteError
from consilience.progress import logger
from consilience.whole_folder import whole_file

SECONDS = 15.0  # between two times that a loop saves its state, at least
SHARE = 0.05  # of a loop's time that saving may take


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all loops of a fit share: where they are saved, and until when they run."""

    folder: Path | None = None
    inputs: Sequence[Any] = ()
    end: float = math.inf
    cut_short: dict[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock)
    places: list[Path] = field(default_factory=list)

    def place(self) -> Path:
        """Return the folder of this fit, of those that began in the same place."""
        assert self.folder is not None  # noqa: S101 (for the type checker)
        with self.lock:  # it takes seconds for a large study
            if not self.places:
                self.places.append(self.folder / digest(self.inputs))
        return self.places[0]


class Journal:
    """The loops of a fit, or of a part of one that runs beside others."""

    def __init__(self, shared: _Shared, scope: str = "", title: str = "") -> None:
        self.shared, self.scope, self.title = shared, scope, title
        self._begun: Counter[str] = Counter()

    def branch(self, title: str) -> "Journal":
        """Return the journal of one of several parts that run side by side."""
        return Journal(self.shared, f"{self.file(title)}-", f"{title}: ")

    def file(self, name: str) -> str:
        """Return a name for the file of a loop, different each time."""
        self._begun[name] += 1
        return f"{self.scope}{re.sub(r'\W+', '-', name)}-{self._begun[name]}"


_OPEN: ContextVar[Journal] = ContextVar("_OPEN")
_CLOSED = _Shared()


@contextmanager
def _opened(kept: Journal) -> Iterator[None]:
    before = _OPEN.set(kept)
    try:
        yield
    finally:
        _OPEN.reset(before)


def journal(
    folder: Path | None, inputs: Sequence[Any], max_seconds: float | None
) -> AbstractContextManager[None]:
    """Keep a journal of the loops of a fit, in a folder if there is one."""
    end = math.inf if max_seconds is None else time.monotonic() + max_seconds
    return _opened(Journal(_Shared(folder=folder, inputs=inputs, end=end)))


def cut_short() -> list[str]:
    """Return which loops of the fit the end of time has cut short, and where."""
    cut = _OPEN.get(Journal(_CLOSED)).shared.cut_short
    return [f"{name} {where}" for name, where in cut.items()]


def branch(title: str) -> AbstractContextManager[None]:
    """Keep the journal of a part that runs beside others, in a thread of its own."""
    whole = _OPEN.get(None)
    return nullcontext() if whole is None else _opened(whole.branch(title))


class Loop:
    """Count the steps of a loop, and save what it changes.

    All that a step changes is in `state`, and each step leaves it whole. A loop begins
    where it was saved. It ends after `number` steps, after `end()`, or, if it can do
    with `fewest` of them, when the time is over.
    """

    def __init__(
        self,
        name: str,
        state: MutableMapping[str, Any],
        number: int,
        *,
        fewest: int | None = None,
        records: Sequence[type] = (),
    ) -> None:
        self.state, self.number, self.done = state, number, 0
        self.fewest = number if fewest is None else fewest
        self.records = {record.__name__: record for record in records}
        opened = _OPEN.get(None)
        self._shared = _CLOSED if opened is None else opened.shared
        self._file = "" if opened is None else f"{opened.file(name)}.npz"
        self._title = name if opened is None else f"{opened.title}{name}"
        self._ended, self._running = False, False
        if self._shared.folder is not None and self._shared.folder.is_dir():
            self._load(self._shared.place() / self._file)
        self._saved = time.monotonic()
        self._pause = SECONDS

    def __iter__(self) -> Iterator[int]:
        """Return the loop."""
        return self

    def __next__(self) -> int:
        """Return the place of the next step."""
        if not self._running:
            self._running = True
        else:
            self.done += 1
            now = time.monotonic()
            if not self._ended and self.done < self.number and now > self._shared.end:
                self._cut()
            self._save(now)
        if self._ended or self.done >= self.number:
            raise StopIteration
        return self.done

    def end(self) -> None:
        """Let the step that runs be the last."""
        self._ended = True

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self._shared.end

    def cut(self, done: int, number: int) -> None:
        """Note that the time has cut the loop short."""
        self._shared.cut_short[self._title] = f"{done:,} of {number:,}"

    def _cut(self) -> None:
        if self.done >= self.fewest:
            self._ended = True
            self.cut(self.done, self.number)

    def _save(self, now: float) -> None:
        over = self._ended or self.done >= self.number
        least = self._pause / 3 if over else self._pause
        if self._shared.folder is None or now - self._saved < least:
            return
        if self._shared.cut_short:  # what follows is not what the whole fit has
            return
        arrays: list[Any] = []
        layout = {
            "done": self.done,
            "ended": self._ended,
            "state": laid_out(dict(self.state), arrays),
        }
        file = self._shared.place() / self._file
        try:
            with whole_file(file) as path, path.open("wb") as opened:
                named = {str(place): array for place, array in enumerate(arrays)}
                np.savez(opened, layout=np.array(json.dumps(layout)), **named)
        except CannotWriteError as error:  # the fit itself can still end well
            logger.warning("the fit goes on, but does not save its state: %s", error)
            self._pause = math.inf
            return
        self._saved = time.monotonic()
        self._pause = max(SECONDS, (self._saved - now) / SHARE)

    def _load(self, file: Path) -> None:
        try:
            with (
                file.open("rb") as opened,
                np.load(opened, allow_pickle=False) as saved,
            ):
                layout = json.loads(str(saved["layout"]))
                arrays = [saved[str(place)] for place in range(len(saved.files) - 1)]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            logger.info("%s: cannot be used (%s); the step is done again", file, error)
            return
        self.done, self._ended = layout["done"], layout["ended"]
        restored = _put_back(dict(self.state), layout["state"], arrays, self.records)
        self.state.update(restored)
        logger.info("%s: goes on from %d of %d", self._title, self.done, self.number)


def laid_out(value: Any, arrays: list[Any]) -> Any:  # noqa: PLR0911 (one for each kind)
    """Return how a value is made of numbers, texts and the arrays put into the list."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.random.Generator):
        return {"generator": value.bit_generator.state}
    if isinstance(value, Mapping):
        pairs = [[name, laid_out(each, arrays)] for name, each in value.items()]
        return {"mapping": pairs}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        listed = [laid_out(each, arrays) for each in value]
        return {"record": type(value).__name__, "values": listed}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [laid_out(each, arrays) for each in value]}
    if isinstance(value, (np.ndarray, np.generic)) or _is_of_jax(value):
        key = _is_of_jax(value) and _jax().dtypes.issubdtype(
            value.dtype, _jax().dtypes.prng_key
        )
        arrays.append(np.asarray(_jax().random.key_data(value) if key else value))
        return {"key" if key else "array": len(arrays) - 1}
    of_record = is_dataclass(value)
    names = [each.name for each in fields(value)] if of_record else value.CHANGES
    return {"object": {name: laid_out(getattr(value, name), arrays) for name in names}}


def _put_back(  # noqa: PLR0911 (as above)
    now: Any, layout: Any, arrays: Sequence[Any], records: Mapping[str, type]
) -> Any:
    """Return a value as it was laid out; objects get their state back in place."""
    if not isinstance(layout, Mapping):
        return layout

    def inner(now: Any, layout: Any) -> Any:
        return _put_back(now, layout, arrays, records)

    kind, content = next(iter(layout.items()))
    match kind:
        case "generator":
            now.bit_generator.state = content
            return now
        case "mapping":
            named = now if isinstance(now, Mapping) else {}
            return {name: inner(named.get(name), each) for name, each in content}
        case "record":
            return records[content](*(inner(None, each) for each in layout["values"]))
        case "list" | "tuple":
            before = now if isinstance(now, (list, tuple)) else []
            there = [*before, *[None] * len(content)]
            listed = [inner(*each) for each in zip(there, content, strict=False)]
            return tuple(listed) if kind == "tuple" else listed
        case "array":
            return arrays[content][()]
        case "key":
            return _jax().random.wrap_key_data(arrays[content])
    for name, each in content.items():
        setattr(now, name, inner(getattr(now, name), each))
    return now


def _jax() -> Any:
    return sys.modules["jax"]


def _is_of_jax(value: Any) -> bool:
    return "jax" in sys.modules and isinstance(value, _jax().Array)


def digest(values: Any) -> str:
    """Return a name for values: the same for the same ones only."""
    hashed = hashlib.blake2b(digest_size=8)
    _hash(values, hashed)
    return hashed.hexdigest()


def _hash_frame(frame: pd.DataFrame, hashed: Any) -> None:
    hashed.update(repr([*map(str, frame.columns)]).encode())
    try:
        rows = pd.util.hash_pandas_object(frame)
    except (TypeError, ValueError):  # cells that hold lists
        rows = pd.util.hash_pandas_object(frame.astype("str"))
    hashed.update(rows.to_numpy().tobytes())
    for name in frame.select_dtypes("category"):
        _hash(frame[name].cat.categories, hashed)


def _hash_code(code: CodeType, hashed: Any) -> None:
    hashed.update(code.co_code)
    hashed.update(repr((code.co_names, code.co_varnames)).encode())
    for each in code.co_consts:
        if isinstance(each, CodeType):
            _hash_code(each, hashed)
        else:
            hashed.update(repr(each).encode())


def _hash(value: Any, hashed: Any) -> None:  # noqa: C901 (one for each kind)
    hashed.update(type(value).__name__.encode())
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
        _hash_frame(
            value if isinstance(value, pd.DataFrame) else value.to_frame(), hashed
        )
    elif isinstance(value, np.ndarray) and value.dtype != object:
        hashed.update(repr((value.dtype, value.shape)).encode())
        hashed.update(np.ascontiguousarray(value).data)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            _hash(getattr(value, each.name), hashed)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            _hash((name, each), hashed)
    elif isinstance(value, (list, tuple, np.ndarray)):
        for each in value:
            _hash(each, hashed)
    elif inspect.isfunction(value):  # such as those of a model of the user's
        try:
            hashed.update(inspect.getsource(inspect.getmodule(value) or value).encode())
        except (OSError, TypeError):  # typed at a prompt
            _hash_code(value.__code__, hashed)
        given = inspect.getclosurevars(value).nonlocals, value.__defaults__
        _hash((*given, value.__kwdefaults__), hashed)
    else:
        hashed.update(repr(value).encode())
