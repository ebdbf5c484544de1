"""Whether intervals of `contains` hold what they say, by answers of an annotator.

Studies are drawn from the model's own prior: items of four labels in two groups, those
of a group similar, half of the items shown whole to four of 24 annotators, half to two
teams of four, who do not see all that is similar; one column known beforehand. They are
fitted by `em` with draws of the posterior bootstrap, and by `nuts` from the mode, how
far annotators differ being learned, and what was drawn is looked up in the 90 %
intervals of every parameter.
"""

from time import process_time

from benchmarks.harness import Report

# Answers of an annotator.
ANSWERS = {"em": (33, 100, 300), "nuts": (33, 100)}
PEOPLE, PER_PAIR, STUDIES, DRAWS, MASS = 24, 4, 24, 40, 0.9
STARTS = 4  # of a climb: one start of a study of 300 answers ended on a lower hill
CHAINS = 2  # of as many draws each
NAMES = (
    "mean",
    "scale",
    "share",
    "weight",
    "group_shift",
    "width",
    "item_scale",
    "context_effect",
    "context_effect_not_shown",
    "threshold",
    "annotator_threshold",
    "annotator_discrimination",
    "annotator_width",
    "lapse",
)
SPREADS = tuple(
    f"{name}_spread"
    for name in (
        "threshold",
        "annotator_threshold",
        "annotator_discrimination",
        "annotator_width",
    )
)
NOTES = (
    (
        f"Share of {MASS:.0%} intervals that contain the parameter, in {STUDIES} "
        f"studies simulated from the prior, with {DRAWS} draws by `em` and {CHAINS} "
        f"chains of {DRAWS} by `nuts`. ± are standard errors between studies. each: "
        "number of such parameters in a study."
    ),
    (
        "off: distance between the mean of the draws and the true value, in standard "
        "deviations of the draws, averaged over studies; for exact posteriors it is "
        f"within {2 / STUDIES**0.5:.2f} with 95% probability."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Draw, fit, and look up."""
    del repeats
    import numpy as np

    found, cost = {}, []
    for engine, sizes in ANSWERS.items():
        for answers in sizes[:1] if quick else sizes:
            started = process_time()
            seeds = answers * STUDIES + np.arange(2 if quick else STUDIES)
            studies = [_looked_up(engine, answers, int(seed)) for seed in seeds]
            seconds = (process_time() - started) / len(studies)
            cost.append(f"{engine} {answers}: {seconds:.1f} s")
            found[f"{engine} {answers}"] = studies
    rows = []
    for name in (*NAMES, *SPREADS):
        row = {"parameter": name, "each": next(iter(found.values()))[0][name][0].size}
        for which, studies in found.items():
            shares = np.array([study[name][0].mean() for study in studies])
            error = shares.std(ddof=1) / np.sqrt(len(shares))
            row[which] = round(float(shares.mean()), 3)
            row[f"± {which}"] = round(float(error), 3)
        for which, studies in found.items():
            off = np.mean([study[name][1].mean() for study in studies])
            row[f"off, {which}"] = round(float(off), 2)
        rows.append(row)
    spent = "A study, seconds of the processor: " + "; ".join(cost)
    return Report("Coverage of the intervals of contains", rows, (*NOTES, spent))


def _design(answers: int):
    import numpy as np
    import pandas as pd

    import consilience as cs
    from consilience.spaces import space_of

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


def _looked_up(engine: str, answers: int, seed: int) -> dict:
    """Return of each parameter of a study whether it is held, and how far it is off."""
    import jax
    import numpy as np

    from consilience.annotators import load
    from consilience.checks.simulated_fits import replace_answers
    from consilience.inference.closed_form.ascent import Steps
    from consilience.inference.engines import em, nuts
    from consilience.intervals import bounds
    from consilience.model import simulate

    model, key = load("contains"), jax.random.key(seed)
    with jax.enable_x64(True):  # noqa: FBT003 (the way JAX spells it)
        space = _design(answers)
        made = simulate(model, space, key)
        told = replace_answers(space, np.asarray(made.answer))
        if engine == "nuts":
            effort = nuts.Options(draws=DRAWS, chains=CHAINS, prob=MASS)
            drawn = nuts.fit(model, told, seed, effort).parameters
        else:
            steps = Steps(restarts=STARTS)
            effort = em.Options(steps=steps, draws=DRAWS, prob=MASS)
            drawn = em.fit(model, told, seed, effort).parameters
    held = {}
    for name in (*NAMES, *SPREADS):
        true = np.asarray(made.parameters[name])
        draws = np.asarray(drawn[name], float).reshape(-1, *true.shape)
        lower, upper = bounds(draws, MASS)
        inside = (lower <= true) & (true <= upper)
        if name.endswith(("scale", "spread")):
            draws, true = np.log(draws), np.log(true)
        off = (draws.mean(0) - true) / draws.std(0, ddof=1)
        held[name] = inside, off
    return held
