"""Which columns of a table beside the answers are what, by the rules of answers.

What the caller named goes first, then a column called as its role. Of other columns
content decides, whether their values are what the answers name, and names are a prior;
a label may also be what is left beside the item. What stays open is an error.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from consilience.errors import ColumnError, DataError
from consilience.responses.columns.names import (
    USUAL,
    find,
    listing,
    name_prior,
    plain,
    usual,
)
from consilience.responses.id_types import text_of
from consilience.responses.options import Columns, ReadOptions
from consilience.responses.sources.frames import Frame
from consilience.responses.sources.opening import load_table
from consilience.responses.text import TextTable

PAIR = ("item", "label")
_OF_MODELS = ("rank", "model", "probability")
_SCORES = ("probability", "prob", "score", "confidence", "logit", "logodds")
_ONE = ("model", "item")
# Columns of these names have a role of their own.
_BESIDE = {*_OF_MODELS, "annotator", "main", "inclusion", "family", "logit", "logodds"}
_BY_NAMES = 0.25  # points of a name, by its prior; one if the answers name all values
_CLEARLY = 0.1  # points between the likeliest column and the next
_LEAST = 0.2  # points of a column that has a role
_REST = {"label", "group"}  # roles of what is left: it may have as many points less
_ROUNDED = 1e-3  # of probabilities that add up to one
_UNNAMED = Columns()

type Named = Mapping[str, Collection[str]]  # what answers name: items, labels


def named_in(table: pd.DataFrame | None) -> Named:
    """Return the items and labels that a table of answers, or of a fit, names."""
    columns = {} if table is None else {n: table[n].drop_duplicates() for n in PAIR}
    return {role: text_of(names).dropna() for role, names in columns.items()}


def roles_in(
    table: TextTable,
    named: Named,
    columns: Columns = _UNNAMED,
    roles: Sequence[str] = PAIR,
    *,
    strict: bool = False,
) -> dict[str, str]:
    """Return the column of each role."""
    names = table.names
    for role in roles if strict else ():
        find(names, role, getattr(columns, role, None), table.source)
    given = {role: getattr(columns, role, None) or role for role in roles}
    settled = {r: n if n in names else r for r, n in given.items() if {n, r} & {*names}}
    for role in [role for role in roles if role not in settled]:
        rest = [name for name in names if name not in settled.values()]
        free = [name for name in rest if plain(name) not in _BESIDE]
        points = {name: _points(table, name, role, free, named) for name in free}
        least = -_LEAST if role in _REST else _LEAST
        least = max(least, max(points.values(), default=0.0) - _CLEARLY)
        likeliest = [name for name in free if points[name] > least]
        if len(likeliest) != 1:
            raise ColumnError(
                f"{table.source}: there is no column {role!r}, and no one column looks "
                f"like the {role} among {listing(likeliest or names)}; call the one to "
                f"read {role!r}"
            )
        settled[role] = likeliest[0]
    return {role: settled[role] for role in roles}


def _points(
    table: TextTable, name: str, role: str, names: Sequence[str], named: Named
) -> float:
    """Return how far a column is for a role, by content and by its name."""
    cells = table.columns.get(name)
    values = set() if cells is None else set(cells.values.to_pylist())
    items, labels = (values & set(named.get(each, ())) for each in PAIR)
    content = len(labels) / max(len(values), 1) if role in PAIR else 0.0
    if role == "item":  # gold may be of more items than were answered
        number = min(len(values), len(named.get("item", ())))
        content = len(items) / max(number, 1) - content
    prior = 0.0
    if role in USUAL:
        prior = name_prior(name, role) + 0.5 * (name in usual(names, role))
    if role == "label" and name in usual(names, "gold"):
        prior = 2.0
    return content + _BY_NAMES * prior


def spelled(labels: pd.Series, named: Named) -> pd.Series:
    """Return labels with a point or without, as the answers write the same number."""
    listed = {*named.get("label", ())}
    if not listed:
        return labels
    other = {
        text: each
        for text in {*labels.dropna()} - listed
        for each in (text.removesuffix(".0"), f"{text}.0")
        if each in listed
    }
    return labels.replace(other) if other else labels


def paired(
    frame: pd.DataFrame,
    where: str,
    named: Named,
    columns: Columns = _UNNAMED,
    roles: Sequence[str] = PAIR,
) -> pd.DataFrame:
    """Return a data frame whose columns of some roles are called so."""
    if {*roles} <= {*frame} and columns == _UNNAMED:
        return _spelled(frame, named)
    frame = frame.set_axis([str(name) for name in frame], axis=1)
    table = load_table(Frame(data=frame, name=where), ReadOptions())
    settled = roles_in(table, named, columns, roles)
    frame = frame.drop(columns=settled.keys() - settled.values(), errors="ignore")
    frame = frame.rename(columns={name: role for role, name in settled.items()})
    return _spelled(frame, named)


def _spelled(frame: pd.DataFrame, named: Named) -> pd.DataFrame:
    if "label" not in frame or not len(named.get("label", ())):
        return frame
    return frame.assign(label=spelled(text_of(frame["label"]), named))


def ranked(
    frame: pd.DataFrame,
    named: Named,
    columns: Columns = _UNNAMED,
    where: str = "predictions",
) -> pd.DataFrame:
    """Return predictions as rows of item, label and rank (1 for the best)."""
    if {*PAIR, "rank"} <= {*frame} and columns == _UNNAMED:
        return _spelled(frame, named)
    names = [plain(n) if plain(n) in _OF_MODELS else n for n in map(str, frame)]
    frame = frame.set_axis(names, axis=1).reset_index(drop=True)
    classes = [n for n in frame if n in {*named.get("label", ())} - {*_OF_MODELS}]
    if len(classes) > 1 and "label" not in frame:
        rest = paired(frame.drop(columns=classes), where, named, columns, ("item",))
        beside = [str(name) for name in rest if name not in _ONE]
        if beside:
            raise ColumnError(
                f"{where}: columns {listing(beside)} are no labels of the answers, as "
                f"{listing(classes, 3)} are; leave them out, or give a row for each "
                "item and label, with its score"
            )
        numbers = frame[classes].apply(pd.to_numeric, errors="coerce")
        is_share = np.allclose(numbers.sum(axis=1), 1, atol=_ROUNDED)
        frame = rest.join(numbers).melt(
            [*rest], var_name="label", value_name="probability" if is_share else "score"
        )
    frame = paired(frame, where, named, columns)
    if "rank" in frame:
        return frame
    scores = [name for name in frame if plain(name) in _SCORES]
    scores = ["probability"] if "probability" in scores else scores
    key = [name for name in _ONE if name in frame]
    values = pd.Series(0.0, frame.index)
    if len(scores) == 1:
        values = pd.to_numeric(frame[scores[0]], errors="coerce")
    twice = frame.duplicated([*key, *["label"] * (len(scores) == 1)])
    unclear = twice | values.isna()
    if unclear.any():
        raise DataError(
            f"{where}: which label of item {frame['item'][unclear].iloc[0]!r} is the "
            f"first does not show from the columns {listing([*frame])}; add a column "
            "'rank' (1 for the best) or 'probability', a number in each row"
        )
    rows = values.groupby([frame[name] for name in key], observed=True)
    return frame.assign(rank=rows.rank(method="first", ascending=False))
