"""Shards on disk: codes of annotators and labels by item, and what was read."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
from jaxtyping import Bool, Int, Shaped
from pandas.api.types import union_categoricals

from consilience.errors import SourceError
from consilience.responses import Cleaning, Responses
from consilience.responses.draft import Dropped
from consilience.responses.options import ANSWERS
from consilience.responses.side_tables import label_frame
from consilience.responses.sources.opening import SHARDS
from consilience.truth import ChoiceSpace, ContainsSpace
from consilience.truth.space import ANONYMOUS, no_groups


@dataclass(frozen=True, slots=True)
class Shard:
    """A file of answers: its name, its digest, and how much it holds."""

    file: str
    sha256: str
    items: int
    answers: int


@dataclass(frozen=True, eq=False)
class Shards:
    """Answers of kind choice or contains in files of whole items.

    Attributes
    ----------
    folder : Path
        Where they are.
    kind : {"choice", "contains"}
        What was asked.
    labels : tuple of str
        Labels in their order, which is that of their codes.
    cleaning : Cleaning
        What was read, kept and dropped.
    in_order : bool
        Whether the order of the labels is known.
    types : mapping of str to str
        Types of items, annotators and labels in the source, by role.
    anonymous : bool
        Whether there are answers without an annotator.
    assumptions : tuple of str
        What was assumed when rows were read, one sentence each.

    See Also
    --------
    consilience.shards.write : Write such a folder.

    Examples
    --------
    >>> import tempfile
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = study(0, num_photos=30).shards(f"{folder}/shards")
    ...     shards.num_items, shards.num_answers
    (30, 180)
    """

    folder: Path
    kind: str
    labels: tuple[str, ...]
    cleaning: Cleaning
    in_order: bool
    types: Mapping[str, str]
    anonymous: bool
    assumptions: tuple[str, ...]
    _shards: tuple[Shard, ...] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of shards."""
        return len(self._shards)

    @property
    def num_items(self) -> int:
        """Number of items."""
        return sum(shard.items for shard in self._shards)

    @property
    def num_answers(self) -> int:
        """Number of answers."""
        return sum(shard.answers for shard in self._shards)

    @cached_property
    def annotators(self) -> pd.Index:
        """Names of the annotators, in the order of their codes."""
        table = read_arrow(self.folder / "annotators.arrow")
        return pd.Index(table["annotator"].to_pandas(), dtype="str")

    def items(self, place: int) -> pd.Index:
        """Return the names of the items of a shard."""
        column = read_arrow(self.folder / self._shards[place].file)["item"]
        return pd.Index(column.chunk(0).dictionary.to_pandas(), dtype="str")

    def responses(self, place: int) -> Responses:
        """Return the answers of a shard, with all annotators and labels."""
        shard = self._shards[place]
        path = self.folder / shard.file
        if not path.is_file() or digest_of(path) != shard.sha256:
            raise SourceError(
                f"{path}: the shard is missing or damaged; write the shards of the "
                "study again"
            )
        table = read_arrow(path)
        items = table["item"].combine_chunks()
        number = len(table)
        none = np.full(number, -1, np.int8)
        contains = self.kind == "contains"
        columns = {
            "item": _text(items.indices.to_numpy(), items.dictionary.to_pandas()),
            "annotator": _text(table["annotator"].to_numpy(), self.annotators),
            "kind": _text(np.zeros(number, np.int8), [self.kind]),
            "label": _text(table["label"].to_numpy(), self.labels),
            "answer": _text(table["answer"].to_numpy() if contains else none, ANSWERS),
            "object": pd.Series(pd.NA, range(number), "Int32"),
            "main": pd.Series(pd.NA, range(number), "boolean"),
            "n": table["n"].to_numpy(),
            "response_id": _text(none, ()),
        }
        return self._responses(pd.DataFrame(columns))

    def some(self, wanted: pd.Index) -> Responses:
        """Return the answers about some items of all shards, with all labels."""
        parts = []
        for place in range(len(self)):
            if self.items(place).isin(wanted).any():
                table = self.responses(place).table
                parts.append(table[table["item"].isin(wanted)])
        items = union_categoricals(
            [part["item"].cat.remove_unused_categories() for part in parts]
        )
        table = pd.concat(parts, ignore_index=True)
        return self._responses(table.assign(item=items))

    def _responses(self, table: pd.DataFrame) -> Responses:
        labels = label_frame(self.labels)
        labels["name"] = labels["label"]
        return Responses(
            table=table,
            offer="all" if self.kind == "choice" else "listed",
            offered=None,
            items=None,
            labels=labels,
            gold=None,
            assumptions=self.assumptions,
            cleaning=self.cleaning,
            sources={},
            types=self.types,
            in_order=self.in_order,
        )

    def with_all_annotators[S: ChoiceSpace | ContainsSpace](self, space: S) -> S:
        """Return the space of the answers of a shard with the annotators of all."""
        names, identified = self._people
        code = np.full(space.num_annotators, len(names) - 1, np.int32)  # the nameless
        there = space.annotators[space.identified].astype(str)
        code[space.identified] = self.annotators.get_indexer(pd.Index(there))
        code = code[space.annotator]
        return replace(
            space,
            annotators=names,
            identified=identified,
            annotator=code,
            annotator_groups=no_groups(len(names)),
        )

    @cached_property
    def _people(self) -> tuple[Shaped[np.ndarray, " J"], Bool[np.ndarray, " J"]]:
        """Names of annotators, the nameless last, and whether each has one."""
        names = self.annotators.to_numpy(dtype=object)
        if self.anonymous:
            names = np.append(names, ANONYMOUS)
        return names, np.arange(len(names)) < len(self.annotators)

    @classmethod
    def load(cls, folder: str | Path) -> "Shards":
        """Return the shards of a folder.

        Parameters
        ----------
        folder : str or Path
            A folder that `write` wrote.

        Raises
        ------
        SourceError
            If it is none, or damaged.
        """
        folder = Path(folder)
        path = folder / SHARDS
        try:
            stated = tomllib.loads(path.read_text(encoding="utf-8"))
            shards = tuple(Shard(**each) for each in stated["shard"])
            dropped = tuple(Dropped(**each) for each in stated.get("dropped", ()))
            labels, account = tuple(stated["labels"]), stated["account"]
            kind = stated["kind"]
        except FileNotFoundError:
            raise SourceError(
                f"{folder}: holds no {SHARDS}; name a folder of shards"
            ) from None
        except (
            tomllib.TOMLDecodeError,
            UnicodeDecodeError,
            KeyError,
            TypeError,
        ) as error:
            raise SourceError(
                f"{path}: damaged ({error}); write the shards again"
            ) from error
        account |= {name: tuple(account[name]) for name in ("notes", "warnings")}
        return cls(
            folder,
            kind,
            labels,
            Cleaning(**account, dropped=dropped),
            stated["in_order"],
            stated["types"],
            stated["anonymous"],
            tuple(stated["assumptions"]),
            shards,
        )


def _text(codes: Int[np.ndarray, " N"], names: Any) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, pd.Index(names, dtype="str"))


def read_arrow(path: Path) -> pa.Table:
    """Return the table of an Arrow file, which stays on disk where it is not needed."""
    with pa.memory_map(str(path)) as mapped:
        return pa.ipc.open_file(mapped).read_all()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
