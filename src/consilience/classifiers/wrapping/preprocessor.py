"""Preprocessing as Hugging Face and timm write it down.

Hugging Face: `preprocessor_config.json`. timm: `config.json` of a model, or what
`timm.data.resolve_model_data_config` returns, written as JSON. Nothing is filled in: a
setting that the file does not give is left to the options.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consilience.classifiers.wrapping.settings import Filter, Mode, Settings
from consilience.errors import BadClassifierError, SourceNotFoundError

FILTERS: dict[int, Filter] = {
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
}  # by Pillow's numbers
SMALL = 384  # side from which ConvNeXt's preprocessor squashes instead of cropping


def read_preprocessor(path: Path) -> Settings:
    """Read settings from a file of Hugging Face or timm.

    Raises
    ------
    SourceNotFoundError
        There is no such file.
    BadClassifierError
        It is not such a file, or asks for what no classifier's folder can do.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); check the path"
        raise SourceNotFoundError(msg) from None
    except ValueError as error:
        msg = f"{path}: is not JSON ({error}); give a preprocessor_config.json"
        raise BadClassifierError(msg) from None
    content = content if isinstance(content, dict) else {}
    timm = content.get("pretrained_cfg", content)
    try:
        if isinstance(timm, dict) and "mean" in timm and "std" in timm:
            return _timm(timm)
        if "image_mean" in content or "do_normalize" in content:
            return _hugging_face(content)
    except _UnsuitableError as error:
        msg = f"{path}: {error}; give size, mode, resize, mean and std instead"
        raise BadClassifierError(msg) from None
    except (TypeError, ValueError, KeyError, AttributeError, ZeroDivisionError):
        msg = f"{path}: has values of unexpected types; give mean, std and size instead"
        raise BadClassifierError(msg) from None
    msg = (
        f"{path}: gives neither image_mean nor mean and std; expected a "
        "preprocessor_config.json of Hugging Face or a config.json of timm"
    )
    raise BadClassifierError(msg)


class _UnsuitableError(Exception):
    """It cannot be done in one step of resampling, or not at all."""


def _timm(content: Mapping[str, Any]) -> Settings:
    size = None
    if "input_size" in content:
        size = _side(content["input_size"][1:])
    share = float(content.get("crop_pct") or 0)
    mode: Mode | None = None
    resize = None
    crop = content.get("crop_mode", "center")
    if crop == "center" and size and share:
        mode, resize = "crop", max(size, int(size / share))
    elif crop == "squash" and share == 1:
        mode = "squash"
    elif crop != "center":
        msg = f"its crop_mode {crop!r} with crop_pct {share} is not supported"
        raise _UnsuitableError(msg)
    kinds: dict[object, Filter] = {each: each for each in FILTERS.values()}
    mean, scale = _from_unit(content["mean"], content["std"])
    return Settings(
        mean=mean,
        scale=scale,
        size=size,
        mode=mode,
        resize=resize,
        filter=kinds.get(content.get("interpolation")),
    )


def _hugging_face(content: Mapping[str, Any]) -> Settings:
    size, mode, resize = _geometry(content)
    factor = float(content.get("rescale_factor", 1 / 255))
    factor = factor if content.get("do_rescale", True) else 1.0
    offset = 1.0 if content.get("rescale_offset") else 0.0
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    if not content.get("do_normalize", True):
        mean, scale = (offset / factor,) * 3, (factor,) * 3
    elif "image_mean" in content and "image_std" in content:
        pairs = zip(
            _three(content["image_mean"]), _three(content["image_std"]), strict=True
        )
        both = [((m + offset) / factor, factor / s) for m, s in pairs]
        mean, scale = tuple(m for m, _ in both), tuple(s for _, s in both)
    flipped = content.get("do_flip_channel_order")
    return Settings(
        mean=mean,
        scale=scale,
        size=size,
        mode=mode,
        resize=resize,
        filter=FILTERS.get(content["resample"]) if "resample" in content else None,
        colour="bgr" if flipped else None,
    )


def _geometry(content: Mapping[str, Any]) -> tuple[int | None, Any, int | None]:
    """Return the side of the square, how it is made, and the shorter side before."""
    size = content.get("size")
    crops = bool(content.get("do_center_crop"))
    if not content.get("do_resize", True) or size is None:
        return None, None, None
    shorter = size.get("shortest_edge") if isinstance(size, dict) else size
    if "crop_pct" in content and shorter is not None:  # as ConvNeXt has it
        share = float(content["crop_pct"] or 1)
        crop = shorter < SMALL
        return (
            shorter,
            "crop" if crop else "squash",
            int(shorter / share) if crop else None,
        )
    square = None if isinstance(size, dict) and shorter else size
    if not crops:
        if square is None:
            msg = "it resizes the shorter side and does not crop, so no square results"
            raise _UnsuitableError(msg)
        return _side(square), "squash", None
    cut = _side(content.get("crop_size", size))
    if isinstance(size, dict) and shorter is None:
        if _side(size) != cut:
            msg = "it changes the shape of the image and then crops"
            raise _UnsuitableError(msg)
        return cut, "squash", None
    return cut, "crop", shorter


def _side(size: Any) -> int:
    """Return the side of a square given as a number, a pair, or by names."""
    parts = (size["height"], size["width"]) if isinstance(size, dict) else size
    rows, columns = (parts, parts) if isinstance(parts, int) else parts
    if rows != columns:
        msg = f"its images are {rows} x {columns}, not square"
        raise _UnsuitableError(msg)
    return int(rows)


def _from_unit(mean: Any, std: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and scale of pixels from 0 to 255, given those from 0 to 1."""
    pairs = list(zip(_three(mean), _three(std), strict=True))
    return tuple(255 * m for m, _ in pairs), tuple(1 / (255 * s) for _, s in pairs)


def _three(value: Any) -> tuple[float, ...]:
    values = [float(each) for each in (value if isinstance(value, list) else [value])]
    return tuple(values * 3) if len(values) == 1 else tuple(values)
