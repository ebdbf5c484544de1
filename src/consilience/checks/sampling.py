"""Whether Markov chains have explored the posterior, and iterative fits have arrived.

Of what users read, by `nuts` and `gibbs` alike: rank-normalised split R-hat of at most
1.05, bulk effective sample size of at least 200 and that of the tails of at least 100;
`inference.mixing` derives these limits. Chains sit in one mode. Of NUTS also no
divergence, and an energy Bayesian fraction of missing information (E-BFMI) of at least
0.3 in every chain.

**How many draws would do.** Effective draws grow with the draws of chains that sit in
one mode; and the variance between halves of chains, over that within them, falls with
them: R-hat squared less one. More draws do not help where chains sit in several modes.

**Whether the states of the truth still bear their own names.** The likelihood does not
change when the states swap names and the confusions swap rows with them. With c the
population's confusion and v how far an answer is a vote for a state, a_kj = sum_l c_kl
v_lj says how far state k is called j. The names are right when no one-to-one renaming
of the states raises the sum of a_kk (an assignment problem). Each half of each chain is
judged by itself: a chain that swaps would vanish in the mean over all.

**An iterative fit has arrived, and at one place.** EM and variational Bayes ascend:
their objective decreases by rounding only. They find the top of the hill they start on.
Where two of several starts end at the greatest height of all, it is likely the highest;
where only one does, there may be higher ones.

References
----------
Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Rank-normalization, folding, and
localization: an improved R-hat, section 4. Betancourt (2016), Diagnosing suboptimal
cotangent disintegrations in Hamiltonian Monte Carlo, section 3.
Stephens (2000), Dealing with label switching in mixture models. Kuhn (1955) for the
assignment.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.checks.verdict import Verdict, at_least, at_most, cannot_tell
from consilience.inference.mixing import BULK, RHAT, TAIL
from consilience.posterior.confusion import population, population_draws
from consilience.posterior.truth import candidates
from consilience.when_used import xr

# Sums in double precision over 1e8 responses keep some nine figures.
_ROUNDING = 1e-9
# An answer among L labels is worth log L >= .69 nats; starts closer than about a
# hundredth of that explain the answers equally well.
_SPREAD = 0.01
_STARTS = 4


def optimization(data: xr.DataTree) -> list[Verdict]:
    """Check an iterative fit."""
    if "optimization" not in data.children:
        return []
    group = data["optimization"].to_dataset()
    objective = group["objective"].transpose("restart", "sweep").to_numpy()
    arrived = group["converged"].to_numpy()[int(group["chosen"])]
    iterations = 2 * objective.shape[1]
    how = (
        "the fit was still improving when it stopped; allow more iterations "
        f"(`iterations={iterations}`)"
    )
    verdicts = [at_most("stopped_early", float(not arrived), 0.0, how)]
    # After a start has ended its row is NaN.
    fall = -np.diff(objective, axis=1) / np.maximum(1.0, np.abs(objective[:, 1:]))
    worst = max(0.0, float(np.max(fall, initial=0.0, where=~np.isnan(fall))))
    # An engine that sums in single precision says how far its sums are exact.
    rounding = float(group.attrs.get("rounding", _ROUNDING))
    how = (
        "the objective decreased, which exact updates cannot do, so the fit is "
        'that of the best point; compare it with another engine (`engine="nuts"`)'
    )
    verdicts.append(at_most("objective_fall", worst, rounding, how))
    num_responses = int(data["constant_data"]["num_responses"].sum())
    return [*verdicts, _spread(objective, num_responses)]


def _spread(objective: Float[np.ndarray, "R T"], num_responses: int) -> Verdict:
    """Judge how far the second-best start ended from the best, by answer."""
    if len(objective) < 2:
        how = (
            "one start cannot show whether there are other optima; use several "
            f"(`restarts={_STARTS}`)"
        )
        return cannot_tell("objective_spread", _SPREAD, how)
    ends = (~np.isnan(objective)).sum(axis=1) - 1
    final = np.sort(objective[np.arange(len(objective)), ends])
    apart = float(final[-1] - final[-2]) / max(1, num_responses)
    how = (
        "no other start ended where the best one did, so there may be a better "
        f"optimum; use more restarts (`restarts={4 * len(objective)}`), or a model "
        "with fewer parameters for each annotator"
    )
    return at_most("objective_spread", apart, _SPREAD, how)


def finite(data: xr.DataTree) -> list[Verdict]:
    """Check that draws and probabilities are finite."""
    truth = candidates(data)
    broken = ~np.isfinite(truth.probability) & (truth.state >= 0)
    count = int(np.count_nonzero(broken))
    if "posterior" in data.children:
        for variable in data["posterior"].data_vars.values():
            count += int(np.count_nonzero(~np.isfinite(variable.to_numpy())))
    how = (
        "the fit failed numerically; fit in double precision, or take a model with "
        "stronger priors"
    )
    return [at_most("not_finite", float(count), 0.0, how)]


_BFMI = 0.3
# More draws than are thought to do, since both figures have errors; and times those
# taken from which on what was seen of the chains does not tell how they go on.
_SPARE, _HARDLY = 1.3, 20
# States that annotators tell apart gain accuracy less error from a swap, far more than
# this. Rows without information differ by chance: half a chain has some 50 effective
# draws at least, and a cell of such a row a posterior standard deviation of .5 at
# most; a difference of two cells, averaged over two rows, then has one of
# .5 * sqrt(2 / 50) / sqrt(2) = .07.
_GAIN = 0.1
_FAMILIAR = 1.0


def sampling(data: xr.DataTree) -> list[Verdict]:
    """Check the chains of a fit by NUTS or Gibbs sampling."""
    verdicts = []
    if "convergence" in data.children:
        figures = data["convergence"].to_dataset()
        if not figures.sizes["quantity"]:
            return [at_most("rhat", np.nan, RHAT, "no quantity moved; report this")]
        weights = figures["mode_weight"].to_numpy()
        shares = ", ".join(f"{weight:.2f}" for weight in weights)
        how = (
            f"the answers have several explanations: {figures.attrs['modes']}; each is "
            f"weighted by how well it predicts answers ({shares}); give some gold "
            "labels (`gold=`) to tell which is right"
        )
        verdicts = [
            _rhat(figures, _longer(figures)),
            _effective(figures, "ess_bulk", BULK, _longer(figures)),
            _effective(figures, "ess_tail", TAIL, _longer(figures)),
            at_most("modes", float(len(weights)), 1.0, how),
        ]
    if "sample_stats" in data.children:
        verdicts += _trajectories(data["sample_stats"].to_dataset())
    return verdicts


def _longer(figures: xr.Dataset) -> str:
    """Say how many draws would do, and whether more of them help at all."""
    if figures.sizes["mode"] > 1:
        return (
            "more draws would not help, since chains stay in the explanation where "
            "they started: see modes"
        )
    drawn, rhat = int(figures.attrs["draws"]), figures["rhat"].to_numpy()
    need = [(np.nan_to_num(rhat, nan=1.0, posinf=np.inf) ** 2 - 1) / (RHAT**2 - 1)]
    with np.errstate(divide="ignore"):
        for name, limit in (("ess_bulk", BULK), ("ess_tail", TAIL)):
            need.append(limit / np.nan_to_num(figures[name].to_numpy()))
    times = np.max(need)
    if times > _HARDLY:
        return (
            f"{drawn:,} draws were taken, and {_HARDLY} times as many would hardly do: "
            "take a model with fewer parameters for each annotator, or give some gold "
            "labels (`gold=`)"
        )
    digits = 10.0 ** np.floor(np.log10(_SPARE * times * drawn) - 1)
    enough = int(np.ceil(_SPARE * times * drawn / digits) * digits)
    return (
        f"{drawn:,} draws were taken, and some {enough:,} would do (`draws={enough}`)"
    )


def _rhat(figures: xr.Dataset, longer: str) -> Verdict:
    rhat = figures["rhat"].to_numpy()
    if figures.sizes["chain"] < 2:
        how = "one chain cannot be compared; run four (`chains=4`)"
        return cannot_tell("rhat", RHAT, how)
    worst = int(rhat.argmax())
    name, lowest, highest = (
        figures[each].to_numpy()[worst] for each in ("quantity", "lowest", "highest")
    )
    where = (
        f"chains disagree, most on {name}, which is {lowest:.2f} on average in one "
        f"chain and {highest:.2f} in another"
    )
    return at_most("rhat", rhat[worst], RHAT, f"{where}; {longer}")


def _effective(figures: xr.Dataset, name: str, limit: float, longer: str) -> Verdict:
    effective = np.nan_to_num(figures[name].to_numpy(), posinf=0.0, neginf=0.0)
    worst = int(effective.argmin())
    of_worst = figures["quantity"].to_numpy()[worst]
    advice = f"too few effective draws, fewest of {of_worst}; {longer}"
    return at_least(name, effective[worst], limit, advice)


def _trajectories(stats: xr.Dataset) -> list[Verdict]:
    verdicts, steps = [], 2 * max(1000, stats.sizes["draw"])
    tune = f"tune longer (`tune={steps}`) or choose a model with stronger priors"
    if "diverging" in stats:
        how = "the sampler diverged in a region of the posterior, which the draws miss"
        number = float(stats["diverging"].sum())
        verdicts.append(at_most("divergences", number, 0.0, f"{how}; {tune}"))
    if "energy" in stats:
        # Imported only where chains are checked: it takes a second.
        from arviz_stats.base import array_stats  # type: ignore[attr-defined]  # noqa: PLC0415

        statistics: Any = array_stats  # it says that it is typed; its functions are not
        energy = stats["energy"].transpose("chain", "draw").to_numpy().astype(float)
        with np.errstate(all="ignore"):
            bfmi = statistics.bfmi(energy, chain_axis=0, draw_axis=1).min()
        how = "the sampler moves slowly between energies, so tails are poorly explored"
        verdicts.append(at_least("e_bfmi", float(bfmi), _BFMI, f"{how}; {tune}"))
    return verdicts


def label_switching(data: xr.DataTree) -> list[Verdict]:
    """Check that the states bear the names that annotators give them."""
    votes = data["constant_data"]["votes"].transpose("given_class", "true_class")
    chains, halves = _means(data)
    if not len(halves):
        return []
    gains = [_gain(half @ votes.to_numpy()) for half in halves]
    fix = (
        "take a prior with more weight on the diagonal, or give some gold labels "
        "(`gold=`)"
    )
    how = (
        "states of the truth have swapped names, so their probabilities are not those "
        f"of the labels; start from the vote shares, {fix}"
    )
    verdicts = [at_most("label_switching", max(gains), _GAIN, how)]
    if len(chains) > 1:
        nearer = [_gain(_likeness(chain, chains[0])) for chain in chains[1:]]
        how = (
            "chains name the states differently, so means over chains mix them; start "
            f"all chains from the vote shares, {fix}"
        )
        verdicts.append(at_most("chains_aligned", max(nearer), _GAIN, how))
    return verdicts


def _means(
    data: xr.DataTree,
) -> tuple[Float[np.ndarray, "C K L"], Float[np.ndarray, "H K L"]]:
    """Average the population confusion over chains, and over halves of chains."""
    values = population_draws(data)
    if values is None:
        pooled = population(data)
        size = data["constant_data"].sizes
        none = np.zeros((0, size["true_class"], size["given_class"]))
        return none, none if pooled is None else pooled.mean[None]
    num_chains = data["posterior"].sizes["chain"]
    values = values.reshape(num_chains, -1, *values.shape[1:]).astype(np.float64)
    middle = values.shape[1] // 2
    chains = values.mean(axis=1)
    # Without a sampler the draws have no order in which to swap on the way.
    if {"convergence", "sample_stats"}.isdisjoint(data.children) or middle == 0:
        return chains, chains
    halves = [values[:, :middle].mean(axis=1), values[:, middle:].mean(axis=1)]
    return chains, np.concatenate(halves)


def _gain(likeness: Float[np.ndarray, "K K"]) -> float:
    """Mean gain of the states that the best renaming moves; 0 when it moves none."""
    if not np.isfinite(likeness).all():
        return np.nan
    # No renaming gains where every state has its best name; nor is the solver loaded.
    if (np.diag(likeness) >= likeness.max(1)).all():
        return 0.0
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415

    rows, columns = linear_sum_assignment(likeness, maximize=True)
    moved = rows != columns
    gain = likeness[rows, columns] - np.diag(likeness)
    return float(gain[moved].mean()) if moved.any() else 0.0


def _likeness(
    one: Float[np.ndarray, "K L"], other: Float[np.ndarray, "K L"]
) -> Float[np.ndarray, "K K"]:
    """One less the total variation between each row of one and each of the other."""
    # min(p, q) sums to one less the total variation; row by row it needs no K x K x L.
    return np.stack([np.minimum(row, other).sum(axis=1) for row in one])


def in_time(data: xr.DataTree) -> list[Verdict]:
    """Judge whether the fit did all that it was to do, where its time had an end."""
    if "cut_short" not in data.attrs:
        return []
    cut = json.loads(data.attrs["cut_short"])
    how = (
        f"{len(cut)} steps of the fit were cut short, the last at {cut[-1]}; fit again "
        "with more `max_seconds=`, or without it"
    )
    return [at_most("max_seconds", float(len(cut)), 0.0, how)]


def familiar_annotators(data: xr.DataTree) -> list[Verdict]:
    """Judge whether what was learned of annotators is about those who answered now."""
    if "familiar_annotators" not in data.attrs:
        return []
    name, number = "familiar_annotators", float(data.attrs["familiar_annotators"])
    if number < _FAMILIAR:
        return [cannot_tell(name, _FAMILIAR, data.attrs["warning"], number)]
    return [at_least(name, number, _FAMILIAR, data.attrs["warning"])]


def earlier_fit(data: xr.DataTree) -> list[Verdict]:
    """Judge whether the fit that a prediction takes its parameters from is sound."""
    if "earlier_failed" not in data.attrs:
        return []
    failed = json.loads(data.attrs["earlier_failed"])
    how = (
        f"the earlier fit, whose parameters these are, failed {', '.join(failed)}: "
        "follow its remedies, and predict from the fit that passes"
    )
    return [at_most("earlier_fit", float(len(failed)), 0.0, how)]
