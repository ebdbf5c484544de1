"""A folder of predictions while it is being filled, in pieces that are whole or absent.

It appears with its account and its table of labels, so that it can be taken up whenever
it is there. A piece of answers is put in place when it is whole, after its piece of
images: what is in place is done.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pandas as pd
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
        text = as_toml(self.account)
        with _add_advice():
            if before is not None:
                with whole_file(folder / FILE) as partial:
                    partial.write_text(text, encoding="utf-8")
            else:
                with whole_folder(folder, replaceable=_is_empty) as partial:
                    for part in (ANSWERS, IMAGES):
                        (partial / part).mkdir()
                    table = _label_table(labels)
                    parquet.write_table(table, partial / LABELS, compression="zstd")
                    (partial / FILE).write_text(text, encoding="utf-8")
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
        """Return the items that are done, and the number of the next piece."""
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


def _check_same(folder: Path, before: Account, now: Account) -> None:
    earlier, current = (
        {c.name: c for c in account.classifiers} for account in (before, now)
    )
    compared = [
        (
            list(earlier) != list(current),
            f"of {', '.join(earlier)}, not of {', '.join(current)}",
        )
    ]
    for name, one in earlier.items():
        other = current.get(name, one)
        how = [(each.preprocessing, each.pixels) for each in (one, other)]
        compared += [
            (one.network != other.network, f"of another network named {name}"),
            (how[0] != how[1], f"of {name} with another preprocessing"),
            (one != other, f"of {name} with other labels or another family"),
        ]
    kept = f"that keep {before.keep} labels, not {now.keep}"
    compared.append((before.keep != now.keep, kept))
    what = next((what for differs, what in compared if differs), None)
    if what is not None:
        raise DataError(
            f"{folder}: holds predictions {what}; continue with the same settings, "
            "choose another folder, or `overwrite=True` to start again"
        )


def _label_table(labels: Sequence[Labels]) -> pa.Table:
    """Return all labels, each once, with every name it has."""
    every = pd.concat([pd.DataFrame(each.columns, dtype=str) for each in labels])
    named = every.groupby("label", sort=False).first().reset_index()
    return pa.table({name: pa.array(named[name], pa.string()) for name in every})


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _add_advice() -> Iterator[None]:
    try:
        yield
    except CannotWriteError as error:
        raise CannotWriteError(
            f"{error}; a further run continues from there"
        ) from error.__cause__
