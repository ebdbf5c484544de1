"""Comparisons from a table: columns by their usual names, winners in their usual forms.

A winner is the name of one of the two systems, a side (first, left, A, model_a, 1), an
order (A>B, <), or a tie. A word that can be read in two ways is an error.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int

from consilience.comparisons.record import FIRST, SECOND, TIE, Comparisons
from consilience.errors import ColumnError, DataError, SourceError, not_among
from consilience.responses.sources.frames import as_frame, readable

ANONYMOUS = "(anonymous)"
_EXPECTED = "a data frame, or the path of a CSV, Parquet or JSON-lines file"
_PAIRS = (
    ("first", "second"),
    ("left", "right"),
    ("model_a", "model_b"),
    ("system_a", "system_b"),
    ("option_a", "option_b"),
    ("model_1", "model_2"),
    ("system_1", "system_2"),
    ("model1", "model2"),
    ("system1", "system2"),
    ("a", "b"),
)
_NAMES = {
    "judge": (
        "judge",
        "judge_id",
        "annotator",
        "worker",
        "rater",
        "annotator_id",
        "worker_id",
    ),
    "winner": ("winner", "preference", "label", "choice", "verdict"),
    "item": ("item", "prompt", "question_id", "question", "prompt_id", "task", "id"),
    "group": ("group", "judge_group", "judge_type", "annotator_group"),
}
_SIDE = re.compile(
    r"(?:model|system|response|output|answer|assistant|option|candidate|text)?[ _-]?"
    r"(?P<side>first|second|left|right|[ab12])(?: is better| wins| better)?"
)
_ORDER = re.compile(
    r"(?P<left>[ab12]?) *(?P<sign>>{1,2}|<{1,2}|={1,2}) *(?P<right>[ab12]?)"
)
_IS_FIRST = {"first", "left", "a", "1"}
_TIES = {"tie", "tied", "draw", "both", "equal", "same", "neither", "even", "0.5"}
_TIE = re.compile(r"(?:tie|both|neither)[ _(-]+(?:both[ _-]*)?(?:bad|good|equal)?\)?")
_FORMS = (
    "the name of one of the two systems; first or second, left or right, A or B, "
    "model_a or model_b, 1 or 2, A>B or B>A; tie, both, draw or equal; or nothing"
)


def read(
    source: Any,
    *,
    judge: str | None = None,
    first: str | None = None,
    second: str | None = None,
    winner: str | None = None,
    item: str | None = None,
    group: str | None = None,
) -> Comparisons:
    """Read comparisons of two systems each, one a row.

    Columns are recognized by usual names, such as judge, annotator or worker; first and
    second, left and right or model_a and model_b; winner, preference or label; item,
    prompt or question_id. Rows without a winner are skipped and counted.

    Parameters
    ----------
    source : data frame, str or Path
        A table of any library, or a CSV, Parquet or JSON-lines file.
    judge, first, second, winner, item, group : str, optional
        Columns of the judge, of the systems in the order in which they were shown, of
        the winner, of the item (a question or document: comparisons of one item are
        correlated) and of the judge's group, such as people and models. Without a
        judge, all comparisons are of one; without an item, each is of its own.

    Returns
    -------
    Comparisons
        The comparisons, coded.

    Raises
    ------
    SourceError
        If the file cannot be read.
    ColumnError
        If a column is missing.
    DataError
        If a winner is unknown or ambiguous, or a system is compared with itself.

    See Also
    --------
    consilience.comparisons.fit : Rank the systems.
    consilience.read : Read answers about items.

    Examples
    --------
    >>> import consilience as cs
    >>> rows = {"left": ["x", "y"], "right": ["y", "x"], "label": ["left", "x"]}
    >>> list(cs.comparisons.read(rows).table["winner"])
    ['x', 'x']
    """
    table, place = _opened(source)
    named = {"judge": judge, "winner": winner, "item": item, "group": group}
    roles = _roles(list(table.columns), place, named, (first, second))
    words = _text(table[roles["winner"]])
    kept = words.str.strip().str.len().to_numpy() > 0
    if not kept.any():
        raise DataError(f"{place}: no row has a winner; there is nothing to compare")
    row = np.flatnonzero(kept)
    sides = [_text(table[roles[side]])[kept] for side in ("first", "second")]
    codes, systems = pd.factorize(pd.concat(sides, ignore_index=True), sort=True)
    left, right = codes[: len(row)], codes[len(row) :]
    _check_pairs(place, sides, (left, right), row)
    outcome = _outcomes(place, words[kept], pd.Index(systems), (left, right), row)
    coded = {
        role: _coded(table, roles.get(role), kept, default)
        for role, default in (("judge", ANONYMOUS), ("item", ""), ("group", "all"))
    }
    coded["item"] = _of_their_own(*coded["item"], row)
    of_judge = _group_of(place, coded["judge"], coded["group"])
    taken = {*roles.values(), "judge", "group", "item", "first", "second", "winner"}
    further = [name for name in table.columns if name not in taken]
    return Comparisons(
        systems=tuple(systems),
        judges=coded["judge"][1],
        groups=coded["group"][1],
        items=coded["item"][1],
        group_of=of_judge,
        item=coded["item"][0],
        judge=coded["judge"][0],
        first=left,
        second=right,
        outcome=outcome,
        further=_numbers(table.loc[kept, further]),
        columns=roles,
        skipped=int((~kept).sum()),
    )


def _opened(source: Any) -> tuple[pd.DataFrame, str]:
    """Return a source as columns of pandas, and its name in messages."""
    if not isinstance(source, (str, Path)):
        frame = as_frame(source, "source", _EXPECTED)
        data = frame.data
        if isinstance(data, list):
            data = pd.DataFrame(data)
        table = data if isinstance(data, pd.DataFrame) else data.to_pandas()
        return table.set_axis(list(map(str, table.columns)), axis=1), str(frame)
    path, place = Path(source), str(source)
    if not path.is_file():
        raise SourceError(f"{place}: there is no such file; give {_EXPECTED}")
    with readable(place):
        if path.suffix == ".parquet":
            return pd.read_parquet(path), place
        if path.suffix in {".jsonl", ".ndjson"}:
            return pd.read_json(path, lines=True, dtype=False), place
        if path.suffix in {".csv", ".tsv", ".txt"}:
            separator = "," if path.suffix == ".csv" else "\t"
            table = pd.read_csv(
                path,
                sep=separator,
                dtype="str",
                keep_default_na=False,
                encoding="utf-8-sig",
            )
            return table, place
    raise SourceError(f"{place}: is of an unknown format; give {_EXPECTED}")


def _roles(
    columns: list[str],
    place: str,
    named: dict[str, str | None],
    pair: tuple[str | None, str | None],
) -> dict[str, str]:
    """Return the column of each role that there is."""
    for name in (*named.values(), *pair):
        if name is not None and name not in columns:
            raise ColumnError(f"{place}: {not_among('column', name, columns)}")
    plain = {re.sub(r"[ .-]+", "_", name.strip().lower()): name for name in columns}
    roles = {role: name for role, name in named.items() if name is not None}
    usual = ((plain.get(one), plain.get(two)) for one, two in _PAIRS)
    one, two = next((each for each in usual if all(each)), (None, None))
    pairs = {"first": pair[0] or one, "second": pair[1] or two}
    roles |= {side: name for side, name in pairs.items() if name}
    for role, names in _NAMES.items():
        free = [n for n in names if n in plain and plain[n] not in roles.values()]
        if role not in roles and free:
            roles[role] = plain[free[0]]
    for role in ("first", "second", "winner"):
        if role not in roles:
            raise ColumnError(
                f"{place}: no column is recognized as {role}; there are "
                f"{', '.join(columns)}; name it with `{role}=`"
            )
    if len({roles[role] for role in ("first", "second", "winner")}) < 3:
        raise ColumnError(f"{place}: one column is named for two of first and winner")
    return roles


def _text(column: pd.Series) -> pd.Series:
    """Return a column as text; whole numbers without a point, what is missing empty."""
    if pd.api.types.is_float_dtype(column):
        whole = column.dropna()
        if len(whole) and (whole == whole.round()).all():
            column = column.astype("Int64")
    return column.astype("str").fillna("").reset_index(drop=True)


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that hold numbers alone."""
    parsed = {
        name: pd.to_numeric(table[name], errors="coerce")
        for name in table.columns
        if not pd.api.types.is_datetime64_any_dtype(table[name])
    }
    kept = {name: each for name, each in parsed.items() if each.notna().any()}
    return (
        pd.DataFrame(kept, index=table.index).reset_index(drop=True).astype("float64")
    )


def _coded(
    table: pd.DataFrame, column: str | None, kept: np.ndarray, default: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    if column is None:
        return np.zeros(int(kept.sum()), int), (default,)
    words = _text(table[column])[kept].str.strip()
    codes, names = pd.factorize(words.where(words.str.len() > 0, default), sort=True)
    return codes, tuple(names)


def _of_their_own(
    code: np.ndarray, names: tuple[str, ...], row: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Give comparisons without an item each one of its own, named by its row."""
    alone = np.array(names)[code] == ""
    code = np.where(alone, len(names) + np.cumsum(alone) - 1, code)
    used, code = np.unique(code, return_inverse=True)
    every = np.array([*names, *(f"row {each + 1}" for each in row[alone])], object)
    return code, tuple(every[used])


def _group_of(
    place: str,
    judge: tuple[np.ndarray, tuple[str, ...]],
    group: tuple[np.ndarray, tuple[str, ...]],
) -> Int[np.ndarray, " J"]:
    """Return the group of each judge, who has one."""
    pairs = pd.DataFrame({"judge": judge[0], "group": group[0]}).drop_duplicates()
    several = pairs["judge"][pairs["judge"].duplicated()]
    if len(several):
        raise DataError(
            f"{place}: judge {judge[1][several.iloc[0]]!r} is in several groups; a "
            "judge has one"
        )
    return pairs.sort_values("judge")["group"].to_numpy()


def _check_pairs(
    place: str,
    sides: list[pd.Series],
    codes: tuple[np.ndarray, np.ndarray],
    row: np.ndarray,
) -> None:
    same = np.flatnonzero(codes[0] == codes[1])
    if len(same):
        raise DataError(
            f"{place}, row {row[same[0]] + 1}: {sides[0].iloc[same[0]]!r} is compared "
            "with itself; expected two systems"
        )
    for side, each in zip(("first", "second"), sides, strict=True):
        empty = np.flatnonzero(each.str.len() == 0)
        if len(empty):
            raise DataError(
                f"{place}, row {row[empty[0]] + 1}: the {side} system is missing"
            )


def _outcomes(
    place: str,
    words: pd.Series,
    systems: pd.Index,
    sides: tuple[np.ndarray, np.ndarray],
    row: np.ndarray,
) -> Int[np.ndarray, " N"]:
    """Return the outcome that each winner states."""
    code, distinct = pd.factorize(words)
    name = systems.get_indexer(distinct)
    name = np.where(name < 0, systems.get_indexer(distinct.str.strip()), name)[code]
    by_name = np.select([name == sides[0], name == sides[1]], [FIRST, SECOND], -1)
    named = np.isin(code, code[by_name >= 0])  # words that name systems
    side = None if (by_name >= 0).all() else _numeric(place, [*distinct])
    by_side = np.array(side or [_side(word) for word in distinct])[code]
    clash = named & (by_side >= 0) & (by_side != by_name)
    bad = np.flatnonzero(clash & ((by_side >= 0).all() | (by_name < 0)))
    if len(bad):
        raise DataError(
            f"{place}, row {row[bad[0]] + 1}: winner {words.iloc[bad[0]]!r} is the "
            "name of a system and of a side; expected one meaning: rename the systems, "
            "or write first, second or tie"
        )
    outcome = np.where(by_name >= 0, by_name, by_side)
    bad = np.flatnonzero(outcome < 0)
    if len(bad):
        raise DataError(
            f"{place}, row {row[bad[0]] + 1}: winner {words.iloc[bad[0]]!r} is "
            f"unknown; expected {_FORMS}"
        )
    return outcome


def _side(word: str) -> int:
    """Return the outcome that a word states whatever the systems are; -1: none."""
    plain = re.sub(r"^([12])\.0$", r"\1", word.strip().strip("[]").strip().lower())
    if match := _SIDE.fullmatch(plain):
        return FIRST if match["side"] in _IS_FIRST else SECOND
    if match := _ORDER.fullmatch(plain):
        if match["sign"][0] == "=":
            return TIE
        swapped = match["left"] in {"b", "2"} or match["right"] in {"a", "1"}
        return FIRST if (match["sign"][0] == ">") != swapped else SECOND
    tie = plain in _TIES or _TIE.fullmatch(plain) or word.strip() == "[[C]]"
    return TIE if tie else -1


def _numeric(place: str, words: list[str]) -> list[int] | None:
    """Return outcomes that are the first system's points: 1, 0.5 and 0."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if 0.0 not in values:
        return None
    if set(values) <= {0.0, 0.5, 1.0} and 0.5 in values:
        return [{1.0: FIRST, 0.0: SECOND, 0.5: TIE}[value] for value in values]
    raise DataError(
        f"{place}: winners are the numbers {', '.join(sorted(words))}, in which 0 may "
        "be the second system or a tie; write first, second or tie"
    )
