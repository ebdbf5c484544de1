"""Hierarchical Dawid-Skene by NUTS: smallest effective sample size per second.

Beside the same model under NumPyro's own enumeration, run by NumPyro's own sampler.
"""

import os
from functools import partial
from pathlib import Path

from benchmarks.measure import Clock, Figures, alone, in_turn
from benchmarks.report import Report

PEER = "NumPyro, enumerated and padded"
OURS = "consilience nuts"
CHAINS = 4
EFFORT = {"tune": 1000, "draws": 1000}
# Effective draws per second are compared, so fewer will do; much fewer, and the peer's
# warm-up is too short to reach the posterior.
PEER_EFFORT = {"tune": 300, "draws": 300}
QUICK = {"tune": 50, "draws": 50}
SHARED = ("prevalence", "population", "spread", "confusion")

NOTES = (
    (
        "Data: crowd/rte (8,000 answers, 800 items, 164 annotators). Four parallel "
        "chains, double precision; target acceptance 0.9 for consilience and 0.8 for "
        "the other program, their defaults; the other program has fewer warm-up "
        "steps and draws, because effective draws per second are compared. Both "
        "start at prior medians, at which the labels are identified."
    ),
    (
        "Smallest bulk ESS over every scalar of prevalence, population, scale and "
        "all confusion matrices, which both programs report; `with distances` adds "
        "each program's own standardized annotator effects, the coordinates it "
        "samples in."
    ),
    (
        "Sampling seconds: warm-up and draws, without compilation. Whole: the total "
        "waiting time; for consilience including the posterior of every item's truth, "
        "log-likelihoods and checks, which the other program does not compute."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Measure."""
    arguments = {"path": data("rte"), "chains": 2 if quick else CHAINS}
    calls = {OURS: ("ours", QUICK if quick else EFFORT)}
    if not quick:
        calls[PEER] = ("peer", PEER_EFFORT)
    taken = in_turn(
        {
            name: partial(alone, ("benchmarks.nuts", function, {**arguments, **effort}))
            for name, (function, effort) in calls.items()
        },
        1 if quick else min(repeats, 2),
    )
    rows = [_row(name, figures, taken.get(PEER)) for name, figures in taken.items()]
    return Report("Hierarchical Dawid-Skene by NUTS on crowd/rte", rows, NOTES)


def data(name: str) -> str:
    """Return the folder of a public data set."""
    return str(Path(os.environ.get("CONSILIENCE_DATA", "data"), "crowd", name))


def ours(path: str, tune: int, draws: int, chains: int) -> Figures:
    """Fit by consilience."""
    import consilience as cs
    from benchmarks.fits import compiling
    from consilience.fitting import fit
    from consilience.inference import EngineOptions

    responses = cs.read(path) if Path(path).exists() else cs.simulate().responses
    spent, clock = compiling(), Clock()
    effort = EngineOptions(tune=tune, draws=draws, chains=chains)
    with clock.timed():
        fitted = fit(
            responses, model="logistic_dawid_skene", engine="nuts", effort=effort
        )
    posterior = {
        name: value.to_numpy() for name, value in fitted.data["posterior"].items()
    }
    stats = fitted.data["sample_stats"]
    return _figures(
        clock, sum(spent), posterior, stats["diverging"], stats["num_steps"]
    )


def peer(path: str, tune: int, draws: int, chains: int) -> Figures:
    """Fit by NumPyro."""
    import jax
    import numpyro
    from numpyro.infer import MCMC, NUTS
    from numpyro.infer.initialization import init_to_median

    import consilience as cs
    from benchmarks.enumerated import model, rectangle
    from benchmarks.fits import compiling
    from consilience.spaces import space_of

    numpyro.enable_x64()
    space = space_of(cs.read(path))
    cells = rectangle(space.unit, space.annotator, space.answer)
    spent, clock = compiling(), Clock()
    with clock.timed():
        kernel = NUTS(model, init_strategy=init_to_median(num_samples=15))
        sampler = MCMC(
            kernel,
            num_warmup=tune,
            num_samples=draws,
            num_chains=chains,
            chain_method="vectorized",
            progress_bar=False,
        )
        sampler.run(
            jax.random.key(0),
            *cells,
            num_annotators=len(space.annotators),
            num_classes=len(space.states),
            extra_fields=("diverging", "num_steps"),
        )
        posterior = jax.tree.map(
            jax.device_get, sampler.get_samples(group_by_chain=True)
        )
    stats = sampler.get_extra_fields(group_by_chain=True)
    return _figures(
        clock, sum(spent), posterior, stats["diverging"], stats["num_steps"]
    )


def _figures(clock, compiling, posterior, diverging, steps) -> Figures:
    shared = [posterior[name] for name in SHARED]
    ess, rhat = _worst(shared)
    every, _ = _worst([*shared, posterior["distance"]])
    smallest = min((_worst([posterior[name]])[0], name) for name in SHARED)
    return {
        **clock.figures,
        "compile_seconds": compiling,
        "ess": ess,
        "worst_is": smallest[1],
        "ess_with_distances": min(every, ess),
        "rhat": rhat,
        "divergences": int(diverging.sum()),
        "steps": float(steps.mean()),
        "draws": int(posterior["spread"].shape[1]),
    }


def _worst(arrays):
    import numpy as np
    from arviz_stats.base import array_stats  # type: ignore[attr-defined]

    flat = np.concatenate(
        [np.asarray(a, float).reshape(*a.shape[:2], -1) for a in arrays], -1
    )
    flat = flat[..., np.ptp(flat, axis=(0, 1)) > 0]
    options = {"chain_axis": 0, "draw_axis": 1}
    ess = array_stats.ess(flat, method="bulk", **options)
    rhat = array_stats.rhat(flat, **options)
    return float(np.min(ess)), float(np.max(rhat))


def _row(name, figures, peer):
    sampling = figures["seconds"] - figures["compile_seconds"]
    row = {
        "program": name,
        "draws a chain": figures["draws"],
        "whole s": figures["seconds"],
        "compiling s": figures["compile_seconds"],
        "CPU seconds": figures["cpu_seconds"],
        "steps a draw": figures["steps"],
        "smallest bulk ESS": figures["ess"],
        "of": figures["worst_is"],
        "with distances": figures["ess_with_distances"],
        "R-hat": figures["rhat"],
        "divergences": figures["divergences"],
        "ESS/s sampling": figures["ess"] / sampling,
        "ESS/s whole": figures["ess"] / figures["seconds"],
    }
    if peer:
        theirs = peer["seconds"] - peer["compile_seconds"]
        row["times, sampling"] = row["ESS/s sampling"] / (peer["ess"] / theirs)
        row["times, whole"] = row["ESS/s whole"] / (peer["ess"] / peer["seconds"])
    return row
