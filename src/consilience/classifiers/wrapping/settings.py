"""Settings of a classifier that is made: each with where it comes from.

What is given comes first, then what a file of the preprocessing states, then the graph;
what none of them says is assumed where a usual value exists, and is an error elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from consilience.classifiers.running.manifest import MAX_SIDE, Preprocessing
from consilience.classifiers.wrapping.network import AXES, Layout, Taken
from consilience.errors import BadClassifierError, OptionError

type Colour = Literal["rgb", "bgr"]
type Mode = Literal["crop", "squash"]
type Filter = Literal["bicubic", "bilinear", "lanczos"]
type Answers = Literal["logits", "probabilities"]
type Each = int | float | Sequence[int | float]

GIVEN, ASSUMED, GRAPH = "given", "assumed", "the graph"
CHOICES = {
    "layout": Layout,
    "mode": Mode,
    "filter": Filter,
    "colour": Colour,
    "output": Answers,
}
SHARE = 0.875  # of the shorter side that is cut out where nothing else is said


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one source says; None: nothing.

    Attributes
    ----------
    mean, scale
        A pixel x, 0 to 255, becomes (x - mean) * scale, for each of the network's
        colours in its order.
    size, mode, resize, filter
        As in the manifest.
    colour, layout
        Order of the colours and of the axes.
    """

    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    size: int | None = None
    mode: Mode | None = None
    resize: int | None = None
    filter: Filter | None = None
    colour: Colour | None = None
    layout: Layout | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A setting, its value, and where that comes from."""

    name: str
    value: object
    origin: str

    def __str__(self) -> str:
        """Return it as one line."""
        value = self.value
        if isinstance(value, tuple):
            value = " ".join(f"{each:.6g}" for each in value)
        return f"{self.name}: {value} ({self.origin})"


@dataclass(frozen=True, slots=True)
class Settled:
    """All settings."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    colour: Colour
    layout: Layout
    preprocessing: Preprocessing
    decisions: tuple[Decision, ...]


def check_choices(given: Mapping[str, object]) -> None:
    """Refuse words that are no choice of a setting."""
    for name, value in given.items():
        words = get_args(CHOICES[name].__value__)
        if value is not None and value not in words:
            msg = f"`{name}={value!r}`: expected {' or '.join(map(repr, words))}"
            raise OptionError(msg)


def normalization(
    mean: Each | None, scale: Each | None, std: Each | None
) -> dict[str, Any]:
    """Return mean and scale of pixels from 0 to 255."""
    means, scales, stds = (
        None if each is None else _three(name, each)
        for name, each in (("mean", mean), ("scale", scale), ("std", std))
    )
    if stds is None:
        if means and any(0 < each < 1 for each in means):
            msg = (
                f"`mean={mean}` looks like one of pixels from 0 to 1, but without "
                "`std=` it is one of pixels from 0 to 255: multiply it by 255, or "
                "give `std=`"
            )
            raise OptionError(msg)
        return {"mean": means, "scale": scales}
    if scales is not None or means is None:
        msg = "`std=` goes with `mean=` and without `scale=`: give mean and one of them"
        raise OptionError(msg)
    if not all(0 <= each <= 1 for each in (*means, *stds)):
        msg = (
            f"`mean={mean}` with `std={std}`: expected those of pixels from 0 to 1; "
            "divide both by 255, or give `scale=`, which is 1 / std"
        )
        raise OptionError(msg)
    return {
        "mean": tuple(255 * each for each in means),
        "scale": tuple(1 / (255 * each) for each in stds),
    }


def settle(
    given: Settings, stated: Settings, source: str, taken: Taken, where: Path
) -> Settled:
    """Settle all settings."""
    graph = Settings(layout=taken.layout)
    decided: dict[str, Decision] = {}
    for each in fields(Settings):
        for layer, origin in ((given, GIVEN), (stated, source), (graph, GRAPH)):
            value = getattr(layer, each.name)
            if value is not None and each.name not in decided:
                decided[each.name] = Decision(each.name, value, origin)
    layout = _required(decided, "layout", "nchw or nhwc")
    if layout.value != (taken.layout or layout.value):
        msg = (
            f"{where}: takes {AXES[taken.layout or 'nchw']}, not the layout "
            f"{layout.value} ({layout.origin}); give `layout={taken.layout!r}`"
        )
        raise BadClassifierError(msg)
    _settle_size(decided, taken, where)
    if "mean" not in decided and "scale" not in decided:
        msg = (
            f"{where}: how its pixels are scaled is not stated anywhere; give `mean=` "
            "and `std=` or `scale=`, or `preprocessor=`"
        )
        raise OptionError(msg)
    size = decided["size"].value
    usual: dict[str, Any] = {"mean": (0.0,) * 3, "scale": (1.0,) * 3, "colour": "rgb"}
    usual |= {"mode": "crop", "filter": "bicubic"}
    for name, value in usual.items():
        decided.setdefault(name, Decision(name, value, ASSUMED))
    mode = decided["mode"].value
    if mode != stated.mode and given.resize is None:
        decided.pop("resize", None)  # stated for another way of making the square
    if mode == "crop":
        shorter = round(float(str(size)) / SHARE)
        decided.setdefault("resize", Decision("resize", shorter, ASSUMED))
    values: dict[str, Any] = {name: each.value for name, each in decided.items()}
    if values.get("resize", values["size"]) < values["size"]:
        msg = (
            f"`resize={values['resize']}` is less than the size, {values['size']}; "
            "give the length of the shorter side (to squash: of each side) before the "
            "square is cut out"
        )
        raise OptionError(msg)
    return Settled(
        mean=values["mean"],
        scale=values["scale"],
        colour=values["colour"],
        layout=values["layout"],
        preprocessing=Preprocessing(
            size=values["size"],
            mode=values["mode"],
            resize=values.get("resize"),
            filter=values["filter"],
        ),
        decisions=tuple(
            decided[each.name] for each in fields(Settings) if each.name in decided
        ),
    )


def _settle_size(decided: dict[str, Decision], taken: Taken, where: Path) -> None:
    layout: Any = decided["layout"].value
    rows, columns = taken.square(layout)
    sides = {side for side in (rows, columns) if side is not None}
    if len(sides) > 1:
        msg = (
            f"{where}: takes {rows} x {columns} pixels; expected a square: export it "
            "for one"
        )
        raise BadClassifierError(msg)
    for side in sides:
        size = decided.setdefault("size", Decision("size", side, GRAPH))
        if size.value != side:
            msg = (
                f"{where}: takes {side} x {side} pixels, not the size {size.value} "
                f"({size.origin}); give `size={side}`"
            )
            raise BadClassifierError(msg)
    _required(decided, "size", "the side of the square in pixels")
    for name in {"size", "resize"} & decided.keys():
        value = decided[name].value
        if not (isinstance(value, int) and 1 <= value <= MAX_SIDE):
            msg = f"`{name}={value}`: expected a whole number from 1 to {MAX_SIDE}"
            raise OptionError(msg)


def _required(decided: dict[str, Decision], name: str, expected: str) -> Decision:
    if name not in decided:
        msg = f"the graph does not fix its {name}; give `{name}=`, {expected}"
        raise OptionError(msg)
    return decided[name]


def _three(name: str, value: Each) -> tuple[float, ...]:
    """Return one number for each colour."""
    values = [value] if isinstance(value, int | float) else list(value)
    positive = name == "mean" or all(each > 0 for each in values)
    if (
        len(values) not in {1, 3}
        or not positive
        or not all(abs(each) < float("inf") for each in values)
    ):
        kind = "numbers" if name == "mean" else "positive numbers"
        msg = f"`{name}={value}`: expected one or three {kind}"
        raise OptionError(msg)
    return tuple(float(each) for each in values * (3 // len(values)))
