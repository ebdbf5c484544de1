"""Published pickles read as plain data: no class of the file is ever made.

A pickle may name functions and classes, and a hostile one names dangerous ones. Here
each name that is allowed is answered by a stand-in that only keeps data, and any other
name is an error. Nothing of pandas or NumPy is called on the file's behalf.
"""

import io
import pickle
import pickletools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from consilience.errors import SourceError
from consilience.responses.sources.frames import readable

_PLAIN = {"i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "b1"}
_FETCH = "fetch it again"
_SMALL = 1 << 20


class Kept:
    """An object of the file as its bare state."""

    state: object = None

    def __setstate__(self, state: object) -> None:
        """Keep what the pickle hands to the object."""
        self.state = state


class _Type:
    """A NumPy type as its letter and width."""

    def __init__(self, code: str = "", *_: object) -> None:
        self.code = code
        self.order = "="

    def __setstate__(self, state: tuple[object, ...]) -> None:
        self.order = str(state[1])

    def numpy(self) -> np.dtype:
        """Give the plain type; objects are not plain."""
        if self.code not in _PLAIN or self.order not in "<>=|":
            raise SourceError(
                f"a number type {self.code!r} in the pickle is not a plain one"
            )
        return np.dtype(self.order + self.code)


class _Array:
    """A NumPy array as its shape, type and contents."""

    values: object = None

    def __init__(self, *_: object) -> None:
        """Make an array that is filled later, whatever it is to be made with."""

    def __setstate__(self, state: tuple[object, ...]) -> None:
        _, shape, kind, fortran, data = state
        order = "F" if fortran else "C"
        if not isinstance(kind, _Type) or not isinstance(shape, tuple):
            raise SourceError("an array in the pickle is not one of plain data")
        if isinstance(data, list):
            flat = np.empty(len(data), object)
            flat[:] = [unwrap(cell) for cell in data]
        else:
            flat = np.frombuffer(bytes(data), kind.numpy())  # type: ignore[call-overload]
        self.values = flat.reshape(shape, order=order)  # type: ignore[call-overload]


def unwrap(kept: object) -> object:
    """Take the array out of a stand-in, if it is one."""
    return kept.values if isinstance(kept, _Array) else kept


def _scalar(kind: _Type, data: bytes) -> object:
    return np.frombuffer(data, kind.numpy())[0].item()


def _new_index(_: object, state: dict[str, object]) -> object:
    return unwrap(state["data"])


def _encode(text: str, codec: str) -> bytes:
    if codec != "latin1":
        raise SourceError(f"codec {codec!r} in the pickle")
    return text.encode("latin1")


_STAND_INS: Mapping[tuple[str, str], Callable[..., object]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): dict,
    ("pandas.core.frame", "DataFrame"): Kept,
    ("pandas.core.indexes.base", "Index"): Kept,
    ("pandas.core.indexes.base", "_new_Index"): _new_index,
    ("pandas.core.internals.managers", "BlockManager"): Kept,
    ("collections", "Counter"): dict,
    ("builtins", "slice"): slice,
}


class _Unpickler(pickle.Unpickler):
    """The standard machine with every name answered by us; it offers no other way."""

    def __init__(self, file: io.BytesIO, source: str) -> None:
        super().__init__(file)
        self._source = source

    def find_class(self, module: str, name: str) -> Callable[..., object]:
        """Stand-in of a name."""
        stand_in = _STAND_INS.get((module, name))
        if stand_in is None:
            raise SourceError(
                f"{self._source}: the pickle asks for {module}.{name}, which is not "
                "plain data; nothing was run; do not open this file with other programs"
            )
        return stand_in


def load_pickle(path: Path) -> object:
    """Load a pickle as plain data."""
    return _load(path.read_bytes(), str(path))


def load_object_array(path: Path) -> object:
    """Load a `.npy` file of one Python object as plain data."""
    file = io.BytesIO(path.read_bytes())
    with readable(str(path), "not a NumPy file", _FETCH):
        np.lib.format.read_magic(file)
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
    if shape != () or not kind.hasobject:
        raise SourceError(
            f"{path}: expected one object, found an array of {kind} {shape}"
        )
    array = _load(file.read(), str(path))
    if not isinstance(array, np.ndarray) or array.size != 1:
        raise SourceError(f"{path}: expected one object in an array; fetch it again")
    return array.item()


def load_frame(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Load a pickled pandas data frame as columns and index."""
    frame = load_pickle(path)
    with readable(str(path), "not a data frame as it was published", _FETCH):
        manager = frame.state["_data"]  # type: ignore[attr-defined]
        axes = manager.state[3]["0.14.1"]["axes"]
        blocks = manager.state[3]["0.14.1"]["blocks"]
        names, rows = axes
        columns: dict[str, np.ndarray] = {}
        for block in blocks:
            places = block["mgr_locs"]
            place: Any = places if isinstance(places, slice) else unwrap(places)
            where = np.arange(len(names))[place]
            values: Any = unwrap(block["values"])
            columns |= {str(names[i]): values[k] for k, i in enumerate(where)}
    return columns, rows


def _load(data: bytes, source: str) -> object:
    with readable(source, "the pickle is broken", _FETCH):
        _check_memo(data)
        return unwrap(_Unpickler(io.BytesIO(data), source).load())


def _check_memo(data: bytes) -> None:
    """Refuse a small file that names a far place of the memo: all up to it is made."""
    if len(data) > _SMALL:
        return
    for code, place, _ in pickletools.genops(data):
        if "PUT" in code.name and isinstance(place, int) and place > len(data):
            raise ValueError(f"place {place:,} of the memo in {len(data):,} bytes")
