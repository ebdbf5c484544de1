"""Golden pictures: what a network answers, written down to be compared with later."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from consilience.classifiers.images.decoding import decode
from consilience.classifiers.running.classifier import Classifier, load_classifier
from consilience.classifiers.running.manifest import Golden
from consilience.classifiers.running.preprocessing import prepare
from consilience.classifiers.running.runtime import choose, load_runtime
from consilience.errors import BadClassifierError, SourceNotFoundError

SHOWN = 5  # labels of a golden picture
SHARE = 0.005  # of the distance from the first logit to the median that may be lost


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
    BadClassifierError
        If a logit differs by more than the manifest allows.
    SourceNotFoundError
        If the folder, or a photograph, does not exist.

    See Also
    --------
    wrap : Make the folder of a classifier from an ONNX network.

    Examples
    --------
    >>> from consilience.classifiers import check_golden
    >>> check_golden("models/resnet18") < 0.05  # doctest: +SKIP
    True
    """
    place = Path(folder)
    runtime = load_runtime()
    classifier = load_classifier(place, choose("cpu", runtime), runtime)
    largest = float("nan")
    for golden in classifier.manifest.golden:
        picture = _picture(place, golden, photographs)
        difference = _difference(picture, classifier, golden)
        largest = np.fmax(largest, difference)
        if not difference <= golden.tolerance:
            msg = (
                f"{place}: a logit of the golden picture "
                f"{golden.file or golden.photograph} differs by {difference:.2g}, more "
                f"than {golden.tolerance:.2g}; export or wrap the classifier again"
            )
            raise BadClassifierError(msg)
    return float(largest)


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
    """Return a picture of smooth colours, for a network that comes without one.

    It is wider than high and differs from side to side and from colour to colour, so
    that a wrong crop, order of axes or order of colours gives other answers.
    """
    from PIL import Image  # noqa: PLC0415 (an extra)

    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)
    written = io.BytesIO()
    smooth.save(written, "PNG")
    return written.getvalue()


def _picture(folder: Path, golden: Golden, photographs: str | Path | None) -> bytes:
    if golden.file is not None:
        files = [folder / golden.file]
    else:
        files = sorted(Path(photographs or folder).glob(f"{golden.photograph}.*"))
    try:
        return files[0].read_bytes()
    except (IndexError, OSError):
        msg = (
            f"{folder}: the golden picture {golden.file or golden.photograph} is "
            "missing; copy the whole folder, or give `photographs=`, the folder of "
            "scikit-image's photographs (skimage.data_dir)"
        )
        raise SourceNotFoundError(msg) from None


def _difference(picture: bytes, classifier: Classifier, golden: Golden) -> float:
    square = prepare(decode(picture).rgb, classifier.manifest.preprocessing)
    logits = classifier.logits(square[None])[0]
    places = [classifier.labels.label.index(label) for label in golden.labels]
    return float(np.abs(logits[places] - np.array(golden.logits)).max())
