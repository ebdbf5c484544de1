"""Results of all items of a run of shards, read only as far as they are asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

from consilience.errors import OptionError, SourceError, not_among
from consilience.whole_folder import whole_file

ITEMS, LABELS = "all_items", "all_labels"  # folders of Parquet files, one of each shard
_TABLES = (ITEMS, LABELS)


@dataclass(frozen=True, slots=True, eq=False)
class AllItems:
    """Tables of all items of a run of shards.

    Attributes
    ----------
    items, labels : pyarrow.dataset.Dataset
        The tables, of which nothing is read before it is asked for: with a filter, by
        batches, or by a query of DuckDB or polars. Labels of a probability below .0005
        are left out.

    See Also
    --------
    consilience.shards.all_items : Open those of a run.

    Examples
    --------
    >>> import tempfile
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = study(0, num_photos=30).shards(f"{folder}/shards")
    ...     fit = cs.shards.fit(shards, model="dawid_skene", engine="em")
    ...     fit.save(f"{folder}/run")
    ...     tables = cs.shards.all_items(f"{folder}/run")
    ...     first = tables.items.head(1)["item"].to_pylist()
    ...     tables.items.count_rows(), tables.labels_of(first)["item"].nunique()
    (30, 1)
    """

    items: Any
    labels: Any

    def labels_of(
        self, items: Iterable[object], *, among: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return the labels of some items: item, label, probability.

        Parameters
        ----------
        items
            Names of items; those that are not there have no rows.
        among
            Labels that are all to have a row: what the others leave of one is shared
            among those that were left out.
        """
        names = pa.array(sorted(set(map(str, items))), pa.string())
        wanted = pc.field("item").cast(pa.string()).isin(names)
        table: pd.DataFrame = self.labels.to_table(filter=wanted).to_pandas()
        if not len(among) or table.empty:
            return table
        text = table.astype({"item": "str", "label": "str"})
        wide = text.pivot_table("probability", "item", "label")
        wide = wide.reindex(columns=pd.Index(list(among), dtype="str"))
        absent = wide.isna()
        rest = (1 - wide.sum(axis=1)).clip(lower=0) / absent.sum(axis=1).clip(lower=1)
        whole = wide.apply(lambda column: column.fillna(rest))
        long: pd.DataFrame = whole.melt(
            var_name="label", value_name="probability", ignore_index=False
        )
        return long.reset_index()

    def export(self, what: str, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a table to one file, batch by batch, whole or not at all.

        Parameters
        ----------
        what : {"all_items", "all_labels"}
            The table.
        path : str or Path
            A CSV or Parquet file.
        overwrite : bool, default False
            Replace an earlier file.

        Raises
        ------
        OptionError
            If there is no such table, or the file has another ending.
        """
        if what not in _TABLES:
            raise OptionError(not_among("table of all items", what, _TABLES))
        given = self.items if what == ITEMS else self.labels
        writers: dict[str, Any] = {
            ".csv": pa.csv.CSVWriter,
            ".parquet": pa.parquet.ParquetWriter,
        }
        ending = Path(path).suffix.lower()
        if ending not in writers:
            raise OptionError(
                f"{path}: tables of all items are written as {', '.join(writers)}; fix "
                "the ending"
            )
        plain = pa.schema([(field.name, _plain(field.type)) for field in given.schema])
        with (
            whole_file(Path(path), overwrite=overwrite) as file,
            writers[ending](str(file), plain) as writer,
        ):
            for batch in given.to_batches():
                writer.write_table(pa.Table.from_batches([batch]).cast(plain))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of the values themselves, where they are coded."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def all_items(run: str | Path) -> AllItems:
    """Open the results of all items of a run of shards.

    Parameters
    ----------
    run : str or Path
        A folder that `ShardedFit.save` wrote.

    Returns
    -------
    AllItems
        The tables, of which nothing is read yet.

    Raises
    ------
    SourceError
        If the folder has none.

    See Also
    --------
    load : Read the run itself, which shows the items of the first shard.

    Examples
    --------
    >>> import tempfile
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shards = study(0, num_photos=30).shards(f"{folder}/shards")
    ...     fit = cs.shards.fit(shards, model="dawid_skene", engine="em")
    ...     fit.save(f"{folder}/run")
    ...     cs.shards.all_items(f"{folder}/run").items.count_rows()
    30
    """
    folder = Path(run)
    if not has_all_items(folder):
        raise SourceError(
            f"{folder}: has no {ITEMS} and {LABELS}, which runs of shards have; load "
            "the run instead, or name one of shards"
        )
    return AllItems(*(pa.dataset.dataset(folder / name) for name in _TABLES))


def has_all_items(run: Path) -> bool:
    """Return whether a run is one of shards."""
    return all((run / name).is_dir() for name in _TABLES)
