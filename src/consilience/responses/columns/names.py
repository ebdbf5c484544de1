"""The usual names of columns, and how a column is found among those of a file."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from consilience.errors import DuplicateColumnError, MissingColumnError
from consilience.responses.options import Columns
from consilience.responses.tables.text_table import not_as_text


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# In order of preference; all compared without case, blanks and punctuation.
USUAL = {
    "item": _words(
        "item task itemid taskid image imageid img imagename imageurl imagepath "
        "example exampleid instance instanceid sample sampleid document documentid "
        "docid text textid commentid unit unitid question questionid "
        "subject subjectid datarow rowid filename file uid id comment"
    ),
    "annotator": _words(
        "annotator worker rater annotatorid workerid raterid user userid username "
        "performer performerid coder coderid labeler labeller labelerid judge judgeid "
        "assessor assessorid expert reviewer participant participantid completedby"
    ),
    "label": _words(
        "label class category choice annotation rating judgment judgement labelid "
        "classid category name query target code"
    ),
    "answer": _words("answer response selected present vote value"),
    "n": _words("n count num freq frequency multiplicity"),
    "object": _words("object objectid objectindex"),
    "main": _words("main ismain mainobject"),
    "response_id": _words(
        "responseid annotationid assignmentid judgmentid submissionid"
    ),
    "gold": _words(
        "gold goldlabel truth truelabel truthlabel groundtruth groundtruthlabel "
        "goldstandard goldanswer correctlabel correctanswer referencelabel ytrue"
    ),
    "name": _words("name labelname classname"),
    "parent": _words("parent superclass group"),
}
_NEEDED = ("item", "label", "annotator")  # without them the answers would change
_COMMENTS = frozenset(
    _words(
        "comment comments feedback note notes remark remarks reason reasons explain "
        "explanation rationale why bemerkung bemerkungen kommentar kommentare"
    )
)
EXTRAS = _words(
    "seconds leadtime duration worktimeinseconds timestamp createdat startedat "
    "submittedat finishedat status batch session"
)


@lru_cache(maxsize=1 << 18)
def plain(name: str) -> str:
    """Name without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def usual(names: list[str], role: str) -> list[str]:
    """Columns that have the most usual name of a role; several differ in case."""
    words = USUAL[role]
    rank = min((words.index(w) for n in names if (w := plain(n)) in words), default=-1)
    return [] if rank < 0 else [n for n in names if plain(n) == words[rank]]


def find(
    names: list[str],
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
            msg = (
                f"{source}: there is no column {given!r} for {role}{guess}; found "
                f"{listing(names)}; name one of these"
            )
            raise MissingColumnError(msg)
        return given
    matches = usual(names, role)
    if len(matches) > 1:
        msg = (
            f"{source}: columns {listing(matches)} may both be the {role}; rename one, "
            f"or name the one to read (`{role}=NAME`)"
        )
        raise DuplicateColumnError(msg)
    if not matches and role in _NEEDED and (refused := usual([*unusable], role)):
        raise not_as_text(source, refused[0], unusable[refused[0]])
    return matches[0] if matches else None


def require(
    names: list[str],
    role: str,
    columns: Columns,
    source: str,
    unusable: Mapping[str, str] | None = None,
) -> str:
    """Column of a role that must be there."""
    name = find(names, role, getattr(columns, role), source, unusable)
    if name is None:
        msg = (
            f"{source}: no column looks like the {role}; found {listing(names)}; say "
            f"which it is (`{role}=NAME`)"
        )
        raise MissingColumnError(msg)
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
    listed = [
        f"{name!r} ({each})" if each else repr(name) for name, each in names.items()
    ]
    more = f" and {len(listed) - 12} more" if len(listed) > 12 else ""
    msg = (
        f"{source}: {what}; found {', '.join(listed[:12]) or 'no other'}{more}; choose "
        "the one to read (`question=NAME`)"
    )
    raise MissingColumnError(msg)


def is_comment(name: str) -> bool:
    """Say whether a field of a form is one for remarks, by its name."""
    return not _COMMENTS.isdisjoint(re.split(r"[\W_]+", name.casefold()))


def listing(names: list[str], limit: int = 12) -> str:
    """Names as a short list."""
    shown = ", ".join(repr(name) for name in names[:limit]) or "no other"
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
