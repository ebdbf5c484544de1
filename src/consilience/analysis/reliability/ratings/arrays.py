"""Arrays of answers for the coefficients of agreement.

A question is an item (choice, objects) or a pair of item and label (contains). Where an
annotator answered a question more than once, the answers share one vote, so that nobody
is compared with himself; an anonymous answer is an annotator of its own.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from consilience.errors import NoResponsesError, OptionError
from consilience.responses import Responses
from consilience.responses.table import ANSWERS


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ratings:
    """Votes, sorted by question, then annotator, then answer."""

    question: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    answer: Int[np.ndarray, " N"]
    share: Float[np.ndarray, " N"]
    item: Int[np.ndarray, " Q"]
    question_label: Int[np.ndarray, " Q"] | None
    labels: tuple[str, ...]
    answers: tuple[str, ...]
    sets: csr_array | None
    annotators: tuple[str, ...]
    repeated: int
    anonymous: int


def lay_out(responses: Responses) -> Ratings:
    """Lay out the answers of responses of one kind; skipped questions are left out."""
    table = responses.table
    item, annotator, label = (_codes(table, n) for n in ("item", "annotator", "label"))
    labels = tuple(map(str, responses.labels["label"]))
    question, answer, names = item, label, labels
    if responses.kind == "contains":
        question = item * max(len(labels), 1) + label
        answer, names = _codes(table, "answer"), ANSWERS
        # Whether maybe was on offer can be seen only from its use.
        if not (answer == 1).any():
            answer, names = np.where(answer == 2, 1, answer), ("no", "yes")
    rows = np.flatnonzero(answer >= 0)
    if not len(rows):
        msg = "no answer is left to compare: every question was skipped"
        raise NoResponsesError(msg)
    sets = None
    if responses.kind == "objects":
        response = _codes(table, "response_id")
        first, picked, sets, names = _sets(
            item[rows], annotator[rows], response[rows], label[rows], labels
        )
        rows = rows[first]
        answer = np.zeros_like(label)
        answer[rows] = picked
    codes, example = encode(question[rows])
    votes = _votes(
        codes,
        annotator[rows],
        answer[rows],
        table["n"].to_numpy().astype(np.float64)[rows],
        len(names),
    )
    return Ratings(
        question=votes.question,
        annotator=votes.annotator,
        answer=votes.answer,
        share=votes.share,
        item=encode(item[rows][example])[0],
        question_label=label[rows][example] if responses.kind == "contains" else None,
        labels=labels,
        answers=names,
        sets=sets,
        annotators=tuple(map(str, table["annotator"].cat.categories)),
        repeated=votes.repeated,
        anonymous=votes.anonymous,
    )


@dataclass(frozen=True, slots=True)
class _Votes:
    question: Int[np.ndarray, " N"]
    annotator: Int[np.ndarray, " N"]
    answer: Int[np.ndarray, " N"]
    share: Float[np.ndarray, " N"]
    repeated: int
    anonymous: int


def _votes(
    question: Int[np.ndarray, " N"],
    annotator: Int[np.ndarray, " N"],
    answer: Int[np.ndarray, " N"],
    count: Float[np.ndarray, " N"],
    num_answers: int,
) -> _Votes:
    """Sort the answers and share out the votes of those who answered repeatedly."""
    who = question * (int(annotator.max(initial=0)) + 2) + annotator + 1
    key = who * num_answers + answer
    order = np.argsort(key, kind="stable")
    begin = np.flatnonzero(np.diff(key[order], prepend=-1))
    count = np.add.reduceat(count[order], begin)
    chosen = order[begin]
    question, annotator, answer, who = (
        column[chosen] for column in (question, annotator, answer, who)
    )
    begin = np.flatnonzero(np.diff(who, prepend=-1))
    total = np.add.reduceat(count, begin)
    every = np.repeat(total, np.diff(begin, append=len(who)))
    has_id = annotator >= 0
    return _Votes(
        question=question,
        annotator=annotator,
        answer=answer,
        share=np.where(has_id, count / every, count),
        repeated=int((total[has_id[begin]] > 1).sum()),
        anonymous=int(count[~has_id].sum()),
    )


def _codes(table: pd.DataFrame, column: str) -> Int[np.ndarray, " N"]:
    codes: np.ndarray = table[column].cat.codes.to_numpy().astype(np.int64)
    return codes


def _sets(
    item: Int[np.ndarray, " N"],
    annotator: Int[np.ndarray, " N"],
    response: Int[np.ndarray, " N"],
    label: Int[np.ndarray, " N"],
    labels: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray, csr_array, tuple[str, ...]]:
    """Join the objects of each response to the set of their labels.

    Returns the first row of each response, the code of its set, sets x labels, and the
    sets' names.
    """
    if ((annotator < 0) & (response < 0)).any():
        msg = (
            "some objects have neither an annotator nor a response_id, so it is "
            "unknown which belong together; name the column with `response_id=`"
        )
        raise OptionError(msg)
    frame = pd.DataFrame({"item": item, "annotator": annotator, "response": response})
    code = frame.groupby(list(frame), sort=False).ngroup().to_numpy()
    _, first = np.unique(code, return_index=True)
    member = csr_array(
        (np.ones(len(code)), (code, label)), shape=(len(first), len(labels))
    )
    member.data[:] = 1  # two objects of one label are one label
    # Equal sets have equal sums of random numbers: 2 x 62 bits tell all others apart.
    mark = np.random.default_rng(0).integers(2**62, size=(len(labels), 2))
    cell = np.repeat(np.arange(len(first)), np.diff(member.indptr))
    sums = np.zeros((len(first), 2), np.int64)
    np.add.at(sums, cell, mark[member.indices])
    _, example, answer = np.unique(sums, axis=0, return_index=True, return_inverse=True)
    sets = member[example]
    names = tuple(
        ", ".join(labels[k] for k in sets.indices[sets.indptr[i] : sets.indptr[i + 1]])
        for i in range(sets.shape[0])
    )
    return first, answer.ravel(), sets, names


def encode(keys: Int[np.ndarray, " N"]) -> tuple[np.ndarray, np.ndarray]:
    """Codes from 0 without gaps in the order of the keys, and an example of each."""
    if (keys[1:] >= keys[:-1]).all():
        begin = np.flatnonzero(np.diff(keys, prepend=-1))
        length = np.diff(begin, append=len(keys))
        return np.repeat(np.arange(len(begin)), length), begin
    codes, distinct = pd.factorize(keys)
    first = np.empty(len(distinct), np.int64)
    first[codes[::-1]] = np.arange(len(keys))[::-1]  # the last one written stays
    return codes.astype(np.int64), first
