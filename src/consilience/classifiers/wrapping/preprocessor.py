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

KINDS = ("image_processor_type", "feature_extractor_type")
HUGGING_FACE = {"image_mean", "do_normalize", *KINDS}
FILTERS: dict[int, Filter] = {
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
}  # by Pillow's numbers
# Whose size, given as one number, is that of both sides; of others, of the shorter.
SQUARED = ("Beit", "Blip", "DeiT", "EfficientNet", "Flava", "Perceiver", "ViT")
SMALL = 384  # side from which ConvNeXt's preprocessor squashes instead of cropping


def read_preprocessor(path: Path) -> Settings:
    """Read settings from a file of Hugging Face or timm."""
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
        if HUGGING_FACE & content.keys():
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
    if crop not in {"center", "squash"}:
        msg = f"its crop_mode {crop!r} is not supported"
        raise _UnsuitableError(msg)
    if size and share:
        mode = "crop" if crop == "center" else "squash"
        resize = max(size, int(size / share))
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
    kind = next((str(content[each]) for each in KINDS if content.get(each)), "")
    mobile = kind.startswith("MobileViT")  # by default BGR that is not normalized
    size, mode, resize = _geometry(content, kind)
    factor = float(content.get("rescale_factor", 1 / 255))
    factor = factor if content.get("do_rescale", True) else 1.0
    offset = 1.0 if content.get("rescale_offset") else 0.0
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    if not content.get("do_normalize", not mobile):
        mean, scale = (offset / factor,) * 3, (factor,) * 3
    elif "image_mean" in content and "image_std" in content:
        pairs = zip(
            _three(content["image_mean"]), _three(content["image_std"]), strict=True
        )
        power = 2 if content.get("include_top", kind.startswith("EfficientNet")) else 1
        both = [((m + offset) / factor, factor / s**power) for m, s in pairs]
        mean, scale = tuple(m for m, _ in both), tuple(s for _, s in both)
    flipped = content.get("do_flip_channel_order", mobile)
    return Settings(
        mean=mean,
        scale=scale,
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
            msg = f"it does not state whether {size} is the shorter side"
            raise _UnsuitableError(msg)
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
        msg = "it resizes the shorter side and does not crop, so no square results"
        raise _UnsuitableError(msg)
    if cut > before:
        msg = f"it cuts a square of {cut} out of {before} pixels"
        raise _UnsuitableError(msg)
    return cut, mode, None if mode == "squash" and cut == before else before


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
