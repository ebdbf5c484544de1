"""Modes: chains that sit in different explanations of the answers, and their weights.

Two chains sit in different modes if a number that describes the population (the
prevalence of a label, how often a typical answer to it is another) differs by .05 or
more, and by more than four of the standard deviations that it has within chains. Draws
of two normal distributions so far apart overlap by less than a twentieth
(2 Phi(-2) = .046). A chain
that is linked to another one through a third sits in the same mode.

How many chains fell into a mode says where they started, not how probable it is.
`weigh` gives modes other weights.

References
----------
Yao, Vehtari and Gelman (2022), Stacking for non-mixing Bayesian computations: the curse
and blessing of multimodal posteriors, section 2.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from consilience.inference.augmentation import believed
from consilience.inference.mixing import Mixing
from consilience.inference.result import Moments, Result
from consilience.model import PREVALENCE, Model
from consilience.truth import Space

APART, READ = 4.0, 0.05  # standard deviations within chains; and as it is read


def described(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "C D *shape"]],
    mixing: Mixing,
) -> Mixing:
    """Find the modes, and in which quantity they differ."""
    confusion = parameters.get("confusion")
    axes = model.dims(space)["confusion"]
    if confusion is None or axes[0] != "annotator":
        return mixing
    chains, draws = confusion.shape[:2]
    size = np.bincount(space.annotator, space.n, space.num_annotators)
    typical = np.einsum("cdjkl,j->cdkl", confusion, size / size.sum())
    numbers = [typical.reshape(chains, draws, -1)]
    names = [f"confusion[{k}, {y}]" for k in space.states for y in space.answers]
    if PREVALENCE in parameters and parameters[PREVALENCE].ndim == 3:
        numbers.insert(0, parameters[PREVALENCE])
        names = [f"prevalence[{k}]" for k in space.states] + names
    of_chains = np.concatenate(numbers, 2)
    mean, variance = of_chains.mean(1, dtype=float), of_chains.var(1, dtype=float)
    pooled_sd = np.sqrt((variance[:, None] + variance) / 2)
    gap = np.abs(mean[:, None] - mean)
    distance = np.where(gap >= READ, gap / np.maximum(pooled_sd, 1e-12), 0.0)
    mode = _linked(distance.max(2) <= APART)
    number = int(mode.max()) + 1
    if number < 2:
        return mixing
    centre = np.stack([mean[mode == each].mean(0) for each in range(number)])
    between = distance * (mode[:, None] != mode)[:, :, None]
    # Of numbers that are far apart, the one that differs most as it is read.
    differs = np.where(between.max((0, 1)) > APART, np.ptp(centre, axis=0), 0)
    worst = int(differs.round(6).argmax())
    count = np.bincount(mode)
    values = " and ".join(
        f"{centre[each, worst]:.2f} in {count[each]} of {chains} chains"
        for each in range(number)
    )
    return replace(
        mixing, mode=mode, weight=count / chains, modes=f"{names[worst]} is {values}"
    )


def pooled(result: Result, prob: float) -> Result:
    """Return the result with the truth as its chains have it, weighted by mode."""
    weight = _of_chains(result)
    sums = Moments(
        *(
            sum(each * part for each, part in zip(weight, parts, strict=True))
            for parts in zip(*result.moments, strict=True)
        )
    )
    return replace(result, **believed(sums, result.sweeps, prob))


def weigh(result: Result, weight: Float[np.ndarray, " M"], prob: float) -> Result:
    """Return the result with modes weighted, as draws that count alike."""
    mixing = result.mixing
    if mixing is None:
        return result
    result = replace(result, mixing=replace(mixing, weight=weight))
    chains, draws = next(iter(result.parameters.values())).shape[:2]
    share = _of_chains(result)
    ends = np.rint(np.cumsum(share) * chains * draws).astype(int)
    numbers = np.diff(ends, prepend=0)
    kept = np.concatenate(
        [
            chain * draws + np.floor((np.arange(number) + 0.5) * draws / number)
            for chain, number in enumerate(numbers)
            if number
        ]
    ).astype(int)

    def drawn(values: Shaped[np.ndarray, "C D *shape"]) -> Any:
        return values.reshape(-1, *values.shape[2:])[kept].reshape(values.shape)

    units = result.log_likelihood
    return pooled(
        replace(
            result,
            parameters={
                name: drawn(values) for name, values in result.parameters.items()
            },
            log_likelihood=None if units is None else drawn(units),
        ),
        prob,
    )


def _of_chains(result: Result) -> Float[np.ndarray, " C"]:
    mixing = result.mixing
    if mixing is None:
        return np.full(len(result.moments), 1 / len(result.moments))
    return (mixing.weight / np.bincount(mixing.mode))[mixing.mode]


def _linked(near: Shaped[np.ndarray, "C C"]) -> Int[np.ndarray, " C"]:
    """Give linked chains a common number, in the order of their first ones."""
    reached = near | near.T
    for _ in range(len(near)):
        reached = (reached.astype(int) @ reached) > 0
    _, mode = np.unique(reached.argmax(1), return_inverse=True)
    return mode
