"""A table on a terminal, whose last column is drawn: bars and intervals, to scale.

Numbers are never cut. On a narrow terminal first the drawing shrinks, then heads are
broken into lines, then the drawing goes, then names in the first column are broken. The
colours can be read on a dark and on a light background.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from consilience.tables import catalogue

ESTIMATE, TRUTH = "color(31)", "color(127)"
GOOD, WARNING, BAD = "color(28)", "color(130)", "color(160)"
_LEAST, _MOST = 10, 30
_GAP = 2  # columns of the terminal between two of the table

type Line = Callable[[int], Text]  # draws a line of a width


@dataclass(slots=True)
class DrawnTable:
    """A table of text whose last column is drawn."""

    heads: tuple[str, ...]
    drawn: Line
    title: str = ""
    caption: str = ""
    rows: list[tuple[list[Text], Line]] = field(default_factory=list)

    def add_row(self, *cells: str | Text, line: Line | None = None) -> None:
        """Add a row; what is missing at its end is empty."""
        texts = [Text(cell) if isinstance(cell, str) else cell for cell in cells]
        texts += [Text()] * (len(self.heads) - len(texts))
        self.rows.append((texts, line or (lambda _: Text())))

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Draw it within the width of the terminal."""
        widths, width = self._widths(options.max_width)
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
        for head, each in zip(self.heads, widths, strict=True):
            table.add_column(Text(head), width=each, overflow="fold")
        if width:
            table.add_column(self.drawn(width), width=width, no_wrap=True)
        for cells, line in self.rows:
            table.add_row(*cells, *([line(width)] if width else []))
        if self.title:
            yield Text(self.title)
        yield table
        if self.caption:
            yield Text(self.caption, "dim")

    def _widths(self, screen: int) -> tuple[list[int], int]:
        """Return the widths of the columns of text, and of the drawing."""
        columns = [[cells[i] for cells, _ in self.rows] for i in range(len(self.heads))]
        content = [max((cell.cell_len for cell in each), default=0) for each in columns]
        words = [max(map(cell_len, head.split()), default=0) for head in self.heads]
        for heads in (list(map(cell_len, self.heads)), words):
            widths = list(map(max, content, heads))
            left = screen - sum(widths) - _GAP * len(widths)
            if left >= _LEAST:
                return widths, min(left, _MOST)
        if left + _GAP < 0:
            widths[0] = max(words[0], widths[0] + left + _GAP)
        return widths, 0


def terminal(
    table: catalogue.Table,
    *names: str,
    drawn: str = "",
    bounds: str = "",
    between: str = "",
    truth: Sequence[float] = (),
) -> DrawnTable:
    """Return columns of a table for a terminal, by default all; an estimate is drawn.

    The interval of `bounds`, by default of what is drawn, is written where the table
    states its probability, or under the head `between`, where it is something else.
    `truth` has the true value of each row.
    """
    shown = [table.schema.column(name) for name in names] or table.columns
    heads = [column.head for column in shown]
    texts = [[cell.text for cell in table.cells(column.name)] for column in shown]
    bounds = bounds or drawn
    if bounds and (between or table.prob is not None):
        heads.append(between or f"{table.prob:.0%} interval")
        texts.append([cell.between or catalogue.DASH for cell in table.cells(bounds)])
    made = drawn_table(*heads, scale=bool(drawn))
    estimates = table.cells(drawn) if drawn else [catalogue.Cell("")] * len(table.frame)
    true: Sequence[float | None] = truth or [None] * len(estimates)
    for place, (cell, mark) in enumerate(zip(estimates, true, strict=True)):
        if place == table.gap:
            made.add_row("…")
        line = interval(cell.value, cell.lower, cell.upper, mark)
        made.add_row(*(Text(column[place]) for column in texts), line=line)
    made.caption = table.notes if table.prob is not None else ""
    return made


def drawn_table(*heads: str, scale: bool = False) -> DrawnTable:
    """Return an empty table, with a scale from 0 to 1 over the drawing if asked."""
    return DrawnTable(heads, _ends if scale else lambda _: Text())


def _ends(width: int) -> Text:
    return Text("0" + "1".rjust(width - 1))


def bar(share: float, *, rest: bool = False) -> Line:
    """Return a share as a bar, and the rest to 1 if asked."""

    def draw(width: int) -> Text:
        full = round(width * share)
        others = "░" * (width - full) if rest else ""
        return Text.assemble(("█" * full, ESTIMATE), (others, "dim"))

    return draw


def interval(
    value: float, lower: float, upper: float, truth: float | None = None
) -> Line:
    """Return a value between 0 and 1, its interval and the truth as a line.

    What is NaN is not drawn, and what is below zero is an arrow at the left end.
    """

    def draw(width: int) -> Text:
        if np.isnan(value):
            return Text("")

        def place(number: float) -> int:
            return round(float(np.clip(number, 0, 1)) * (width - 1))

        cells, styles = ["·"] * width, ["dim"] * width
        if np.isfinite(lower) and np.isfinite(upper):
            for i in range(place(lower), place(upper) + 1):
                cells[i], styles[i] = "━", ESTIMATE
        cells[place(value)] = "◀" if value < 0 else "●"
        styles[place(value)] = f"bold {ESTIMATE}"
        if truth is not None:
            cells[place(truth)], styles[place(truth)] = "◆", f"bold {TRUTH}"
        return Text.assemble(*zip(cells, styles, strict=True))

    return draw
