"""Plate diagrams as they are declared: one TOML file for each model.

A file holds a few words, the nodes with their place on a grid, the arrows, and the
plates with the nodes inside. Arrows and plates name nodes. A node that is a parameter
of the model (or several that belong together) names it, so that a picture that has
fallen behind its model is found: `amiss`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from consilience.model import DIMS

type Sort = Literal["hidden", "seen", "summed", "given", "computed"]

SORTS: Mapping[Sort, str] = {
    "hidden": "estimated",
    "seen": "observed",
    "summed": "summed out",
    "given": "constant",
    "computed": "computed",
}

PLATES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "items": (r"$I$ items", ()),
    "pairs": (r"$U$ pairs of item and label", ()),
    "answers": (r"$N$ answers", ()),
    "annotators": (r"$J$ annotators", ("annotator",)),
    "labels": (r"$K$ labels", ("true_class",)),
    "states": (r"$K$ states", ("true_class",)),
    "communities": (r"$G$ communities", ("community",)),
    "subtypes": (r"$M$ subtypes", ("subtype",)),
    "groups": (r"$G$ groups of labels", ("group",)),
    "groups of annotators": (r"$G$ groups", ("annotator_group",)),
    "mixture components": ("two components", ("mixture_component",)),
    "components": ("components", ("component",)),
    "pairs of labels": (r"$P$ pairs of labels", ("pair",)),
    "objects": ("objects", ()),
    "responses": ("responses", ()),
}
"""What a plate is called, and the dimensions of parameters that it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node.

    Attributes
    ----------
    symbol
        In TeX, without dollars.
    words
        What it is.
    at
        Column and row on the grid.
    sort
        What is known of it.
    parameters
        Of the model, that the node stands for.
    vector
        Their dimension that is no plate: the parameter is a vector along it.
    """

    symbol: str
    words: str
    at: tuple[float, float]
    sort: Sort = "hidden"
    parameters: tuple[str, ...] = ()
    vector: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A plate: what it counts, and the names of the nodes inside."""

    name: str
    members: tuple[str, ...]

    @property
    def caption(self) -> str:
        """What is written in its corner."""
        return PLATES[self.name][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """A model's diagram.

    Attributes
    ----------
    words
        The model in a sentence or two.
    nodes
        By name.
    arrows
        From a node to a node.
    plates
        Those inside others after them.
    left_out
        Parameters that are not drawn, and why.
    """

    words: str
    nodes: Mapping[str, Node]
    arrows: tuple[tuple[str, str], ...]
    plates: tuple[Plate, ...]
    left_out: Mapping[str, str]

    def around(self, name: str) -> tuple[str, ...]:
        """Return the plates that a node stands in."""
        return tuple(plate.name for plate in self.plates if name in plate.members)

    @property
    def alt(self) -> str:
        """The picture in words, for those who do not see it."""
        parts = []
        for name, node in self.nodes.items():
            within = self.around(name)
            each = f" (for each of the {', '.join(within)})" if within else ""
            parents = [self.nodes[a].words for a, b in self.arrows if b == name]
            source = f", from {', '.join(parents)}" if parents else ""
            parts.append(f"{node.words}{each}, {SORTS[node.sort]}{source}")
        return "Plate diagram. " + "; ".join(parts) + "."


def read(path: Path) -> Diagram:
    """Read a model's diagram.

    Raises
    ------
    ValueError
        An arrow or a plate names a node that there is not, or a plate is not known.
    """
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    nodes = {
        name: Node(
            symbol=node["symbol"],
            words=node["words"],
            at=tuple(node["at"]),
            sort=node.get("sort", "hidden"),
            parameters=tuple(node.get("parameters", ())),
            vector=node.get("vector", ""),
        )
        for name, node in told["nodes"].items()
    }
    arrows = []
    for line in told["arrows"]:
        sources, targets = (side.split(", ") for side in line.split(" > "))
        arrows += [(source, target) for source in sources for target in targets]
    plates = tuple(
        Plate(name=name, members=tuple(members))
        for name, members in told["plates"].items()
    )
    named = {name for arrow in arrows for name in arrow}
    named |= {name for plate in plates for name in plate.members}
    if named - set(nodes):
        msg = f"{path}: there is no node {', '.join(sorted(named - set(nodes)))}"
        raise ValueError(msg)
    strange = {plate.name for plate in plates} - set(PLATES)
    if strange:
        msg = f"{path}: plates are {', '.join(PLATES)}; found {', '.join(strange)}"
        raise ValueError(msg)
    return Diagram(
        words=" ".join(told["words"].split()),
        nodes=nodes,
        arrows=tuple(arrows),
        plates=plates,
        left_out=told.get("left_out", {}),
    )


def amiss(
    diagram: Diagram,
    dims: Mapping[str, tuple[str, ...]],
    reported: Mapping[str, tuple[str, ...]] = DIMS,
) -> list[str]:
    """Return what a diagram says otherwise than the model.

    Parameters
    ----------
    diagram
        The diagram.
    dims
        Dimensions of each parameter of the model.
    reported
        Dimensions of what is reported with them, which may be drawn as well.
    """
    drawn = {each: name for name in diagram.nodes for each in _of(diagram, name)}
    stated = {*drawn, *diagram.left_out}
    also = {name: reported[name] for name in stated & reported.keys()}
    dims = {**also, **dims}
    found = [f"{each} is not drawn" for each in dims if each not in drawn]
    found = [each for each in found if each.split()[0] not in diagram.left_out]
    strange = stated - set(dims)
    found += [f"the model has no {each}" for each in sorted(strange)]
    plate_of = {dim: name for name, (_, own) in PLATES.items() for dim in own}
    if any(plate.name == "labels" for plate in diagram.plates):
        plate_of["true_class"] = "labels"
    for parameter, name in drawn.items():
        node = diagram.nodes[name]
        axes = [dim for dim in dims.get(parameter, ()) if dim != node.vector]
        wanted = {plate_of[dim] for dim in axes if dim in plate_of}
        around = {each for each in diagram.around(name) if PLATES[each][1]}
        if parameter in dims and wanted != around:
            found.append(
                f"{parameter} stands in {sorted(around)}, not {sorted(wanted)}"
            )
    return found


def _of(diagram: Diagram, name: str) -> tuple[str, ...]:
    return diagram.nodes[name].parameters
