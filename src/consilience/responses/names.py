"""The usual names of columns, and how a column is found among those of a file."""

import re

from consilience.errors import MissingColumnError
from consilience.responses.options import Columns


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# In order of preference; all compared without case, blanks and punctuation.
USUAL = {
    "item": _words(
        "item task itemid taskid image imageid img imagename imageurl imagepath "
        "example exampleid instance instanceid sample sampleid document documentid "
        "docid text textid comment commentid unit unitid question questionid "
        "subject subjectid datarow rowid filename file uid id"
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
    "gold": _words("gold goldlabel truth truelabel truthlabel groundtruth"),
    "name": _words("name labelname classname"),
    "parent": _words("parent superclass group"),
}
EXTRAS = _words(
    "seconds leadtime duration worktimeinseconds timestamp createdat startedat "
    "submittedat finishedat status batch session"
)


def plain(name: str) -> str:
    """Name without case, blanks and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def find(names: list[str], role: str, given: str | None, source: str) -> str | None:
    """Column of a role: the one that was named, else the most usual name.

    Raises
    ------
    MissingColumnError
        If the column that was named is not there.
    """
    if given is not None:
        if given not in names:
            msg = (
                f"{source}: there is no column {given!r} for {role}; found "
                f"{listing(names)}; name one of these"
            )
            raise MissingColumnError(msg)
        return given
    by_plain = {plain(name): name for name in reversed(names)}
    return next((by_plain[usual] for usual in USUAL[role] if usual in by_plain), None)


def require(
    names: list[str], role: str, columns: Columns, source: str, taken: str | None = None
) -> str:
    """Column of a role that must be there.

    Raises
    ------
    MissingColumnError
        If there is none.
    """
    name = find([n for n in names if n != taken], role, getattr(columns, role), source)
    if name is None:
        msg = (
            f"{source}: no column looks like the {role}; found {listing(names)}; say "
            f"which it is ({role}=NAME, on the command line --{role} NAME)"
        )
        raise MissingColumnError(msg)
    return name


def choose_question(
    names: list[str], given: str | None, source: str, option: str
) -> str:
    """Pick the question that the labels answer.

    Raises
    ------
    MissingColumnError
        If there are several and none was named, or the named one is not there.
    """
    if given is None and len(names) == 1:
        return names[0]
    if given in names:
        return str(given)
    what = f"there is no question {given!r}" if given else "there are several questions"
    if not names:
        what = "nobody answered any question"
    msg = (
        f"{source}: {what}; found {listing(names)}; name the one to read "
        f"({option}=NAME)"
    )
    raise MissingColumnError(msg)


def listing(names: list[str], limit: int = 12) -> str:
    """Names as a short list."""
    shown = ", ".join(repr(name) for name in names[:limit]) or "no other"
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
