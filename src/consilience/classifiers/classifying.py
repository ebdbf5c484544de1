"""Predictions of classifiers for images: in batches, saved piece by piece.

Order is that of the images, so that a run which was killed and taken up again leaves
what an uninterrupted one does.

**Images are decoded and resampled ahead of the networks, in threads, in their order.**
Pillow does its work without Python's lock. A bounded number of images is in memory, and
each is decoded once for all classifiers.
"""

import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from scipy.special import softmax

from consilience.classifiers.classifier import Classifier, fill_up, load_classifier
from consilience.classifiers.images import (
    Image,
    Images,
    UnusableImageError,
    decode,
    list_images,
    prepare,
    quiet,
    read_ahead,
)
from consilience.classifiers.manifest import Preprocessing
from consilience.classifiers.pieces import Pieces
from consilience.classifiers.predictions import (
    ANSWER_SCHEMA,
    Account,
    is_folder,
    provenance,
)
from consilience.classifiers.runtime import Choice, Device, choose, on_gpu
from consilience.errors import OptionError
from consilience.progress import Progress, Reporter, silent
from consilience.whole_folder import whole_folder

AHEAD = 4  # batches that may wait in memory
PIECE = 256  # images in a piece: what a kill can cost
BATCH = {False: 16, True: 128}  # by whether on a GPU; on a CPU more only takes memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What has been done.

    Attributes
    ----------
    classified, before
        Images that were taken on now, and those that were done before.
    unusable
        Of those taken on now, how many could not be used; the folder says why.
    device
        Where the sessions ran, and why there.
    seconds
        On the wall.
    """

    classified: int
    before: int
    unusable: int
    device: str
    seconds: float


def classify(  # noqa: PLR0913 (each option stands alone)
    images: Images | Sequence[str | Path],
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    device: Device = "auto",
    keep: int = 20,
    batch: int | None = None,
    readers: int | None = None,
    threads: int | None = None,
    report: Reporter = silent,
    overwrite: bool = False,
) -> Outcome:
    """Write the predictions of classifiers for images to a folder.

    A second call with the same classifiers continues where the first was stopped.

    Parameters
    ----------
    images : Images or sequence of paths
        From `list_images`, or what that accepts.
    folders : sequence of paths
        Folders of the classifiers.
    out : str or Path
        Folder of predictions.
    device : {"auto", "cpu", "cuda"}, default "auto"
        "auto" takes the GPU, by CUDA, where there is one.
    keep : int, default 20
        Number of labels to keep for each image and classifier, the most probable.
    batch, readers, threads : int, optional
        Number of images that a network takes at once, of threads that read and decode
        images, and of threads that compute on the CPU; by default as suits the machine.
    report : callable
        Called with the progress after each batch.
    overwrite : bool, default False
        Start again where there are predictions already. They stay until the new ones
        are complete; a run that is stopped earlier keeps them, and cannot be continued.

    Returns
    -------
    Outcome
        Numbers of images, the device and the time.

    Raises
    ------
    UnavailableError, SourceError
        If a classifier cannot be loaded, or cannot run on the device.
    DataError
        If the folder holds other predictions.
    FolderExistsError
        If the folder exists and holds no predictions.
    CannotWriteError
        If the folder cannot be written.
    OptionError
        If a number is not positive, or two classifiers have the same name.

    See Also
    --------
    read_predictions : Read the folder.

    Examples
    --------
    >>> import consilience as cs
    >>> cs.images.classify(["photos"], ["resnet"], "predictions")  # doctest: +SKIP
    """
    started = time.monotonic()
    numbers = {"keep": keep, "batch": batch, "readers": readers, "threads": threads}
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise OptionError(f"{name}={number}: expected a whole number from 1")
    images = images if isinstance(images, Images) else list_images(images)
    choice = choose(device)
    reading, computing = share_processors(gpu=choice.gpu)
    batch_size, readers = batch or BATCH[choice.gpu], readers or reading
    classifiers = _load(folders, choice, threads or computing)
    where = _where(choice, classifiers)
    runtime, pillow = choice.runtime.__version__, metadata.version("pillow")
    account = Account(
        keep=keep,
        classifiers=tuple(provenance(each.manifest) for each in classifiers),
        devices=(f"{where}; ONNX Runtime {runtime}, Pillow {pillow}",),
    )
    done = unusable = 0
    tables: list[pa.Table] = []
    rows: list[dict[str, Any]] = []
    how = tuple(each.manifest.preprocessing for each in classifiers)
    place: AbstractContextManager[Path] = nullcontext(Path(out))
    if overwrite and Path(out).exists():  # replaced at the end
        place = whole_folder(Path(out), replaceable=is_folder)
    with place as folder:
        pieces = Pieces(folder, account, [each.labels for each in classifiers])
        before = sum(item in pieces.done for item in images.items)
        todo = images.besides(frozenset(pieces.done))

        def put_away() -> None:
            if rows:
                pieces.add(pa.concat_tables(tables, promote_options="none"), rows)
                tables.clear()
                rows.clear()

        prepared = partial(prepare_image, how=how)
        ahead = read_ahead(todo, prepared, readers, AHEAD * batch_size)
        with quiet(), closing(ahead) as ready:
            for images_ready in batched(ready, batch_size):
                size = batch_size if choice.gpu else 0
                answers, became = classify_batch(images_ready, classifiers, keep, size)
                tables.append(answers)
                rows.extend(became)
                done += len(images_ready)
                unusable += sum(row["reason"] is not None for row in became)
                if len(rows) >= PIECE:
                    put_away()
                rate = f"{done / max(time.monotonic() - started, 1e-9):,.1f} images/s"
                report(Progress("classifying", before + done, len(images.items), rate))
            put_away()
    return Outcome(
        classified=done,
        before=before,
        unusable=unusable,
        device=where,
        seconds=time.monotonic() - started,
    )


def _load(
    folders: Sequence[str | Path], choice: Choice, threads: int
) -> list[Classifier]:
    loaded: dict[str, Classifier] = {}
    for folder in folders:
        one = load_classifier(folder, choice, threads=threads)
        name = one.manifest.name
        if name in loaded:
            raise OptionError(
                f"{folder}: another classifier is named {name} too; rename one in its "
                "manifest"
            )
        loaded[name] = one
    if not loaded:
        raise OptionError("no classifier was given; name the folder of one at least")
    return list(loaded.values())


def _where(choice: Choice, classifiers: Sequence[Classifier]) -> str:
    """Say where the sessions run: what they themselves say, not what was chosen."""
    there = [on_gpu(classifier.session) for classifier in classifiers]
    if not choice.gpu or all(there):
        return choice.reason
    if any(there):
        return "the GPU and, where it refused, the CPU"
    return "the CPU: ONNX Runtime found a driver but not CUDA 13 or cuDNN 9"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image as the networks take it, or the reason why it cannot be used."""

    item: str
    squares: tuple[np.ndarray, ...] = ()
    width: int | None = None
    height: int | None = None
    note: str = ""
    reason: str = ""


def prepare_image(image: Image, how: Sequence[Preprocessing]) -> Prepared:
    """Return an image as the networks take it, or why it cannot be used."""
    try:
        picture = decode(image.load())
    except OSError as error:
        return Prepared(image.item, reason=f"cannot be read: {error.strerror}")
    except UnusableImageError as error:
        return Prepared(image.item, reason=str(error))
    except MemoryError:
        return Prepared(image.item, reason="too large for the available memory")
    width, height = picture.rgb.size
    made = {each: prepare(picture.rgb, each) for each in dict.fromkeys(how)}
    squares = tuple(made[each] for each in how)
    return Prepared(image.item, squares, width, height, picture.note)


def share_processors(*, gpu: bool) -> tuple[int, int]:
    """Return the numbers of threads that read and that compute."""
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else None
    cores = cores or os.cpu_count() or 1
    reading = max(1, cores - 1) if gpu else max(1, cores // 4)
    return reading, max(1, cores - reading)


def classify_batch(
    batch: Sequence[Prepared],
    classifiers: Sequence[Classifier],
    keep: int,
    size: int = 0,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Return the answers about a batch, and what became of each of its images."""
    usable = [image for image in batch if image.squares]
    reasons = {image.item: image.reason for image in batch}
    tables = [ANSWER_SCHEMA.empty_table()]
    for place, classifier in enumerate(classifiers if usable else ()):
        squares = np.stack([image.squares[place] for image in usable])
        logits = classifier.logits(fill_up(squares, size))[: len(usable)]
        finite = np.isfinite(logits).all(1)
        for at in np.flatnonzero(~finite):
            item = usable[at].item
            reason = f"{classifier.manifest.name} returns numbers that are not finite"
            reasons[item] = "; ".join(filter(None, (reasons[item], reason)))
        items = [usable[at].item for at in np.flatnonzero(finite)]
        tables.append(best_labels(items, classifier, logits[finite], keep))
    rows = [
        {
            "item": image.item,
            "width": image.width,
            "height": image.height,
            "note": image.note or None,
            "reason": reasons[image.item] or None,
        }
        for image in batch
    ]
    return pa.concat_tables(tables), rows


def best_labels(
    items: Sequence[str],
    classifier: Classifier,
    logits: Float[np.ndarray, "B K"],
    keep: int,
) -> pa.Table:
    """Return the most probable labels of each image, first the most probable."""
    first = np.argsort(-logits, axis=1, kind="stable")[:, :keep]
    top = np.take_along_axis(logits, first, 1)
    share = np.take_along_axis(softmax(logits.astype(float), axis=1), first, 1)
    number, kept = first.shape
    rows = {
        "item": np.repeat(np.array(items, object), kept),
        "model": np.repeat(np.array([classifier.manifest.name], object), number * kept),
        "rank": np.tile(np.arange(1, kept + 1), number),
        "label": np.array(classifier.labels.label, object)[first.ravel()],
        "logit": top.ravel(),
        "probability": share.ravel(),
    }
    return pa.table(rows, schema=ANSWER_SCHEMA)
