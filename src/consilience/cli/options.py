"""Options that several commands share: stated once, with their help.

**Lists: several words, commas, or the option once for each.** All three mean the same
to every option that takes a list.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import field, fields, make_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from cyclopts import App, Parameter, Token, convert

from consilience.errors import KindError, OptionError, SourceError
from consilience.inference import engines
from consilience.inference.options import EngineOptions
from consilience.responses import options
from consilience.responses.options import COLUMNS, INSIDE, ReadOptions

if TYPE_CHECKING:
    import pandas as pd

    from consilience.classifiers import Predictions
    from consilience.responses import Responses

# Files that an option may name where it also takes a list of labels.
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".json", ".xml")


def command_of(words: Sequence[str], app: App) -> tuple[App, int]:
    """Return the command that words begin with, and how many of them name it."""
    number = 0
    for word in words:
        if word.startswith("-") or word not in app:
            break
        app, number = app[word], number + 1
    return app, number


def commands_in(app: App, *before: str) -> Iterator[tuple[str, App]]:
    """Give the commands, each by its words."""
    for name in app:
        words = (*before, name)
        if not name.startswith("-") and app[name].default_command is not None:
            yield " ".join(words), app[name]
        elif not name.startswith("-"):
            yield from commands_in(app[name], *words)


def listed(kind: Any, tokens: Sequence[Token]) -> Any:
    """Convert the words of a list, and what commas separate in each of them."""
    words: list[str] = []
    for place, token in enumerate(tokens):
        if place and get_args(kind)[0] is not Path:
            _check_no_file(token)
        words += [token.value] if token.source == "file" else _parts(token.value)
    return convert(kind, words)


def _check_no_file(token: Token) -> None:
    if token.keyword is not None and Path(token.value).exists():
        raise OptionError(
            f"{token.keyword} ... {token.value}: there is a file of that name, so it "
            "may be one more of the list or be meant to be read; name files before all "
            "options, and part words by commas"
        )


def is_table(word: str) -> bool:
    """Say whether a word names a file rather than a label."""
    return word.lower().endswith(TABLES) or Path(word).is_file()


def _parts(word: str) -> list[str]:
    """Return what commas separate; the names of files stay whole."""
    parts = [part.strip() for part in word.split(",")]
    return [word] if is_table(word) or not all(parts) else parts


if TYPE_CHECKING:
    type Engine = str
else:
    Engine = Literal["auto", *engines.names()]

# Their defaults, no and none, go without saying.
Flag = Annotated[bool, Parameter(show_default=False)]
LISTED = Parameter(show_default=False, consume_multiple=(1, None), converter=listed)
Several = Annotated[tuple[str, ...], LISTED]
Paths = Annotated[tuple[Path, ...], LISTED]
Json = Annotated[bool, Parameter(show_default=False, help="Print the result as JSON.")]
Overwrite = Annotated[
    bool, Parameter(show_default=False, help="Replace an earlier result.")
]
Prob = Annotated[float, Parameter(help="Probability of the intervals.")]
Run = Annotated[Path, Parameter(help="Folder of the run.")]
RunOrAnswers = Annotated[
    list[Path],
    Parameter(
        help="Folder of the run; or answers in any readable format, which are fitted "
        "by default."
    ),
]
Seed = Annotated[int, Parameter(help="Seed of the random number generator.")]
Sources = Annotated[
    list[Path],
    Parameter(help="A folder of responses, or files of any readable format."),
]
Truth = Annotated[
    Literal["raw", "tempered"] | None,
    Parameter(
        help="Which posterior of the truth: raw, as the model has it, or tempered, as "
        "if of fewer answers where errors of annotators are correlated; by default the "
        "one that the run reports."
    ),
]
Work = Annotated[EngineOptions, Parameter(name="*", group="Effort")]
READING = "Reading"  # the group of options that `--help-reading` shows
# Options that a command line gives otherwise than `read` does; () stands for None.
_GIVEN = {
    "n": Annotated[str | None, Parameter(name="--n")],
    "header": Annotated[bool, Parameter(negative="--no-header", show_default=False)],
    "items": Path | None,
    **dict.fromkeys(
        ("item", "labels", "offered", "answers", "missing", "statuses"), Several
    ),
}
# What the columns hold that options name.
ROLES = {
    "item": "item",
    "annotator": "annotator",
    "label": "label",
    "answer": "answers yes, maybe or no",
    "n": "number of times that an answer was given",
    "object": "number of the object that a label names",
    "main": "mark of the main label",
    "response_id": "id of the response that a row belongs to",
    "selected": "mark of the labels that were selected",
    "gold_column": "true label",
}
_KINDS: dict[Any, Any] = {bool: Flag, tuple[str, ...]: Several}


def _options() -> Iterator[tuple[str, Any, Any]]:
    """Give name, type and default of each option of `Columns` and `ReadOptions`."""
    yield "format", str | None, None
    for each in fields(ReadOptions):
        if each.name == "columns":
            for name in COLUMNS:
                kind = _GIVEN.get(name, str | None)
                yield name, kind, () if kind is Several else None
        elif each.name not in {"gold", *INSIDE}:
            kind = _GIVEN.get(each.name) or _KINDS.get(each.type, each.type)
            yield each.name, kind, () if kind is Several else each.default


def _help() -> dict[str, str]:
    """Return what the docstring of `read` says of each option; nothing is imported."""
    source = Path(options.__file__).with_name("reading.py").read_text(encoding="utf-8")
    functions = (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    text = next(ast.get_docstring(n) or "" for n in functions if n.name == "read")
    listed = text.partition("Parameters\n----------\n")[2].partition("\n\n")[0]
    words: dict[str, str] = {}
    for names, lines in re.findall(r"(?m)^(\w.*?) : .*\n((?:    .*\n?)+)", listed):
        text = " ".join(lines.replace("`", "").replace("<", "\\<").split())
        words |= dict.fromkeys(names.split(", "), text.removesuffix(' Default "keep".'))
    roles = {name: f"Column of the {role}." for name, role in ROLES.items()}
    return words | roles


if TYPE_CHECKING:
    Reading = SimpleNamespace
else:
    _HELP = _help()
    _FIELDS = [
        (name, Annotated[kind, Parameter(help=_HELP[name])], field(default=first))
        for name, kind, first in _options()
    ]
    Reading = make_dataclass("Reading", _FIELDS, frozen=True, kw_only=True)
    Reading = Parameter(name="*", group=READING)(Reading)
READ_AS_IT_IS = Reading()
WORK_AS_USUAL = EngineOptions()
BOTH = {"contains", "objects"}  # two tasks that may be fitted together


def read_responses(
    sources: Sequence[Path],
    reading: Reading,
    gold: Path | None = None,
    *,
    both: bool = False,
) -> "Responses":
    """Read responses of one kind or, if they may be `both`, of objects and contains."""
    from consilience.responses import read_with

    responses = read_with(
        list(sources), read_options(reading, gold), format=reading.format
    )
    if len(responses.kinds) > 1 and not (both and set(responses.kinds) == BOTH):
        raise KindError(
            f"{sources[0]}: holds answers of the kinds {', '.join(responses.kinds)}; "
            "choose one with --kind"
        )
    return responses


def read_options(reading: Reading, gold: Path | None = None) -> ReadOptions:
    """Return the reader's record for what was asked."""
    item = reading.item or ()
    given = {
        "item": item if len(item) > 1 else next(iter(item), None),
        "gold": gold,
        "labels": _list_or_file(reading.labels),
        "offered": _list_or_file(reading.offered),
        "answers": dict(pairs(reading.answers, "answers")),
        "statuses": reading.statuses or None,
    }
    every = {name: getattr(reading, name) for name, _, _ in _options()}
    return options.read_options(every | given)


def _list_or_file(given: tuple[str, ...]) -> list[str] | str | None:
    """One value that is, or looks like, a file names a file; others are labels."""
    if not given:
        return None
    return given[0] if len(given) == 1 and is_table(given[0]) else list(given)


def read_gold(
    gold: Path,
    answers: "pd.DataFrame | None" = None,
    reading: Reading = READ_AS_IT_IS,
    *,
    strict: bool = False,
) -> "pd.DataFrame":
    """Return a file of gold labels of answers, or of the labels of a run."""
    from consilience.responses.side_columns import named_in
    from consilience.responses.side_tables import gold_table

    return gold_table(gold, read_options(reading), named_in(answers), strict=strict)


def numbers(settings: Sequence[str], option: str) -> dict[str, float]:
    """Return settings NAME=NUMBER by name."""
    values = {}
    for name, value in pairs(settings, option):
        try:
            values[name] = float(value)
        except ValueError:
            raise OptionError(
                f"--{option} {name}={value}: {value!r} is no number; give NAME=NUMBER"
            ) from None
    return values


def pairs(settings: Sequence[str], option: str) -> list[tuple[str, str]]:
    """Return settings NAME=VALUE as pairs."""
    parsed = []
    for setting in settings:
        name, equals, value = setting.rpartition("=")
        if not (name and equals and value):
            raise OptionError(f"--{option} {setting}: expected NAME=VALUE")
        parsed.append((name, value))
    return parsed


KINDS = (".npy", ".csv", ".tsv", ".parquet")
RowItems = Annotated[
    Path | None,
    Parameter(help="Table that names the item of each row of the NumPy files."),
]
CountedLabels = Annotated[
    Path | None,
    Parameter(help="Table that names the labels that NumPy files count from 0."),
]


def read_all(
    paths: Sequence[Path],
    items: Path | None,
    labels: Path | None = None,
    answers: "pd.DataFrame | None" = None,
    reading: Reading = READ_AS_IT_IS,
    *,
    strict: bool = False,
) -> "list[Predictions]":
    """Read predictions; tables name the rows of NumPy files and what they count."""
    return [
        _read(file, items, labels, answers, reading, strict=strict)
        for path in paths
        for file in _files(path, whole=items is None)
    ]


def labels_beside(sources: "Sequence[Predictions]") -> "pd.DataFrame | None":
    """Return the data set's labels of images, where the predictions come with them."""
    import pandas as pd

    tables = [one.dataset_labels for one in sources if one.dataset_labels is not None]
    return pd.concat(tables).drop_duplicates("item") if tables else None


def read_columns(path: Path, names: Sequence[str]) -> "pd.DataFrame":
    """Return columns of a table as text, by default all."""
    from consilience.responses.side_columns import roles_in
    from consilience.responses.side_tables import side_table, text_frame

    table = side_table(path, read_options(READ_AS_IT_IS), "predictions")
    every = {name: name for name in table.columns}
    return text_frame(table, roles_in(table, {}, roles=names) if names else every)


def _files(path: Path, *, whole: bool) -> list[Path]:
    from consilience.classifiers.predictions import is_folder
    from consilience.validation_images import lists_validation_images

    if not path.is_dir() or is_folder(path):
        return [path]
    if whole and lists_validation_images(path):
        return [path]
    files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in KINDS]
    if not files:
        raise SourceError(
            f"{path}: holds neither what classify writes nor a file of predictions "
            f"({', '.join(KINDS)})"
        )
    return files


def _read(
    path: Path,
    items: Path | None,
    labels: Path | None,
    answers: "pd.DataFrame | None",
    reading: Reading,
    *,
    strict: bool,
) -> "Predictions":
    from consilience.classifiers import read_predictions
    from consilience.classifiers.predictions import from_arrays, from_table
    from consilience.responses.columns.names import find
    from consilience.responses.side_columns import PAIR, named_in, ranked

    if path.is_dir():
        return read_predictions(path)
    if path.suffix.lower() == ".npy":
        if items is None:
            raise OptionError(f"{path}: name the item of each of its rows with --items")
        rows = read_columns(items, ["item"])["item"].tolist()
        names = None
        if labels is not None:
            names = read_columns(labels, ["label"])["label"].tolist()
        return from_arrays([path], rows, names)
    columns, table = read_options(reading).columns, read_columns(path, ())
    for role in PAIR:
        if strict and getattr(columns, role) is not None:
            find([*table], role, getattr(columns, role), str(path))
    table = ranked(table, named_in(answers), columns, str(path))
    return from_table(table, path.stem, str(path))
