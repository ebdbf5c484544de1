"""Whether the default sampler has converged, on public data and on simulated crowds.

Each set is fitted by `gibbs` for a short time (60 sweeps thrown away, 240 draws kept,
whatever the chains look like) and as it is run by default.

Feeds `docs/reference/benchmarks-other-programs.md`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import crowds
from benchmarks.harness import Report, public_data

TITLE = "Convergence of the default sampler"
MODEL = "correlated_dawid_skene"
SEEDS, CLIP = (0, 1), 1e-3
KINDS = ("accuracy", "prevalence", "P(label)", "confusion")
RULES = ("chains", "equal", "stacking", "package", "pseudo-BMA", "likelihood")
# Width of a 90 % interval whose bounds have one effective draw, in standard errors.
QUANTILE_ERROR = 0.642

NOTES = (
    (
        f"{MODEL} by gibbs, seed 0. short: 60 sweeps thrown away and 240 draws kept, "
        "whatever the chains look like; default: until R-hat is at most "
        "1.05, bulk ESS at least 200 and tail ESS at least 100, or until the limit of "
        "work. R-hat and ESS are the worst of their kind."
    ),
    (
        "quantile error: Monte Carlo error of the bounds of intervals (annotators and "
        "prevalence) over the width, .64 / sqrt(tail ESS), the largest. log-loss of "
        f"the labels as reported, at least {CLIP:g}. The simulated crowds have "
        f"{crowds.ITEMS} items and {crowds.PEOPLE} annotators; two studies of each."
    ),
    (
        "Modes: six chains, left in the explanation that they fell into, where these "
        "are several. Log-loss (raw) with modes weighted by how many chains fell "
        "into each, equally, by stacking of leave-one-response-out, by stacking "
        "shrunk as the weights of models are (the package), by pseudo-BMA (the "
        "exponential of their summed leave-one-response-out), and all of the mode "
        "with the highest likelihood."
    ),
)


def convergence(*, quick: bool, repeats: int) -> Report:
    """Fit every set twice, and once more with all chains left alone."""
    del repeats
    rows, modes = [], []
    for name, frame, truth in _sets(quick=quick):
        rows += [_row(name, how, frame, truth) for how in ("short", "default")]
        modes += _modes(name, frame, truth)
    more = {"Modes": modes} if modes else {}
    return Report(TITLE, rows, NOTES, more)


def _sets(*, quick: bool) -> Iterator[tuple[str, Any, dict[str, str]]]:
    import pandas as pd

    kinds = ["ratings"] if quick else crowds.KINDS
    for kind in kinds:
        for seed in SEEDS[:1] if quick else SEEDS:
            crowd = crowds.KINDS[kind](seed)
            items = sorted(crowd.frame["item"].unique())
            labels = [f"c{place}" for place in crowd.truth]
            yield f"{kind} {seed}", crowd.frame, dict(zip(items, labels, strict=True))
    folder = public_data("crowd", quick=quick)
    for path in sorted(folder.glob("crowd/*/labels.csv")) if folder else ():
        frame = pd.read_csv(path, dtype=str)[["task", "worker", "label"]]
        yield path.parent.name, frame, _gold(path.with_name("truth.csv"))


def _gold(path: Path) -> dict[str, str]:
    import pandas as pd

    if not path.exists():
        return {}
    table = pd.read_csv(path, dtype=str)
    return dict(zip(table.iloc[:, 0], table.iloc[:, 1], strict=True))


def _row(name: str, how: str, frame: Any, truth: dict[str, str]) -> dict[str, Any]:
    from time import process_time

    import consilience as cs

    effort = cs.EngineOptions(draws=240, tune=60) if how == "short" else None
    started = process_time()
    fit = cs.fit(
        frame, model=MODEL, engine="gibbs", effort=effort or cs.EngineOptions()
    )
    diagnostics = fit.diagnostics().set_index("name")
    seconds = process_time() - started
    names = ["rhat", "ess_bulk", "ess_tail"]
    figures = fit.data["convergence"].to_dataset()[names].to_dataframe()
    kind = figures.index.str.split("[").str[0]
    bulk = figures["ess_bulk"].groupby(kind).min()
    tail = figures.loc[kind.isin(["accuracy", "prevalence"]), "ess_tail"].min()
    checks = diagnostics.loc[names, "outcome"]
    return {
        "set": name,
        "run": how,
        "answers": len(frame),
        "R-hat": figures["rhat"].max(),
        **{f"ESS {each}": bulk.get(each) for each in KINDS},
        "tail ESS": figures["ess_tail"].min(),
        "quantile error": QUANTILE_ERROR / tail**0.5,
        "modes": fit.data["convergence"].sizes["mode"],
        "verdict": _worst(checks),
        "log-loss": _loss(fit.labels(), truth),
        "CPU s": seconds,
    }


def _worst(outcomes: Any) -> str:
    order = ["failed", "too little data to tell", "passed"]
    return min(outcomes, key=order.index)


def _loss(labels: Any, truth: dict[str, str]) -> float | None:
    import numpy as np

    if not truth:
        return None
    item, label = labels["item"].astype(str), labels["label"].astype(str)
    right = labels[label == item.map(truth)]
    chance = right.set_index(right["item"].astype(str))["probability"]
    known = [each for each in truth if each in set(item)]
    return float(-np.log(chance.reindex(known).fillna(0).clip(lower=CLIP)).mean())


def _modes(name: str, frame: Any, truth: dict[str, str]) -> list[dict[str, Any]]:
    """Compare weights of modes where all chains stay where they fell."""
    from unittest import mock

    import numpy as np

    import consilience as cs
    from consilience import annotators
    from consilience.inference.engines import gibbs
    from consilience.posterior.leave_one_out import (
        leave_one_response_out,
        shrink_weights,
        stacking_weights,
    )
    from consilience.spaces import space_of

    space, model = space_of(cs.read(frame)), annotators.load(MODEL)
    if len(space.unit) > 20_000 or not truth:
        return []
    effort = cs.EngineOptions(chains=6, draws=360)
    with mock.patch.object(
        gibbs, "better_chains", lambda heights, _: np.arange(heights.shape[1])
    ):
        result = gibbs.fit(model, space, 0, effort)
    mixing = result.mixing
    if mixing is None or len(mixing.weight) < 2:
        return []
    belief, elpd, height = [], [], []
    for mode in range(len(mixing.weight)):
        chains = np.flatnonzero(mixing.mode == mode)
        belief.append(sum(result.moments[chain].belief for chain in chains))
        draws = {key: each[chains] for key, each in result.parameters.items()}
        scored = leave_one_response_out(model, space, draws)
        elpd.append(scored)
        height.append(result.log_likelihood[chains].sum(2, dtype=float).mean())
    total = np.array(elpd) @ space.n
    stacked = stacking_weights(np.stack(elpd), space.n)
    equal = np.full(len(stacked), 1 / len(stacked))
    weights = {
        "equal": equal,
        "package": shrink_weights(
            stacked, np.zeros(len(stacked)), np.ones(len(stacked), bool)
        ),
        "chains": mixing.weight,
        "stacking": stacked,
        "pseudo-BMA": np.exp(total - total.max()),
        "likelihood": np.array(height) == np.max(height),
    }
    states, items = list(map(str, space.states)), list(map(str, space.unit_item))
    known = [
        (place, states.index(truth[item]))
        for place, item in enumerate(items)
        if truth.get(item) in states
    ]
    unit, state = np.array(known).T
    row: dict[str, Any] = {"set": name, "modes": mixing.modes}
    for rule in RULES:
        share = weights[rule] / weights[rule].sum()
        parts = [part / part.sum(1, keepdims=True) for part in belief]
        mixed = np.tensordot(share, parts, 1)
        slot = np.broadcast_to(space.state, mixed.shape)[unit] == state[:, None]
        chance = (mixed[unit] * slot).sum(1)
        row[rule] = float(-np.log(np.maximum(chance, CLIP)).mean())
    row["stacking weights"] = " ".join(f"{each:.2f}" for each in weights["stacking"])
    return [row]
