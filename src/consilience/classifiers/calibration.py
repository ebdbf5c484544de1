r"""The weight of a pooled score, learned from gold.

**One truth per item.** The mean is sharpened or flattened by one temperature, after
averaging, because averaging itself makes it too flat:

.. math::

   q_i(l) \propto p_i(l)^{1/T}

**Several labels may be there.** That a softmax gives a label little does not say that
it is absent: it may only be beside another. So log-odds of presence are a regression on
the score and on the ranks, whose slope is learned, with a normal prior:

.. math::

   \mathrm{logit}\, p(l \in i) = a + b \log p_i(l) + c^\top x_{il}

References
----------
Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks.
Rahaman and Thiery (2021), Uncertainty quantification and deep ensembles, for the
temperature after averaging.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize, minimize_scalar
from scipy.special import entr, expit, log_expit

from consilience.classifiers.pooling import Pairs, Pool, find
from consilience.errors import DataError

COOLEST, HOTTEST = -3.0, 3.0  # log of the temperature
MIN_GOLD = 20  # items or pairs; fewer say nothing of a temperature or a slope
FOLDS = 5
RIDGE = 1.0  # precision of a weight per standard deviation of its column


def choice_log_odds(
    pool: Pool, pairs: Pairs, gold: pd.DataFrame
) -> tuple[dict[str, Any], Float[np.ndarray, " C"]]:
    """Return the temperature, and the log of each share against a uniform one."""
    account = fit_temperature(pool, pool.pairs_of(gold)[0])
    share = apply_temperature(pool, account["value"])
    listed = np.bincount(pool.item, share, len(pool.items))
    cells = np.bincount(pool.item, minlength=len(pool.items))
    others = np.maximum(pool.num_labels - cells, 1)
    here = pairs.pick(share, np.maximum(1 - listed, 1e-12) / others)
    log_odds = np.log(np.maximum(here, 1e-12) * pool.num_labels)
    return {"temperature": account}, log_odds


def presence_log_odds(
    pool: Pool,
    pairs: Pairs,
    gold: pd.DataFrame,
    features: Callable[[Pairs], Mapping[str, np.ndarray]],
) -> tuple[dict[str, Any], Float[np.ndarray, " C"]]:
    """Return the regression, and log-odds; those of gold pairs are left out in turn."""
    answer = gold["answer"].astype("str")
    if not answer.isin(["yes", "no"]).all():
        odd = answer[~answer.isin(["yes", "no"])].iloc[0]
        msg = f"gold has the answer {odd!r}; expected yes or no"
        raise DataError(msg)
    once = gold.assign(answer=answer).drop_duplicates(["item", "label"])
    about, here = pool.pairs_of(once)
    columns, of_gold = features(pairs), features(about)
    account, held_out = fit_presence(
        np.stack(list(of_gold.values()), 1),
        (once["answer"] == "yes").to_numpy()[here],
        about.item,
    )
    weights = account["weights"]
    log_odds = account["intercept"] + np.stack(list(columns.values()), 1) @ weights
    ours, theirs = (pool.pair_codes(each.item, each.label) for each in (pairs, about))
    at = find(ours, theirs)
    log_odds[at[at >= 0]] = held_out[at >= 0]
    by_column = dict(zip(columns, weights.tolist(), strict=True))
    return {"presence": {**account, "weights": by_column}}, log_odds


def apply_temperature(pool: Pool, temperature: float) -> Float[np.ndarray, " E"]:
    """Return the mean at a temperature, at each cell; items sum to one."""
    log_mass, log_cell, _ = _tempered_logs(pool, temperature)
    share: Float[np.ndarray, " E"] = np.exp(log_cell - log_mass[pool.item])
    return share


def fit_temperature(pool: Pool, gold: Pairs) -> dict[str, Any]:
    """Fit the temperature to pairs of an item and its true label; return an account."""
    _check_enough(len(gold.item), "items that were classified")

    def loss(log_temperature: float) -> float:
        log_mass, log_cell, log_rest = _tempered_logs(
            pool, float(np.exp(log_temperature))
        )
        right = gold.pick(log_cell, log_rest)
        return float(-(right - log_mass[gold.item]).mean())

    optimum = minimize_scalar(loss, bounds=(COOLEST, HOTTEST), method="bounded")
    return {
        "value": float(np.exp(optimum.x)),
        "gold_items": len(gold.item),
        "log_loss_before": loss(0.0),
        "log_loss_after": float(optimum.fun),
    }


def _tempered_logs(
    pool: Pool, temperature: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log of the sum of all labels, of each cell, and of one without a cell."""
    log_cell = np.log(pool.probability) / temperature
    log_rest = np.log(pool.elsewhere) / temperature
    cells = np.bincount(pool.item, minlength=len(pool.items))
    others = np.maximum(pool.num_labels - cells, 0)
    # The largest term is taken out first, so that nothing underflows.
    largest = np.maximum.reduceat(log_cell, np.cumsum(cells) - cells)
    largest = np.where(others > 0, np.maximum(largest, log_rest), largest)
    total = np.bincount(pool.item, np.exp(log_cell - largest[pool.item]), len(cells))
    total += others * np.exp(log_rest - largest)
    return largest + np.log(total), log_cell, log_rest


def fit_presence(
    columns: Float[np.ndarray, "N F"],
    present: Bool[np.ndarray, " N"],
    item: Int[np.ndarray, " N"],
) -> tuple[dict[str, Any], Float[np.ndarray, " N"]]:
    """Fit log-odds of presence to gold; return an account, and log-odds held out."""
    _check_enough(len(present), "pairs of item and label that were classified")
    if present.all() or not present.any():
        msg = "all gold pairs are present, or none is: they cannot calibrate anything"
        raise DataError(msg)
    intercept, weights = _regress(columns, present)
    fold = np.unique(item, return_inverse=True)[1] % FOLDS
    held_out = np.empty(len(present))
    for held_out_fold in range(FOLDS):
        out = fold == held_out_fold
        if present[~out].any() and not present[~out].all():
            a, b = _regress(columns[~out], present[~out])
        else:
            a, b = intercept, weights
        held_out[out] = a + columns[out] @ b
    share = present.mean()
    right = log_expit(np.where(present, held_out, -held_out))
    account = {
        "gold_pairs": len(present),
        "present": int(present.sum()),
        "log_loss_held_out": float(-right.mean()),
        "log_loss_of_the_share_alone": float(entr([share, 1 - share]).sum()),
        "intercept": intercept,
        "weights": weights,
    }
    return account, held_out


def _regress(
    columns: Float[np.ndarray, "N F"], present: Bool[np.ndarray, " N"]
) -> tuple[float, Float[np.ndarray, " F"]]:
    """Return intercept and weights of a logistic regression with a ridge."""
    centre, spread = columns.mean(0), columns.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (columns - centre) / spread

    def objective(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = weights[0] + scaled @ weights[1:]
        apart = expit(odds) - present
        loss = -log_expit(np.where(present, odds, -odds)).sum()
        loss += RIDGE / 2 * (weights[1:] ** 2).sum()
        slope = np.append(apart.sum(), apart @ scaled + RIDGE * weights[1:])
        return float(loss), slope

    start = np.zeros(columns.shape[1] + 1)
    estimate = minimize(objective, start, jac=True, method="L-BFGS-B").x
    weights = estimate[1:] / spread
    return float(estimate[0] - weights @ centre), weights


def _check_enough(number: int, what: str) -> None:
    if number < MIN_GOLD:
        msg = (
            f"gold labels {number} {what}; {MIN_GOLD} are needed; give more, or "
            "leave gold out: annotator models then learn the weight of the scores"
        )
        raise DataError(msg)
