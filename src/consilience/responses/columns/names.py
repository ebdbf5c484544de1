"""The names of columns: what they usually mean, and how one is found in a file.

A name is a prior of what its column is: a usual one counts more than a likely one, such
as a word of another language or the last word of a longer name, and one of another
thing counts against. What the columns hold decides (`readings`). The words are in
`words.toml`.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from consilience.errors import ColumnError
from consilience.responses.options import Columns
from consilience.responses.text import not_as_text

_WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
USUAL = {role: tuple(words.split()) for role, words in _WORDS["usual"].items()}
LIKELY = {role: frozenset(words.split()) for role, words in _WORDS["likely"].items()}
OTHER = {what: tuple(words.split()) for what, words in _WORDS["other"].items()}
EXTRAS = OTHER["extras"]
NAMED = 1.0  # prior of a name that bears a role out
PRESENCE = re.compile(
    r"contain|has|have|present|visible|shown|depicted|match|isthere|isin|yesno|applies"
)
_ASIDES = frozenset([*OTHER["asides"], *OTHER["statuses"], *USUAL["gold"]])
_PEOPLE = frozenset(OTHER["people"])
_NEEDED = ("item", "label", "annotator")  # without them the answers would change
_ENDING = re.compile(
    r"(?:id|ids|uuid|guid|nr|no|num|nummer|number|key|index|idx|name)$"
)
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.]+|[A-ZÄÖÜ]{2,3}|[A-ZÄÖÜ]\.? ?[A-ZÄÖÜ]\.?"
    r"|(?i:dr|prof|mr|mrs|ms|herr|frau)\b\.? \S.*"
)


@lru_cache(maxsize=1 << 18)
def plain(name: str) -> str:
    """Name without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def usual(names: Sequence[str], role: str) -> list[str]:
    """Columns that have the most usual name of a role; several differ in case."""
    words = USUAL[role]
    rank = min((words.index(w) for n in names if (w := plain(n)) in words), default=-1)
    return [] if rank < 0 else [n for n in names if plain(n) == words[rank]]


def is_likely(name: str, role: str) -> bool:
    """Say whether a column may be named for a role, by the name or its last word."""
    name = re.sub(r"(?i)\W?[/*:_(]in(?:nen)?\)?$", "", name)  # Prüfer/in, Prüfer*in
    last = re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", name.rstrip("._- "))[-1]
    return is_likely_whole(name, role) or is_likely_whole(last, role)


def is_likely_whole(name: str, role: str) -> bool:
    """Say whether a whole name, but for an ending such as *id*, may be of a role."""
    word = plain(name)
    short = _ENDING.sub("", word)
    return word in USUAL[role] or not {word, short}.isdisjoint(LIKELY[role])


@lru_cache(maxsize=1 << 16)
def name_prior(name: str, role: str) -> float:
    """Return how far a name is for a role: 2 if usual, from 1 if likely, else less."""
    word, less = plain(name), 2.0 * is_aside(name)
    if role == "asked":
        return max(name_prior(name, "label"), 1.5 * (word in OTHER["asked"]) - less)
    if role == "answer":
        telling = 1.5 * (PRESENCE.search(word) is not None)
        usually = max(2.0 * (word in USUAL["answer"]), telling)
        return max(name_prior(name, "label"), usually - less)
    score = 0.0
    if word in USUAL[role]:
        score = 1.25 if word in OTHER["vague"] else 2.0 + 0.5 * (word == role)
    elif role in LIKELY:
        score = 1.5 if is_likely_whole(name, role) else 1.0 * is_likely(name, role)
    others = ("response_id", "n") if role in _NEEDED else ()
    if any(word in USUAL[other] or word in LIKELY[other] for other in others):
        score -= 1.5
    return score - less


def is_aside(name: str) -> bool:
    """Say whether a name is of what is no answer: a time, a remark, a guess."""
    words = {*re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", name.casefold())}
    word = plain(name)
    words.add(word)
    is_id = word.endswith("id") and word in USUAL["item"]  # of comments that are judged
    return not is_id and not words.isdisjoint(_ASIDES)


def is_truth(name: str) -> bool:
    """Say whether a column is named for the truth, or for what answers made of it."""
    return plain(name) in OTHER["truth"]


def are_people(names: Sequence[str]) -> bool:
    """Say whether names are those of people: most are given names, or all initials."""
    parts = [re.split(r"[\W_\d]+", name.casefold()) for name in names]
    given = sum(not _PEOPLE.isdisjoint(each) for each in parts)
    return given > len(names) / 2 or all(map(_PERSONAL.fullmatch, names))


def find(
    names: Sequence[str],
    role: str,
    given: str | None,
    source: str,
    unusable: Mapping[str, str] | None = None,
) -> str | None:
    """Column of a role: the one that was named, else the one of the most usual name."""
    unusable = unusable or {}
    if given is not None:
        if given in unusable:
            raise not_as_text(source, given, unusable[given])
        if given not in names:
            near = get_close_matches(given, names, n=1)
            guess = f" (did you mean {near[0]!r}?)" if near else ""
            raise ColumnError(
                f"{source}: there is no column {given!r} for {role}{guess}; found "
                f"{listing(names)}; name one of these"
            )
        return given
    matches = usual(names, role)
    if len(matches) > 1:
        raise ColumnError(
            f"{source}: columns {listing(matches)} may both be the {role}; rename one, "
            f"or name the one to read (`{role}=NAME`)"
        )
    if not matches and role in _NEEDED and (refused := usual([*unusable], role)):
        raise not_as_text(source, refused[0], unusable[refused[0]])
    return matches[0] if matches else None


def require(
    names: Sequence[str],
    role: str,
    columns: Columns,
    source: str,
    unusable: Mapping[str, str] | None = None,
) -> str:
    """Column of a role that must be there."""
    name = find(names, role, getattr(columns, role), source, unusable)
    if name is None:
        raise ColumnError(
            f"{source}: no column looks like the {role}; found {listing(names)}; say "
            f"which it is (`{role}=NAME`)"
        )
    return name


def choose_question(
    names: Iterable[str] | Mapping[str, str], given: str | None, source: str
) -> str:
    """Pick the question that the labels answer."""
    names = names if isinstance(names, Mapping) else dict.fromkeys(names, "")
    if given is None and len(names) == 1:
        return next(iter(names))
    if given in names:
        return str(given)
    what = f"there is no question {given!r}" if given else "there are several questions"
    if not names:
        what = "nobody answered any question"
    raise ColumnError(
        f"{source}: {what}; found {listing(names)}; choose the one to read "
        "(`question=NAME`)"
    )


def is_comment(name: str) -> bool:
    """Say whether a field of a form is one for remarks, by its name."""
    return not set(re.split(r"[\W_]+", name.casefold())).isdisjoint(OTHER["comments"])


def argument(role: str, name: str | Sequence[str] | None) -> str:
    """Return the argument that names a column, or several, for messages."""
    if name is None or isinstance(name, str):
        return f'`{role}="{name}"`'
    return (
        f"`{role}=[{', '.join(json.dumps(each, ensure_ascii=False) for each in name)}]`"
    )


def listing(names: Sequence[str] | Mapping[str, str], limit: int = 12) -> str:
    """Names as a short list, of a mapping with what it says of each."""
    about = names if isinstance(names, Mapping) else {}
    shown = ", ".join(
        f"{name!r} ({what})" if (what := about.get(name)) else repr(name)
        for name in list(names)[:limit]
    )
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return (shown or "no other") + more
