import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import consilience
from consilience.errors import SourceError
from consilience.responses import formats, read, recognition
from consilience.responses.format_table import Reader
from consilience.responses.sources import csv_file

HEAVY = """
import sys
import consilience.responses
assert "pandas" not in sys.modules, "pandas"
from consilience.responses import read
read(sys.argv[1])
heavy = {"jax", "numpyro", "arviz_base", "arviz_stats", "optax"} & set(sys.modules)
assert not heavy, heavy
"""


def test_every_reader_is_among_the_formats():
    files = Path(consilience.__path__[0]).rglob("*.py")
    readers = [
        n
        for p in files
        for n in re.findall(r"(?m)^\w+ = (?:Reader|Tool)\($", p.read_text())
    ]
    assert len(formats()) == len(readers)
    assert all(
        reader.name == name and reader.what for name, reader in formats().items()
    )


def test_reading_imports_no_jax(written):
    path = written("a.csv", "item,label\n1,x\n")
    subprocess.run([sys.executable, "-c", HEAVY, str(path)], check=True)


def test_a_mistake_of_the_program_is_no_unreadable_file(written, monkeypatch):
    path = written("a.csv", "item,label\n1,x\n")
    monkeypatch.setattr(csv_file, "check_names", None)
    with pytest.raises(TypeError, match="not callable"):
        read(path)


@pytest.mark.parametrize("error", [TypeError, KeyError, MemoryError])
def test_what_a_library_raises_is_an_unreadable_file(written, monkeypatch, error):
    def hook(_):
        raise error

    def broken(*_):
        json.loads("{}", object_hook=hook)

    reader = Reader(name="long", what="", read=broken)
    monkeypatch.setattr(recognition, "reader_of", lambda _: reader)
    says = "it asks for more memory than there is" if error is MemoryError else ""
    with pytest.raises(SourceError, match=rf"a\.csv: cannot be read \({says}"):
        read(written("a.csv", "item,label\n1,x\n"))


def test_the_account_is_printed_before_any_number(written):
    text = str(read(written("a.csv", "task,worker,label\n1,a,x\n,,\n1,b,y\n")).cleaning)
    folder = written("b.csv", "").parent
    assert text.splitlines()[:2] == [
        "read 3 rows, kept 2: 2 answers",
        f"dropped 1: the row is empty (first: {folder}/a.csv, row 3)",
    ]
    assert "read column 'task' as item" in text
