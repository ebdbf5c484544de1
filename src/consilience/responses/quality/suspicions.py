"""What looks wrong in answers that can be read: said, and left to the caller."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from consilience.responses.answers import looks_unanswered
from consilience.responses.columns.looks import FEW, LINKS, STRUCTURES, TEXTS, look
from consilience.responses.columns.names import listing
from consilience.responses.draft import Draft
from consilience.responses.quality.spelling import (
    groups,
    loose_key,
    normal,
    plainly_apart,
)
from consilience.responses.tables.coding import Coded, drop_unused, num_distinct
from consilience.responses.tables.scales import scale_order

_SHOWN = 5


def suspicions(draft: Draft) -> tuple[str, ...]:
    """Return a sentence for each thing that looks wrong."""
    sentences: list[str] = []
    labels = drop_unused(draft.label)
    people = drop_unused(draft.annotator)
    sentences += _similar_labels(
        labels.values,
        "labels",
        "they count as different labels; merge them with `fold_case=True` (case) or "
        "`normalize=True` (Unicode form, characters of no width), or correct the "
        "source",
    )
    sentences += _similar_labels(
        people.values,
        "annotators",
        "they count as different annotators; correct the source if they are one",
    )
    sentences += _one_each(draft, people)
    sentences += _unlike_labels(labels)
    if draft.kind != "contains":
        sentences += _unanswered(draft)
    return tuple(sentences)


def _similar_labels(texts: pa.StringArray, what: str, remedy: str) -> Iterable[str]:
    same = [] if plainly_apart(texts) else groups(texts.to_pylist(), loose_key)
    if not same:
        return ()
    shown = "; ".join(", ".join(map(ascii_if_hidden, g[:6])) for g in same[:_SHOWN])
    more = f" and {len(same) - _SHOWN} more groups" if len(same) > _SHOWN else ""
    sentence = (
        f"{what} that differ only in case, Unicode form or characters around them: "
        f"{shown}{more}; {remedy}"
    )
    return (sentence,)


def ascii_if_hidden(text: str) -> str:
    """Quote a text, with escapes where a person could not see what it holds."""
    return repr(text) if normal(text) == text else ascii(text)


def _one_each(draft: Draft, people: Coded) -> Iterable[str]:
    rows = num_distinct(draft.row)
    items = num_distinct(draft.item.codes)
    if not (len(people.values) == rows >= FEW and items < rows):
        return ()
    sentence = (
        f"each of the {rows:,} {draft.unit} has an annotator of its own "
        f"({listing(people.values[:3].to_pylist())}): if that column numbers answers "
        "or sessions, name the annotators' column, or read the answers without one"
    )
    return (sentence,)


def _unanswered(draft: Draft) -> Iterable[str]:
    """Name labels that may mean that there is none; steps of a scale are labels."""
    labels = drop_unused(draft.label)
    texts = labels.values.to_pylist()
    places = [place for place, text in enumerate(texts) if looks_unanswered(text)]
    if not places or scale_order(texts):
        return ()
    given = labels.codes >= 0
    weights = None if draft.n is None else draft.n[given]
    counts = np.bincount(labels.codes[given], weights)
    shown = ", ".join(f"{texts[i]!r} (answers: {counts[i]:,.0f})" for i in places)
    sentence = (
        "labels that look as if the question was not answered are labels like the "
        f"others: {shown}; if they mean that, name them in `missing=`"
    )
    return (sentence,)


def _unlike_labels(labels: Coded) -> Iterable[str]:
    number = len(labels.values)
    filled = int((labels.codes >= 0).sum())
    first = listing(labels.values[:3].to_pylist())
    looks = look(labels)
    if number == filled >= FEW:
        sentence = (
            f"each of the {number:,} answers names a label of its own ({first}): this "
            "looks like free text, ids or links; name the column of labels"
        )
        return (sentence,)
    if looks in {LINKS, TEXTS, STRUCTURES} and number > FEW:
        return (f"the labels look like {looks} ({first}); name the column of labels",)
    return ()
