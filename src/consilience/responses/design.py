"""The design at a glance: who answered what, how often, and how far they agree."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from consilience.responses.options import Kind, Offer
from consilience.responses.table import ANSWERS, Responses


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Smallest, middle and largest of some counts."""

    min: int
    median: float
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Counts that describe responses of one kind.

    Parameters
    ----------
    kind, offer
        As in `consilience.responses.Responses`.
    answers
        Answers given, each counted as often as it was given; skipped ones are not.
    skipped
        Questions that were shown and not answered.
    responses
        Objects: how many times an annotator answered an item; else as `answers`.
    questions
        Things asked: items, or pairs of item and label (contains).
    items, annotators, labels
        How many there are; annotators are those known by id.
    items_without_answers
        Items that were listed but not answered.
    anonymous
        Answers without annotator.
    repeated
        Answers beyond the first by one annotator to one question.
    answers_per_question, answers_per_annotator
        Spread of the counts.
    coverage
        Share of (question, annotator) pairs that were answered; NaN without ids.
    agreement
        Chance that two different answers to one question, drawn at random, are equal,
        over all such pairs; NaN where there is none, and for objects.
    frequencies
        How often each label (contains: each answer) was given.
    gold
        Items (contains: pairs) with a gold label.
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
    answers_per_question: Spread
    answers_per_annotator: Spread
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


def describe(responses: Responses) -> Description:
    """Describe responses of one kind.

    Raises
    ------
    KindError
        If there are several kinds.
    """
    kind = responses.kind
    table = responses.table
    codes = pd.DataFrame(
        {
            name: table[name].cat.codes.to_numpy().astype(np.int64)
            for name in ("item", "annotator", "label", "answer", "response_id")
        }
    )
    codes["n"] = table["n"].to_numpy()
    given = codes["answer" if kind == "contains" else "label"].to_numpy() >= 0
    answered = codes[given]
    question = ["item", "label"] if kind == "contains" else ["item"]
    value = "answer" if kind == "contains" else "label"
    names = ANSWERS if kind == "contains" else tuple(responses.labels["label"])
    frequency = answered.groupby(value)["n"].sum()
    per_question = answered.groupby(question)["n"].sum()
    known = answered[answered["annotator"] >= 0]
    asked = [*question, "annotator"]
    one_each = [*asked, *(["response_id"] if kind == "objects" else [])]
    each = known.drop_duplicates(one_each) if kind == "objects" else known
    num_questions = len(codes[question].drop_duplicates())
    num_pairs = num_questions * responses.num_annotators
    distinct = len(known.drop_duplicates(asked))
    return Description(
        kind=kind,
        offer=responses.offer,
        answers=int(answered["n"].sum()),
        skipped=int(codes["n"][~given].sum()),
        responses=_num_responses(answered)
        if kind == "objects"
        else int(answered["n"].sum()),
        questions=num_questions,
        items=responses.num_items,
        annotators=responses.num_annotators,
        labels=responses.num_labels,
        items_without_answers=responses.num_items - answered["item"].nunique(),
        anonymous=int(answered["n"][answered["annotator"] < 0].sum()),
        repeated=len(each) - distinct,
        answers_per_question=_spread(per_question),
        answers_per_annotator=_spread(known.groupby("annotator")["n"].sum()),
        coverage=distinct / num_pairs if num_pairs else float("nan"),
        agreement=float("nan")
        if kind == "objects"
        else _agreement(answered, question, value),
        frequencies={
            names[code]: int(n)
            for code, n in zip(frequency.index, frequency, strict=True)
        },
        gold=0
        if responses.gold is None
        else len(responses.gold.drop_duplicates(question)),
    )


def _num_responses(answered: pd.DataFrame) -> int:
    return len(answered.drop_duplicates(["item", "annotator", "response_id"]))


def _spread(counts: pd.Series) -> Spread:
    if counts.empty:
        return Spread(min=0, median=0.0, max=0)
    return Spread(
        min=int(counts.min()), median=float(counts.median()), max=int(counts.max())
    )


def _agreement(answered: pd.DataFrame, question: list[str], value: str) -> float:
    """Share of equal pairs among all pairs of answers to one question."""
    same = answered.groupby([*question, value])["n"].sum().astype(float)
    total = answered.groupby(question)["n"].sum().astype(float)
    pairs = float((total * (total - 1)).sum())
    return float((same * (same - 1)).sum()) / pairs if pairs else float("nan")
