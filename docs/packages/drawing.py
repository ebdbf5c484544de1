"""The graph of imports as an SVG: packages in rows, arrows to what they import."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

import numpy as np
from packages.imports import Graph, ranks
from scipy.optimize import isotonic_regression

type Point = tuple[float, float]

WIDTH, HEIGHT = 112, 30  # of a box
COLUMN, ROW = 134, 66  # between the centres of two boxes
LINE = 24  # between a line that passes a row and its neighbour
SWEEPS = 24
STRAIGHT = 8.0  # weight of a line that passes a row, relative to a box


def svg(graph: Graph) -> str:
    """Return the drawing of a graph without cycles."""
    rank = ranks(graph)
    chains = {
        (name, target): _chain(name, target, rank)
        for name, targets in sorted(graph.items())
        for target in sorted(targets)
    }
    near = _neighbours(chains)
    rows = _ordered(_rows(rank, chains), near)
    across = _across(rows, near)
    left = min(across[name] for name in graph) - COLUMN / 2
    right = max(across.values()) + COLUMN / 2
    place = {
        node: (across[node] - left, ROW * (len(rows) - 1 - height + 0.5))
        for height, row in enumerate(rows)
        for node in row
    }
    lines = [_line([place[node] for node in chain]) for chain in chains.values()]
    boxes = [_box(name, place[name]) for name in sorted(graph)]
    words = "; ".join(
        f"{name} imports {', '.join(sorted(targets))}"
        for name, targets in sorted(graph.items())
        if targets
    )
    return (
        f'<svg viewBox="0 0 {right - left:.0f} {ROW * len(rows)}" role="img" '
        f'aria-label="{escape(words)}" xmlns="http://www.w3.org/2000/svg" '
        'style="max-width: 100%; color: inherit">'
        '<defs><marker id="imports" viewBox="0 0 8 8" refX="7" refY="4" '
        'markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>'
        f"{''.join(lines)}{''.join(boxes)}</svg>"
    )


def _chain(name: str, target: str, rank: Mapping[str, int]) -> tuple[str, ...]:
    """Return the nodes of an edge: its ends, and one place in each row between."""
    between = range(rank[name] - 1, rank[target], -1)
    return (name, *(f"{name}>{target}@{row}" for row in between), target)


def _rows(
    rank: Mapping[str, int], chains: Mapping[tuple[str, str], tuple[str, ...]]
) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(rank.values()) + 1)]
    for name, row in sorted(rank.items()):
        rows[row].append(name)
    for (name, _), chain in chains.items():
        for step, node in enumerate(chain[1:-1], 1):
            rows[rank[name] - step].append(node)
    return rows


def _neighbours(
    chains: Mapping[tuple[str, str], tuple[str, ...]],
) -> Mapping[str, list[str]]:
    near: dict[str, list[str]] = {}
    for chain in chains.values():
        for one, other in pairwise(chain):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    return near


def _ordered(rows: list[list[str]], near: Mapping[str, list[str]]) -> list[list[str]]:
    """Order each row by the mean place of its neighbours, to cross few lines."""
    for _ in range(SWEEPS):
        for row in (*rows, *rows[::-1]):
            place = {
                node: index - len(each) / 2
                for each in rows
                for index, node in enumerate(each)
            }
            row.sort(key=lambda node: np.mean([place[other] for other in near[node]]))
    return rows


def _across(
    rows: Sequence[Sequence[str]], near: Mapping[str, list[str]]
) -> Mapping[str, float]:
    """Place nodes near their neighbours, in order and without overlap."""
    gaps = [_gaps(row) for row in rows]
    place = {
        node: float(at)
        for row, gap in zip(rows, gaps, strict=True)
        for node, at in zip(row, gap - gap.mean(), strict=True)
    }
    for _ in range(SWEEPS):
        for index in (*range(len(rows)), *reversed(range(len(rows)))):
            row, gap = rows[index], gaps[index]
            wanted = [np.mean([place[other] for other in near[node]]) for node in row]
            weight = [STRAIGHT if ">" in node else 1.0 for node in row]
            fitted = isotonic_regression(np.array(wanted) - gap, weights=weight).x
            place.update(zip(row, (fitted + gap).tolist(), strict=True))
    return place


def _gaps(row: Sequence[str]) -> np.ndarray:
    """Return the least place of each node of a row, from the first."""
    half = [LINE / 2 if ">" in node else COLUMN / 2 for node in row]
    steps = [one + other for one, other in pairwise(half)]
    return np.cumsum([0.0, *steps])


def _line(points: Sequence[Point]) -> str:
    (x, y), *others = points
    y += HEIGHT / 2
    path = f"M{x:.0f} {y:.0f}"
    for index, (right, below) in enumerate(others):
        end = below - HEIGHT / 2 - 2 if index == len(others) - 1 else below
        middle = (y + end) / 2
        path += f"C{x:.0f} {middle:.0f} {right:.0f} {middle:.0f} {right:.0f} {end:.0f}"
        x, y = right, end
    return (
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-opacity=".5" '
        'marker-end="url(#imports)"/>'
    )


def _box(name: str, place: Point) -> str:
    x, y = place
    return (
        f'<rect x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="5" fill="var(--color-background-secondary, none)" '
        'stroke="currentColor"/>'
        f'<text x="{x:.0f}" y="{y + 5:.0f}" text-anchor="middle" font-size="15" '
        f'fill="currentColor">{escape(name)}</text>'
    )
