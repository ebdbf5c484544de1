"""The folder of predictions: written in whole pieces, so that a kill loses none.

`predictions/part-NNNNN.parquet` has the answers, `images/part-NNNNN.parquet` one row
for each image with what became of it, `labels.parquet` the labels, and
`predictions.toml` which classifiers answered and how. A piece of answers is put in
place when it is whole, after its piece of images: what is in place is done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from consilience.classifiers.label_file import Labels
from consilience.classifiers.manifest import (
    Manifest,
    Preprocessing,
    as_toml,
)
from consilience.errors import CannotWriteError, PredictionsError, SourceNotFoundError

FILE = "predictions.toml"
ANSWERS, IMAGES, LABELS = "predictions", "images", "labels.parquet"

_TEXTS = pa.dictionary(pa.int32(), pa.string())
ANSWER_SCHEMA = pa.schema(
    {
        "item": _TEXTS,
        "model": _TEXTS,
        "rank": pa.int16(),
        "label": _TEXTS,
        "logit": pa.float32(),
        "probability": pa.float32(),
    }
)
IMAGE_SCHEMA = pa.schema(
    {
        "item": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "note": pa.string(),
        "reason": pa.string(),
    }
)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What decides the answers of a classifier; a resumed run must have the same."""

    name: str
    family: str
    network: str
    labels: str
    count: int
    preprocessing: Preprocessing


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What `predictions.toml` holds.

    Attributes
    ----------
    keep
        Labels kept of each image and classifier, the most probable.
    classifiers
        Those that answer.
    devices
        Where sessions ran, and with which versions of ONNX Runtime and Pillow; several
        if it was taken up elsewhere.
    """

    schema: int = 1
    keep: int
    classifiers: tuple[Told, ...]
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions that have been read.

    Attributes
    ----------
    table
        item, model, rank (from 1), label, logit, probability; the last two are empty
        where a classifier tells ranks only.
    images
        item, width, height, note, reason (why nothing was predicted; else empty).
    labels
        label, and how else it is named.
    families
        Family of each classifier, by its name.
    num_labels
        K of each classifier, by its name.
    """

    table: pd.DataFrame
    images: pd.DataFrame
    labels: pd.DataFrame
    families: Mapping[str, str]
    num_labels: Mapping[str, int]


def told(manifest: Manifest) -> Told:
    """Return what decides the answers of a classifier."""
    return Told(
        name=manifest.name,
        family=manifest.family,
        network=manifest.network.sha256,
        labels=manifest.labels.sha256,
        count=manifest.labels.count,
        preprocessing=manifest.preprocessing,
    )


def is_folder(folder: Path) -> bool:
    """Say whether a folder holds predictions."""
    return (folder / FILE).is_file()


def read_account(folder: Path) -> Account:
    """Read which classifiers answered.

    Raises
    ------
    SourceNotFoundError
        The folder holds no predictions.
    PredictionsError
        What it holds is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        msg = f"{folder}: holds no {FILE}; give a folder that classify wrote"
        raise SourceNotFoundError(msg)
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Account)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: {error}; classify again into another folder"
        raise PredictionsError(msg) from None


def read_predictions(folder: str | Path) -> Predictions:
    """Read a folder of predictions that `classify` wrote.

    Raises
    ------
    SourceNotFoundError
        The folder holds no predictions.
    PredictionsError
        A piece is damaged, or none is there yet.
    """
    place = Path(folder)
    account = read_account(place)
    table = _read(place / ANSWERS, ANSWER_SCHEMA)
    images = _read(place / IMAGES, IMAGE_SCHEMA)
    return Predictions(
        table=table.to_pandas(),
        images=images.to_pandas(),
        labels=_read_piece(place / LABELS).to_pandas(),
        families={each.name: each.family for each in account.classifiers},
        num_labels={each.name: each.count for each in account.classifiers},
    )


class Pieces:
    """The folder while it is being filled."""

    def __init__(
        self, folder: Path, account: Account, labels: Sequence[Labels]
    ) -> None:
        """Take a folder up again, or begin it.

        Raises
        ------
        PredictionsError
            It holds the predictions of other classifiers, or of other settings.
        CannotWriteError
            The disk refuses.
        """
        self.folder = folder
        before = read_account(folder) if is_folder(folder) else None
        if before is not None:
            _check_same(folder, before, account)
        devices = (*(before.devices if before else ()), *account.devices)
        devices = tuple(dict.fromkeys(devices))
        self.account = msgspec.structs.replace(account, devices=devices)
        with _refusals(folder):
            for part in (ANSWERS, IMAGES):
                (folder / part).mkdir(parents=True, exist_ok=True)
            for stale in folder.glob("**/*.partial"):
                stale.unlink()
            if before is None:
                self._put(_label_table(labels), folder / LABELS)
            self._tell()
        self.done, self.number = self._whole()

    def add(self, answers: pa.Table, images: Iterable[Mapping[str, object]]) -> None:
        """Put a piece in place.

        Raises
        ------
        CannotWriteError
            The disk refuses.
        """
        name = f"part-{self.number:05d}.parquet"
        rows = pa.Table.from_pylist(list(images), schema=IMAGE_SCHEMA)
        table = answers.unify_dictionaries().combine_chunks()
        with _refusals(self.folder):
            self._put(rows, self.folder / IMAGES / name)
            self._put(table, self.folder / ANSWERS / name)
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
                _read_piece(self.folder / ANSWERS / name)
                rows = _read_piece(self.folder / IMAGES / name)
            except (PredictionsError, FileNotFoundError):
                break
            done.update(rows.column("item").to_pylist())
            number += 1
        for part in (ANSWERS, IMAGES):
            for file in sorted((self.folder / part).glob("part-*.parquet")):
                if int(file.stem.partition("-")[2]) >= number:
                    file.unlink()
        return done, number

    def _tell(self) -> None:
        text = as_toml(self.account)
        partial = self.folder / f"{FILE}.partial"
        partial.write_text(text, encoding="utf-8")
        partial.replace(self.folder / FILE)

    @staticmethod
    def _put(table: pa.Table, place: Path) -> None:
        partial = place.with_suffix(".partial")
        parquet.write_table(table, partial, compression="zstd")
        partial.replace(place)


def _check_same(folder: Path, before: Account, now: Account) -> None:
    def refuse(what: str) -> None:
        msg = (
            f"{folder}: holds predictions {what}; take them up as they were begun, "
            "choose another --out, or pass --overwrite to begin anew"
        )
        raise PredictionsError(msg)

    there, asked = ({c.name: c for c in each.classifiers} for each in (before, now))
    if list(there) != list(asked):
        refuse(f"of {', '.join(there)}, not of {', '.join(asked)}")
    for name, one in there.items():
        if one.network != asked[name].network:
            refuse(f"of another network named {name}")
        if one.preprocessing != asked[name].preprocessing:
            refuse(f"of {name} with another preprocessing")
        if one != asked[name]:
            refuse(f"of {name} with other labels or another family")
    if before.keep != now.keep:
        refuse(f"that keep {before.keep} labels, not {now.keep}")


def _label_table(labels: Sequence[Labels]) -> pa.Table:
    """Return all labels, each once, with every name it has."""
    rows: dict[str, dict[str, str]] = {}
    for each in labels:
        for i, label in enumerate(each.label):
            names = {name: column[i] for name, column in each.columns.items()}
            rows[label] = {**names, **rows.get(label, {})}
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    texts = {
        name: pa.array([row.get(name) for row in rows.values()], pa.string())
        for name in columns
    }
    return pa.table(texts)


def _read(folder: Path, schema: pa.Schema) -> pa.Table:
    pieces = [_read_piece(file) for file in sorted(folder.glob("part-*.parquet"))]
    if not pieces:
        msg = f"{folder}: holds nothing yet; let classify run to its end"
        raise PredictionsError(msg)
    return pa.concat_tables(pieces).select(schema.names).unify_dictionaries()


def _read_piece(file: Path) -> pa.Table:
    try:
        with parquet.ParquetFile(file) as opened:
            return opened.read()
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        why = str(error).splitlines()[0]
        msg = f"{file}: not a whole Parquet file ({why}); run classify again to mend it"
        raise PredictionsError(msg) from None


@contextmanager
def _refusals(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into a sentence."""
    try:
        yield
    except OSError as error:
        msg = (
            f"{folder}: cannot be written ({error.strerror or error}); free some space "
            "or choose another place; what is there can be taken up again"
        )
        raise CannotWriteError(msg) from error
