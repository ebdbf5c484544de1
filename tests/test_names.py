"""No name of a package stands for two things: a submodule, and something else."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import consilience
from consilience.errors import ConsilienceError

# What a model needs may import a submodule before the engine asks its package for a
# function: 30 units are to be cut into blocks of ten.
BLOCKS = """
import consilience.annotators.objects
import pandas as pd
from consilience.annotators import load
from consilience.inference import mode
from consilience.responses import read
from consilience.spaces import space_of

mode.MAX_TABLE = 20
rows = [(i, a, i * a % 2) for i in range(30) for a in range(3)]
study = pd.DataFrame(rows, columns=["item", "annotator", "label"]).astype(str)
mode.lay_out_data(load("glad"), space_of(read(study)))
"""


def packages():
    yield consilience.__name__
    for result in pkgutil.walk_packages(consilience.__path__, "consilience."):
        if result.ispkg:
            yield result.name


def shadowed(package):
    """Names of submodules under which the package holds, or offers, something else."""
    offered = {*getattr(package, "__all__", ()), *getattr(package, "_HOMES", ())}
    taken = []
    for result in pkgutil.iter_modules(package.__path__):
        value = vars(package).get(result.name)
        itself = sys.modules.get(f"{package.__name__}.{result.name}")
        if result.name in offered and value is None:
            value = getattr(package, result.name, len)  # loaded when it is asked for
            itself = sys.modules.get(f"{package.__name__}.{result.name}")
        if value is not None and value is not itself:
            taken.append(result.name)
    return taken


@pytest.mark.parametrize("name", list(packages()))
def test_no_attribute_of_a_package_has_the_name_of_a_submodule(name):
    try:
        package = importlib.import_module(name)
    except ConsilienceError as error:
        pytest.skip(str(error))
    assert shadowed(package) == []


@pytest.mark.parametrize("offer", ["attribute", "__all__", "_HOMES"])
def test_a_shadowed_submodule_is_noticed(tmp_path, offer):
    (tmp_path / "weigh.py").touch()
    package = ModuleType("made_up")
    package.__path__ = [str(tmp_path)]
    assert shadowed(package) == []
    if offer == "attribute":
        package.weigh = len
    else:
        setattr(package, offer, {"weigh": "somewhere"})
    assert shadowed(package) == ["weigh"]


def test_the_package_offers_few_names_and_no_estimator():
    offered = set(dir(consilience))
    assert len(offered) <= 30
    assert offered == {name for name in offered if not name.startswith("_")}
    estimators = {name for name in dir(consilience.sklearn) if name[0].isupper()}
    assert "DawidSkene" in estimators
    assert not offered & estimators


def too_long(folder, most=500):
    return {
        path.name
        for path in folder.rglob("*.py")
        if len(path.read_text("utf-8").splitlines()) > most
    }


def test_no_file_holds_several_ideas(tmp_path):
    (root,) = consilience.__path__
    assert too_long(Path(root)) == set()
    (tmp_path / "long.py").write_text("\n" * 501)
    (tmp_path / "short.py").write_text("\n" * 500)
    assert too_long(tmp_path) == {"long.py"}


def test_a_study_is_cut_into_blocks_whatever_was_imported_before():
    subprocess.run([sys.executable, "-c", BLOCKS], check=True)
