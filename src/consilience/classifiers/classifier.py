"""A classifier that is loaded: checked against its manifest, and ready to answer.

**Pixels are normalised in NumPy**, so that a network stays as its exporter left it. A
network whose batch is fixed is run on as many images at a time, blank ones at the end.

**Golden pictures show that a folder answers as it did when it was made**: the answers
of the network that was exported or wrapped stand in the manifest.
"""

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, UInt8

from consilience.classifiers.images import decode, prepare
from consilience.classifiers.manifest import (
    Golden,
    Labels,
    Manifest,
    Pixels,
    checked_bytes,
    read_labels,
    read_manifest,
)
from consilience.classifiers.runtime import Choice, choose, session
from consilience.errors import ConsilienceError, SourceError

MIN_PROBABILITY = 1e-30  # before its logarithm is taken
SHOWN = 5  # labels of a golden picture
SHARE = 0.005  # of the distance from the first logit to the median that may be lost
KINDS: dict[object, np.dtype[Any]] = {
    "tensor(float16)": np.dtype(np.float16),
    "tensor(float)": np.dtype(np.float32),
    "tensor(double)": np.dtype(np.float64),
}


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A network with its labels, in a session."""

    manifest: Manifest
    labels: Labels
    session: Any
    kind: np.dtype[Any]
    batch: int | None  # images that it takes at once; None: any number

    def logits(
        self, squares: UInt8[np.ndarray, "B S S 3"]
    ) -> Float32[np.ndarray, "B K"]:
        """Return the logits of a batch of squares."""
        pixels = self.manifest.pixels
        if pixels is not None:
            squares = to_pixels(squares, pixels, self.kind)
        size = self.batch or len(squares)
        parts = [self._run(squares[k : k + size]) for k in range(0, len(squares), size)]
        logits = np.concatenate(parts).astype(np.float32)
        if self.manifest.network.answers == "probabilities":
            logits = np.log(np.maximum(logits, MIN_PROBABILITY), dtype=np.float32)
        return logits

    def _run(self, numbers: np.ndarray) -> Float[np.ndarray, "B K"]:
        """Return the outputs for what the network takes."""
        name, network = self.manifest.name, self.manifest.network
        batch = fill_up(numbers, self.batch or 0)
        bound = self.session.io_binding()
        bound.bind_cpu_input(network.input, np.ascontiguousarray(batch))
        bound.bind_output(network.output)
        self.session.run_with_iobinding(bound)
        outputs: np.ndarray = bound.copy_outputs_to_cpu()[0]
        if len(outputs) != len(batch) or outputs[0].size != len(self.labels):
            raise SourceError(
                f"{name}: gives shape {outputs.shape} for {len(batch)} images and "
                f"{len(self.labels):,} labels; export the classifier again"
            )
        return outputs[: len(numbers)].reshape(len(numbers), -1)


def to_pixels(
    squares: UInt8[np.ndarray, "B S S 3"], how: Pixels, kind: np.dtype[Any]
) -> Float[np.ndarray, "B _ _ _"]:
    """Return what a network takes for squares."""
    shape = (*squares.shape[:3], 3)
    if how.layout == "nchw":
        shape = (len(squares), 3, *squares.shape[1:3])
    pixels = np.empty(shape, np.float32)
    ordered = squares if how.colour == "rgb" else squares[..., ::-1]
    planes = np.moveaxis(pixels, 1 if how.layout == "nchw" else 3, 0)
    for colour, (mean, scale) in enumerate(zip(how.mean, how.scale, strict=True)):
        np.subtract(ordered[..., colour], np.float32(mean), out=planes[colour])
        planes[colour] *= np.float32(scale)
    return pixels.astype(kind, copy=False)


def fill_up(images: np.ndarray, number: int) -> np.ndarray:
    """Return a batch with blank images at its end, if it has fewer than a number."""
    lacking = number - len(images)
    if lacking <= 0:
        return images
    return np.concatenate([images, np.zeros_like(images[:1]).repeat(lacking, 0)])


def load_classifier(
    folder: str | Path, choice: Choice, *, threads: int = 1
) -> Classifier:
    """Load a classifier from its folder, or refuse it.

    Parameters
    ----------
    folder
        Holds `manifest.toml` and the files that it names.
    choice
        The device.
    threads
        As in `classify`.

    Raises
    ------
    SourceError
        There is no such folder, or a file is missing, cut off or another; the network
        keeps weights elsewhere, is none, or does not take and give what the manifest
        says.
    UnavailableError
        The GPU is insisted on, and the session does not run there.
    """
    place = Path(folder)
    manifest = read_manifest(place)
    labels = read_labels(place, manifest.labels)
    network = manifest.network
    where = place / network.file
    data = checked_bytes(place, network)
    outside = next(external_weights(parse_network(data, where)), None)
    if outside is not None:
        why = f"its weights {outside!r} lie in another file; store them inside"
        raise _bad_classifier(where, why)
    try:
        opened = session(
            data, choice, threads=threads, disable_quant_qdq=network.disable_quant_qdq
        )
    except ConsilienceError:
        raise
    except Exception as error:  # noqa: BLE001 (ONNX Runtime's errors share no root)
        why = f"ONNX Runtime rejects it: {one_line(error)}"
        raise _bad_classifier(where, why) from None
    kind, batch = _check_shapes(manifest, opened, where)
    return Classifier(manifest, labels, opened, kind, batch)


def parse_network(data: bytes, where: Path) -> Any:
    """Read the bytes of a network, or refuse them."""
    import onnx  # noqa: PLC0415 (an extra)
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    try:
        return onnx.load_from_string(data)
    except DecodeError:
        raise SourceError(
            f"{where}: is not an ONNX network, or is truncated; export it again"
        ) from None


def external_weights(message: Any) -> Iterator[str]:
    """Give the names of weights that are not in the file, however deep they sit."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        several = [value] if hasattr(value, "ListFields") else list(value)
        if field.name == "external_data" and several:
            yield message.name
        for part in several:
            if hasattr(part, "ListFields"):
                yield from external_weights(part)


def _check_shapes(
    manifest: Manifest, opened: Any, where: Path
) -> tuple[np.dtype[Any], int | None]:
    """Refuse what takes or gives something else; return type and number of images."""
    network, side = manifest.network, manifest.preprocessing.size
    inputs = {tensor.name: tensor for tensor in opened.get_inputs()}
    outputs = {tensor.name: tensor for tensor in opened.get_outputs()}
    for name, there in ((network.input, inputs), (network.output, outputs)):
        if name not in there:
            why = f"it has no {name!r} but {', '.join(map(repr, there))}"
            raise _bad_classifier(where, why)
    if len(inputs) > 1:
        why = f"it takes {len(inputs)} inputs, not the image alone"
        raise _bad_classifier(where, why)
    taken, given = inputs[network.input], outputs[network.output]
    kinds, expected, square = KINDS, "floating-point numbers", [side, side, 3]
    if manifest.pixels is None:
        kinds, expected = {"tensor(uint8)": np.dtype(np.uint8)}, "uint8"
    elif manifest.pixels.layout == "nchw":
        square = [3, side, side]
    dims = list(taken.shape)
    fixed = zip(dims[1:], square, strict=False)
    fits = all(dim == wanted or not isinstance(dim, int) for dim, wanted in fixed)
    if taken.type not in kinds or len(dims) != 4 or not fits:
        why = (
            f"it takes {taken.type} of shape {dims}; expected {expected} of shape "
            f"[batch, {', '.join(map(str, square))}]"
        )
        raise _bad_classifier(where, why)
    per_image, count = given.shape[1:], manifest.labels.count
    stated = given.shape and all(isinstance(number, int) for number in per_image)
    if stated and math.prod(per_image) != count:
        why = (
            f"it gives shape {list(given.shape)} for {count:,} labels; expected "
            f"[batch, {count}]"
        )
        raise _bad_classifier(where, why)
    return kinds[taken.type], dims[0] if isinstance(dims[0], int) else None


def _bad_classifier(where: Path, why: str) -> SourceError:
    return SourceError(f"{where}: {why}; export the classifier again")


def one_line(error: Exception) -> str:
    """Return the message of an error on one line, shortened."""
    return " ".join(str(error).split())[:200]


def check_golden(folder: str | Path, *, photographs: str | Path | None = None) -> float:
    """Compare a classifier with the golden pictures of its manifest, on the CPU.

    Parameters
    ----------
    folder : str or Path
        Folder of the classifier.
    photographs : str or Path, optional
        Folder of the photographs that a manifest names without holding them: those of
        scikit-image, `skimage.data_dir`.

    Returns
    -------
    float
        The largest difference of a logit; NaN if the manifest has no golden picture.

    Raises
    ------
    SourceError
        If a logit differs by more than the manifest allows, or the folder or a
        photograph does not exist.

    See Also
    --------
    wrap : Make the folder of a classifier from an ONNX network.
    """
    place = Path(folder)
    classifier = load_classifier(place, choose("cpu"))
    largest = float("nan")
    for golden in classifier.manifest.golden:
        name, where = golden.file or f"{golden.photograph}.*", place
        if golden.file is None and photographs is not None:
            where = Path(photographs)
        try:
            data = next(iter(sorted(where.glob(name)))).read_bytes()
        except (StopIteration, OSError):
            raise SourceError(
                f"{place}: the golden picture {golden.file or golden.photograph} is "
                "missing; copy the whole folder, or give `photographs=`, the folder of "
                "scikit-image's photographs (skimage.data_dir)"
            ) from None
        square = prepare(decode(data).rgb, classifier.manifest.preprocessing)
        logits = classifier.logits(square[None])[0]
        places = [classifier.labels.label.index(label) for label in golden.labels]
        difference = float(np.abs(logits[places] - np.array(golden.logits)).max())
        if not difference <= golden.tolerance:
            raise SourceError(
                f"{place}: a logit of the golden picture "
                f"{golden.file or golden.photograph} differs by {difference:.2g}, more "
                f"than {golden.tolerance:.2g}; export or wrap the classifier again"
            )
        largest = float(np.fmax(largest, difference))
    return largest


def golden_of(
    logits: Float[np.ndarray, " K"],
    labels: Sequence[str],
    *,
    file: str | None = None,
    photograph: str | None = None,
    tolerance: float | None = None,
) -> Golden:
    """Return what a network answers for a picture, as the manifest has it."""
    first = np.argsort(-logits, kind="stable")[:SHOWN]
    if tolerance is None:
        spread = float(logits[first[0]] - np.median(logits))
        tolerance = float(f"{max(SHARE * spread, 1e-5):.1e}")
    digits = 2 - math.floor(math.log10(tolerance))
    return Golden(
        photograph=photograph,
        file=file,
        labels=tuple(labels[i] for i in first),
        logits=tuple(round(float(logits[i]), digits) for i in first),
        tolerance=tolerance,
    )


def pattern() -> bytes:
    """Return a picture of smooth colours, for a network that comes without one."""
    from PIL import Image  # noqa: PLC0415 (an extra)

    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)
    written = io.BytesIO()
    smooth.save(written, "PNG")
    return written.getvalue()
