"""Whether Markov chains have explored the posterior.

Of what users read (accuracies, prevalence, confusions, P(label); where a model has no
confusions, its parameters), by `nuts` and `gibbs` alike: rank-normalised split R-hat of
at most 1.05, bulk effective sample size of at least 200 and that of the tails of at
least 100; `inference.mixing` derives these limits. Chains sit in one mode. Of NUTS also
no divergence, and an energy Bayesian fraction of missing information (E-BFMI) of at
least 0.3 in every chain.

Between these limits and half as good (R-hat 1.1, 100 and 50 effective draws, with which
the bounds of intervals are still off by less than a tenth of their width), chains have
not run long enough to tell.

References
----------
Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Rank-normalization, folding, and
localization: an improved R-hat, section 4. Betancourt (2016), Diagnosing suboptimal
cotangent disintegrations in Hamiltonian Monte Carlo, section 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from consilience.checks.verdict import Verdict, at_least, at_most, too_little
from consilience.inference.mixing import BULK, RHAT, TAIL
from consilience.when_used import xr

_RHAT_FAILS = 1.1
_HALF = 0.5  # of the effective draws: with fewer, a check fails
_BFMI = 0.3
_LONGER = "run longer (`draws=`)"


def sampling(data: xr.DataTree) -> list[Verdict]:
    """Check the chains of a fit by NUTS or Gibbs sampling."""
    verdicts = []
    if "convergence" in data.children:
        figures = data["convergence"].to_dataset()
        if not figures.sizes["quantity"]:
            return [at_most("rhat", np.nan, RHAT, "no quantity moved; report this")]
        verdicts = [
            _rhat(figures),
            _effective(figures, "ess_bulk", BULK),
            _effective(figures, "ess_tail", TAIL),
            _modes(figures),
        ]
    if "sample_stats" in data.children:
        verdicts += _trajectories(data["sample_stats"].to_dataset())
    return verdicts


def _rhat(figures: xr.Dataset) -> Verdict:
    rhat = figures["rhat"].to_numpy()
    if figures.sizes["chain"] < 2:
        return too_little(
            "rhat", RHAT, "one chain cannot be compared; run four (`chains=4`)"
        )
    worst = int(rhat.argmax())
    name, lowest, highest = (
        figures[each].to_numpy()[worst] for each in ("quantity", "lowest", "highest")
    )
    where = (
        f"chains disagree, most on {name}, which is {lowest:.2f} on average in one "
        f"chain and {highest:.2f} in another"
    )
    if RHAT < rhat[worst] <= _RHAT_FAILS:
        return too_little("rhat", RHAT, f"{where}; {_LONGER}", rhat[worst])
    advice = f"{where}; {_LONGER}, or look at modes and label_switching"
    return at_most("rhat", rhat[worst], RHAT, advice)


def _effective(figures: xr.Dataset, name: str, limit: float) -> Verdict:
    effective = figures[name].to_numpy()
    effective = np.where(np.isfinite(effective), effective, 0.0)
    worst = int(effective.argmin())
    of_worst = figures["quantity"].to_numpy()[worst]
    advice = f"too few effective draws, fewest of {of_worst}; {_LONGER}"
    if _HALF * limit <= effective[worst] < limit:
        return too_little(name, limit, advice, effective[worst])
    return at_least(name, effective[worst], limit, advice)


def _modes(figures: xr.Dataset) -> Verdict:
    weights = figures["mode_weight"].to_numpy()
    shares = ", ".join(f"{weight:.2f}" for weight in weights)
    return at_most(
        "modes",
        float(len(weights)),
        1.0,
        f"the answers have several explanations: {figures.attrs['modes']}; each is "
        f"weighted by how well it predicts answers ({shares}); give some gold labels "
        "(`gold=`) to tell which is right",
    )


def _trajectories(stats: xr.Dataset) -> list[Verdict]:
    verdicts = []
    if "diverging" in stats:
        verdicts.append(
            at_most(
                "divergences",
                float(stats["diverging"].sum()),
                0.0,
                "the sampler diverged in a region of the posterior, which the draws "
                "miss; tune longer (`tune=`) or choose a model with "
                "stronger priors",
            )
        )
    if "energy" in stats:
        energy = stats["energy"].transpose("chain", "draw").to_numpy()
        with np.errstate(all="ignore"):
            bfmi = _statistics().bfmi(
                energy.astype(np.float64), chain_axis=0, draw_axis=1
            )
        verdicts.append(
            at_least(
                "e_bfmi",
                float(np.min(bfmi)),
                _BFMI,
                "the sampler moves slowly between energies, so tails are poorly "
                "explored; "
                "tune longer (`tune=`) or choose a model with stronger priors",
            )
        )
    return verdicts


def _statistics() -> Any:
    # Imported only where chains are checked: it takes a second. It says that it is
    # typed; these functions are not.
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]  # noqa: PLC0415

    return array_stats
