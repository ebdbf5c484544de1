"""A folder of predictions while it is being filled, in pieces that are whole or absent.

It appears with its account and its table of labels, so that it can be taken up whenever
it is there. A piece of answers is put in place when it is whole, after its piece of
images: what is in place is done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pyarrow as pa
from pyarrow import parquet

from consilience.classifiers.manifest import Labels, as_toml
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
from consilience.errors import CannotWriteError, DataError
from consilience.whole_folder import tidy, whole_file, whole_folder


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
            except (DataError, FileNotFoundError):
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
        raise DataError(msg)

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
    for each in labels:
        for label, *names in zip(each.label, *each.columns.values(), strict=True):
            named = dict(zip(each.columns, names, strict=True))
            rows[label] = {**named, **rows.get(label, {})}
    columns = dict.fromkeys(name for row in rows.values() for name in row)
    texts = {name: [row.get(name) for row in rows.values()] for name in columns}
    return pa.table({name: pa.array(texts[name], pa.string()) for name in columns})


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _add_advice() -> Iterator[None]:
    try:
        yield
    except CannotWriteError as error:
        msg = f"{error}; a further run continues from there"
        raise CannotWriteError(msg) from error.__cause__
