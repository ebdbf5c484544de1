# ruff: noqa: RUF001 - signs of minus and dashes that labels hold
"""The order of labels: numbers by size, and the words of well-known scales.

``10`` comes after ``9``, ``10 stars`` after ``9 stars``, and *agree* after *neutral*.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from consilience.responses.tables.coding import natural_order, text_array

# Each scale from its low end to its high one; words of one place mean the same.
_SCALES = """
strongly disagree / disagree strongly / totally disagree / completely disagree
| disagree / mostly disagree / moderately disagree
| somewhat disagree / slightly disagree / rather disagree / disagree somewhat
| neutral / neither / undecided / neither agree nor disagree
/ neither agree or disagree
| somewhat agree / slightly agree / rather agree / agree somewhat
| agree / mostly agree / moderately agree
| strongly agree / agree strongly / totally agree / completely agree

very low / lowest | low | medium low / moderately low
| medium / moderate / middle / mid / average | medium high / moderately high
| high | very high / highest

never | rarely / seldom / hardly ever / almost never | occasionally | sometimes
| often / frequently | usually / very often / mostly / almost always | always

terrible / awful / very poor / very bad | poor / bad
| fair / ok / okay / average / acceptable / neutral | good | very good
| excellent / great
| outstanding / perfect

very negative / strongly negative | negative | somewhat negative / slightly negative
| neutral | somewhat positive / slightly positive | positive
| very positive / strongly positive

very unlikely / extremely unlikely | unlikely | somewhat unlikely | neutral / possible
| somewhat likely | likely | very likely / extremely likely

none / no / absent / normal | minimal / trace | mild / slight | moderate | severe
| very severe / extreme / critical

not at all / none / not | a little / slightly / a bit | somewhat / moderately / fairly
| quite / very much / very / a lot | extremely / completely / a great deal

xxs | xs | s | m | l | xl | xxl | xxxl

tiny / very small | small | medium | large / big | huge / very large / giant

very easy | easy | medium / moderate / average | hard / difficult
| very hard / very difficult

very dissatisfied / very unsatisfied | dissatisfied / unsatisfied
| neutral / neither satisfied nor dissatisfied | satisfied | very satisfied

irrelevant / not relevant / non relevant | marginally relevant / slightly relevant
| partially relevant / somewhat relevant / moderately relevant
| relevant / fairly relevant | highly relevant / very relevant | perfectly relevant

very unimportant | unimportant / not important | slightly important
| moderately important / neutral | important | very important | extremely important

much worse | worse / slightly worse | same / about the same / equal / no difference
| better / slightly better | much better

stimme überhaupt nicht zu | stimme nicht zu / stimme eher nicht zu
| teils teils / weder noch / neutral | stimme zu / stimme eher zu | stimme voll zu
/ stimme voll und ganz zu

sehr niedrig / sehr gering | niedrig / gering / tief | mittel / mäßig | hoch | sehr hoch

nie | selten | manchmal / gelegentlich | oft / häufig | meistens / sehr oft | immer

sehr schlecht | schlecht | mittel / mittelmäßig / neutral | gut | sehr gut

mangelhaft / ungenügend | ausreichend | befriedigend | gut | sehr gut

kein / keine | leicht / gering | mittel / mittelschwer / mäßig | schwer | sehr schwer

klein | mittel | groß

jamais | rarement | parfois | souvent | toujours

faible / bas | moyen | élevé / fort / haut

très mauvais | mauvais | moyen / neutre | bon | très bon | excellent

nunca | raramente / rara vez / casi nunca | a veces / algunas vezes / às vezes
| a menudo / con frecuencia / frequentemente | siempre / sempre

bajo / baixo | medio / médio | alto
"""
_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:[.,]\d+)?(?![\w.]*\d)|\d+")
_STEPS = 11  # of a rating, at most
_MOST = 1000  # labels that are looked at


def _scale(text: str) -> dict[str, int]:
    places = (part.split("/") for part in " ".join(text.split()).split("|"))
    return {word.strip(): place for place, words in enumerate(places) for word in words}


SCALES = tuple(map(_scale, _SCALES.strip().split("\n\n")))


def scale_order(labels: Sequence[str]) -> list[str] | None:
    """Return labels in the order of their scale; None: they have none that is known."""
    if not 2 <= len(labels) <= _MOST:
        return None
    keys = _numbered(labels) or _worded(labels)
    if keys is None or len(set(keys)) < len(keys):
        return None
    return [label for _, label in sorted(zip(keys, labels, strict=True))]


def natural_texts(labels: Sequence[str]) -> list[str]:
    """Return labels by their scale, else by number if all are numbers, else as text."""
    natural = [labels[place] for place in natural_order(text_array(labels))]
    return scale_order(natural) or natural


def has_order(labels: Sequence[str]) -> bool:
    """Say whether labels stand in the order of numbers or of a known scale."""
    return scale_order(labels) == list(labels)


def is_scale(labels: Sequence[str]) -> bool:
    """Say whether labels that stand in this order are steps of a scale or ratings.

    Words must be of a known scale, and numbers follow one another.
    """
    if len(labels) < 3 or not has_order(labels):
        return False
    numbers = _numbered(labels)
    if numbers is None:
        return True
    steps = {high - low for low, high in pairwise(numbers)}
    return len(labels) <= _STEPS and len(steps) == 1


def _numbered(labels: Sequence[str]) -> list[float] | None:
    """Return the one number in each label, where they differ in little else.

    Beside words that differ, numbers count only where each label begins with its own,
    as in ``1 = bad``.
    """
    matches = [list(_NUMBER.finditer(label)) for label in labels]
    if not all(len(each) == 1 for each in matches):
        return None
    rests = {
        re.sub(r"\W+", "", label[: m.start()] + "#" + label[m.end() :]).rstrip("s")
        for label, (m,) in zip(labels, matches, strict=True)
    }
    leading = all(m.start() == 0 for (m,) in matches)
    parted = all(
        re.match(r"\s*[-–=:.)]|\s", x[m[0].end() :])
        for x, m in zip(labels, matches, strict=True)
    )
    if len(rests) > 1 and not (leading and parted):
        return None
    return [float(m.group().replace(",", ".").replace("−", "-")) for (m,) in matches]


def _worded(labels: Sequence[str]) -> list[float] | None:
    words = [
        " ".join(re.split(r"[\W_]+", label.casefold())).strip() for label in labels
    ]
    for scale in SCALES:
        if all(word in scale for word in words):
            return [float(scale[word]) for word in words]
    return None
