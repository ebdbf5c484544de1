"""The frozen record of responses that every model, check and report starts from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import cast

import numpy as np
import pandas as pd

from consilience.errors import KindError
from consilience.notebook import Part, as_html
from consilience.responses.options import Kind, Offer
from consilience.responses.quality.cleaning import Cleaning
from consilience.responses.tables.id_types import restored
from consilience.responses.tables.scales import has_order

ANSWERS = ("no", "maybe", "yes")
KINDS = ("choice", "contains", "objects")
CANONICAL = (
    "item",
    "annotator",
    "kind",
    "label",
    "answer",
    "object",
    "main",
    "n",
    "response_id",
)
_FIRST = 10  # labels that are listed
_COLUMNS = 30  # columns that are listed
_WIDTH = 40  # characters of a label that are shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was understood of a source."""

    kinds: tuple[Kind, ...]
    offer: Offer
    answers: int
    items: int
    annotators: int
    anonymous: int
    labels: int
    first_labels: tuple[str, ...]
    answers_per_item: tuple[int, float, int]
    gold: int
    columns: Mapping[str, str]
    unused: Mapping[str, str]
    warnings: tuple[str, ...]

    def facts(self) -> dict[str, str]:
        """Return the facts by name, as they are printed."""
        least, middle, most = self.answers_per_item
        labels = ", ".join(map(_shown, self.first_labels))
        more = ", …" if self.labels > len(self.first_labels) else ""
        people = f"{self.annotators:,}"
        if self.anonymous:
            people += f" known, {self.anonymous:,} answers without annotator"
        facts = {
            "kind": ", ".join(self.kinds),
            "items": f"{self.items:,}",
            "annotators": people,
            "labels": f"{self.labels:,}: {labels}{more}",
            "answers": f"{self.answers:,}",
            "answers per item": f"{least:,} to {most:,}, median {middle:g}",
            "gold rows": f"{self.gold:,}",
        }
        if self.columns or self.unused:
            facts["columns used"] = _columns(self.columns, ": {}") or "none"
            facts["columns not used"] = _columns(self.unused, " ({})") or "none"
        return facts

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """Text of the summary, one line per fact and per warning."""
        facts = self.facts()
        width = max(map(len, facts)) + 2
        lines = [f"{name:<{width}}{value}" for name, value in facts.items()]
        return "\n".join(
            [*lines, *(f"warning: {warning}" for warning in self.warnings)]
        )


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
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
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
            msg = (
                f"these responses are of {len(kinds)} kinds "
                f"({', '.join(kinds) or 'none'}) where one is needed; choose one with "
                "of_kind(...)"
            )
            raise KindError(msg)
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
            msg = (
                f"no answer is of kind {kind!r}; these responses are of kind "
                f"{', '.join(self.kinds)}"
            )
            raise KindError(msg)
        if self.kinds == (kind,):
            return self
        table = self.table[self.table["kind"] == kind].reset_index(drop=True)
        for column in ("item", "annotator", "response_id"):
            table[column] = table[column].cat.remove_unused_categories()
        return replace(self, table=table)

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
        table = self.table.iloc[rows].reset_index(drop=True)
        for column in ("item", "annotator", "response_id"):
            table[column] = table[column].cat.remove_unused_categories()
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


def summarize(responses: "Responses") -> Summary:
    """Summarize responses."""
    table, account = responses.table, responses.cleaning
    given = is_given(table)
    n = table["n"].to_numpy()
    labels = responses.labels["label"]
    return Summary(
        kinds=responses.kinds,
        offer=responses.offer,
        answers=int(n[given].sum()),
        items=responses.num_items,
        annotators=responses.num_annotators,
        anonymous=int(n[given & table["annotator"].isna().to_numpy()].sum()),
        labels=len(labels),
        first_labels=tuple(map(str, labels.head(_FIRST))),
        answers_per_item=_per_item(responses, given),
        gold=0 if responses.gold is None else len(responses.gold),
        columns=dict(account.columns),
        unused=dict(account.unused),
        warnings=account.warnings,
    )


def is_given(table: pd.DataFrame) -> np.ndarray:
    """Return of which rows the question was answered, and not skipped."""
    contains = (table["kind"] == "contains").to_numpy()
    given: np.ndarray = np.where(
        contains, table["answer"].notna(), table["label"].notna()
    )
    return given


def _per_item(responses: "Responses", given: np.ndarray) -> tuple[int, float, int]:
    """Fewest, median and most answers of an item; objects: responses."""
    table = responses.table[given]
    n = table["n"].to_numpy()
    objects = (table["kind"] == "objects").to_numpy()
    names = ("item", "annotator", "response_id")
    parts = pd.DataFrame({name: table[name].cat.codes for name in names})
    again = objects & parts.duplicated().to_numpy()
    item = parts["item"].to_numpy()[~again]
    counts = np.bincount(item, n[~again], minlength=responses.num_items)
    if not len(counts):
        return 0, 0.0, 0
    return int(counts.min()), float(np.median(counts)), int(counts.max())


def _columns(columns: Mapping[str, str], form: str) -> str:
    shown = [_shown(c) + (form.format(r) if r else "") for c, r in columns.items()]
    more = f"; and {len(shown) - _COLUMNS} more" if len(shown) > _COLUMNS else ""
    return "; ".join(shown[:_COLUMNS]) + more


def _shown(text: str) -> str:
    short = text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
    return short if short.isprintable() and short else repr(short)
