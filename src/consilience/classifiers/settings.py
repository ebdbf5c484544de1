"""Settings of a classifier that is made: each with where it comes from.

What is given comes first, then what a file of the preprocessing states, then the graph;
what none of them says is assumed where a usual value exists, and is an error elsewhere.

**Preprocessing as Hugging Face and timm write it down.** Hugging Face:
`preprocessor_config.json`. timm: `config.json` of a model, or what
`timm.data.resolve_model_data_config` returns, written as JSON. Nothing is filled in: a
setting that the file does not give is left to the options.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from consilience.classifiers.manifest import (
    MAX_SIDE,
    Colour,
    Filter,
    Layout,
    Mode,
    Pixels,
    Preprocessing,
)
from consilience.errors import OptionError, SourceError

type Each = int | float | Sequence[int | float]
GIVEN, ASSUMED, GRAPH = "given", "assumed", "the graph"
CHOICES = {"layout": Layout, "mode": Mode, "filter": Filter, "colour": Colour}
SHARE = 0.875  # of the shorter side that is cut out where nothing else is said
KINDS = ("image_processor_type", "feature_extractor_type")
HUGGING_FACE = {"image_mean", "do_normalize", *KINDS}
# By Pillow's numbers.
FILTERS: dict[int, Filter] = {1: "lanczos", 2: "bilinear", 3: "bicubic"}
# Whose size, given as one number, is that of both sides; of others, of the shorter.
SQUARED = ("Beit", "Blip", "DeiT", "EfficientNet", "Flava", "Perceiver", "ViT")
SMALL = 384  # side from which ConvNeXt's preprocessor squashes instead of cropping
AXES: dict[Layout, str] = {
    "nchw": "[batch, 3, rows, columns]",
    "nhwc": "[batch, rows, columns, 3]",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a network takes."""

    name: str
    kind: np.dtype[Any]
    shape: tuple[int | None, ...]

    @property
    def batch(self) -> int | None:
        """Images that it takes at once; None: any number."""
        return self.shape[0]

    @property
    def layout(self) -> Layout | None:
        """Order of the axes; None: the graph does not say it."""
        colours = [self.shape[1] == 3, self.shape[3] == 3]
        return ("nchw" if colours[0] else "nhwc") if sum(colours) == 1 else None

    def side(self, layout: Layout, where: Path) -> int | None:
        """Return the side of the square; None: any."""
        first = 2 if layout == "nchw" else 1
        rows, columns = self.shape[first : first + 2]
        if None not in {rows, columns} and rows != columns:
            raise SourceError(
                f"{where}: takes {rows} x {columns} pixels; expected a square: export "
                "it for one"
            )
        return columns if rows is None else rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one source says of the fields of `Pixels` and `Preprocessing`."""

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


def check_choices(given: Mapping[str, object]) -> None:
    """Refuse words that are no choice of a setting."""
    for name, value in given.items():
        words = get_args(CHOICES[name].__value__)
        if value is not None and value not in words:
            raise OptionError(
                f"`{name}={value!r}`: expected {' or '.join(map(repr, words))}"
            )


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
            raise OptionError(
                f"`mean={mean}` looks like one of pixels from 0 to 1, but without "
                "`std=` it is one of pixels from 0 to 255: multiply it by 255, or "
                "give `std=`"
            )
        return {"mean": means, "scale": scales}
    if scales is not None or means is None:
        raise OptionError(
            "`std=` goes with `mean=` and without `scale=`: give mean and one of them"
        )
    if not all(0 <= each <= 1 for each in (*means, *stds)):
        raise OptionError(
            f"`mean={mean}` with `std={std}`: expected those of pixels from 0 to 1; "
            "divide both by 255, or give `scale=`, which is 1 / std"
        )
    mean_of_bytes, scale_of_bytes = _from_unit(means, stds)
    return {"mean": mean_of_bytes, "scale": scale_of_bytes}


def settle(
    given: Settings, stated: Settings, source: str, taken: Taken, where: Path
) -> tuple[Pixels, Preprocessing, tuple[Decision, ...]]:
    """Settle all settings."""
    decided: dict[str, Decision] = {}

    def decide(name: str, graph: object = None, usual: object = None) -> Any:
        for value, origin in (
            (getattr(given, name), GIVEN),
            (getattr(stated, name), source),
            (graph, GRAPH),
            (usual, ASSUMED),
        ):
            if value is not None:
                decided[name] = Decision(name, value, origin)
                return value
        return None

    def decide_as_the_graph(name: str, graph: Any, takes: str, expected: str) -> Any:
        value = decide(name, graph)
        if value is None:
            raise OptionError(
                f"the graph does not fix its {name}; give `{name}=`, {expected}"
            )
        if graph is not None and value != graph:
            raise SourceError(
                f"{where}: takes {takes}, not the {name} {value} "
                f"({decided[name].origin}); give `{name}={graph!r}`"
            )
        return value

    axes = AXES[taken.layout] if taken.layout else ""
    layout = decide_as_the_graph("layout", taken.layout, axes, "nchw or nhwc")
    side = taken.side(layout, where)
    square = f"{side} x {side} pixels"
    size = decide_as_the_graph("size", side, square, "the side of the square in pixels")
    _check_side("size", size)
    mode = decide("mode", usual="crop")
    if mode != stated.mode:
        stated = replace(stated, resize=None)  # for another way of making the square
    resize = decide("resize", usual=round(size / SHARE) if mode == "crop" else None)
    _check_side("resize", size if resize is None else resize)
    mean, scale = decide("mean", usual=(0.0,) * 3), decide("scale", usual=(1.0,) * 3)
    if decided["mean"].origin == decided["scale"].origin == ASSUMED:
        raise OptionError(
            f"{where}: how its pixels are scaled is not stated anywhere; give `mean=` "
            "and `std=` or `scale=`, or `preprocessor=`"
        )
    if resize is not None and resize < size:
        raise OptionError(
            f"`resize={resize}` is less than the size, {size}; give the length of the "
            "shorter side (to squash: of each side) before the square is cut out"
        )
    colour, kind = decide("colour", usual="rgb"), decide("filter", usual="bicubic")
    names = [each.name for each in fields(Settings) if each.name in decided]
    return (
        Pixels(mean=mean, scale=scale, colour=colour, layout=layout),
        Preprocessing(size=size, mode=mode, resize=resize, filter=kind),
        tuple(decided[name] for name in names),
    )


def _check_side(name: str, value: object) -> None:
    if not (isinstance(value, int) and 1 <= value <= MAX_SIDE):
        raise OptionError(
            f"`{name}={value}`: expected a whole number from 1 to {MAX_SIDE}"
        )


def _three(name: str, value: Each) -> tuple[float, ...]:
    """Return one number for each colour."""
    try:
        values = _channels(value)
    except ValueError:
        values = ()
    positive = name == "mean" or all(each > 0 for each in values)
    if not values or not positive or not np.isfinite(values).all():
        kind = "numbers" if name == "mean" else "positive numbers"
        raise OptionError(f"`{name}={value}`: expected one or three {kind}")
    return values


def read_source(path: str | Path) -> bytes:
    """Return the bytes of a file that a setting names."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({error.strerror}); check the path"
        ) from None


def read_preprocessor(path: Path) -> Settings:
    """Read settings from a file of Hugging Face or timm."""
    try:
        content = json.loads(read_source(path))
    except ValueError as error:
        raise SourceError(
            f"{path}: is not JSON ({error}); give a preprocessor_config.json"
        ) from None
    content = content if isinstance(content, dict) else {}
    timm = content.get("pretrained_cfg", content)
    try:
        if isinstance(timm, dict) and "mean" in timm and "std" in timm:
            return _timm(timm)
        if HUGGING_FACE & content.keys():
            return _hugging_face(content)
    except _UnsuitableError as error:
        raise SourceError(
            f"{path}: {error}; give size, mode, resize, mean and std instead"
        ) from None
    except (TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError):
        raise SourceError(
            f"{path}: has values of unexpected types; give mean, std and size instead"
        ) from None
    raise SourceError(
        f"{path}: gives neither image_mean nor mean and std; expected a "
        "preprocessor_config.json of Hugging Face or a config.json of timm"
    )


class _UnsuitableError(Exception):
    """It cannot be done in one step of resampling, or not at all."""


def _timm(content: Mapping[str, Any]) -> Settings:
    size = _side(content["input_size"][1:]) if "input_size" in content else None
    share = float(content.get("crop_pct") or 0)
    modes: dict[str, Mode] = {"center": "crop", "squash": "squash"}
    crop = content.get("crop_mode", "center")
    if crop not in modes:
        raise _UnsuitableError(f"its crop_mode {crop!r} is not supported")
    mean, scale = _from_unit(content["mean"], content["std"])
    kind = content.get("interpolation")
    return Settings(
        mean=mean,
        scale=scale,
        size=size,
        mode=modes[crop] if size and share else None,
        resize=max(size, int(size / share)) if size and share else None,
        filter=kind if kind in FILTERS.values() else None,
    )


def _hugging_face(content: Mapping[str, Any]) -> Settings:
    kind = next((str(content[each]) for each in KINDS if content.get(each)), "")
    mobile = kind.startswith("MobileViT")  # by default BGR that is not normalized
    size, mode, resize = _geometry(content, kind)
    factor = float(content.get("rescale_factor", 1 / 255))
    factor = factor if content.get("do_rescale", True) else 1.0
    offset = 1.0 if content.get("rescale_offset") else 0.0
    means, stds = content.get("image_mean"), content.get("image_std")
    power = 2 if content.get("include_top", kind.startswith("EfficientNet")) else 1
    if not content.get("do_normalize", not mobile):
        means, stds, power = 0.0, 1.0, 1
    both = means is not None and stds is not None
    flipped = content.get("do_flip_channel_order", mobile)
    return Settings(
        mean=tuple((x + offset) / factor for x in _channels(means)) if both else None,
        scale=tuple(factor / x**power for x in _channels(stds)) if both else None,
        size=size,
        mode=mode,
        resize=resize,
        filter=FILTERS.get(content["resample"]) if "resample" in content else None,
        colour="bgr" if flipped else None,
    )


def _geometry(
    content: Mapping[str, Any], kind: str
) -> tuple[int | None, Mode | None, int | None]:
    """Return the side of the square, how it is made, and what is resized to before."""
    size = content.get("size")
    if not content.get("do_resize", True) or size is None:
        return None, None, None
    crops, share = bool(content.get("do_center_crop")), content.get("crop_pct")
    shorter = size.get("shortest_edge") if isinstance(size, dict) else None
    if isinstance(size, int) and (crops or share) and not kind.startswith(SQUARED):
        if not kind:
            raise _UnsuitableError(
                f"it does not state whether {size} is the shorter side"
            )
        shorter = size
    mode: Mode = "squash" if shorter is None else "crop"
    before = _side(size) if shorter is None else int(shorter)
    cut = _side(content["crop_size"]) if crops and "crop_size" in content else before
    if kind.startswith("Levit"):
        before = int(before * 256 / 224)
    elif share and (crops or before < SMALL):
        before = int(before / share)
    elif share:  # ConvNeXt
        mode = "squash"
    elif mode == "crop" and not crops:
        raise _UnsuitableError(
            "it resizes the shorter side and does not crop, so no square results"
        )
    if cut > before:
        raise _UnsuitableError(f"it cuts a square of {cut} out of {before} pixels")
    return cut, mode, None if mode == "squash" and cut == before else before


def _side(size: Any) -> int:
    """Return the side of a square given as a number, a pair, or by names."""
    parts = (size["height"], size["width"]) if isinstance(size, dict) else size
    rows, columns = (parts, parts) if isinstance(parts, int) else parts
    if rows != columns:
        raise _UnsuitableError(f"its images are {rows} x {columns}, not square")
    return int(rows)


def _from_unit(mean: Any, std: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and scale of pixels from 0 to 255, given those from 0 to 1."""
    means, stds = _channels(mean), _channels(std)
    return tuple(255 * each for each in means), tuple(1 / (255 * each) for each in stds)


def _channels(value: Any) -> tuple[float, ...]:
    """Return one number for each colour, given one or three."""
    values = [value] if isinstance(value, int | float) else list(value)
    if len(values) not in {1, 3}:
        raise ValueError(value)
    return tuple(float(each) for each in values * (3 if len(values) == 1 else 1))
