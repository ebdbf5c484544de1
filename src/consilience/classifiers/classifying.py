"""What classifiers say of images: read ahead, in batches, put away piece by piece.

Reader threads decode and resample, which Pillow does without Python's lock, while the
sessions work; a bounded number of images is in memory. Each image is decoded once for
all classifiers. Order is that of the images, so that a run which was killed and taken
up again leaves what an uninterrupted one does.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from itertools import batched
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float, UInt8
from scipy.special import softmax

from consilience.classifiers.classifier import Classifier, load_classifier
from consilience.classifiers.decoding import UnusableImageError, decode, quiet
from consilience.classifiers.images import Image, Images, list_images
from consilience.classifiers.manifest import Preprocessing
from consilience.classifiers.predictions import ANSWER_SCHEMA, Account, Pieces, told
from consilience.classifiers.preprocessing import prepare
from consilience.classifiers.runtime import Choice, Device, choose, load_runtime
from consilience.errors import OptionError

PIECE = 256  # images in a piece: what a kill can cost
AHEAD = 4  # batches that may wait in memory
BATCH = {False: 16, True: 128}  # by whether on a GPU; on a CPU more only takes memory

type Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How the work is spread; what is left out goes by the machine.

    Attributes
    ----------
    batch
        Images that a session takes at once.
    readers
        Threads that read and decode.
    threads
        Threads of arithmetic on the CPU.
    """

    batch: int | None = None
    readers: int | None = None
    threads: int | None = None


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


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An image as the networks take it, or the reason why it cannot be used."""

    item: str
    squares: tuple[np.ndarray, ...] = ()
    width: int | None = None
    height: int | None = None
    note: str = ""
    reason: str = ""


def classify(
    images: Images | Sequence[str | Path],
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    device: Device = "auto",
    keep: int = 20,
    pace: Pace = Pace(),
    tell: Tell | None = None,
) -> Outcome:
    """Write what classifiers say of images into a folder of predictions.

    Called again with the same classifiers it takes up where it was stopped.

    Parameters
    ----------
    images
        From `list_images`, or what that takes.
    folders
        Of the classifiers.
    out
        Folder of predictions.
    device
        `auto`: the GPU where there is one.
    keep
        Labels to keep of each image and classifier, the most probable.
    pace
        Batches and threads.
    tell
        Called with images done, images in all, and a note, as work goes on.

    Raises
    ------
    MissingExtraError, DeviceError, BadClassifierError, SourceNotFoundError
        A classifier cannot be loaded, or not where it must run.
    PredictionsError
        The folder holds other predictions.
    OptionError
        A number is not positive, or two classifiers have one name.
    """
    started = time.monotonic()
    _check(keep, pace)
    images = images if isinstance(images, Images) else list_images(images)
    runtime = load_runtime()
    choice = choose(device, runtime)
    workers = _spread(pace, cuda=choice.cuda)
    classifiers = _load(folders, choice, runtime, workers.threads)
    where = _where(choice, classifiers)
    account = Account(
        keep=keep,
        classifiers=tuple(told(each.manifest) for each in classifiers),
        devices=(f"{where}; {_versions(runtime)}",),
    )
    pieces = Pieces(Path(out), account, [each.labels for each in classifiers])
    before = sum(item in pieces.done for item in images.items)
    done = unusable = 0
    tables: list[pa.Table] = []
    rows: list[dict[str, Any]] = []

    def put_away() -> None:
        if rows:
            pieces.add(pa.concat_tables(tables, promote_options="none"), rows)
            tables.clear()
            rows.clear()

    todo = images.besides(frozenset(pieces.done))
    with quiet(), closing(_prepared(todo, classifiers, workers)) as ready:
        for batch in batched(ready, workers.batch):
            answers, became = _answered(batch, classifiers, keep, workers)
            tables.append(answers)
            rows.extend(became)
            done += len(batch)
            unusable += sum(row["reason"] is not None for row in became)
            if len(rows) >= workers.piece:
                put_away()
            if tell is not None:
                rate = done / max(time.monotonic() - started, 1e-9)
                tell(before + done, len(images.items), f"{rate:,.1f} images/s")
        put_away()
    return Outcome(
        classified=done,
        before=before,
        unusable=unusable,
        device=where,
        seconds=time.monotonic() - started,
    )


def _check(keep: int, pace: Pace) -> None:
    numbers = {"keep": keep, "batch": pace.batch, "readers": pace.readers}
    numbers["threads"] = pace.threads
    for name, number in numbers.items():
        if number is not None and number < 1:
            msg = f"{name}={number}: expected a whole number from 1"
            raise OptionError(msg)


@dataclass(frozen=True, slots=True)
class _Workers:
    """How the work is spread, settled."""

    batch: int
    readers: int
    threads: int
    fixed: bool

    @property
    def piece(self) -> int:
        """Images in a piece: whole batches."""
        return -(-PIECE // self.batch) * self.batch


def _spread(pace: Pace, *, cuda: bool) -> _Workers:
    """Settle how the work is spread over the processors there are.

    A network of the sizes meant here takes three to ten times as long as decoding its
    image, so a quarter of the processors reads; with a GPU all do.
    """
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else None
    cores = cores or os.cpu_count() or 1
    reading = max(1, cores - 1) if cuda else max(1, cores // 4)
    return _Workers(
        batch=pace.batch or BATCH[cuda],
        readers=pace.readers or reading,
        threads=pace.threads or max(1, cores - reading),
        fixed=cuda,
    )


def _load(
    folders: Sequence[str | Path], choice: Choice, runtime: Any, threads: int
) -> list[Classifier]:
    loaded: list[Classifier] = []
    for folder in folders:
        one = load_classifier(folder, choice, runtime, threads=threads)
        if one.name in {each.name for each in loaded}:
            msg = (
                f"{folder}: another classifier is named {one.name} too; rename one in "
                "its manifest"
            )
            raise OptionError(msg)
        loaded.append(one)
    if not loaded:
        msg = "no classifier was given; name its folder with --model-dir"
        raise OptionError(msg)
    return loaded


def _where(choice: Choice, classifiers: Sequence[Classifier]) -> str:
    """Say where the sessions run: what they themselves say, not what was chosen."""
    devices = {each.device for each in classifiers}
    if devices == {"cuda"}:
        return "the GPU"
    if not choice.cuda:
        return choice.reason
    if "cuda" in devices:
        return "the GPU and, where it refused, the CPU"
    return "the CPU: ONNX Runtime found a driver but not CUDA 13 or cuDNN 9"


def _versions(runtime: Any) -> str:
    return f"ONNX Runtime {runtime.__version__}, Pillow {metadata.version('pillow')}"


def _prepared(
    images: Iterable[Image], classifiers: Sequence[Classifier], workers: _Workers
) -> Generator[_Prepared]:
    """Read ahead in threads, and give the images in their order."""
    how = tuple(each.manifest.preprocessing for each in classifiers)
    ahead: deque[Future[_Prepared]] = deque()
    pool = ThreadPoolExecutor(workers.readers, "reader")
    try:
        for image in images:
            ahead.append(pool.submit(_prepare, image, how))
            if len(ahead) >= AHEAD * workers.batch:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(image: Image, how: Sequence[Preprocessing]) -> _Prepared:
    try:
        picture = decode(image.load())
    except OSError as error:
        return _Prepared(image.item, reason=f"cannot be read: {error.strerror}")
    except UnusableImageError as error:
        return _Prepared(image.item, reason=str(error))
    except MemoryError:
        return _Prepared(image.item, reason="too large for the memory there is")
    width, height = picture.rgb.size
    squares = tuple(prepare(picture.rgb, each) for each in how)
    return _Prepared(image.item, squares, width, height, picture.note)


def _answered(
    batch: Sequence[_Prepared],
    classifiers: Sequence[Classifier],
    keep: int,
    workers: _Workers,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Return the answers about a batch, and what became of each of its images."""
    usable = [each for each in batch if each.squares]
    reasons = {each.item: each.reason for each in batch}
    tables = []
    for place, classifier in enumerate(classifiers):
        if not usable:
            continue
        squares = np.stack([each.squares[place] for each in usable])
        logits = classifier.logits(_filled(squares, workers))[: len(usable)]
        finite = np.isfinite(logits).all(1)
        for at in np.flatnonzero(~finite):
            item = usable[at].item
            said = f"{classifier.name} answers numbers that are not finite"
            reasons[item] = "; ".join(filter(None, (reasons[item], said)))
        items = [usable[at].item for at in np.flatnonzero(finite)]
        tables.append(best_labels(items, classifier, logits[finite], keep))
    rows = [
        {
            "item": each.item,
            "width": each.width,
            "height": each.height,
            "note": each.note or None,
            "reason": reasons[each.item] or None,
        }
        for each in batch
    ]
    empty = ANSWER_SCHEMA.empty_table()
    return (pa.concat_tables(tables) if tables else empty), rows


def _filled(
    squares: UInt8[np.ndarray, "B S S 3"], workers: _Workers
) -> UInt8[np.ndarray, "C S S 3"]:
    """Fill the last batch up, where each new shape would have CUDA search anew."""
    lacking = workers.batch - len(squares)
    if not workers.fixed or lacking <= 0:
        return squares
    return np.concatenate([squares, np.zeros_like(squares[:1]).repeat(lacking, 0)])


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
    labels = np.unique(first)
    place = np.searchsorted(labels, first.ravel())

    def coded(codes: np.ndarray, names: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(
            pa.array(codes, pa.int32()), pa.array(names, pa.string())
        )

    return pa.table(
        {
            "item": coded(np.repeat(np.arange(number), kept), list(items)),
            "model": coded(np.zeros(number * kept), [classifier.name]),
            "rank": pa.array(np.tile(np.arange(1, kept + 1), number), pa.int16()),
            "label": coded(place, [classifier.labels.label[i] for i in labels]),
            "logit": pa.array(top.ravel(), pa.float32()),
            "probability": pa.array(share.ravel(), pa.float32()),
        },
        schema=ANSWER_SCHEMA,
    )
