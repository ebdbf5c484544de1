"""Formulas of the documentation are set in the page, without a network."""

from importlib import import_module
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("display", ["inline", "block"])
def test_a_formula_is_mathml_and_loads_nothing(monkeypatch, display):
    monkeypatch.syspath_prepend(DOCS)
    pytest.importorskip("latex2mathml")
    formulas = import_module("formulas")
    text = formulas._set(r"y_{ij} \mid z_i \sim \log \theta", display)
    assert text.startswith("<math")
    assert f'display="{display}"' in text
    assert "script" not in text
    assert "src=" not in text
