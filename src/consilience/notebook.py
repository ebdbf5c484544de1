"""How results show themselves in a notebook: static HTML of facts and first rows.

There is no script and no colour: text and lines have those of the page, so that light
and dark themes do. Text of the data is escaped and never becomes markup.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from consilience.visible import visible

ROWS = 5  # first rows of a table
_LONGEST = 200  # characters of a cell
_LEFT = "text-align:left;vertical-align:top;padding:.15em .5em"
_RIGHT = "text-align:right;vertical-align:top;padding:.15em .5em"
_HEAD = "font-weight:600;border-bottom:1px solid currentColor"


class Part(NamedTuple):
    """A table to show."""

    title: str
    table: pd.DataFrame
    of: int | None = None
    rows: int = ROWS


def as_html(
    title: str,
    facts: Mapping[str, object],
    parts: Iterable[Part] = (),
    remarks: Sequence[str] = (),
    folded: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Return a result as HTML: facts, tables with rows, remarks, and lists to open."""
    rows = "".join(
        f'<tr><td style="{_LEFT};opacity:.75">{_text(name)}</td>'
        f'<td style="{_LEFT}">{_text(value)}</td></tr>'
        for name, value in facts.items()
    )
    pieces = [
        f"<div><strong>{_text(title)}</strong></div>",
        f'<table style="margin:.3em 0;border:0"><tbody>{rows}</tbody></table>',
        *(f'<p style="margin:.3em 0">⚠ {_text(remark)}</p>' for remark in remarks),
        *(_part(part) for part in parts if len(part.table)),
    ]
    for heading, sentences in (folded or {}).items():
        listed = "".join(f"<li>{_text(sentence)}</li>" for sentence in sentences)
        if sentences:
            pieces.append(
                f"<details><summary>{_text(heading)} ({len(sentences)})</summary>"
                f'<ul style="margin:.2em 0">{listed}</ul></details>'
            )
    inside = "\n".join(pieces)
    return f'<div style="overflow-x:auto;line-height:1.4">\n{inside}\n</div>'


def _part(part: Part) -> str:
    table = part.table.head(part.rows)
    total = len(part.table) if part.of is None else part.of
    numbers = [pd.api.types.is_numeric_dtype(table[name]) for name in table]
    sides = [_RIGHT if number else _LEFT for number in numbers]
    head = "".join(
        f'<th style="{side};{_HEAD}">{_text(name)}</th>'
        for name, side in zip(table.columns, sides, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="{side}">{_text(value)}</td>'
            for value, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in table.itertuples(index=False, name=None)
    )
    of = f": {len(table):,} of {total:,} rows" if total > len(table) else ""
    return (
        f'<div style="margin-top:.6em">{_text(part.title)}{of}</div>'
        f'<table style="border-collapse:collapse;margin:.2em 0">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _text(value: object) -> str:
    """Return a value as text that is no markup; numbers with three digits."""
    if isinstance(value, (float, np.floating)):
        return _number(float(value))
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return f"{value:,}"
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    text = visible(str(value))
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return escape(short)


def _number(value: float) -> str:
    """Return a number with three places, or three digits where these say nothing."""
    if np.isnan(value):
        return ""
    return (
        f"{value:.3f}" if value == 0 or 0.0005 <= abs(value) < 1000 else f"{value:.3g}"
    )


def shown_as[C: type](
    *tables: str, facts: Sequence[str] = (), title: str = ""
) -> Callable[[C], C]:
    """Return a decorator that shows a record by its facts and tables, by name."""

    def decorate(record: C) -> C:
        called = title or record.__name__

        def text(self: Any) -> str:
            parts = [f"{name}={_shown(self, name)}" for name in facts]
            sizes = [f"{part.title}: {len(part.table):,} rows" for part in _parts(self)]
            return f"{called}({'; '.join([', '.join(parts), *sizes]).lstrip('; ')})"

        def html(self: Any) -> str:
            stated = {name.replace("_", " "): _value(self, name) for name in facts}
            return as_html(called, stated, _parts(self))

        def _parts(self: Any) -> list[Part]:
            values = ((name, getattr(self, name)) for name in tables)
            made = ((name, v() if callable(v) else v) for name, v in values)
            return [
                Part(name.replace("_", " "), v) for name, v in made if v is not None
            ]

        type.__setattr__(record, "__repr__", text)
        type.__setattr__(record, "_repr_html_", html)
        return record

    return decorate


def _value(record: Any, name: str) -> object:
    """Return an attribute to show; of a collection, how much it holds."""
    value = getattr(record, name)
    return len(value) if isinstance(value, (pd.Index, np.ndarray)) else value


def _shown(record: Any, name: str) -> str:
    value = _value(record, name)
    return f"{value:.4g}" if isinstance(value, float) else visible(repr(value))
