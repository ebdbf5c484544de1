"""Selections, the form in which platforms store answers, unrolled into answers.

A selection is the list of labels that one annotator picked for one item: one label for
a choice, one per object, or, when all labels on screen are known, a yes to each picked
and a no to each other.

**The labels that were on screen, where each task of a tool says so itself.** Tasks that
this program writes say in one record what they ask: of which item, in which kind of
question, and which labels with which names stand on the screen in which order.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int, Int8

from consilience.errors import (
    BadCellError,
    KindError,
    LabelNotOfferedError,
    OfferUnknownError,
)
from consilience.responses.columns.names import listing
from consilience.responses.draft import (
    NO,
    SKIPPED,
    YES,
    Draft,
    answer_words_rule,
    read_answers,
)
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.table import Responses
from consilience.responses.tables.coding import (
    Coded,
    encode,
    encode_texts,
    natural_order,
)
from consilience.responses.tables.structures import parse_structure

_SEPARATORS = ("|", ";", ",", "\n")
_MAX_VALUES = 2000  # distinct values that are looked at
_AGAIN = 0.5  # share of the parts that must come back
_SHARE = 0.2  # share of the cells that must hold several
NONE = "none of these"


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


def as_lists(column: Coded, options: ReadOptions) -> pa.Array | None:
    """Return the labels of each cell, where cells hold several; None: they hold one."""
    texts: list[str | None] = column.values.to_pylist()
    cells: list[list[str] | None]
    if options.split is not None:
        cells = [None if t is None else split_labels(t, options.split) for t in texts]
    else:
        cells = [None if t is None else _json_list(t) for t in texts]
        listed = np.array([cell is not None for cell in cells], bool)
        filled = column.codes[column.codes >= 0]
        if not listed[filled].all() or not len(filled):
            return None
    values = pa.array([*cells, None], pa.list_(pa.string()))
    codes = [code if code >= 0 else len(cells) for code in column.codes.tolist()]
    return values.take(pa.array(codes, pa.int64()))


def check_lists(cells: pa.Array | None, kind: Kind | None, source: str) -> None:
    """Refuse several labels per cell where the question is not one for objects."""
    if cells is None or kind == "objects":
        return
    most = pc.max(pc.list_value_length(cells)).as_py() or 0
    if kind == "choice" and most <= 1:
        return
    msg = (
        f'{source}: it holds several labels per row; ask for `kind="objects"`, or '
        "write one row per answer"
    )
    raise BadCellError(msg)


def flatten(cells: pa.Array) -> tuple[Int[np.ndarray, " N"], Coded]:
    """Row and text of each label; an empty list is an answer without a label."""
    full = pc.if_else(
        pc.equal(pc.fill_null(pc.list_value_length(cells), 0), 0),
        pa.scalar([None], pa.list_(pa.string())),
        cells,
    )
    rows = pc.list_parent_indices(full).to_numpy().astype(np.int64)
    return rows, encode(pc.list_flatten(full))


def split_labels(text: str, separator: str) -> list[str]:
    """Return the labels between separators, each once, without blanks around them."""
    parts = (part.strip() for part in text.split(separator))
    return list(dict.fromkeys(part for part in parts if part))


def check_single(column: Coded, source: str, options: ReadOptions) -> tuple[str, ...]:
    """Reject cells that certainly hold several labels, warn of those that may."""
    if options.labels is not None or options.offered is not None:
        return ()
    texts = [t for t in column.values[:_MAX_VALUES].to_pylist() if t is not None]
    for separator in _SEPARATORS:
        several = [text for text in texts if len(split_labels(text, separator)) > 1]
        if not several:
            continue
        often = Counter(
            part for text in texts for part in split_labels(text, separator)
        )
        parts = {part for text in several for part in split_labels(text, separator)}
        again = sum(often[part] > 1 for part in parts) / len(parts)
        if again <= _AGAIN and separator not in "|\n":
            continue
        msg = (
            f"{source}: cells such as {listing(several, 2)} seem to hold several "
            f"labels; split them with `split={separator!r}` (kind objects), or, if "
            'each is one label, ask for `kind="choice"`'
        )
        words = sum(len(part) > 2 for part in parts) > len(parts) / 2
        many = 1 < len(several) > _SHARE * len(texts)
        if again > _AGAIN and words and many and options.kind != "choice":
            raise BadCellError(msg)
        return (msg,)
    return ()


def _json_list(text: str) -> list[str] | None:
    """Return the labels of a JSON list of texts and numbers."""
    if not text.startswith("["):
        return None
    value = parse_structure(text)
    if not isinstance(value, list) or not all(isinstance(p, str | int) for p in value):
        return None
    return [str(part) for part in value]


class OnScreen(msgspec.Struct, frozen=True, kw_only=True):
    """What a task shows."""

    item: str
    kind: Kind | None = None
    labels: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Hold the record to its rule."""
        if len(self.labels) != len(self.names):
            msg = f"{len(self.labels)} labels have {len(self.names)} names"
            raise ValueError(msg)

    def choices(self, kind: Kind | None) -> tuple[str, ...]:
        """Return the labels that an answer can be about.

        Whether labels are present is not asked of *none of these*: that answer is a no
        to all of them.
        """
        return tuple(x for x in self.labels if kind != "contains" or x != NONE)

    def picked(
        self, given: Iterable[str] | None, kind: Kind | None
    ) -> tuple[str, ...] | None:
        """Return the labels picked, by themselves or by their names; None: skipped."""
        if given is None:
            return None
        label = dict(zip(self.names, self.labels, strict=True))
        label |= {each: each for each in self.labels}
        labels = [label.get(text, text) for text in given]
        return tuple(x for x in labels if kind != "contains" or x != NONE)

    def at(self, numbers: Iterable[int]) -> tuple[str, ...] | None:
        """Return the labels at places counted from 0; None: there is no such place."""
        places = list(numbers)
        if not all(0 <= place < len(self.labels) for place in places):
            return None
        return tuple(self.labels[place] for place in places)


def read_on_screen(record: str, place: str) -> OnScreen:
    """Read the record of a task."""
    try:
        return msgspec.json.decode(record, type=OnScreen)
    except msgspec.MsgspecError as error:
        msg = f"{place}: the record of the task is damaged ({error}); export it again"
        raise BadCellError(msg) from None


def with_offers(
    draft: Draft, shown: Iterable[OnScreen], kind: Kind | None = None
) -> Draft:
    """Return a draft that says which labels were on screen for each item."""
    kind = kind or draft.kind
    tasks = {(each.item, each.labels): each for each in shown}.values()
    pairs = [(each.item, label) for each in tasks for label in each.choices(kind)]
    name: Mapping[str, str] = {
        label: name
        for each in tasks
        for label, name in zip(each.labels, each.names, strict=True)
    }
    labels = list(dict.fromkeys(label for _, label in pairs))
    values = pa.array(labels, pa.string())
    order = [labels[place] for place in natural_order(values)]
    last = [label for label in order if label == NONE]
    labels = [label for label in order if label != NONE] + last
    frame = pd.DataFrame(pairs, columns=["item", "label"], dtype="str")
    return replace(
        draft,
        offer="listed",
        offered=frame.drop_duplicates(ignore_index=True),
        labels=pd.DataFrame(
            {"label": labels, "name": [name[label] for label in labels], "parent": None}
        ).astype("str"),
        more_items=[*draft.more_items, *(each.item for each in tasks)],
        notes=(*draft.notes, "the labels on screen are those that each task lists"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class NamedSets:
    """Responses of kind objects, coded; skipped ones are left out.

    Letters: R responses, N labels named in all of them.
    """

    item: Int[np.ndarray, " R"]
    annotator: Int[np.ndarray, " R"]
    main: Int[np.ndarray, " R"]
    n: Int[np.ndarray, " R"]
    label: Int[np.ndarray, " N"]
    start: Int[np.ndarray, " R+1"]

    @property
    def size(self) -> Int[np.ndarray, " R"]:
        """How many labels each response names."""
        return np.diff(self.start)

    @property
    def response(self) -> Int[np.ndarray, " N"]:
        """The response that each label belongs to."""
        return np.repeat(np.arange(len(self.item)), self.size)

    def labels_of(self, response: int) -> tuple[int, ...]:
        """Return the labels that a response names, in their order."""
        return tuple(
            self.label[self.start[response] : self.start[response + 1]].tolist()
        )

    def by_item(self, num_items: int) -> list[Int[np.ndarray, " *"]]:
        """Return the responses about each item, in the order in which they came."""
        order = np.argsort(self.item, kind="stable")
        ends = np.cumsum(np.bincount(self.item, minlength=num_items))
        return np.split(order, ends[:-1])


def named_sets(responses: Responses) -> NamedSets:
    """Code the responses by what they name.

    A response is the rows of one `response_id`, or else those of one item and
    annotator. Responses stand in the order of their first rows; a label that a response
    names twice counts once.
    """
    if responses.kinds != ("objects",):
        kinds = ", ".join(responses.kinds) or "none"
        msg = f"named sets are of kind objects; these responses are of kind {kinds}"
        raise KindError(msg)
    table = responses.table[responses.table["label"].notna()]
    item, annotator, label = (
        table[name].cat.codes.to_numpy().astype(np.int64)
        for name in ("item", "annotator", "label")
    )
    given = table["response_id"].cat.codes.to_numpy().astype(np.int64)
    alone = given.max(initial=-1) + 1 + item * (annotator.max(initial=-1) + 2)
    key = np.where(given >= 0, given, alone + annotator + 1)
    response = pd.factorize(key)[0]
    order = np.argsort(response, kind="stable")
    twice = pd.DataFrame({"r": response[order], "l": label[order]}).duplicated()
    rows = order[~twice.to_numpy()]
    first = np.unique(response[rows], return_index=True)[1]
    main = np.full(len(first), -1)
    marked = table["main"].fillna(value=False).to_numpy(dtype=bool)
    main[response[marked]] = label[marked]
    return NamedSets(
        item=item[rows][first],
        annotator=annotator[rows][first],
        main=main,
        n=table["n"].to_numpy()[rows][first],
        label=label[rows],
        start=np.append(first, len(rows)),
    )
