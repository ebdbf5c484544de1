"""Names of labels instead of their codes: 'tabby cat' for n02123045.

Tables hold labels as they were read, so that programs find them again. To look at, a
table has names: those of the column `name` of the responses' labels, or of a file. Two
labels of one name stay apart, and what has no name keeps its code.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from consilience.errors import OptionError
from consilience.responses.id_types import ROLES, text_of
from consilience.responses.options import ReadOptions
from consilience.responses.side_tables import label_table
from consilience.responses.sources.json_file import read_json

COLUMNS = tuple(name for name, role in ROLES.items() if role == "label")
"""Columns that hold labels, in every table of a run or of an analysis."""
# Columns of sentences, in which labels are named.
_SENTENCES = ("answers", "annotators", "evidence", "reason")


def label_names(labels: pd.DataFrame) -> dict[str, str]:
    """Return what each label is called, all of them differently."""
    code = labels["label"].astype("str")
    named = labels["name"] if "name" in labels else pd.Series(None, labels.index)
    names = named.astype("str").str.strip()
    shown = names.where(named.notna() & (names != ""), code)
    while (twice := shown.duplicated(keep=False) & (shown != code)).any():
        shown = shown.where(~twice, shown + " (" + code + ")")
    return dict(zip(code, shown, strict=True))


def short_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return names without their synonyms: what stands before the first comma."""
    whole = pd.Series(dict(names))
    short = pd.Series({n: name.split(",")[0].strip() for n, name in names.items()})
    alike = short.duplicated(keep=False) | short.isin(whole[whole != short])
    return dict(zip(names, short.where(~alike, whole), strict=True)) if names else {}


def with_names(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return a table with names of labels instead of their codes.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table of a fit or of an analysis; `COLUMNS` lists the columns that hold
        labels.
    labels : pandas.DataFrame
        Columns label and name, as `Responses.labels`.

    Returns
    -------
    pandas.DataFrame
        The table with names.

    See Also
    --------
    Responses : Has the names of labels in its table `labels`.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> labels = pd.DataFrame({"label": ["n01"], "name": ["tench"]})
    >>> table = pd.DataFrame({"item": ["a"], "label": ["n01"]})
    >>> cs.responses.with_names(table, labels)
      item  label
    0    a  tench
    """
    return rename_labels(table, label_names(labels))


def rename_labels(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return a table with labels called by other names; others keep theirs."""
    columns = {
        name: _rename_column(table[name], names) for name in COLUMNS if name in table
    }
    texts = [n for n in _SENTENCES if n in table and table[n].dtype == "str"]
    if texts and names:
        longest = sorted(names, key=len, reverse=True)
        label = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, longest))})(?!\w)")
        for name in texts:
            columns[name] = table[name].str.replace(
                label, lambda match: names[match[0]], regex=True
            )
    return table.assign(**columns)


def read_names(path: Path) -> pd.DataFrame:
    """Read what labels are called: a table, or a JSON object of names by label."""
    if path.suffix.casefold() == ".json" and path.exists():
        names = read_json(path)
        if isinstance(names, dict) and set(map(type, names.values())) == {str}:
            return pd.DataFrame({"label": list(names), "name": list(names.values())})
    table = label_table(path, ReadOptions())
    if table["name"].isna().all():
        raise OptionError(
            f"{path}: no label has a name; give the columns label and name"
        )
    return table


def _rename_column(column: pd.Series, names: dict[str, str]) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        old = text_of(pd.Series(column.cat.categories))
        return column.cat.rename_categories([names.get(label, label) for label in old])
    text = text_of(column).astype(object)
    return text.map(lambda label: names.get(label, label), na_action="ignore")
