"""Whether a Markov chain has explored the posterior.

Rank-normalised split R-hat below 1.01 and a bulk effective sample size of at least 100
per chain, over every parameter; no divergence; energy Bayesian fraction of missing
information (E-BFMI) of at least 0.3 in every chain.

References
----------
Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Rank-normalization, folding, and
localization: an improved R-hat, section 4. Betancourt (2016), Diagnosing suboptimal
cotangent disintegrations in Hamiltonian Monte Carlo, section 3.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.checks.verdict import Verdict, at_least, at_most, too_little
from consilience.when_used import xr

_RHAT = 1.01
_ESS_PER_CHAIN = 100
_BFMI = 0.3


def sampling(data: xr.DataTree) -> list[Verdict]:
    """Check the chains of a fit by NUTS.

    Parameters
    ----------
    data
        A fit.

    Returns
    -------
    Verdicts `rhat`, `ess_bulk`, `divergences` and `e_bfmi`; none for a fit without
    chains of a sampler.
    """
    if "sample_stats" not in data.children:
        return []
    names, values = _moving(data["posterior"].to_dataset())
    num_chains = len(values)
    return [
        _rhat(names, values),
        _ess(names, values, num_chains),
        *_trajectories(data["sample_stats"].to_dataset()),
    ]


def _moving(posterior: xr.Dataset) -> tuple[list[str], Float[np.ndarray, "C D P"]]:
    """Each scalar parameter with its name, without those that never move.

    A parameter that has one value in all draws of all chains is fixed by the model (a
    cell that is always zero); it has no R-hat. One that differs between chains moves.
    """
    names, parts = [], []
    for name, variable in posterior.data_vars.items():
        dims = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        flat = variable.transpose("chain", "draw", *dims).to_numpy()
        flat = flat.reshape(*flat.shape[:2], -1).astype(np.float64)
        moves = np.ptp(flat, axis=(0, 1)) != 0
        parts.append(flat[:, :, moves])
        places = itertools.product(*(variable[dim].to_numpy() for dim in dims))
        names += [
            f"{name}[{', '.join(map(str, place))}]" if place else str(name)
            for place, kept in zip(places, moves, strict=True)
            if kept
        ]
    return names, np.concatenate(parts, axis=2)


def _rhat(names: list[str], values: Float[np.ndarray, "C D P"]) -> Verdict:
    if len(values) < 2:
        return too_little(
            "rhat", _RHAT, "one chain cannot be compared; run four (`chains=4`)"
        )
    if not names:
        return at_most(
            "rhat", np.nan, _RHAT, "no parameter moved; report this as a bug"
        )
    with np.errstate(all="ignore"):
        rhat = _statistics().rhat(values, chain_axis=0, draw_axis=1)
    # A chain that stands still beside one elsewhere divides by zero.
    rhat = np.where(np.isfinite(rhat), rhat, np.inf)
    worst = int(rhat.argmax())
    return at_most(
        "rhat",
        rhat[worst],
        _RHAT,
        f"chains disagree, most on {names[worst]}; run longer (`tune=`, `draws=`), or "
        "look at label_switching and for a model with fewer parameters per annotator",
    )


def _ess(
    names: list[str], values: Float[np.ndarray, "C D P"], num_chains: int
) -> Verdict:
    limit = float(_ESS_PER_CHAIN * num_chains)
    if not names:
        return at_least("ess_bulk", np.nan, limit, "no parameter moved")
    with np.errstate(all="ignore"):
        ess = _statistics().ess(values, chain_axis=0, draw_axis=1, method="bulk")
    ess = np.where(np.isfinite(ess), ess, 0.0)
    worst = int(ess.argmin())
    return at_least(
        "ess_bulk",
        ess[worst],
        limit,
        f"too few effective draws, fewest of {names[worst]}; run longer (`draws=`)",
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
