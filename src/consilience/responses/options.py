"""The choices a caller has when responses are read.

This file needs no pandas, so that a command line can name the options at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from consilience.errors import OptionError, not_a, not_among

type Kind = Literal["choice", "contains", "objects"]
type Offer = Literal["all", "listed", "unknown"]
type Repeats = Literal["keep", "all", "distinct", "first", "last", "drop", "error"]

KINDS: tuple[Kind, ...] = get_args(Kind.__value__)
ANSWERS = ("no", "maybe", "yes")  # by their codes
MEANINGS = ("yes", "no", "maybe", "skipped")
MISSING = ("", "NA", "NaN", "nan", "<NA>", "null", "NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the source's columns; None: found by the usual names."""

    item: str | None = None
    annotator: str | None = None
    label: str | None = None
    answer: str | None = None
    n: str | None = None
    object: str | None = None
    main: str | None = None
    response_id: str | None = None
    gold: str | None = None
    selected: str | None = None

    def __post_init__(self) -> None:
        """Reject names that are no text: columns of numbers are named by their text."""
        for column in fields(self):
            what = "gold_column" if column.name == "gold" else column.name
            _check_text(
                what, getattr(self, column.name), "the name of a column as text"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a source is to be read."""

    kind: Kind | None = None
    columns: Columns = field(default_factory=Columns)
    question: str | None = None
    offered: object = None
    labels: object = None
    label_column: str | None = None
    gold: object = None
    items: object = None
    repeats: Repeats = "keep"
    answers: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = MISSING
    separator: str | None = None
    encoding: str | None = None
    header: bool = True
    sheet: str | None = None
    query: str | None = None
    statuses: tuple[str, ...] | None = None
    extras: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    split: str | None = None
    one_hot: tuple[str, ...] = ()
    fold_case: bool = False
    normalize: bool = False

    def __post_init__(self) -> None:
        """Refuse words that are none of those there are."""
        for what in (
            "question",
            "label_column",
            "separator",
            "encoding",
            "split",
            "sheet",
            "query",
        ):
            _check_text(what, getattr(self, what), "text")
        if self.split == "":
            msg = 'split is empty; give what stands between labels, such as `split="|"`'
            raise OptionError(msg)
        for what in ("header", "fold_case", "normalize"):
            if not isinstance(getattr(self, what), bool):
                raise OptionError(not_a(what, getattr(self, what), "True or False"))
        for what, word, words in (
            ("kind", "choice" if self.kind is None else self.kind, Kind),
            ("rule for repeats", self.repeats, Repeats),
        ):
            choices = get_args(words.__value__)
            if word not in choices:
                raise OptionError(not_among(what, word, choices))
        for answer, meaning in self.answers.items():
            if meaning not in MEANINGS:
                what = f"meaning of {answer!r} (`answers=`)"
                raise OptionError(not_among(what, meaning, MEANINGS))

    @property
    def missing_words(self) -> tuple[str, ...]:
        """Words of cells in which nothing was entered; none of the labels listed."""
        listed = self.labels if isinstance(self.labels, (list, tuple)) else ()
        return ("", *(word for word in self.missing if word not in listed))


def _check_text(what: str, given: object, expected: str) -> None:
    if given is not None and not isinstance(given, str):
        raise OptionError(not_a(what, given, expected))


def meanings(given: Mapping[str, str] | None) -> dict[str, str]:
    """Return what a caller says that words mean."""
    if given is not None and not isinstance(given, Mapping):
        raise OptionError(not_a("answers", given, "a dictionary: {'ja': 'yes'}"))
    return dict(given or {})


def texts(what: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return a list of texts that a caller gives, refusing anything else."""
    if isinstance(given, str):
        msg = f"{what} is the text {given!r}; give a list of texts: [{given!r}]"
        raise OptionError(msg)
    if not isinstance(given, Iterable):
        raise OptionError(not_a(what, given, "a list of texts"))
    words = tuple(given)
    for word in words:
        if not isinstance(word, str):
            raise OptionError(not_a(f"{word!r} in {what}", word, "text"))
    return words
