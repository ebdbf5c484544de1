"""The frozen record of responses that every model, check and report starts from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from consilience.errors import DataError, KindError, OptionError
from consilience.notebook import Part, as_html
from consilience.responses.draft import Cleaning
from consilience.responses.id_types import MIXED, common_type, restored
from consilience.responses.options import Kind, Offer
from consilience.responses.reading_plan import Plan
from consilience.responses.summary import Summary, summarize
from consilience.responses.text import has_order


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Responses:
    """Responses of a crowd, what was on offer, and how both were read.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per answer: `item`, `annotator` (null: anonymous), `kind`, `label`
        (categories in the order of `labels`), `answer` (no, maybe, yes; only for
        contains), `object`, `main`, `n` (number of such answers), `response_id`, then
        columns of the source about time and status. A skipped question is a row with
        a null label (choice, objects) or a null answer (contains); a question that was
        not shown has no row.
    offer : {"all", "listed", "unknown"}
        Which labels were on screen: ``all`` labels, the ``listed`` ones, or
        ``unknown``.
    offered : pandas.DataFrame, optional
        `label` and any of `item`, `annotator`, `response_id`; present if and only if
        the offer is ``listed``.
    items : pandas.DataFrame, optional
        `item`, `dataset_label` and more, where the source has it. If there is a column
        `asked`, items of which it is false belong to the study, but nobody was asked
        about them: no count and no fit includes them.
    labels : pandas.DataFrame
        `label`, `name` and `parent`; the order of the rows is the code of the label.
    gold : pandas.DataFrame, optional
        `item` and `label` (contains: also `answer`). If an item has several rows, any
        of these labels is right.
    assumptions : tuple of str
        What was assumed, one sentence each; results repeat them.
    cleaning : Cleaning
        What was read, kept and dropped.
    sources : mapping of str to str
        SHA-256 of each file read.
    types : mapping of str to str
        Types of items, annotators and labels in the source, by role; `typed` restores
        them.
    plan : Plan, optional
        How the source was read.
    in_order : bool
        Whether the order of the labels is known: the caller or an ordered categorical
        gave it, or it is that of numbers or of a well-known scale.

    See Also
    --------
    consilience.read : Read responses.
    consilience.describe : Count them.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> responses.table[["item", "annotator", "label", "n"]].head(2)
            item annotator     label  n
    0  photo-001      Hugo  malamute  1
    1  photo-001      Tara      wolf  1
    >>> responses.where(responses.table["annotator"] == "Tara").num_responses
    7
    """

    table: pd.DataFrame
    offer: Offer
    offered: pd.DataFrame | None
    items: pd.DataFrame | None
    labels: pd.DataFrame
    gold: pd.DataFrame | None
    assumptions: tuple[str, ...]
    cleaning: Cleaning
    sources: Mapping[str, str]
    types: Mapping[str, str] = field(default_factory=dict)
    in_order: bool = False
    plan: Plan | None = None

    @property
    def summary(self) -> Summary:
        """What was understood: counts, the role of each column, what looks wrong."""
        return summarize(self)

    def __repr__(self) -> str:
        """Text of the summary."""
        return str(self.summary)

    def _repr_html_(self) -> str:
        """Return what was read, and the first answers, for a notebook."""
        understood, account = self.summary, self.cleaning.account()
        shown = [
            name
            for name in ("item", "annotator", "label", "answer", "object", "n")
            if self.table[name].notna().any()
            and not (name == "n" and (self.table["n"] == 1).all())
        ]
        return as_html(
            "Responses",
            understood.facts(),
            [Part("answers", self.table[shown])],
            understood.warnings,
            {"kept and dropped": account, "assumed": self.assumptions},
        )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of question that were answered."""
        codes = self.table["kind"].cat.codes.to_numpy()
        names = enumerate(self.table["kind"].cat.categories)
        return tuple(cast("Kind", name) for i, name in names if (codes == i).any())

    @property
    def kind(self) -> Kind:
        """The one kind of question.

        Raises
        ------
        KindError
            If there are several.
        """
        kinds = self.kinds
        if len(kinds) != 1:
            raise KindError(
                f"these responses are of {len(kinds)} kinds "
                f"({', '.join(kinds) or 'none'}) where one is needed; choose one with "
                "of_kind(...)"
            )
        return kinds[0]

    @property
    def num_responses(self) -> int:
        """Answers, each counted as often as it was given."""
        return int(self.table["n"].sum())

    @property
    def num_items(self) -> int:
        """Items asked about."""
        return len(self.table["item"].cat.categories)

    @property
    def num_annotators(self) -> int:
        """Annotators known by an id."""
        return len(self.table["annotator"].cat.categories)

    @property
    def num_labels(self) -> int:
        """Labels that could be given."""
        return len(self.labels)

    @property
    def anonymous(self) -> bool:
        """Whether some answer has no annotator id."""
        return bool(self.table["annotator"].isna().any())

    def typed(self, name: str = "table") -> pd.DataFrame | None:
        """Return a table with ids and labels of the type that they were read with.

        Parameters
        ----------
        name
            table, offered, items, labels or gold, which themselves hold text.

        Returns
        -------
        The table, to be merged with one's own; None where there is none.
        """
        table: pd.DataFrame | None = getattr(self, name)
        return None if table is None else restored(table, self.types)

    def of_kind(self, kind: Kind) -> "Responses":
        """Only the answers of one kind, with the items and annotators they have.

        Raises
        ------
        KindError
            If there are none.
        """
        if kind not in self.kinds:
            raise KindError(
                f"no answer is of kind {kind!r}; these responses are of kind "
                f"{', '.join(self.kinds)}"
            )
        if self.kinds == (kind,):
            return self
        of_kind = np.flatnonzero(self.table["kind"] == kind)
        return replace(self, table=_some(self.table, of_kind))

    def with_labels(self, more: Iterable[str]) -> "Responses":
        """Return the same answers with further labels, after those there are.

        Parameters
        ----------
        more
            Labels that could be true as well, such as those of candidates.
        """
        new = sorted(set(map(str, more)) - set(self.labels["label"]))
        if not new:
            return self
        added = pd.DataFrame({"label": pd.Series(new, dtype="str")})
        labels = pd.concat([self.labels, added], ignore_index=True)
        names = pd.Index(labels["label"], dtype="str")
        label = self.table["label"].cat.set_categories(names)
        return replace(
            self,
            table=self.table.assign(label=label),
            labels=labels,
            in_order=has_order(labels["label"].tolist()),
        )

    def where(self, kept: Sequence[bool] | np.ndarray | pd.Series) -> "Responses":
        """Only the answers of which it is true, with their items and annotators.

        Parameters
        ----------
        kept
            Of each row of the table, such as ``responses.table["item"] == "a"``.
        """
        return self.take(np.flatnonzero(np.asarray(kept, bool)))

    def take(self, rows: np.ndarray) -> "Responses":
        """Only some answers, with the items and annotators that they have.

        Parameters
        ----------
        rows
            Their places in the table.
        """
        table = _some(self.table, rows)
        items = set(table["item"].cat.categories)

        def about(side: pd.DataFrame | None) -> pd.DataFrame | None:
            if side is None or "item" not in side:
                return side
            return side[side["item"].isin(items)].reset_index(drop=True)

        return replace(
            self,
            table=table,
            items=about(self.items),
            offered=about(self.offered),
            gold=about(self.gold),
        )


def _some(table: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    table = table.iloc[rows].reset_index(drop=True)
    names = ("item", "annotator", "response_id")
    return table.assign(**{n: table[n].cat.remove_unused_categories() for n in names})


def concatenate(parts: Sequence[Responses]) -> Responses:
    """Return all answers of several readings.

    Labels keep the order of the first reading; those of later ones follow. What is
    known of an item (its own label in the data set) is that of the last reading.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    for what, values in (
        ("kind", {part.kind for part in parts}),
        ("offer", {part.offer for part in parts}),
    ):
        if len(values) > 1:
            raise OptionError(
                f"answers of {what} {' and '.join(sorted(values))} cannot be joined; "
                f"read all of them with the same {what}"
            )
    labels = pd.concat([part.labels for part in parts], ignore_index=True)
    labels = labels.drop_duplicates("label", ignore_index=True)
    names = pd.Index(labels["label"], dtype="str")
    tables = [
        part.table.assign(label=part.table["label"].cat.set_categories(names))
        for part in parts
    ]
    table = _below(tables)
    _check_repeats(table, np.repeat(np.arange(len(parts)), [len(t) for t in tables]))
    sources = {name: sha for part in parts for name, sha in part.sources.items()}
    return replace(
        first,
        table=table,
        labels=labels,
        items=_below_all([part.items for part in parts], ["item"]),
        offered=_below_all([part.offered for part in parts]),
        gold=_below_all([part.gold for part in parts]),
        assumptions=tuple(dict.fromkeys(s for part in parts for s in part.assumptions)),
        cleaning=_cleaning([part.cleaning for part in parts]),
        sources=sources,
        types={
            role: kind
            for role in first.types
            if (kind := common_type([part.types.get(role) for part in parts]))
            not in (None, MIXED)
        },
        in_order=all(part.in_order and part.labels.equals(labels) for part in parts),
    )


def _below(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the columns that all tables have, below one another."""
    columns = {}
    for name in tables[0].columns:
        parts = [table[name] for table in tables if name in table]
        if len(parts) < len(tables):
            continue
        if isinstance(parts[0].dtype, pd.CategoricalDtype):
            columns[name] = pd.Series(union_categoricals(parts))
        else:
            columns[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns)


def _below_all(
    tables: Sequence[pd.DataFrame | None], keys: list[str] | None = None
) -> pd.DataFrame | None:
    there = [table for table in tables if table is not None]
    if not there:
        return None
    whole = pd.concat(there, ignore_index=True)
    return whole.drop_duplicates(keys, keep="last", ignore_index=True)


def _check_repeats(table: pd.DataFrame, part: np.ndarray) -> None:
    """Refuse an annotator or a response that comes back about the same question."""
    question = ["item", "label"] if "contains" in set(table["kind"]) else ["item"]
    for column in ("annotator", "response_id"):
        identified = table[column].notna().to_numpy()
        keys = table.loc[identified, [*question, column]].assign(part=part[identified])
        again = keys.drop_duplicates().duplicated([*question, column])
        if again.any():
            row = keys.loc[again.index[again.to_numpy()][0]]
            raise DataError(
                f"{column} {row[column]!r} had answered about item {row['item']!r} "
                "before; give each answer once"
            )


def _cleaning(parts: Sequence[Cleaning]) -> Cleaning:
    notes = (note for part in parts for note in part.notes)
    warnings = (warning for part in parts for warning in part.warnings)
    return Cleaning(
        unit=parts[0].unit,
        read=sum(part.read for part in parts),
        kept=sum(part.kept for part in parts),
        answers=sum(part.answers for part in parts),
        dropped=tuple(dropped for part in parts for dropped in part.dropped),
        notes=tuple(dict.fromkeys(notes)),
        columns={name: role for part in parts for name, role in part.columns.items()},
        unused={name: looks for part in parts for name, looks in part.unused.items()},
        warnings=tuple(dict.fromkeys(warnings)),
    )
