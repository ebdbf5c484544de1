"""Spellings of one label: found where nobody asked, merged where somebody did.

Two labels are *alike* if they differ only in case, in their Unicode form, in characters
of no width, or in blanks, quotes and stops around them.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from consilience.responses.columns.looks import FEW, LINKS, STRUCTURES, TEXTS, look
from consilience.responses.columns.names import listing
from consilience.responses.draft import NO_ANSWER, Draft
from consilience.responses.options import ReadOptions
from consilience.responses.side_tables import label_table, offered_table
from consilience.responses.text import (
    Coded,
    alike_numbers,
    num_distinct,
    recode,
    scale_order,
    text_array,
)

_AROUND = "\"'`.,;:\u00b4\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb"
_SHOWN = 5


def loose_key(text: str) -> str:
    """Return what two texts share that a person takes for one."""
    bare = " ".join(normal(text).casefold().split())
    return bare.strip(_AROUND).strip() or bare


def normal(text: str) -> str:
    """Return a text in Unicode's form NFKC, without characters of no width."""
    if text.isascii():
        return text.strip()
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", visible).strip()


def plainly_apart(texts: pa.StringArray) -> bool:
    """Say whether texts differ in more than a person may miss: no two are alike."""
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        return False
    bare = pc.replace_substring_regex(pc.ascii_lower(texts), "[^a-z0-9]+", "")
    return len(pc.unique(bare)) == len(bare)


def groups(texts: Iterable[str], key: Callable[[str], str]) -> list[list[str]]:
    """Return the texts that share a key with others, together."""
    by_key: dict[str, list[str]] = {}
    for text in texts:
        by_key.setdefault(key(text), []).append(text)
    return [sorted(group) for group in by_key.values() if len(group) > 1]


def spelling_key(options: ReadOptions) -> Callable[[str], str]:
    """Return what spellings share that the caller takes for one label."""
    form = normal if options.normalize else str
    return (lambda label: form(label).casefold()) if options.fold_case else form


def merge_spellings(
    draft: Draft, options: ReadOptions, gold: pd.DataFrame | None
) -> tuple[Draft, pd.DataFrame | None]:
    """Merge spellings of a label or number: into one listed, else the most usual."""
    listed = listed_labels(options)
    texts, codes = draft.label.values.to_pylist(), draft.label.codes
    number = np.bincount(codes[codes >= 0], minlength=len(texts))
    counts = {text: int(n) for text, n in zip(texts, number, strict=True) if n}
    golden = [] if gold is None else gold["label"].dropna().tolist()
    numbers = alike_numbers([*counts, *golden, *listed])
    if not (options.fold_case or options.normalize or numbers):
        return draft, gold
    same = spelling_key(options)

    def key(label: str) -> str:
        return same(numbers.get(label, label))

    def form(label: str) -> str:
        label = numbers.get(label, label)
        return normal(label) if options.normalize else label

    kept = {key(label): form(label) for label in golden}
    for label in sorted(counts, key=lambda spelling: (counts[spelling], spelling)):
        kept[key(label)] = form(label)
    kept |= {key(label): label for label in reversed(listed)}

    def renamed(label: str) -> str:
        return label if label in listed else kept.get(key(label), form(label))

    changed: dict[str, list[str]] = {}
    for label in sorted(counts):
        if renamed(label) != label:
            changed.setdefault(renamed(label), []).append(label)
    if changed:
        answers = sum(counts[label] for old in changed.values() for label in old)
        shown = [f"{listing(old, 4)} as {new!r}" for new, old in changed.items()]
        more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
        draft.account.notes.append(
            f"{answers:,} labels were respelled: {'; '.join(shown[:8])}{more}"
        )
    new = text_array(None if v is None else renamed(v) for v in texts)
    draft = replace(
        draft,
        label=recode(codes, new),
        labels=_in_frame(draft.labels, renamed),
        offered=_in_frame(draft.offered, renamed),
        order=[*dict.fromkeys(map(renamed, draft.order))],
    )
    return draft, _in_frame(gold, renamed)


def listed_labels(options: ReadOptions) -> list[str]:
    """Return the labels that the caller lists."""
    labels = []
    if options.labels is not None:
        labels += label_table(options.labels, options)["label"].tolist()
    if options.offered is not None:
        labels += offered_table(options.offered, options)[0]["label"].tolist()
    return list(dict.fromkeys(map(str, labels)))


def _in_frame(
    frame: pd.DataFrame | None, renamed: Callable[[str], str]
) -> pd.DataFrame | None:
    if frame is None:
        return None
    label = frame["label"].map(renamed, na_action="ignore").astype("str")
    unique = ["label"] if "name" in frame else None  # a list of labels
    return frame.assign(label=label).drop_duplicates(unique, ignore_index=True)


def suspicions(draft: Draft) -> Iterator[str]:
    """Give a sentence for each thing that looks wrong."""
    labels, people = draft.label.used(), draft.annotator.used()
    yield from _similar(
        labels.values,
        "labels",
        "they count as different labels; merge them with `fold_case=True` (case) or "
        "`normalize=True` (Unicode form, characters of no width), or correct the "
        "source",
    )
    yield from _similar(
        people.values,
        "annotator_columns",
        "they count as different annotators; correct the source if they are one",
    )
    rows, items = num_distinct(draft.row), num_distinct(draft.item.codes)
    if len(people.values) == rows >= FEW and items < rows:
        yield (
            f"each of the {rows:,} {draft.account.unit} has an annotator of its own "
            f"({listing(people.values[:3].to_pylist())}): if that column numbers "
            "answers or sessions, name the annotators' column, or read the answers "
            "without one"
        )
    number, filled = len(labels.values), int((labels.codes >= 0).sum())
    first = listing(labels.values[:3].to_pylist())
    if number == filled >= FEW:
        yield (
            f"each of the {number:,} answers names a label of its own ({first}): this "
            "looks like free text, ids or links; name the column of labels"
        )
    elif number > FEW and (looks := look(labels)) in {LINKS, TEXTS, STRUCTURES}:
        yield f"the labels look like {looks} ({first}); name the column of labels"
    if draft.kind != "contains":
        yield from _unanswered(draft, labels)


def _similar(texts: pa.StringArray, what: str, remedy: str) -> Iterator[str]:
    same = [] if plainly_apart(texts) else groups(texts.to_pylist(), loose_key)
    if same:
        shown = "; ".join(", ".join(map(ascii_if_hidden, g[:6])) for g in same[:_SHOWN])
        more = f" and {len(same) - _SHOWN} more groups" if len(same) > _SHOWN else ""
        yield (
            f"{what} that differ only in case, Unicode form or characters around "
            f"them: {shown}{more}; {remedy}"
        )


def ascii_if_hidden(text: str) -> str:
    """Quote a text, with escapes where a person could not see what it holds."""
    return repr(text) if normal(text) == text else ascii(text)


def _unanswered(draft: Draft, labels: Coded) -> Iterator[str]:
    """Name labels that may mean that there is none; steps of a scale are labels."""
    texts = labels.values.to_pylist()
    plain = [text.replace("\u2019", "'").casefold() for text in texts]
    places = [place for place, text in enumerate(plain) if text in NO_ANSWER]
    if places and not scale_order(texts):
        given = labels.codes >= 0
        weights = None if draft.n is None else draft.n[given]
        counts = np.bincount(labels.codes[given], weights)
        shown = ", ".join(f"{texts[i]!r} (answers: {counts[i]:,.0f})" for i in places)
        yield (
            "labels that look as if the question was not answered are labels like the "
            f"others: {shown}; if they mean that, name them in `missing=`"
        )
