"""Columns of yes-or-no words beside the labels: the answers, or something else.

A table that asks *is this label there?* holds the label that was asked about in one
column and the answer in another. To read only the labels would make each a vote.
"""

import re

from consilience.errors import KindError, MissingColumnError
from consilience.responses.answers import is_yes_or_no
from consilience.responses.columns.looks import FLAGS, YES_NO, look
from consilience.responses.columns.names import listing, plain
from consilience.responses.tables.coding import drop_unused
from consilience.responses.tables.text_table import TextTable

_PRESENCE = re.compile(
    r"contain|has|have|present|visible|shown|depicted|match|isthere|isin|yesno|applies"
)
_QUESTION_NAMES = {
    "query",
    "target",
    "prompt",
    "question",
    "asked",
    "asklabel",
    "keyword",
}
_STATUS = re.compile(
    r"gold|taint|approv|accept|reject|skip|cancel|draft|spam|valid|verif|review|submit"
    r"|complete|done|train|test|trust|bann|activ|delet|hidden|archiv|flag|missed|star"
    r"|bookmark|lucky|sandbox|live|public|email"
)


def yes_or_no(table: TextTable, unused: list[str]) -> dict[str, str]:
    """Return the columns of yes-or-no words, and which words: look by name."""
    looks = {n: look(table.columns[n]) for n in unused if n in table.columns}
    return {
        name: content for name, content in looks.items() if content in {YES_NO, FLAGS}
    }


def answer_among(table: TextTable, label: str, unused: list[str]) -> dict[str, str]:
    """Return the column that answers whether the label is there, if any, by role."""
    candidates = yes_or_no(table, unused)
    if not candidates:
        return {}
    telling = [n for n in candidates if _PRESENCE.search(plain(n))]
    words = [
        n
        for n in candidates
        if candidates[n] == YES_NO and not _STATUS.search(plain(n))
    ]
    if len(telling) == 1:
        return {"answer": telling[0]}
    if len(words) == 1 and plain(label) in _QUESTION_NAMES:
        return {"answer": words[0]}
    unclear = telling or words
    if len(unclear) == 1 or telling:
        msg = (
            f"{table.source}: column {unclear[0]!r} holds yes-or-no words beside the "
            f"label {label!r}; if it says whether the label is there, name it "
            f"(`answer={unclear[0]!r}`); if not, ask for `kind='choice'`"
        )
        raise KindError(msg)
    return {}


def warn_of(table: TextTable, unused: list[str]) -> tuple[str, ...]:
    """Return a warning of columns of yes-or-no words that were not used."""
    words = [
        name for name, content in yes_or_no(table, unused).items() if content == YES_NO
    ]
    if not words:
        return ()
    sentence = (
        f"{table.source}: column {listing(words)} holds yes-or-no words and was not "
        f"used; if it answers whether the label is there, name it "
        f"(`answer={words[0]!r}`)"
    )
    return (sentence,)


def propose_one_hot(table: TextTable, unused: list[str]) -> None:
    """Say how a table with one column per label is read."""
    if len(yes_or_no(table, unused)) > 1:
        flags = [  # a label that nobody picked, or everybody, is one too
            name
            for name in unused
            if name in table.columns
            and is_yes_or_no(
                drop_unused(table.columns[name]).values.to_pylist(), both=False
            )
        ]
        msg = (
            f"{table.source}: there is no column of labels, and columns "
            f"{listing(flags)} hold yes and no or 0 and 1; if each is a label, name "
            f"them (`one_hot={','.join(flags)}`)"
        )
        raise MissingColumnError(msg)
