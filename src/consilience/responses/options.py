"""The options of reading, once: those of `read` and of the command line.

This file needs no pandas, so that a command line can name the options at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from consilience.errors import OptionError, not_a, not_among

type Kind = Literal["choice", "contains", "objects"]
type Offer = Literal["all", "listed", "unknown"]
type Repeats = Literal["keep", "all", "distinct", "first", "last", "drop", "error"]

KINDS: tuple[Kind, ...] = get_args(Kind.__value__)
ANSWERS = ("no", "maybe", "yes")  # by their codes
MEANINGS = ("yes", "no", "maybe", "skipped")
TOGETHER = " + "  # between the names of columns that name the item together
INSIDE = {"item_columns", "given", "planned"}  # no options of the public face
MISSING = (
    *("", "NA", "NaN", "nan", "<NA>", "null", "NULL"),
    # what spreadsheets write where they cannot compute
    *("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the source's columns; None: found by names and content."""

    item: str | None = None
    annotator: str | None = None
    label: str | None = None
    answer: str | None = None
    n: str | None = None
    object: str | None = None
    main: str | None = None
    response_id: str | None = None
    selected: str | None = None
    gold: str | None = None

    def __post_init__(self) -> None:
        """Reject names that are no text: columns of numbers are named by their text."""
        for name, column in COLUMNS.items():
            given = getattr(self, column)
            if not isinstance(given, str | None):
                expected = "the name of a column as text"
                raise OptionError(not_a(name, given, expected))


# The columns by the options that name them.
COLUMNS = {
    "gold_column" if each.name == "gold" else each.name: each.name
    for each in fields(Columns)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a source is to be read."""

    kind: Kind | None = None
    question: str | None = None
    columns: Columns = field(default_factory=Columns)
    gold: object = None
    labels: object = None
    label_column: str | None = None
    offered: object = None
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
    annotator_columns: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    split: str | None = None
    one_hot: tuple[str, ...] = ()
    fold_case: bool = False
    normalize: bool = False
    item_columns: tuple[str, ...] = ()  # that name the item together
    given: Columns | None = None  # the columns that the caller named, where planned
    planned: bool = False  # whether the columns are all that have a role

    def __post_init__(self) -> None:
        """Refuse words that are none of those there are."""
        for each in fields(self):
            given = getattr(self, each.name)
            if each.type == str | None and not isinstance(given, str | None):
                raise OptionError(not_a(each.name, given, "text"))
            if each.type is bool and not isinstance(given, bool):
                raise OptionError(not_a(each.name, given, "True or False"))
        if self.split == "":
            raise OptionError(
                'split is empty; give what stands between labels, such as `split="|"`'
            )
        words = {f"meaning of {a!r} (`answers=`)": m for a, m in self.answers.items()}
        for what, word, choices in (
            ("kind", "choice" if self.kind is None else self.kind, KINDS),
            ("rule for repeats", self.repeats, get_args(Repeats.__value__)),
            *((what, meaning, MEANINGS) for what, meaning in words.items()),
        ):
            if word not in choices:
                raise OptionError(not_among(what, word, choices))

    @property
    def missing_words(self) -> tuple[str, ...]:
        """Words of cells in which nothing was entered; none of the labels listed."""
        listed = self.labels if isinstance(self.labels, (list, tuple)) else ()
        return ("", *(word for word in self.missing if word not in listed))


def read_options(given: Mapping[str, Any]) -> ReadOptions:
    """Return the record of options that are given side by side, as `read` has them."""
    named = {column: given[name] for name, column in COLUMNS.items()}
    item_columns: tuple[str, ...] = ()
    if isinstance(named["item"], list | tuple):
        item_columns = _texts("item", named["item"])
        named["item"] = TOGETHER.join(item_columns)
    columns = Columns(**named)
    others = {each.name for each in fields(ReadOptions)} - {"columns", *INSIDE}
    rest = {name: given[name] for name in others}
    if not isinstance(given["answers"], Mapping | None):
        expected = "a dictionary: {'ja': 'yes'}"
        raise OptionError(not_a("answers", given["answers"], expected))
    lists = ("missing", "statuses", "extras", "annotator_columns")
    for name in (*lists, "exclude", "one_hot"):
        if rest[name] is not None or name == "missing":
            rest[name] = _texts(name, rest[name])
    rest["missing"] = (*MISSING, *rest["missing"])
    rest["answers"] = dict(rest["answers"] or {})
    return ReadOptions(columns=columns, item_columns=item_columns, **rest)


def _texts(what: str, given: Iterable[str]) -> tuple[str, ...]:
    """Return a list of texts that a caller gives, refusing anything else."""
    if isinstance(given, str):
        raise OptionError(
            f"{what} is the text {given!r}; give a list of texts: [{given!r}]"
        )
    if not isinstance(given, Iterable):
        raise OptionError(not_a(what, given, "a list of texts"))
    words = tuple(given)
    for word in words:
        if not isinstance(word, str):
            raise OptionError(not_a(f"{word!r} in {what}", word, "text"))
    return words
