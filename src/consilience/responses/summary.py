"""Responses at a glance: who answered what, how often, and how far they agree."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from consilience.responses.options import Kind, Offer

if TYPE_CHECKING:
    from consilience.responses.table import Responses

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
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)


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
    return np.where(contains, table["answer"].notna(), table["label"].notna())


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Smallest, middle and largest of some counts."""

    min: int
    median: float
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Counts that describe responses of one kind.

    Parameters
    ----------
    kind, offer : str
        As in `consilience.responses.Responses`.
    answers : int
        Number of answers, each counted as often as it was given, without skipped ones.
    skipped : int
        Number of questions that were shown and not answered.
    responses : int
        For objects, number of pairs of annotator and item; else as `answers`.
    questions : int
        Number of questions: items, or pairs of item and label (contains).
    items, annotators, labels : int
        Numbers of items, of annotators with an id, and of labels.
    items_without_answers : int
        Number of items that were listed but not answered.
    anonymous : int
        Number of answers without annotator.
    repeated : int
        Number of answers beyond the first by one annotator to one question.
    answers_per_question, answers_per_annotator : Range
        Distribution of the counts.
    coverage : float
        Share of pairs of question and annotator that were answered; NaN without ids.
    agreement : float
        Probability that two different answers to one question, drawn at random over all
        such pairs, are equal; NaN where there is no pair, and for objects.
    frequencies : dict of str to int
        How often each label (contains: each answer) was given.
    gold : int
        Number of items (contains: pairs) with a gold label.

    See Also
    --------
    consilience.describe : Compute the counts.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> responses = study(0, num_photos=30).responses()
    >>> round(cs.describe(responses).coverage, 2)
    0.24
    """

    kind: Kind
    offer: Offer
    answers: int
    skipped: int
    responses: int
    questions: int
    items: int
    annotators: int
    labels: int
    items_without_answers: int
    anonymous: int
    repeated: int
    answers_per_question: Range
    answers_per_annotator: Range
    coverage: float
    agreement: float
    frequencies: dict[str, int]
    gold: int

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON (a NaN becomes None)."""
        return {
            key: None if isinstance(value, float) and np.isnan(value) else value
            for key, value in asdict(self).items()
        }


def describe(responses: "Responses") -> Description:
    """Count the answers, items, annotators and labels of responses of one kind.

    Parameters
    ----------
    responses : Responses
        Responses of one kind.

    Returns
    -------
    Description
        The counts.

    Raises
    ------
    KindError
        If there are several kinds.

    See Also
    --------
    agreement : Coefficients of agreement.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> counts = cs.describe(responses)
    >>> counts.items, counts.annotators, counts.answers
    (30, 25, 180)
    """
    kind = responses.kind
    table = responses.table
    question, value = ["item"], "label"
    if kind == "contains":
        question, value = ["item", "label"], "answer"
    columns = ("item", "annotator", "label", "answer", "response_id")
    codes = pd.DataFrame({name: table[name].cat.codes for name in columns})
    codes["n"] = table["n"]
    given = codes[codes[value] >= 0]
    by_known = given[given["annotator"] >= 0]
    answers = int(given["n"].sum())
    num_responses, num_answers, agreement = answers, len(by_known), float("nan")
    if kind == "objects":
        response = ["item", "annotator", "response_id"]
        num_responses = _num_distinct(given, response)
        num_answers = _num_distinct(by_known, response)
    else:
        agreement = _agreement(given, question, value)
    distinct = _num_distinct(by_known, [*question, "annotator"])
    num_questions = _num_distinct(codes, question)
    num_pairs = num_questions * responses.num_annotators
    frequency = table.groupby(value, observed=True)["n"].sum()
    gold = responses.gold
    return Description(
        kind=kind,
        offer=responses.offer,
        answers=answers,
        skipped=int(codes["n"].sum()) - answers,
        responses=num_responses,
        questions=num_questions,
        items=responses.num_items,
        annotators=responses.num_annotators,
        labels=responses.num_labels,
        items_without_answers=responses.num_items - given["item"].nunique(),
        anonymous=answers - int(by_known["n"].sum()),
        repeated=num_answers - distinct,
        answers_per_question=_range(given.groupby(question)["n"].sum()),
        answers_per_annotator=_range(by_known.groupby("annotator")["n"].sum()),
        coverage=distinct / num_pairs if num_pairs else float("nan"),
        agreement=agreement,
        frequencies={str(name): int(number) for name, number in frequency.items()},
        gold=0 if gold is None else _num_distinct(gold, question),
    )


def _num_distinct(table: pd.DataFrame, columns: list[str]) -> int:
    return len(table[columns].drop_duplicates())


def _range(counts: pd.Series) -> Range:
    """Smallest, middle and largest of some counts."""
    if counts.empty:
        return Range(min=0, median=0.0, max=0)
    return Range(
        min=int(counts.min()), median=float(counts.median()), max=int(counts.max())
    )


def _agreement(answers: pd.DataFrame, question: list[str], value: str) -> float:
    """Share of equal pairs among all pairs of answers to one question."""
    same = answers.groupby([*question, value])["n"].sum()
    total = answers.groupby(question)["n"].sum()
    pairs = float((total * (total - 1.0)).sum())
    return float((same * (same - 1.0)).sum()) / pairs if pairs else float("nan")
