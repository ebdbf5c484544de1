"""A table drawn by matplotlib: rows of estimates with intervals, and matrices.

Text of the data is drawn as it is: never as a formula between dollar signs, with
symbols for characters that steer, and long names shortened in the middle.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from consilience.errors import OptionError, not_a
from consilience.responses import Responses
from consilience.responses.label_names import label_names, short_names
from consilience.tables.catalogue import Table
from consilience.visible import visible

# Okabe and Ito (2008): distinct with any colour vision, and by markers without it.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "^", "D", "v", "P")
WIDTH = 6.4  # inches, as matplotlib has it
ROW = 0.24  # inches of a row of text
LETTER = 0.076  # inches of a letter
LONGEST = 36  # characters of a name
DENSE = 16  # columns whose names stand upright
MAP = "Blues"  # from light to dark in every colour vision

type Names = pd.DataFrame | Responses | None


def new_axes(ax: Axes | None, *, rows: int, width: float = WIDTH) -> Axes:
    """Return the axes to draw on."""
    if ax is not None:
        if not isinstance(ax, Axes):
            raise OptionError(not_a("ax", ax, "matplotlib axes"))
        return ax
    height = min(max(2.2, 1.1 + ROW * rows), 60.0)
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def width_for(names: Sequence[str]) -> float:
    """Return how many inches wide a figure is whose rows have these names."""
    return max(WIDTH, 4.4 + LETTER * max(map(len, names), default=0))


def shown(name: object, longest: int = LONGEST) -> str:
    """Return a name of the data as it is drawn."""
    text = " ".join(visible(str(name)).split())
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half].rstrip()}…{text[-half:].lstrip()}"


def names_of_labels(names: Names) -> Mapping[str, str]:
    """Return what labels are called."""
    if names is None:
        return {}
    table = names.labels if isinstance(names, Responses) else names
    return short_names(label_names(table))


def set_rows(
    ax: Axes, names: Sequence[str], places: Sequence[float] | np.ndarray
) -> None:
    """Write names along the vertical axis, the first on top."""
    ax.set_yticks(list(places), list(names), parse_math=False)
    ax.tick_params(axis="y", length=0)
    if len(places):
        ax.set_ylim(max(places) + 0.6, min(places) - 0.6)


class Rows(NamedTuple):
    """Estimates with intervals, a row for each."""

    value: Float[np.ndarray, " N"]
    lower: Float[np.ndarray, " N"]
    upper: Float[np.ndarray, " N"]

    @classmethod
    def of(cls, table: pd.DataFrame, name: str) -> "Rows":
        """Return a column of a table with its bounds."""
        return cls(*table[[name, "lower", "upper"]].to_numpy(dtype=float).T)


def draw_rows(
    ax: Axes, places: Float[np.ndarray, " N"], rows: Rows, number: int = 0, **how: Any
) -> None:
    """Draw estimates as markers, and their intervals as lines."""
    colour = COLOURS[number % len(COLOURS)]
    ax.hlines(places, rows.lower, rows.upper, color=colour, linewidth=1.6, zorder=2)
    marker = MARKERS[number % len(MARKERS)]
    how = {"markersize": 5, "zorder": 3, "marker": marker, **how}
    ax.plot(rows.value, places, linestyle="none", color=colour, **how)


def plot_rows(
    table: Table, columns: Sequence[str], names: Sequence[str], label: str, ax: Any
) -> Axes:
    """Draw estimates of a table, a row for each name and the first on top.

    The axis goes from 0 to 1, and below where an estimate or its interval does.
    """
    axes = new_axes(ax, rows=len(names), width=width_for(names))
    places = np.arange(len(names), dtype=float)
    if table.gap is not None and table.total is not None:
        places[table.gap :] += 1.0
        left, at = f"{table.total - len(names):,} more", places[table.gap - 1] + 1.0
        axes.text(0.5, at, left, ha="center", va="center", style="italic")
    set_rows(axes, names, places)
    # Several series stand side by side in a row.
    apart = np.linspace(-0.15, 0.15, len(columns)) if len(columns) > 1 else [0.0]
    least = [0.03]
    for number, (name, aside) in enumerate(zip(columns, apart, strict=True)):
        cells = table.cells(name)
        rows = Rows(*np.transpose([(c.value, c.lower, c.upper) for c in cells]))
        words = table.schema.column(name).words
        draw_rows(axes, places + aside, rows, number, label=words)
        least += [*rows.value, *rows.lower]
    share_axis(axes, label, float(np.nanmin(least)) - 0.05)
    if table.prob is not None and table.bounded:
        axes.set_xlabel(f"{label} ({percent(table.prob)} interval)")
    if len(columns) > 1:
        legend(axes)
    return axes


def share_axis(ax: Axes, label: str, least: float = -0.02) -> None:
    """Let the horizontal axis go from 0 to 1, with faint lines to read it by."""
    ax.set_xlim(min(least, -0.02), 1.02)
    ax.set_xlabel(label)
    faint_lines(ax, "x")


def faint_lines(ax: Axes, axis: Any) -> None:
    """Draw faint lines across, and no frame but the axes."""
    ax.grid(visible=True, axis=axis, alpha=0.3, linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def percent(prob: float) -> str:
    """Return the probability of an interval in words."""
    return f"{100 * prob:g} %"


def legend(ax: Axes, **where: Any) -> None:
    """Write the legend above the axes, where it covers nothing."""
    where = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 3, **where}
    made = ax.legend(frameon=False, borderaxespad=0.3, **where)
    for text in made.get_texts():
        text.set_parse_math(False)


class Matrix(NamedTuple):
    """A matrix to be drawn."""

    value: Float[np.ndarray, "R C"]
    cells: list[list[str]]
    rows: list[str]
    columns: list[str]
    bounds: list[list[str]] | None = None


def matrix_width(columns: int, cell: float) -> float:
    """Return how many inches wide a figure of a matrix is."""
    return min(max(4.2, 2.2 + cell * columns), 40.0)


def draw_matrix(ax: Axes, matrix: Matrix, *, fontsize: float | None = None) -> None:
    """Draw a matrix of numbers from zero to one, with their text."""
    # Cells of which nothing is stated are grey in light and dark styles.
    colours = mpl.colormaps[MAP].with_extremes(bad=(0.5, 0.5, 0.5, 0.25))
    masked = np.ma.masked_invalid(matrix.value)
    image = ax.imshow(masked, vmin=0.0, vmax=1.0, cmap=colours, aspect="auto")
    ax.set_xticks(range(len(matrix.columns)), matrix.columns, parse_math=False)
    ax.set_yticks(range(len(matrix.rows)), matrix.rows, parse_math=False)
    ax.tick_params(length=0)
    # Names that would touch are turned; where there are many, they stand upright.
    room = ax.get_window_extent().width / ax.figure.dpi / len(matrix.columns)
    if max(map(len, matrix.columns)) * LETTER > 0.9 * room:
        dense = len(matrix.columns) > DENSE
        for text in ax.get_xticklabels():
            text.set(
                rotation=90 if dense else 45,
                rotation_mode="anchor",
                ha="right",
                va="center" if dense else "top",
            )
    for side in ax.spines.values():
        side.set_visible(False)
    if fontsize is None:
        figure = ax.get_figure()
        if figure is not None:
            below = bool((masked < 0).any())
            extend = "min" if below else "neither"
            figure.colorbar(image, ax=ax, shrink=0.8, extend=extend)
        return
    for place in zip(*np.nonzero(np.isfinite(matrix.value)), strict=True):
        row, column = map(int, place)
        red, green, blue, _ = image.cmap(image.norm(matrix.value[place]))
        light = 0.299 * red + 0.587 * green + 0.114 * blue >= 0.5
        how: dict[str, Any] = {"color": "black" if light else "white"}
        how |= {"ha": "center", "va": "center"}
        small = matrix.bounds[row][column] if matrix.bounds else ""
        up = 0.14 if small else 0.0
        ax.text(column, row - up, matrix.cells[row][column], fontsize=fontsize, **how)
        if small:
            ax.text(column, row + 0.2, small, fontsize=0.78 * fontsize, **how)


def short_number(value: float) -> str:
    """Return a share with two digits, without the zero before the point."""
    text = f"{value:.2f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def several_axes(
    ax: Any, number: int, *, rows: Sequence[float], widths: Sequence[float]
) -> list[Axes]:
    """Return as many axes: those of the caller, or new ones above each other."""
    if ax is None:
        if number == 1:
            return [new_axes(None, rows=round(rows[0]), width=widths[0])]
        heights = [max(1.6, 0.9 + ROW * each) for each in rows]
        _, made = plt.subplots(
            number,
            1,
            figsize=(max(widths), min(sum(heights), 60.0)),
            layout="constrained",
            height_ratios=heights,
        )
        return list(made)
    given = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(given) != number:
        raise OptionError(
            f"ax has {len(given)} axes where {number} are drawn on; give {number}"
        )
    return [new_axes(each, rows=0) for each in given]


def foreground() -> Any:
    """Return the colour of text in the style that is set."""
    return mpl.rcParams["text.color"]
