"""Selections, the form in which platforms store answers, unrolled into answers.

A selection is the list of labels that one annotator picked for one item: one label for
a choice, one per object, or, when all labels on screen are known, a yes to each picked
and a no to each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Int, Int8

from consilience.errors import KindError, LabelNotOfferedError, OfferUnknownError
from consilience.responses.answers import (
    NO,
    SKIPPED,
    YES,
    answer_words_rule,
    read_answers,
)
from consilience.responses.draft import Draft
from consilience.responses.options import Kind
from consilience.responses.tables.coding import Coded, encode_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one annotator picked for one item."""

    item: str | None
    annotator: str | None
    response_id: str | None
    picked: tuple[str, ...] | None
    main: str | None = None
    shown: tuple[str, ...] | None = None
    record: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Unrolled:
    """Selections as columns; see `consilience.responses.draft.Draft`."""

    kind: Kind
    item: Coded
    annotator: Coded
    response_id: Coded
    label: Coded
    answer: Int8[np.ndarray, " N"] | None
    object: Int[np.ndarray, " N"] | None
    main: Int8[np.ndarray, " N"] | None
    row: Int[np.ndarray, " N"]
    source: Int[np.ndarray, " N"]

    def draft(self, where: Callable[[int], str], num_read: int) -> Draft:
        """Return the draft of these answers; the reader adds its account."""
        return Draft(
            kind=self.kind,
            item=self.item,
            annotator=self.annotator,
            label=self.label,
            answer=self.answer,
            worded=self.answer is None,
            object=self.object,
            response_id=self.response_id,
            row=self.row,
            where=where,
            num_read=num_read,
        )


@dataclass(slots=True)
class _Rows:
    """Answers as they are unrolled."""

    source: list[int] = field(default_factory=list)
    label: list[str | None] = field(default_factory=list)
    answer: list[int] = field(default_factory=list)
    object: list[int] = field(default_factory=list)
    main: list[int] = field(default_factory=list)

    def add(
        self, source: int, label: str | None, answer: int, number: int, main: int
    ) -> None:
        """Add one answer."""
        self.source.append(source)
        self.label.append(label)
        self.answer.append(answer)
        self.object.append(number)
        self.main.append(main)


def unroll(
    selections: Sequence[Selection],
    kind: Kind | None,
    offered: tuple[str, ...] | None,
    where: Callable[[int], str],
    key: Callable[[str], str] = str,
) -> Unrolled:
    """Unroll selections into answers of one kind."""
    kind = kind or "choice"
    rows = _Rows()
    for i, selection in enumerate(selections):
        if kind == "choice":
            _choice(rows, i, selection, where)
        elif kind == "objects":
            _objects(rows, i, selection)
        else:
            _contains(rows, i, selection, selection.shown or offered, where, key)
    source = np.array(rows.source, np.int64)
    every = {
        name: encode_texts([getattr(s, name) for s in selections]).take(source)
        for name in ("item", "annotator", "response_id")
    }
    records = np.array([s.record for s in selections], np.int64)
    return Unrolled(
        kind=kind,
        item=every["item"],
        annotator=every["annotator"],
        response_id=every["response_id"],
        label=encode_texts(rows.label),
        answer=np.array(rows.answer, np.int8) if kind == "contains" else None,
        object=np.array(rows.object, np.int64) if kind == "objects" else None,
        main=np.array(rows.main, np.int8) if kind == "objects" else None,
        row=records[source],
        source=source,
    )


def answers_about(draft: Draft, labels: Coded, words: Mapping[str, str]) -> Draft:
    """Return the draft of kind contains of answers that were selected as words."""
    return replace(
        draft,
        kind="contains",
        label=labels,
        answer=read_answers(draft.label, words, draft.where, draft.row),
        worded=True,
        notes=(*draft.notes, *answer_words_rule(draft.label, words)),
    )


def _choice(
    rows: _Rows, i: int, selection: Selection, where: Callable[[int], str]
) -> None:
    picked = selection.picked or (None,)
    if len(picked) > 1:
        msg = (
            f"{where(selection.record)}: {len(picked)} labels were picked "
            f"({', '.join(map(repr, picked[:3]))}) where one is a choice; ask for "
            '`kind="objects"` (one label per object) or `kind="contains"` with '
            "`offered=` (a label that was not picked is a no)"
        )
        raise KindError(msg)
    rows.add(i, picked[0], SKIPPED, -1, -1)


def _objects(rows: _Rows, i: int, selection: Selection) -> None:
    labels = list(selection.picked or ())
    main = selection.main
    if main is not None and main not in labels:
        labels.append(main)
    for number, label in enumerate(labels):
        rows.add(i, label, SKIPPED, number, -1 if main is None else int(label == main))
    if not labels:
        rows.add(i, None, SKIPPED, -1, -1)


def _contains(
    rows: _Rows,
    i: int,
    selection: Selection,
    shown: tuple[str, ...] | None,
    where: Callable[[int], str],
    key: Callable[[str], str],
) -> None:
    if shown is None:
        msg = (
            f"{where(selection.record)}: a label that was not picked is a no only if "
            "it was on screen, and the file does not say what was; pass `offered=` (a "
            "list of labels, a table, or the labelling configuration)"
        )
        raise OfferUnknownError(msg)
    picked = {key(label): label for label in selection.picked or ()}
    strange = picked.keys() - set(map(key, shown))
    if strange:
        label = min(picked[spelling] for spelling in strange)
        msg = (
            f"{where(selection.record)}: label {label!r} is not among the "
            f"{len(shown)} that were offered; fix the record or correct `offered=`"
        )
        raise LabelNotOfferedError(msg)
    for label in shown:
        if selection.picked is None:
            rows.add(i, label, SKIPPED, -1, -1)
        elif key(label) in picked:
            rows.add(i, picked[key(label)], YES, -1, -1)
        else:
            rows.add(i, label, NO, -1, -1)
