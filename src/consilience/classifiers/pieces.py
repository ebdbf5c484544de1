"""A folder of predictions while it is being filled, in pieces that are whole or absent.

A piece of answers is put in place when it is whole, after its piece of images: what is
in place is done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
from pyarrow import parquet

from consilience.classifiers.label_file import Labels
from consilience.classifiers.manifest import as_toml
from consilience.classifiers.predictions import (
    ANSWERS,
    FILE,
    IMAGE_SCHEMA,
    IMAGES,
    LABELS,
    Account,
    is_folder,
    read_account,
    read_piece,
)
from consilience.errors import CannotWriteError, PredictionsError


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
                read_piece(self.folder / ANSWERS / name)
                rows = read_piece(self.folder / IMAGES / name)
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
