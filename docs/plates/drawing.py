"""A plate diagram as SVG that stands in the page, in the page's own colour of text.

Symbols are set by Matplotlib as outlines, so that a browser needs no font of theirs.
"""

from collections.abc import Sequence
from html import escape
from math import hypot

from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from plates.plate import Diagram, Node, Plate

ACROSS, DOWN = 122.0, 112.0  # of the grid, in pixels
RADIUS, POINT = 21.0, 4.0
WIDE, ABOVE, BELOW = 46.0, 27.0, 44.0  # what a node and its words take up
STEP, CAPTION = 18.0, 16.0  # from a plate to the one inside, and for its caption
MARGIN, HEAD = 6.0, 7.0
LONGEST = 17  # letters of a line of words
# Words stand before the lines that cross them, as if the page shone through.
HALO = (
    'fill="currentColor" stroke-width="4" style="paint-order:stroke;'
    'stroke:var(--color-background-primary,Canvas);stroke-linejoin:round"'
)
SYMBOLS = FontProperties(math_fontfamily="cm")

type Box = tuple[float, float, float, float]


def svg(diagram: Diagram) -> str:
    """Return the picture."""
    boxes = _boxes(diagram)
    every = [*boxes, *(_around(node) for node in diagram.nodes.values())]
    left, top = (min(box[side] for box in every) - MARGIN for side in (0, 1))
    right, bottom = (max(box[side] for box in every) + MARGIN for side in (2, 3))
    size = f"{right - left:.0f}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'aria-label="{escape(diagram.alt)}" width="{size}" '
        f'viewBox="{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}" '
        'fill="none" stroke="currentColor" stroke-width="1.2">'
    )
    parts = [head]
    parts += [_plate(*each) for each in zip(diagram.plates, boxes, strict=True)]
    arrows = [
        _arrow(diagram.nodes[source], diagram.nodes[target])
        for source, target in diagram.arrows
    ]
    parts += [line for line, _ in arrows]
    parts += [_node(node) for node in diagram.nodes.values()]
    parts += [head for _, head in arrows]
    return "\n".join([*parts, "</svg>"])


def _place(node: Node) -> tuple[float, float]:
    return node.at[0] * ACROSS, node.at[1] * DOWN


def _around(node: Node) -> Box:
    x, y = _place(node)
    below = BELOW + 12 * (len(_lines(node.words)) - 1)
    return x - WIDE, y - ABOVE, x + WIDE, y + below


def _boxes(diagram: Diagram) -> list[Box]:
    """Return the rectangle of each plate: wider by a step than those it meets."""
    plates = diagram.plates
    found: dict[int, Box] = {}
    level = [0] * len(plates)
    for place in reversed(range(len(plates))):
        inner = [level[later] for later in _met(plates, place)]
        level[place] = 1 + max(inner, default=-1)
    for place in reversed(range(len(plates))):
        own = [_around(diagram.nodes[name]) for name in plates[place].members]
        across = STEP * level[place] / 2
        bottom = max(box[3] for box in own) + CAPTION
        for lower in sorted(found[later][3] for later in _met(plates, place)):
            if abs(lower - bottom) < STEP:
                bottom = lower + STEP
        found[place] = (
            min(box[0] for box in own) - across,
            min(box[1] for box in own) - across,
            max(box[2] for box in own) + across,
            bottom,
        )
    return [found[place] for place in range(len(plates))]


def _met(plates: Sequence[Plate], place: int) -> list[int]:
    """Return the plates after one that share nodes with it."""
    own = set(plates[place].members)
    return [
        later
        for later in range(place + 1, len(plates))
        if own & set(plates[later].members)
    ]


def _plate(plate: Plate, box: Box) -> str:
    left, top, right, bottom = box
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}" rx="7" stroke-opacity=".55"/>'
        + _text(plate.caption, right - 7, bottom - 5, size=10.5, end=True)
    )


def _arrow(source: Node, target: Node) -> tuple[str, str]:
    """Return the line of an arrow, and its head."""
    (x, y), (to_x, to_y) = _place(source), _place(target)
    length = hypot(to_x - x, to_y - y)
    along = (to_x - x) / length, (to_y - y) / length
    start, end = _radius(source) + 1, length - _radius(target) - 2
    tip = x + along[0] * end, y + along[1] * end
    foot = x + along[0] * (end - HEAD), y + along[1] * (end - HEAD)
    side = -along[1] * HEAD / 2.4, along[0] * HEAD / 2.4
    head = (
        tip,
        (foot[0] + side[0], foot[1] + side[1]),
        (foot[0] - side[0], foot[1] - side[1]),
    )
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in head)
    line = (
        f'<path d="M{x + along[0] * start:.1f} {y + along[1] * start:.1f}'
        f'L{foot[0]:.1f} {foot[1]:.1f}"/>'
    )
    return line, (f'<polygon points="{points}" fill="currentColor" stroke="none"/>')


def _radius(node: Node) -> float:
    return POINT if node.sort == "given" else RADIUS


def _node(node: Node) -> str:
    x, y = _place(node)
    if node.sort == "given":
        dot = (
            f'<rect x="{x - POINT:.1f}" y="{y - POINT:.1f}" width="{2 * POINT:.0f}" '
            f'height="{2 * POINT:.0f}" fill="currentColor" stroke="none"/>'
        )
        return dot + _symbol(node.symbol, x, y - 15) + _words(node, x, y + 19)
    look = {
        "seen": ' fill="currentColor" fill-opacity=".22"',
        "summed": ' stroke-dasharray="4 3"',
    }.get(node.sort, "")
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:.0f}"{look}/>'
    if node.sort == "computed":
        circle += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS - 3:.0f}"/>'
    return circle + _symbol(node.symbol, x, y) + _words(node, x, y + RADIUS + 14)


def _words(node: Node, x: float, y: float) -> str:
    return "".join(
        _text(line, x, y + 12 * place, size=10.5)
        for place, line in enumerate(_lines(node.words))
    )


def _lines(words: str) -> list[str]:
    """Break words into lines."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if len(longer) <= LONGEST else [*lines, word]
    return [line for line in lines if line]


def _text(words: str, x: float, y: float, *, size: float, end: bool = False) -> str:
    """Return plain words; what stands between dollars is slanted."""
    anchor = "end" if end else "middle"
    slanted = [
        f'<tspan font-style="italic">{escape(part)}</tspan>'
        if odd % 2
        else escape(part)
        for odd, part in enumerate(words.split("$"))
    ]
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f"{HALO}>{''.join(slanted)}</text>"
    )


def _symbol(tex: str, x: float, y: float) -> str:
    """Return a symbol as an outline, its middle at a place."""
    outline = TextPath((0, 0), f"${tex}$", size=16, prop=SYMBOLS)
    box = outline.get_extents()
    shift = x - (box.x0 + box.x1) / 2, y + (box.y0 + box.y1) / 2
    steps = [
        _step(code, points, shift)
        for points, code in outline.iter_segments(simplify=False)
    ]
    return f'<path d="{"".join(steps)}" fill="currentColor" stroke="none"/>'


def _step(code: int, points: Sequence[float], shift: tuple[float, float]) -> str:
    letter = {
        Outline.MOVETO: "M",
        Outline.LINETO: "L",
        Outline.CURVE3: "Q",
        Outline.CURVE4: "C",
    }.get(code)
    if letter is None:
        return "Z"
    places = [
        f"{shift[0] + a:.2f} {shift[1] - b:.2f}"
        for a, b in zip(points[::2], points[1::2], strict=True)
    ]
    return letter + " ".join(places)
