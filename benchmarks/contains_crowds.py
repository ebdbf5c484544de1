"""Simulated studies of yes, maybe and no that are drawn from none of the models.

An annotator perceives how much a label looks to be there, with a shift and a noise of
their own, and answers maybe inside a band of their own. The kinds of study differ in
how labels that are there and labels that are not look, in the annotators, and in what
makes their errors go together. The truth is drawn first: nothing else defines it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

ITEMS, LABELS, ASKED, PEOPLE, PER_ITEM = 150, 12, 4, 18, 5
PROBES = 4000  # labels on which an annotator's true sensitivity and specificity are
ANSWERS = ("no", "maybe", "yes")


@dataclass(frozen=True)
class Design:
    """What a kind of study is like; appearances are in units of a typical noise.

    Attributes
    ----------
    present
        Chance that a label is there. "one": of the labels asked, exactly one is.
    absent_look, present_look
        Mean, standard deviation and skew of the appearance in either state.
    item
        Standard deviation of what an item adds to all its labels.
    led
        What a look-alike that is there adds to a label that is not.
    shift, noise, band
        Mean and standard deviation of an annotator's shift, and of the logarithms of
        the noise and of the half-width of maybe. No band: nobody says maybe.
    per_item
        Annotators asked about an item.
    spammers
        Share of annotators who do not look.
    experts
        Share of annotators whose noise is a quarter.
    """

    present: float | str = 0.3
    absent_look: tuple[float, float, float] = (-1.2, 0.9, 0.0)
    present_look: tuple[float, float, float] = (1.2, 0.9, 0.0)
    item: float = 0.0
    led: float = 0.0
    shift: tuple[float, float] = (0.0, 0.5)
    noise: tuple[float, float] = (-0.2, 0.3)
    band: tuple[float, float] | None = (-1.2, 0.5)
    per_item: int = PER_ITEM
    spammers: float = 0.0
    experts: float = 0.0


@dataclass(frozen=True)
class Crowd:
    """Answers of a simulated study.

    Attributes
    ----------
    frame
        Columns item, annotator, label and answer.
    truth
        Columns item, label and present: of each pair that was asked about.
    confusion
        P(no, maybe, yes | absent, present) of each annotator, annotators in order.
    """

    frame: Any
    truth: Any
    confusion: Any


DESIGNS: Mapping[str, Design] = {
    "equal spreads": Design(spammers=0.1),
    "unequal spreads": Design(
        absent_look=(-1.6, 0.5, 0.0), present_look=(0.7, 1.4, 0.0)
    ),
    "varied absent labels": Design(
        absent_look=(-0.7, 1.4, 0.0), present_look=(1.6, 0.5, 0.0)
    ),
    "skewed looks": Design(
        absent_look=(-1.8, 0.9, 1.0), present_look=(0.9, 0.9, -0.6), item=0.4
    ),
    "no maybe": Design(band=None, shift=(0.0, 0.8)),
    "many maybes": Design(band=(-0.1, 0.5), shift=(-0.2, 0.5)),
    "lenient": Design(shift=(1.0, 0.6), band=(-1.0, 0.6)),
    "strict": Design(shift=(-1.0, 0.6), band=(-1.0, 0.6)),
    "rare, three annotators": Design(present=0.07, per_item=3),
    "common labels": Design(present=0.75, shift=(-0.3, 0.6)),
    "spammers": Design(spammers=0.33),
    "leading question": Design(led=1.3, item=0.6, present=0.25),
    "experts among twenty": Design(
        per_item=12, experts=0.2, noise=(0.6, 0.3), shift=(0.4, 0.7)
    ),
    "one label is there": Design(present="one", shift=(0.3, 0.6)),
    "varied present, common": Design(
        present=0.6, absent_look=(-1.4, 0.6, 0.0), present_look=(1.0, 1.5, 0.0)
    ),
    "rare, five annotators": Design(present=0.03),
    "very rare": Design(present=0.015, shift=(-0.2, 0.4)),
    "two annotators": Design(per_item=2),
    "one annotator": Design(per_item=1),
    "nine annotators": Design(per_item=9),
    "near looks": Design(absent_look=(-0.6, 0.9, 0.0), present_look=(0.6, 0.9, 0.0)),
    "clear looks": Design(absent_look=(-2.0, 0.7, 0.0), present_look=(2.0, 0.7, 0.0)),
    "images differ": Design(item=1.0),
    "sharp annotators": Design(noise=(-1.0, 0.3), shift=(0.0, 0.3)),
    "lenient and strict": Design(shift=(0.0, 1.3)),
    "no maybe, common": Design(
        band=None, present=0.6, shift=(0.0, 0.6), absent_look=(-1.0, 0.9, 0.8)
    ),
}


def _skewed(generator, look, shape):
    """Draw appearances with a mean, a standard deviation and a skew of log-normals."""
    import numpy as np

    mean, deviation, skew = look
    noise = generator.normal(size=shape)
    if skew:
        scale = 0.5 * abs(skew)
        noise = (np.exp(scale * noise) - np.exp(scale**2 / 2)) / np.sqrt(
            np.expm1(scale**2) * np.exp(scale**2)
        )
        noise *= np.sign(skew)
    return mean + deviation * noise


def _answers(look, shift, noise, band):
    """Return p(no, maybe, yes) of what looks like this, by annotators like these."""
    import numpy as np
    from scipy.stats import norm

    above = norm.cdf((look + shift - band) / noise)
    at_least = norm.cdf((look + shift + band) / noise)
    return np.stack([1 - at_least, at_least - above, above], -1)


def draw(design: Design, seed: int, name: str = "", *, items: int = ITEMS) -> Crowd:
    """Draw a study."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng([sum(map(ord, name)), seed])
    people = max(PEOPLE, int(1.7 * design.per_item))
    asked = generator.random((items, LABELS)).argsort(1)[:, :ASKED]
    if design.present == "one":
        there = np.arange(ASKED) == generator.integers(0, ASKED, items)[:, None]
    else:
        of_label = generator.normal(0, 0.4, LABELS)[asked]
        odds = np.log(design.present / (1 - design.present)) + of_label
        there = generator.random((items, ASKED)) < 1 / (1 + np.exp(-odds))
    look = np.where(
        there,
        _skewed(generator, design.present_look, there.shape),
        _skewed(generator, design.absent_look, there.shape),
    )
    look += design.item * generator.normal(size=(items, 1))
    # Labels come in pairs of look-alikes: 0 and 1, 2 and 3, and so on.
    alike = asked[:, :, None] // 2 == asked[:, None, :] // 2
    led = (alike & there[:, None]).any(2) & ~there
    look += design.led * led
    shift = generator.normal(*design.shift, people)
    noise = np.exp(generator.normal(*design.noise, people))
    band = np.zeros(people)
    if design.band is not None:
        band = np.exp(generator.normal(*design.band, people))
    noise[generator.random(people) < design.experts] *= 0.25
    spam = generator.random(people) < design.spammers
    habit = generator.dirichlet([1.5, 0.5, 1.0], people)
    if design.band is None:
        habit = np.stack([1 - habit[:, 2], 0 * habit[:, 1], habit[:, 2]], 1)
    who = generator.random((items, people)).argsort(1)[:, : design.per_item]
    chance = _answers(
        look[:, :, None], *(each[who][:, None] for each in (shift, noise, band))
    )
    chance = np.where(spam[who][:, None, :, None], habit[who][:, None], chance)
    answer = (chance.cumsum(-1) < generator.random((*chance.shape[:-1], 1))).sum(-1)
    answer = np.minimum(answer, 2)
    probes = np.stack(
        [
            _skewed(generator, each, PROBES)
            + design.item * generator.normal(size=PROBES)
            for each in (design.absent_look, design.present_look)
        ]
    )
    share = (led.sum() / max((~there).sum(), 1)).item()
    probes[0] += design.led * (generator.random(PROBES) < share)
    confusion = _answers(
        probes, *(each[:, None, None] for each in (shift, noise, band))
    ).mean(2)
    confusion[spam] = habit[spam][:, None]
    item = np.arange(items).repeat(ASKED)
    frame = pd.DataFrame(
        {
            "item": [f"i{each:03d}" for each in item.repeat(design.per_item)],
            "annotator": [
                f"a{each:02d}" for each in who[:, None].repeat(ASKED, 1).ravel()
            ],
            "label": [f"l{each:02d}" for each in asked.ravel().repeat(design.per_item)],
            "answer": np.array(ANSWERS)[answer.ravel()],
        }
    )
    truth = pd.DataFrame(
        {
            "item": [f"i{each:03d}" for each in item],
            "label": [f"l{each:02d}" for each in asked.ravel()],
            "present": there.ravel(),
        }
    )
    return Crowd(frame, truth, confusion)


def _kind(name: str) -> Callable[[int], Crowd]:
    return lambda seed: draw(DESIGNS[name], seed, name)


KINDS: Mapping[str, Callable[[int], Crowd]] = {name: _kind(name) for name in DESIGNS}


def twin(name: str, seed: int) -> Crowd:
    """Return a study of that kind whose annotators do not look: nothing is learned."""
    return draw(replace(DESIGNS[name], spammers=1.0), seed, name)


def copied(name: str, seed: int) -> Crowd:
    """Return a study of that kind in which a third of the annotators copy another."""
    import numpy as np

    crowd = KINDS[name](seed)
    generator = np.random.default_rng([8, seed])
    frame = crowd.frame.copy()
    people = np.unique(frame["annotator"])
    source = dict(zip(people[::3], people[1::3], strict=False))
    given = frame.set_index(["item", "label", "annotator"])["answer"]
    model = frame["annotator"].map(source)
    keys = list(zip(frame["item"], frame["label"], model, strict=True))
    theirs = given.reindex(keys).to_numpy()
    taken = ~np.equal(theirs, None) & (generator.random(len(frame)) < 0.75)
    known = np.array([isinstance(each, str) for each in theirs])
    frame["answer"] = np.where(taken & known, theirs, frame["answer"])
    return replace(crowd, frame=frame)


def findings(seed: int, readers: int, per_item: int):
    """Return answers of yes and no about rare findings, and which are there.

    Fourteen labels of 500 items, most of them one in a hundred or rarer; readers miss a
    third of those that are there.
    """
    import numpy as np
    import pandas as pd

    items, labels = 500, 14
    generator = np.random.default_rng([5, seed, readers])
    share = np.clip(np.exp(generator.normal(-4.6, 1.0, labels)), 0.0005, 0.1)
    item = generator.normal(0, 0.5, (items, 1))
    there = generator.random((items, labels)) < share * np.exp(item)
    look = np.where(
        there,
        generator.normal(0.4, 1.4, there.shape),
        generator.normal(-3.4, 1.0, there.shape),
    )
    shift = generator.normal(0, 0.5, readers)
    noise = np.exp(generator.normal(-0.2, 0.2, readers))
    who = generator.random((items, readers)).argsort(1)[:, :per_item]
    seen = (look + 0.3 * item)[:, None] + shift[who][:, :, None]
    seen += noise[who][:, :, None] * generator.normal(size=seen.shape)
    place, reader, label = np.indices(seen.shape)
    frame = pd.DataFrame(
        {
            "item": [f"i{each:03d}" for each in place.ravel()],
            "annotator": [
                f"a{each:02d}"
                for each in np.take_along_axis(who, reader[:, :, 0], 1)
                .repeat(labels, 1)
                .ravel()
            ],
            "label": [f"l{each:02d}" for each in label.ravel()],
            "answer": np.where(seen > 0, "yes", "no").ravel(),
        }
    )
    place, label = np.indices(there.shape)
    truth = pd.DataFrame(
        {
            "item": [f"i{each:03d}" for each in place.ravel()],
            "label": [f"l{each:02d}" for each in label.ravel()],
            "present": there.ravel(),
        }
    )
    return frame, truth
