"""The questions of an export: all are listed, one is chosen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from consilience.responses.answers import is_yes_or_no
from consilience.responses.columns.looks import is_free_text
from consilience.responses.columns.names import choose_question, is_comment
from consilience.responses.exports.work import Answer, Work
from consilience.responses.options import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of an export."""

    name: str
    kind: Kind | None
    number: int
    regions: bool
    yes_or_no: bool

    def __str__(self) -> str:
        """Return what it is, in short."""
        what = self.kind or "no labels"
        return f"{what}, {self.number:,} answer{'s' * (self.number != 1)}"


def questions(works: Sequence[Work]) -> dict[str, Question]:
    """Return the questions that works answer, in their order."""
    answers: dict[str, list[Answer]] = {}
    for work in works:
        for name, answer in work.answers.items():
            answers.setdefault(name, []).append(answer)
    return {name: question_of(name, given) for name, given in answers.items()}


def choose(
    asked: Mapping[str, Question],
    given: str | None,
    source: str,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> Question:
    """Return the question that the labels answer."""
    # Free text beside a question with labels is a comment.
    labels = [n for n, q in asked.items() if q.kind is not None and not is_comment(n)]
    names = labels if given is None and labels else list(asked)
    shown = {
        name: f"{titles[name]}: {asked[name]}" if name in titles else str(asked[name])
        for name in names
    }
    return asked[choose_question(shown, given, source)]


def question_of(name: str, answers: list[Answer]) -> Question:
    """Return what a question is, by its answers."""
    given = [answer for answer in answers if answer.picked is not None]
    picked = Counter(label for answer in given for label in answer.picked or ())
    regions = any(answer.regions for answer in given)
    objects = regions or any(answer.objects for answer in given)
    many = any(len(answer.picked or ()) > 1 for answer in given)
    kind: Kind | None = "choice"
    if _is_text(given, picked) and not objects:
        kind = None
    elif objects and (many or regions):
        kind = "objects"
    elif many or any(answer.several for answer in given):
        kind = "contains"
    return Question(
        name=name,
        kind=kind,
        number=len(given),
        regions=regions,
        yes_or_no=bool(picked) and is_yes_or_no(picked),
    )


def _is_text(given: list[Answer], picked: Counter[str]) -> bool:
    """Whether answers are texts: written so, or different in most works."""
    if any(answer.free for answer in given):
        return True
    if any(answer.shown is not None for answer in given):
        return False
    return is_free_text(picked)
