"""Predictions of classifiers for images: in batches, saved piece by piece.

Order is that of the images, so that a run which was killed and taken up again leaves
what an uninterrupted one does.

**A folder of predictions while it is being filled, in pieces that are whole or
absent.** It appears with its account and its table of labels, so that it can be taken
up whenever it is there. A piece of answers is put in place when it is whole, after its
piece of images: what is in place is done.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import metadata
from itertools import batched
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from consilience.classifiers.images.decoding import quiet
from consilience.classifiers.images.sources import Images, list_images
from consilience.classifiers.pooled.predictions import (
    ANSWERS,
    FILE,
    IMAGE_SCHEMA,
    IMAGES,
    LABELS,
    Account,
    is_folder,
    provenance,
    read_account,
    read_piece,
)
from consilience.classifiers.pooled.rank_lists import classify_batch
from consilience.classifiers.running.classifier import (
    Classifier,
    Labels,
    load_classifier,
)
from consilience.classifiers.running.manifest import as_toml
from consilience.classifiers.running.preprocessing import (
    AS_THE_MACHINE_HAS,
    Pace,
    check,
    read_ahead,
    share_processors,
)
from consilience.classifiers.running.runtime import (
    Choice,
    Device,
    Precision,
    choose,
    load_runtime,
)
from consilience.errors import CannotWriteError, OptionError, PredictionsError
from consilience.progress import Progress, Reporter, silent
from consilience.whole_folder import tidy, whole_file, whole_folder


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
    precision: Precision = "single",
    keep: int = 20,
    pace: Pace = AS_THE_MACHINE_HAS,
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
    device : {"auto", "cpu", "cuda", "tensorrt"}, default "auto"
        "auto" takes the GPU, by CUDA, where there is one.
    precision : {"single", "half"}, default "single"
        Precision of the arithmetic of the networks. "half" moves logits by some
        hundredths; it is meant for GPUs, and slower on a CPU.
    keep : int, default 20
        Number of labels to keep for each image and classifier, the most probable.
    pace : Pace
        Sizes of batches and numbers of threads.
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
    MissingExtraError, DeviceError, BadClassifierError, SourceNotFoundError
        If a classifier cannot be loaded, or cannot run on the device.
    PredictionsError
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
    >>> cs.classify(["photos"], ["resnet"], "predictions")  # doctest: +SKIP
    """
    started = time.monotonic()
    check(keep, pace)
    images = images if isinstance(images, Images) else list_images(images)
    runtime = load_runtime()
    choice = choose(device, runtime)
    workers = share_processors(pace, gpu=choice.gpu)
    classifiers = _load(folders, choice, runtime, workers.threads, precision)
    where = _where(choice, classifiers)
    account = Account(
        keep=keep,
        precision=precision,
        classifiers=tuple(
            provenance(classifier.manifest) for classifier in classifiers
        ),
        devices=(f"{where}; {_versions(runtime)}",),
    )
    done = unusable = 0
    tables: list[pa.Table] = []
    rows: list[dict[str, Any]] = []
    how = tuple(classifier.manifest.preprocessing for classifier in classifiers)
    with _place(Path(out), overwrite=overwrite) as folder:
        pieces = Pieces(
            folder, account, [classifier.labels for classifier in classifiers]
        )
        before = sum(item in pieces.done for item in images.items)
        todo = images.besides(frozenset(pieces.done))

        def put_away() -> None:
            if rows:
                pieces.add(pa.concat_tables(tables, promote_options="none"), rows)
                tables.clear()
                rows.clear()

        with quiet(), closing(read_ahead(todo, how, workers)) as ready:
            for batch in batched(ready, workers.batch):
                answers, became = classify_batch(batch, classifiers, keep, workers)
                tables.append(answers)
                rows.extend(became)
                done += len(batch)
                unusable += sum(row["reason"] is not None for row in became)
                if len(rows) >= workers.piece:
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


def _place(out: Path, *, overwrite: bool) -> AbstractContextManager[Path]:
    """Return where to write: the folder itself, or one that replaces it at the end."""
    if overwrite and out.exists():
        return whole_folder(out, replaceable=is_folder)
    return nullcontext(out)


def _load(
    folders: Sequence[str | Path],
    choice: Choice,
    runtime: Any,
    threads: int,
    precision: Precision = "single",
) -> list[Classifier]:
    loaded: list[Classifier] = []
    for folder in folders:
        one = load_classifier(
            folder, choice, runtime, threads=threads, precision=precision
        )
        if one.name in {other.name for other in loaded}:
            msg = (
                f"{folder}: another classifier is named {one.name} too; rename one in "
                "its manifest"
            )
            raise OptionError(msg)
        loaded.append(one)
    if not loaded:
        msg = "no classifier was given; name the folder of one at least"
        raise OptionError(msg)
    return loaded


def _where(choice: Choice, classifiers: Sequence[Classifier]) -> str:
    """Say where the sessions run: what they themselves say, not what was chosen."""
    devices = {classifier.device for classifier in classifiers}
    if devices == {"tensorrt"}:
        return "the GPU, by TensorRT"
    if devices == {"cuda"}:
        return "the GPU"
    if not choice.gpu:
        return choice.reason
    if devices != {"cpu"}:
        return "the GPU and, where it refused, the CPU"
    return "the CPU: ONNX Runtime found a driver but not CUDA 13 or cuDNN 9"


def _versions(runtime: Any) -> str:
    return f"ONNX Runtime {runtime.__version__}, Pillow {metadata.version('pillow')}"


class Pieces:
    """The folder while it is being filled."""

    def __init__(
        self, folder: Path, account: Account, labels: Sequence[Labels]
    ) -> None:
        """Take a folder up again, or begin it."""
        self.folder = folder
        before = read_account(folder) if is_folder(folder) else None
        if before is not None:
            _check_same(folder, before, account)
        devices = (*(before.devices if before else ()), *account.devices)
        devices = tuple(dict.fromkeys(devices))
        self.account = msgspec.structs.replace(account, devices=devices)
        with _add_advice():
            if before is None:
                self._begin(labels)
            else:
                with whole_file(folder / FILE) as partial:
                    self._tell(partial)
        self.done, self.number = self._whole()

    def add(self, answers: pa.Table, images: Iterable[Mapping[str, object]]) -> None:
        """Put a piece in place."""
        name = f"part-{self.number:05d}.parquet"
        rows = pa.Table.from_pylist(list(images), schema=IMAGE_SCHEMA)
        table = answers.unify_dictionaries().combine_chunks()
        with _add_advice():
            for part, content in ((IMAGES, rows), (ANSWERS, table)):
                with whole_file(self.folder / part / name) as partial:
                    parquet.write_table(content, partial, compression="zstd")
        self.done.update(rows.column("item").to_pylist())
        self.number += 1

    def _whole(self) -> tuple[set[str], int]:
        """Return the items that are done, and the number of the next piece.

        A piece that was cut off, or whose twin is missing, is done again: it and all
        after it are removed, so that pieces stay in the order of the images.
        """
        done: set[str] = set()
        number = 0
        while (self.folder / ANSWERS / f"part-{number:05d}.parquet").exists():
            name = f"part-{number:05d}.parquet"
            try:
                read_piece(self.folder / ANSWERS / name)
                rows = read_piece(self.folder / IMAGES / name)
            except (PredictionsError, FileNotFoundError):
                break
            done.update(rows.column("item").to_pylist())
            number += 1
        for part in (ANSWERS, IMAGES):
            tidy(self.folder / part)  # of pieces in place, which are not written again
            for file in sorted((self.folder / part).glob("part-*.parquet")):
                if int(file.stem.partition("-")[2]) >= number:
                    file.unlink()
        return done, number

    def _begin(self, labels: Sequence[Labels]) -> None:
        with whole_folder(self.folder, replaceable=_is_empty) as partial:
            for part in (ANSWERS, IMAGES):
                (partial / part).mkdir()
            table = _label_table(labels)
            parquet.write_table(table, partial / LABELS, compression="zstd")
            self._tell(partial / FILE)

    def _tell(self, file: Path) -> None:
        file.write_text(as_toml(self.account), encoding="utf-8")


def _check_same(folder: Path, before: Account, now: Account) -> None:
    def refuse(what: str) -> None:
        msg = (
            f"{folder}: holds predictions {what}; continue with the same settings, "
            "choose another folder, or `overwrite=True` to start again"
        )
        raise PredictionsError(msg)

    earlier, current = (
        {c.name: c for c in account.classifiers} for account in (before, now)
    )
    if list(earlier) != list(current):
        refuse(f"of {', '.join(earlier)}, not of {', '.join(current)}")
    for name, one in earlier.items():
        if one.network != current[name].network:
            refuse(f"of another network named {name}")
        how = (one.preprocessing, one.pixels)
        if how != (current[name].preprocessing, current[name].pixels):
            refuse(f"of {name} with another preprocessing")
        if one != current[name]:
            refuse(f"of {name} with other labels or another family")
    if before.precision != now.precision:
        refuse(f"in {before.precision} precision, not {now.precision}")
    if before.keep != now.keep:
        refuse(f"that keep {before.keep} labels, not {now.keep}")


def _label_table(labels: Sequence[Labels]) -> pa.Table:
    """Return all labels, each once, with every name it has."""
    rows: dict[str, dict[str, str]] = {}
    for classifier_labels in labels:
        for i, label in enumerate(classifier_labels.label):
            names = {
                name: column[i] for name, column in classifier_labels.columns.items()
            }
            rows[label] = {**names, **rows.get(label, {})}
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    texts = {
        name: pa.array([row.get(name) for row in rows.values()], pa.string())
        for name in columns
    }
    return pa.table(texts)


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _add_advice() -> Iterator[None]:
    try:
        yield
    except CannotWriteError as error:
        msg = f"{error}; a further run continues from there"
        raise CannotWriteError(msg) from error.__cause__
