"""How often flags of annotators are right, and how often they are missed.

Crowds are drawn from no model: annotators have a skill and habits of their own, items
differ in difficulty, which everybody shares. Two of them answer at random, two by
habit, two give one label for another half of the time, two copy another's answers four
times in five where both answered, and two lose their skill half-way.

Feeds `docs/reference/coverage.md`.
"""

from collections import Counter
from typing import Any

from benchmarks.crowds import MISTAKES, PREVALENCE, TAKEN_FOR
from benchmarks.harness import Report

STUDIES = 20
SIZES = ((300, 24), (1000, 24), (300, 12))  # items, annotators
PER_ITEM = 5
ROLES = ("random", "habit", "confuses", "copies", "drifts")
NOTES = (
    (
        f"{STUDIES} studies of each size, {PER_ITEM} answers an item, five labels, "
        "fitted with `auto`. found: share of the annotators that are so drawn who have "
        "the flag. right: share of the flags whose annotator is so drawn. Those who "
        "copy and those who are copied are both meant. Who confuses two labels is "
        "anybody whose confusion has a cell .15 above the mean, whether drawn so or by "
        "chance."
    ),
    "sure: the mean of what flags state beside the share of them that is right.",
)


def crowd(seed, items, people):
    """Return answers, and for each role who has it."""
    import numpy as np
    import pandas as pd
    from scipy.special import expit, logit

    generator = np.random.default_rng([8, seed])
    mistakes, labels = np.array(MISTAKES), len(PREVALENCE)
    skills = generator.normal(0.6, 0.7, people)[:, None]
    right = expit(
        -logit(mistakes) + 0.4 + skills + generator.normal(0, 0.4, (people, labels))
    )
    wrong = np.stack(
        [generator.dirichlet(8 * np.array(row) + 1e-6, people) for row in TAKEN_FOR], 1
    )
    wrong[:, range(labels), range(labels)] = 0
    table = (1 - right)[:, :, None] * wrong / wrong.sum(2, keepdims=True)
    table[:, range(labels), range(labels)] = right
    who = generator.permutation(people)
    random, habit, confuses, copies, copied, drifts = who[:12].reshape(6, 2)
    table[random] = PREVALENCE
    table[habit] = (0.8 * np.eye(labels)[generator.integers(labels, size=2)] + 0.04)[
        :, None
    ]
    for person in confuses:
        true, given = generator.choice(labels, 2, replace=False)
        table[person, true] *= 0.5
        table[person, true, given] += 0.5
    truth = generator.choice(labels, items, p=PREVALENCE)
    hard = generator.normal(0, 1, items)
    looking = ~np.isin(np.arange(people), [*random, *habit])
    rows = []
    for item in range(items):
        given = {}
        for person in generator.choice(people, PER_ITEM, replace=False):
            chance = table[person, truth[item]].copy()
            if looking[person]:
                harder = hard[item] + 3 * (person in drifts) * (item > items / 2)
                good = expit(logit(chance[truth[item]]) - harder)
                chance *= (1 - good) / (1 - chance[truth[item]])
                chance[truth[item]] = good
            given[person] = generator.choice(labels, p=chance / chance.sum())
        for person, source in zip(copies, copied, strict=True):
            if {person, source} <= given.keys() and generator.random() < 0.8:
                given[person] = given[source]
        rows += [(f"i{item}", f"a{who:02d}", f"c{said}") for who, said in given.items()]
    apart = table[looking] - table[looking].mean(0) > 0.15
    apart[:, range(labels), range(labels)] = False
    beyond = {*np.flatnonzero(looking)[apart.any((1, 2))], *confuses}
    roles = (random, habit, beyond, [*copies, *copied], drifts)
    frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    named = [{f"a{person:02d}" for person in each} for each in roles]
    return frame, dict(zip(ROLES, named, strict=True))


def flags(*, quick: bool = False, **_: Any) -> Report:
    """Measure how often each flag is right, and how often it is missed."""
    rows = [
        row
        for items, people in SIZES[: 1 if quick else None]
        for row in _rows(items, people, 1 if quick else STUDIES)
    ]
    return Report("How often flags of annotators are right", rows, NOTES)


def _rows(items: int, people: int, studies: int) -> list[dict[str, Any]]:
    import consilience as cs
    from consilience.posterior.drifting import DRIFTS, annotators_in_time
    from consilience.posterior.flags import ALIKE, CONFUSES, HABIT, RANDOM

    names = dict(zip(ROLES, (RANDOM, HABIT, CONFUSES, ALIKE, DRIFTS), strict=True))
    drawn, found, flagged, sure = (Counter() for _ in range(4))
    for seed in range(studies):
        frame, roles = crowd(seed, items, people)
        responses = cs.read(frame)
        table = annotators_in_time(cs.fit(responses, seed=seed), responses)
        for role, name in names.items():
            has = table[table["flag"].str.contains(name)]
            drawn[role] += len(roles[role])
            found[role] += int(has["annotator"].astype(str).isin(roles[role]).sum())
            flagged[role] += len(has)
            sure[role] += float(has["flag_probability"].sum())
    return [
        {
            "items": items,
            "annotators": people,
            "flag": name,
            "so drawn": drawn[role],
            "found": found[role] / drawn[role],
            "flags": flagged[role],
            "right": found[role] / max(flagged[role], 1),
            "sure": sure[role] / max(flagged[role], 1),
        }
        for role, name in names.items()
    ]
