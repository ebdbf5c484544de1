"""Two small sets with gold, and a fake package of methods that a child finds too."""

import os
from pathlib import Path

import pytest

from consilience.benchmark.datasets import load
from consilience.benchmark.runs import Method, Plan
from consilience.responses import ReadOptions

# Three workers on four tasks: the third is wrong once, and one task is a tie.
LABELS = """task,worker,label
1,a,cat
1,b,cat
1,c,dog
2,a,dog
2,b,dog
2,c,dog
3,a,cat
3,b,dog
4,a,dog
4,b,dog
"""
TRUTH = "task,label\n1,cat\n2,dog\n3,cat\n4,dog\n"


def _write_set(folder, labels=LABELS, truth=TRUTH):
    folder.mkdir(parents=True)
    (folder / "labels.csv").write_text(labels, encoding="utf-8")
    if truth is not None:
        (folder / "truth.csv").write_text(truth, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def labels():
    return LABELS


@pytest.fixture(scope="session")
def write_set():
    """Return a function that writes a set into a folder."""
    return _write_set


@pytest.fixture
def crowd(tmp_path) -> Path:
    """Return a folder of two sets, one of which has gold for two tasks alone."""
    _write_set(tmp_path / "crowd" / "first")
    _write_set(tmp_path / "crowd" / "second", truth="task,label\n1,cat\n2,cat\n")
    return tmp_path / "crowd"


@pytest.fixture
def first(crowd):
    return load(crowd / "first", ReadOptions())


@pytest.fixture
def second(crowd):
    return load(crowd / "second", ReadOptions())


@pytest.fixture
def fake(monkeypatch):
    """Return a method of the fake package, by the name of what it does."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    monkeypatch.syspath_prepend(Path(__file__).parent)

    def method(setting, *, name=None, probabilistic=True):
        name = name or f"fake.{setting.partition(':')[0]}"
        return Method(name, "fake_peer", setting, "fake", probabilistic)

    return method


@pytest.fixture
def plan(tmp_path):
    return Plan(folder=tmp_path / "out" / "runs")
