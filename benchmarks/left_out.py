"""The constants of tempering and of the mixture of `auto`, by leaving families out.

Five constants: by what the residual correlation above `BACKGROUND` is multiplied, the
least correlation where models agree that there is one (`HIDDEN` and `COMMON` of
`posterior.correlation`), how far stacking weights are shrunk, the share of the votes
(`fitting.automatic.VOTES`), and the drift of labels at which a model loses its equal
share (`posterior.leave_one_out.SHRINKAGE`, `DRIFT`). Sets that share items are a
family. Each is judged by the constants that do best on the other families.

Feeds `docs/reference/aggregation.md`.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness import Report, not_run, public_data

TITLE = "Tempering and mixing, by leaving one family of data sets out"
# Those of the page of methods, and more.
DEVELOPMENT = [
    "bird",
    "dog",
    "rte",
    "trec",
    "cf",
    "cf_amt",
    "ms",
    "zc_all",
    "zc_in",
    "zc_us",
    "senti_1k",
]
OTHERS = ["labelme", "leaves", "temp", "wsd", "ducks", "fej2013"]
# Sets that share items are left out together.
FAMILY = {"zc_all": "zc", "zc_in": "zc", "zc_us": "zc", "cf": "cf", "cf_amt": "cf"}
HIDDEN = (3.0, 4.0, 5.0)
COMMON = (0.1, 0.15, 0.2)
SHRINKAGES = (0.0, 0.4, 0.6, 0.8, 1.0)
VOTES = (0.0, 0.15, 0.3, 0.45)
# Power of the number of answers with which design effects grow: as Kish, and the root.
GROWTH = (1.0, 0.75, 0.5)
SHIPPED = 0.5
DRIFTS = (None, 0.03, 0.01, 0.005)  # None: equal shares
SEEDS = (0, 1)
METRICS = ("accuracy", "log-loss", "ECE")
CLIP, BINS = 1e-3, 10
CORRELATED = 0.15  # errors of votes, by which many of an item have a smaller share

NOTES = (
    (
        "Means over families of accuracy (ties count fractionally), log-loss "
        "(probabilities at least .001) and ECE (of the most probable label, ten bins). "
        "development: the eleven data sets of the page of methods; others: labelme, "
        "leaves, temp, wsd, ducks, fej2013. Each figure is the mean over two seeds."
    ),
    (
        "left out, best: each family with the constants that minimize the mean "
        "logarithm of log-loss over the other families. centre: with those nearest to "
        "the mean of the twentieth of all that is best there, because the best one "
        "changes from set to set. as shipped: with the constants of the package. raw: "
        "the same, not tempered. no votes: the same, without votes. Kish: the same, "
        "design effects linear in the number of answers. stacked: "
        "unmodified stacking weights. equal: equal weights."
    ),
    (
        "The models that are combined, and the use of the residual correlation for "
        "tempering, were chosen on the development sets before; that choice is not "
        "cross-validated here."
    ),
)


def left_out(*, quick: bool, repeats: int) -> Report:
    """Fit the models that `auto` mixes to each set once; the rest is arithmetic."""
    del repeats
    data = public_data("crowd", quick=quick)
    if data is None:
        return not_run(TITLE)
    seeds = SEEDS[:1] if quick else SEEDS
    return report(
        {
            name: [fitted(data / "crowd" / name, seed) for seed in seeds]
            for name in _names()
        }
    )


def report(sets: Mapping[str, Sequence[Mapping]]) -> Report:
    """Return the tables for sets that are fitted."""
    from consilience.fitting import automatic
    from consilience.posterior import correlation, leave_one_out

    tempering = (correlation.HIDDEN, correlation.COMMON)
    votes = automatic.VOTES
    mixing = (leave_one_out.SHRINKAGE, votes, SHIPPED, leave_one_out.DRIFT)
    shipped = (*tempering, *mixing)
    without = (*tempering, leave_one_out.SHRINKAGE, 0.0, SHIPPED, leave_one_out.DRIFT)
    kish = (*tempering, leave_one_out.SHRINKAGE, votes, 1.0, leave_one_out.DRIFT)
    mixed = votes, SHIPPED, None
    grid = [*itertools.product(HIDDEN, COMMON, SHRINKAGES, VOTES, GROWTH, DRIFTS)]
    figures = {
        name: {
            constants: _mean(each, constants)
            for constants in {*grid, shipped, without, kish}
        }
        for name, each in sets.items()
    }
    ranked = {name: _ranked(figures, grid, name) for name in sets}
    centre = {name: _centre(ranked[name]) for name in sets}
    ways = {
        "left out, best": {name: figures[name][ranked[name][0]] for name in sets},
        "left out, centre": {name: figures[name][centre[name]] for name in sets},
        "as shipped": {name: figures[name][shipped] for name in sets},
        "raw": {name: _mean(each, (0.0, 0.0, *mixing)) for name, each in sets.items()},
        "no votes": {name: figures[name][without] for name in sets},
        "Kish": {name: figures[name][kish] for name in sets},
        "stacked": {name: figures[name][*tempering, 0.0, *mixed] for name in sets},
        "equal": {name: figures[name][*tempering, 1.0, *mixed] for name in sets},
    }
    rows = [_row(way, of) for way, of in ways.items()]
    each = [
        {
            "set": name,
            **{
                f"{way}, {what}": of[name][place]
                for way, of in ways.items()
                for place, what in enumerate(METRICS)
            },
            "best of the others": str(ranked[name][0]),
            "centre of the others": str(centre[name]),
        }
        for name in sets
    ]
    return Report(TITLE, rows, NOTES, {"Each set": each})


def _mean(fits, constants):
    import numpy as np

    return np.mean([scored(each, constants) for each in fits], axis=0)


def _names():
    return [*DEVELOPMENT, *OTHERS]


def _over_families(figures):
    """Return the mean over families of the mean over the sets of each."""
    import numpy as np

    families = {}
    for name, figure in figures.items():
        families.setdefault(FAMILY.get(name, name), []).append(figure)
    return np.mean([np.mean(each, axis=0) for each in families.values()], axis=0)


def _row(way, of):
    row = {"way": way}
    for group, names in (("development", DEVELOPMENT), ("others", OTHERS)):
        means = _over_families({name: of[name] for name in names if name in of})
        row |= {
            f"{group}, {what}": mean for what, mean in zip(METRICS, means, strict=True)
        }
    return row


def _ranked(figures, grid, left_out):
    """Return all constants, the best for the other data sets first."""
    import numpy as np

    family = FAMILY.get(left_out, left_out)
    others = [name for name in figures if FAMILY.get(name, name) != family]
    loss = [
        _over_families({name: np.log(figures[name][constants][1]) for name in others})
        for constants in grid
    ]
    return [grid[place] for place in np.argsort(loss, kind="stable")]


def _centre(ranked):
    """Return the constants nearest to the mean of the best twentieth of them."""
    import numpy as np

    best = ranked[: max(len(ranked) // 20, 1)]
    drifts = [constants[-1] for constants in best]
    drift = max(DRIFTS, key=drifts.count)
    mean = np.mean([constants[:-1] for constants in best], axis=0)
    steps = np.array([1.0, 0.05, 0.2, 0.15, 0.25])
    alike = [constants for constants in ranked if constants[-1] == drift]
    return min(
        alike, key=lambda each: np.abs((np.array(each[:-1]) - mean) / steps).sum()
    )


def fitted(folder: Path, seed: int) -> Mapping:
    """Fit the models that `auto` compares; keep what tempering and mixing take."""
    import jax
    import numpy as np

    from consilience.benchmark.datasets import load
    from consilience.fitting.comparing import CANDIDATES, compare_models, sample
    from consilience.fitting.request import Request
    from consilience.posterior.correlation import Residual
    from consilience.progress import silent
    from consilience.responses import ReadOptions
    from consilience.spaces import space_of

    found = load(folder, ReadOptions())
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        space = sample(space_of(found.responses), seed)
        fits, table = compare_models(space, CANDIDATES, Request(seed=seed), silent)
    number = np.bincount(space.unit, space.n, space.num_units)
    votes = np.zeros((space.num_units, len(space.states)))
    np.add.at(votes, (space.unit, space.answer), space.n)
    place = {str(item): unit for unit, item in enumerate(space.unit_item)}
    state = {str(label): code for code, label in enumerate(space.states)}
    gold = np.zeros(votes.shape, bool)
    for item, label in found.gold.astype(str).itertuples(index=False):
        if item in place and label in state:
            gold[place[item], state[label]] = True
    known = np.isin(
        np.array(space.unit_item, str), found.gold["item"].astype(str).to_numpy()
    )
    shares = (votes + 1 / len(space.states)) / (number[:, None] + 1)
    votes /= number[:, None]
    raw = [each.tempering.raw.probability for each in fits]
    return {
        "gold": gold[known],
        "number": number[known],
        "shares": shares[known],
        "moved": np.abs([(each - votes).mean(0) for each in raw]).sum(1) / 2,
        "weight": _stacking(fits, space),
        "correlation": [
            Residual(each.tempering.correlation, each.tempering.z).shrunk
            for each in fits
        ],
        "raw": [each[known] for each in raw],
        "models": list(table["model"]),
    }


def _stacking(fits, space):
    import jax
    import numpy as np

    from consilience.posterior.leave_one_out import (
        leave_one_response_out,
        stacking_weights,
    )

    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        elpd = [
            leave_one_response_out(each.model, space, each.result.parameters)
            for each in fits
        ]
    return stacking_weights(np.stack(elpd), space.n)


def scored(
    found: Mapping, constants: Sequence[float | None]
) -> tuple[float, float, float]:
    """Return accuracy, log-loss and ECE of the mixture by these constants."""
    import numpy as np

    from consilience.fitting.comparing import HIDES_DRIFT

    hidden, common, shrinkage, votes, growth, drift = constants
    equal = np.full(len(found["raw"]), 1 / len(found["raw"]))
    if drift is not None:
        equal = np.exp(-(found["moved"] - found["moved"].min()) / drift)
        equal = np.where(np.isin(found["models"], HIDES_DRIFT), 0.0, equal)
        equal /= equal.sum()
    weight = (1 - shrinkage) * found["weight"] + shrinkage * equal
    others = _others(found, growth)
    belief = np.tensordot(weight, _tempered(found, hidden, common, others), 1)
    effect = 1 + others * CORRELATED
    share = (votes * _errors_go_together(found) / effect)[:, None]
    return _judged(found, (1 - share) * belief + share * found["shares"])


def _others(found, growth):
    """Return the answers of each item beside one, as a design effect counts them."""
    import numpy as np

    from consilience.posterior.correlation import AT

    others = np.maximum(found["number"] - 1, 0)
    return (AT - 1) ** (1 - growth) * others**growth


def _tempered(found, hidden, common, others):
    import numpy as np
    from scipy.special import softmax

    from consilience.posterior.correlation import BACKGROUND

    least = common * _errors_go_together(found)
    tempered = []
    for raw, correlation in zip(found["raw"], found["correlation"], strict=True):
        rho = max(np.clip(hidden * (correlation - BACKGROUND), 0.0, 1.0), least)
        share = 1 / (1 + others * rho)[:, None]
        tempered.append(softmax(share * np.log(np.maximum(raw, 1e-300)), axis=1))
    return tempered


def _errors_go_together(found):
    """Return how sure models are that errors are correlated, between 0 and 1."""
    from consilience.posterior.correlation import COMMON, common_correlation

    return common_correlation(found["correlation"]) / COMMON


def _judged(found, belief):
    import numpy as np

    gold = found["gold"]
    top = belief.max(1)
    first = belief >= top[:, None] - 1e-12
    hit = (first & gold).sum(1) / first.sum(1)
    loss = -np.log(np.maximum((belief * gold).sum(1), CLIP)).mean()
    place = np.minimum((top * BINS).astype(int), BINS - 1)
    gaps = [
        abs((hit - top)[place == number].sum()) / len(top) for number in range(BINS)
    ]
    return float(hit.mean()), float(loss), float(np.sum(gaps))
