"""Formulas as MathML, which browsers set without a network and without a script."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

# Before what is no bracket, the name of a function has a thin space after it.
_FUNCTION = re.compile(r"\\(log|exp|max|min)(?![a-zA-Z])(?!\s*[(\[_^])")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register how formulas are written."""
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_set(node.astext()))
    raise nodes.SkipNode


def _displayed(translator: Any, node: nodes.math_block) -> None:
    formula = node.astext().strip()
    # Several lines that no environment holds stand below each other.
    if r"\\" in formula and not formula.startswith(r"\begin"):
        formula = rf"\begin{{aligned}}{formula}\end{{aligned}}"
    translator.body.append(f'<div class="formula">{_set(formula, "block")}</div>')
    raise nodes.SkipNode


def _set(formula: str, display: str = "inline") -> str:
    formula = _FUNCTION.sub(r"\\\1\\,", formula).replace(r"\sim", r"\;\sim\;")
    return str(convert(formula, display=display))
