"""Whether intervals of `contains` hold what they say, by answers of an annotator.

Studies are drawn from the model's own prior: items of four labels in two groups, those
of a group similar, half of the items shown whole to four of 24 annotators, half to two
teams of four, who do not see all that is similar; one column known beforehand. They are
fitted by `em` with draws of the posterior bootstrap, how far annotators differ being
learned, and what was drawn is looked up in the 90 % intervals of every parameter.
"""

from time import process_time

from benchmarks.report import Report

ANSWERS = (33, 100, 300)  # of an annotator
PEOPLE, PER_PAIR, STUDIES, DRAWS, MASS = 24, 4, 24, 40, 0.9
NAMES = (
    "mean",
    "scale",
    "share",
    "weight",
    "group_shift",
    "width",
    "item_scale",
    "led",
    "led_apart",
    "threshold",
    "own_group",
    "own_discrimination",
    "own_width",
    "lapse",
)
SPREADS = tuple(
    f"{name}_spread"
    for name in ("threshold", "own_group", "own_discrimination", "own_width")
)
NOTES = (
    (
        f"Share of {MASS:.0%} intervals that hold the parameter, of {STUDIES} studies "
        f"drawn from the prior, {DRAWS} draws each. ± are standard errors between "
        "studies. each: how many of the parameter there are in a study."
    ),
    (
        "log found / drawn: mean logarithm of a spread as `em` finds it without draws, "
        "over the one that was drawn; all of them at once would be off by .05 and more "
        "by chance."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Draw, fit, and look up."""
    del repeats
    import numpy as np

    found, seconds = {}, []
    for answers in ANSWERS[:1] if quick else ANSWERS:
        started = process_time()
        number = 2 if quick else STUDIES
        studies = [_held(answers, answers * STUDIES + at) for at in range(number)]
        seconds.append(f"{answers}: {(process_time() - started) / len(studies):.1f} s")
        found[answers] = studies
    rows = []
    for name in (*NAMES, *SPREADS):
        first = next(iter(found.values()))
        row = {"parameter": name, "each": int(first[0][name].size)}
        for answers, studies in found.items():
            shares = np.array([study[name].mean() for study in studies])
            error = shares.std(ddof=1) / np.sqrt(len(shares))
            row[f"{answers} answers"] = round(float(shares.mean()), 3)
            row[f"± {answers}"] = round(float(error), 3)
        for answers, studies in found.items():
            gaps = [study.get(f"{name}, found") for study in studies]
            known = name in SPREADS
            row[f"log found / drawn, {answers}"] = (
                round(float(np.mean(gaps)), 3) if known else None
            )
        rows.append(row)
    cost = "A study, seconds of the processor: " + "; ".join(seconds)
    return Report("Coverage of the intervals of contains", rows, (*NOTES, cost))


def _design(answers: int):
    import numpy as np
    import pandas as pd

    import consilience as cs
    from consilience.truth import space_of

    generator = np.random.default_rng(0)
    items = answers * PEOPLE // (4 * PER_PAIR)
    teams = generator.random((items, PEOPLE)).argsort(1)[:, : 2 * PER_PAIR]
    team = np.arange(4) // 2 * (np.arange(items)[:, None] % 2)
    who = np.take_along_axis(
        teams.reshape(items, 2, PER_PAIR), team[:, :, None], axis=1
    )
    labels = pd.DataFrame(
        {
            "label": ["husky", "cup", "wolf", "mug"],
            "parent": ["dogs", "things", "dogs", "things"],
        }
    )
    item = [f"i{number:04d}" for number in range(items)]
    rows = pd.DataFrame(
        {
            "item": np.repeat(item, 4 * PER_PAIR),
            "annotator": [f"a{j:02d}" for j in who.ravel()],
            "label": np.tile(np.repeat(labels["label"], PER_PAIR), items),
            "answer": np.resize(["no", "maybe", "yes"], who.size),
        }
    )
    known = rows[["item", "label"]].drop_duplicates()
    known["listed"] = generator.normal(size=len(known)).round(3)
    return space_of(cs.read(rows, kind="contains", labels=labels), lists=known)


def _held(answers: int, seed: int) -> dict:
    """Return whether intervals hold the elements of each parameter of a study."""
    import jax
    import numpy as np

    from consilience.annotators import load
    from consilience.checks.simulated_fits import answered
    from consilience.inference import em
    from consilience.inference.ascent import Steps
    from consilience.inference.result import bounds
    from consilience.model import simulate

    model, steps = load("contains"), Steps(restarts=1, tolerance=1e-6)
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        space = _design(answers)
        made = simulate(model, space, jax.random.key(seed))
        told = answered(space, np.asarray(made.answer))
        effort = em.Effort(steps=steps, draws=DRAWS, mass=MASS)
        drawn = em.fit(model, told, jax.random.key(seed), effort).parameters
        top = em.fit(model, told, jax.random.key(seed), em.Effort(steps=steps))
    held = {}
    for name in (*NAMES, *SPREADS):
        true = np.asarray(made.parameters[name])
        lower, upper = bounds(np.asarray(drawn[name][0]), MASS)
        held[name] = (lower <= true) & (true <= upper)
        if name in SPREADS:
            found = np.log(top.parameters[name][0, 0] / true)
            held[f"{name}, found"] = float(found)
    return held
