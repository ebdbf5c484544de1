"""Panels that err together, simulated: with gold labels and without.

Feeds `docs/how-to/use-gold-labels.md`.
"""

from typing import Any

from benchmarks.harness import Report, not_run

TITLE = "Simulated panels that err together"
ITEMS, LABELS, FAMILIES, OF_FAMILY = 400, 3, 3, 3
STRENGTHS = {"none": 0.0, "weak": 0.3, "strong": 0.6, "nearly all": 0.9}
GOLD, STUDIES, LEAST = (0, 20, 50), 6, 1e-3
NOTES = (
    (
        f"{STUDIES} studies a row: {ITEMS} items of {LABELS} labels, {FAMILIES} "
        f"families of {OF_FAMILY} judges, each wrong on 15 to 45 % of the items; the "
        "strength is the share of the variance of what decides an error that judges "
        "have in common, half of it all judges, half a family; so many wrong labels "
        "are the rival of the item, the others any."
    ),
    (
        f"Log-loss (probabilities of at least {LEAST}) and accuracy are of items "
        "without gold; the oracle is a logistic regression of who said what that "
        "learns from the truth of all other items, in folds. Stated: mean probability "
        "of the most probable label."
    ),
    (
        "Intervals: share of the 90 % intervals of annotators' accuracy that hold the "
        "share of the items on which they are right."
    ),
    (
        "Effective number: of the answers of an item, by the check independence; the "
        "truth is J / (1 + (J - 1) r) with r the mean correlation of errors of pairs, "
        "or 0 where it is below that by chance; "
        "held: in how many studies the interval holds it."
    ),
)


def gold_simulated(*, quick: bool, repeats: int) -> Report:
    """Fit simulated panels with and without gold."""
    del repeats
    if quick:
        return not_run(TITLE)
    rows = [_row(name, number) for name in STRENGTHS for number in GOLD]
    return Report(TITLE, rows, NOTES)


def panel(strength: float, seed: int) -> Any:
    """Return answers, truth, and who is wrong where."""
    import numpy as np
    import pandas as pd
    from scipy.stats import norm

    generator = np.random.default_rng(seed)
    truth = generator.integers(LABELS, size=ITEMS)
    rival = (truth + generator.integers(1, LABELS, size=ITEMS)) % LABELS
    family = np.repeat(np.arange(FAMILIES), OF_FAMILY)
    rate = generator.uniform(0.15, 0.45, len(family))
    parts = (
        generator.normal(size=(ITEMS, 1)),
        generator.normal(size=(ITEMS, FAMILIES))[:, family],
        generator.normal(size=(ITEMS, len(family))),
    )
    shares = (strength / 2, strength / 2, 1 - strength)
    latent = sum(
        np.sqrt(share) * part for share, part in zip(shares, parts, strict=True)
    )
    wrong = latent < norm.ppf(rate)
    other = (truth[:, None] + generator.integers(1, LABELS, wrong.shape)) % LABELS
    together = generator.random(wrong.shape) < strength
    given = np.where(wrong, np.where(together, rival[:, None], other), truth[:, None])
    names = [f"model{f}-{each}" for f in range(FAMILIES) for each in range(OF_FAMILY)]
    answers = pd.DataFrame(
        {
            "item": np.repeat([f"i{u}" for u in range(ITEMS)], len(names)),
            "annotator": np.tile(names, ITEMS),
            "label": np.array(list("abc"))[given.ravel()],
        }
    )
    return answers, truth, given


def _row(name: str, number: int) -> dict[str, Any]:
    import numpy as np
    import pandas as pd

    import consilience as cs

    found: dict[str, list[float]] = {}
    for seed in range(STUDIES):
        answers, truth, given = panel(STRENGTHS[name], seed)
        labels = pd.DataFrame(
            {
                "item": [f"i{u}" for u in range(ITEMS)],
                "label": np.array(list("abc"))[truth],
            }
        )
        some = np.random.default_rng(seed + 100).permutation(ITEMS)[:number]
        gold = labels.iloc[some] if number else None
        fit = cs.fit(cs.read(answers, labels=list("abc")), gold=gold, seed=0)
        table = fit.labels().astype({"item": str, "label": str})
        wide = table.pivot_table(index="item", columns="label", values="probability")
        wide = wide.reindex(labels["item"])[list("abc")].to_numpy()
        rest = np.setdiff1d(np.arange(ITEMS), some)
        right = np.maximum(wide[rest, truth[rest]], LEAST)
        people = fit.annotators().sort_values("annotator")
        true = (given == truth[:, None]).mean(0)
        held = (people["lower"] <= true) & (true <= people["upper"])
        wrong = (given != truth[:, None]).astype(float)
        pairs = np.corrcoef(wrong.T)[np.triu_indices(wrong.shape[1], 1)]
        judges = wrong.shape[1]
        effective = judges / (1 + (judges - 1) * max(pairs.mean(), 0.0))
        worth = fit.table("independence").iloc[0]
        oracle = _oracle(given, truth)
        for key, value in {
            "log-loss": -np.log(right).mean(),
            "accuracy": (wide[rest].argmax(1) == truth[rest]).mean(),
            "stated": wide[rest].max(1).mean(),
            "oracle: log-loss": oracle[0],
            "oracle: accuracy": oracle[1],
            "intervals": held.mean(),
            "true number": effective,
            "effective number": worth["effective"],
            "held": float(worth["lower"] <= effective <= worth["upper"]),
        }.items():
            found.setdefault(key, []).append(float(value))
    means = {key: np.mean(values) for key, values in found.items()}
    return {"errors in common": name, "gold labels": number, **means}


def _oracle(given: Any, truth: Any) -> tuple[float, float]:
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    answers = (given[:, :, None] == np.arange(LABELS)).reshape(ITEMS, -1)
    model = LogisticRegression(C=0.3, max_iter=2000)
    share = cross_val_predict(model, answers, truth, cv=10, method="predict_proba")
    right = np.maximum(share[np.arange(ITEMS), truth], LEAST)
    return -np.log(right).mean(), (share.argmax(1) == truth).mean()
