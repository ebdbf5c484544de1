import pickle
from pathlib import Path

import numpy as np
import pytest

from consilience.errors import SourceError
from consilience.imagenet.pickles import load_object_array, load_pickle


class Hostile:
    """An object whose pickle runs a function when it is opened carelessly."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.fixture
def pickled(tmp_path):
    def write(thing, protocol=4):
        path = tmp_path / "a.pkl"
        path.write_bytes(pickle.dumps(thing, protocol=protocol))
        return path

    return write


@pytest.mark.parametrize("protocol", [0, 4])
def test_a_hostile_pickle_is_refused_and_nothing_runs(pickled, tmp_path, protocol):
    proof = tmp_path / "proof"
    path = pickled(Hostile(Path.touch, proof), protocol)
    with pytest.raises(SourceError, match=r"a\.pkl: the pickle asks for"):
        load_pickle(path)
    assert not proof.exists()
    pickle.loads(path.read_bytes())  # noqa: S301 - the twin: the plain machine runs it
    assert proof.exists()


@pytest.mark.parametrize(
    "thing",
    [
        Hostile(eval, "1"),
        Hostile(getattr, "", "upper"),
        Hostile(np.load, "x"),
        Hostile(open, "x"),
    ],
)
def test_no_function_outside_the_list_is_reached(pickled, thing):
    with pytest.raises(SourceError):
        load_pickle(pickled(thing))


def test_names_hidden_behind_dots_are_refused(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.")
    with pytest.raises(SourceError, match=r"numpy\.ndarray\.dumps"):
        load_pickle(path)


def test_arrays_of_numbers_are_decoded_without_numpys_machinery(tmp_path):
    old = pickle.dumps(np.arange(6, dtype="<i8").reshape(2, 3), protocol=2)
    old = old.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    path = tmp_path / "a.pkl"
    path.write_bytes(old)
    assert np.array_equal(load_pickle(path), np.arange(6).reshape(2, 3))


@pytest.mark.parametrize("cut", [0, 10])
def test_a_broken_pickle_is_named(pickled, cut):
    path = pickled({"a": list(range(100))})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SourceError, match=r"a\.pkl: the pickle is broken"):
        load_pickle(path)


def test_an_array_file_holds_one_plain_object(tmp_path):
    path = tmp_path / "a.npy"
    array = np.array({0: "x"}, dtype=object)
    with path.open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(array)
        np.lib.format.write_array_header_1_0(file, header)
        old = pickle.dumps(array, protocol=2)
        file.write(old.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert load_object_array(path) == {0: "x"}
    np.save(path, np.arange(3))
    with pytest.raises(SourceError, match="expected one object"):
        load_object_array(path)
    path.write_bytes(b"x")
    with pytest.raises(SourceError, match="not a NumPy file"):
        load_object_array(path)


def test_a_small_pickle_that_asks_for_all_memory_is_refused(written):
    path = written("a.pkl", b"Nr\xf0\xff\xff\x0f.")
    with pytest.raises(SourceError, match="of the memo in 7 bytes"):
        load_pickle(path)
