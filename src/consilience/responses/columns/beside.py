"""What stands beside the answers: gold, columns to carry along, and the unused ones."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Int

from consilience.errors import KindError
from consilience.responses.columns.looks import LINKS, TEXTS, look, num_pairs
from consilience.responses.columns.names import EXTRAS, NAMED, find, name_prior, plain
from consilience.responses.draft import Account
from consilience.responses.options import KINDS, Kind, ReadOptions
from consilience.responses.text import Coded, TextTable, num_distinct


def column_looks(table: TextTable, names: Sequence[str]) -> dict[str, str]:
    """Say what each of some columns seems to hold."""
    columns = table.columns
    return {n: look(columns[n]) if n in columns else "lists" for n in names}


def extra_columns(
    table: TextTable, options: ReadOptions, rows: Int[np.ndarray, " N"]
) -> dict[str, pd.Series]:
    """Columns of time and status, and those that were asked for, to carry along."""
    for name in options.extras:
        find(table.names, "extra column", name, table.source)
    wanted = [n for n in table.columns if plain(n) in EXTRAS or n in options.extras]
    return {name: table.columns[name].take(rows).series() for name in wanted}


def item_texts(
    item: Coded, columns: Mapping[str, Coded], account: Account
) -> pd.DataFrame | None:
    """Return what shows the items: `item`, and a text or a link of it in `text`."""
    best, shown = (False, -np.inf), ""
    for name, column in columns.items():
        seen, prior = look(column), name_prior(name, "item")
        if seen not in {LINKS, TEXTS}:
            continue
        rows = (item.codes >= 0) & (column.codes >= 0)
        items, pairs = num_distinct(item.codes[rows]), num_pairs(item, column)
        one, again = items == pairs, pairs < rows.sum()
        if one and (again or prior >= NAMED) and (seen == TEXTS, prior) > best:
            best, shown = (seen == TEXTS, prior), name
    texts = gold_pairs(item, columns.get(shown))
    if texts is None:
        return None
    account.columns[shown] = "text"
    account.unused.pop(shown, None)
    return texts.rename(columns={"label": "text"})


def gold_pairs(item: Coded, gold: Coded | None) -> pd.DataFrame | None:
    """Gold labels of items, each once, of a column that holds them row by row."""
    if gold is None:
        return None
    pairs = pd.DataFrame({"item": item.codes, "label": gold.codes}).drop_duplicates()
    pairs = pairs[(pairs >= 0).all(axis=1)]
    texts = {"item": item.values, "label": gold.values}
    columns = {n: v.take(pa.array(pairs[n])).to_pandas() for n, v in texts.items()}
    return pd.DataFrame(columns, dtype="str")


def kind_column(table: TextTable) -> Kind | None:
    """Kind that a column of that name gives for the whole table."""
    column = table.columns.get("kind")
    kinds = [] if column is None else column.values.to_pylist()
    if not kinds or not set(kinds) <= set(KINDS):
        return None
    if len(kinds) > 1:
        raise KindError(
            f"{table.source}: its column 'kind' names {', '.join(kinds)}; read a file "
            "of one kind, or the folder that it came from"
        )
    return cast("Kind", kinds[0])
