"""Lists on the command line: several words, commas, or the option once for each.

All three mean the same to every option that takes a list. Several words are taken only
where the command's own files stand first, or it takes none, so that no file is taken
for a word.
"""

from collections.abc import Sequence
from inspect import Parameter
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from cyclopts import env_var_split

from consilience.errors import OptionError

if TYPE_CHECKING:
    from cyclopts import App

# Files that an option may name where it also takes a list of labels.
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".json", ".xml")


def expand_lists(arguments: Sequence[str], app: "App") -> list[str]:
    """Return the words after the program's name, one after each option of a list."""
    # Standard input, written as the path that it is: no option begins so.
    words = ["./-" if word == "-" else word for word in arguments]
    if not words or words[0].startswith("-") or words[0] not in app:
        return words
    lists, files = list_options(app[words[0]])
    several = not files or (len(words) > 1 and not words[1].startswith("-"))
    expanded, place = words[:1], 1
    while place < len(words):
        name, equals, value = words[place].partition("=")
        place += 1
        if name not in lists:
            expanded += words[place - 1 :] if name == "--" else [words[place - 1]]
            place = len(words) if name == "--" else place
            continue
        taken = list(takewhile(lambda word: word[:1] != "-", words[place:]))
        taken = [value] if equals else taken if several else taken[:1]
        place += 0 if equals else len(taken)
        if files and not lists[name]:
            _check_no_file(name, taken[1:])
        parts = [part for word in taken for part in _parts(word)]
        expanded += [word for part in parts for word in (name, part)] or [name]
    return expanded


def _check_no_file(option: str, more: Sequence[str]) -> None:
    file = next((word for word in more if Path(word).exists()), None)
    if file is not None:
        msg = (
            f"{option} ... {file}: there is a file of that name, so it may be one more "
            "of the list or be meant to be read; name files before all options"
        )
        raise OptionError(msg)


def in_environment(kind: Any, value: str, *, delimiter: str | None = None) -> list[str]:
    """Return the words of an environment variable; commas part those of a list."""
    words = env_var_split(kind, value, delimiter=delimiter)
    if get_origin(kind) not in {tuple, list}:
        return words
    return [part for word in words for part in _parts(word)]


def list_options(command: "App") -> tuple[dict[str, bool], bool]:
    """Return the options of lists (whether of paths), and whether files come first."""
    lists, files = {}, False
    for argument in command.assemble_argument_collection():
        if argument.field_info.kind is Parameter.POSITIONAL_ONLY:
            files = True
        elif get_origin(argument.hint) in {tuple, list}:
            lists[argument.name] = get_args(argument.hint)[0] is Path
    return lists, files


def is_table(word: str) -> bool:
    """Say whether a word names a file rather than a label."""
    return word.lower().endswith(TABLES) or Path(word).is_file()


def _parts(word: str) -> list[str]:
    """Return what commas separate; the names of files stay whole."""
    parts = [part.strip() for part in word.split(",")]
    return [word] if is_table(word) or not all(parts) else parts
