r"""Whether a sampler has run long enough for the quantities that users read.

These are the accuracies of annotators, the prevalence, the confusions, and P(label) of
items that are not all but decided; where a model has no confusions, its parameters.
Latent parameters are not judged: where an annotator answered little, skill and habit
trade places slowly while all that is reported stands still.

R-hat is at most 1.05 (a posterior that is 1.05 times as wide if all chains are taken
for one). A bulk effective sample size of 200 leaves an error of the mean of
:math:`1 / \sqrt{200} = .07` posterior standard deviations. The 5 % quantile of a normal
distribution with S effective draws has a standard error of
:math:`\sqrt{.05 \cdot .95 / S} / \phi(1.645) = 2.11 / \sqrt S` standard deviations, and
a 90 % interval is 3.29 wide: with 100 effective draws in the tails the error is
:math:`.64 / \sqrt{100} = .064` widths, below the tenth that is allowed, which 41 reach.

References
----------
Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021), Rank-normalization, folding, and
localization: an improved R-hat, section 4.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from consilience.convergence import convergence
from consilience.model import DIMS, Model
from consilience.truth import ContainsSpace, Space

RHAT, BULK, TAIL = 1.05, 200.0, 100.0
DECIDED = 0.95  # P(label) from which on an item counts as all but decided
# Quantities of a kind that are looked at closely: those whose chains differ most.
MOST = 200


@dataclass(frozen=True, slots=True, eq=False)
class Mixing:
    """How well the chains mixed, quantity by quantity."""

    quantity: Shaped[np.ndarray, " P"]
    rhat: Float[np.ndarray, " P"]
    ess_bulk: Float[np.ndarray, " P"]
    ess_tail: Float[np.ndarray, " P"]
    lowest: Float[np.ndarray, " P"]
    highest: Float[np.ndarray, " P"]
    mode: Int[np.ndarray, " C"]
    weight: Float[np.ndarray, " M"]
    modes: str = ""

    @property
    def enough(self) -> bool:
        """Whether all quantities reach the limits."""
        reached = (self.ess_bulk >= BULK) & (self.ess_tail >= TAIL)
        return bool((reached & (self.rhat <= RHAT)).all())


def judge(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "C D *shape"]],
    labels: Float[np.ndarray, "C D V"],
    units: Int[np.ndarray, " V"],
) -> Mixing:
    """Compute R-hat and effective sample sizes of what users read."""
    names: list[str] = []
    figures = []
    for name, draws, axes in _quantities(model, space, parameters, labels, units):
        flat = draws.reshape(*draws.shape[:2], -1)
        kept = _differing_most(flat)
        places = np.stack(np.unravel_index(kept, draws.shape[2:] or (1,)), 1)
        names += [_called(name, axes, place) for place in places]
        mean = flat[:, :, kept].mean(1, dtype=float)
        figures.append((*convergence(flat[:, :, kept]), mean.min(0), mean.max(0)))
    rhat, bulk, tail, lowest, highest = (
        np.concatenate(each) for each in zip(*figures, strict=True)
    )
    if len(labels) > 1:
        # A chain that stands still beside one elsewhere divides by zero.
        rhat = np.where(np.isfinite(rhat), rhat, np.inf)
    return Mixing(
        np.array(names, object),
        rhat,
        bulk,
        tail,
        lowest,
        highest,
        np.zeros(len(labels), int),
        np.ones(1),
    )


def undecided(
    belief: Float[np.ndarray, "U S"],
) -> tuple[Int[np.ndarray, " V"], Int[np.ndarray, " V"]]:
    """Return the units that are least decided, and the most probable state of each.

    At most `MOST`, whose draws are kept: 4 bytes for each unit and draw.
    """
    top = belief.max(1)
    order = np.argsort(top, kind="stable")[:MOST]
    units = np.sort(order[top[order] < DECIDED])
    return units, belief[units].argmax(1)


def _quantities(
    model: Model[Any],
    space: Space,
    parameters: Mapping[str, Shaped[np.ndarray, "C D *shape"]],
    labels: Float[np.ndarray, "C D V"],
    units: Int[np.ndarray, " V"],
) -> Iterator[tuple[str, Shaped[np.ndarray, "C D *shape"], tuple[Any, ...]]]:
    """Give each kind of quantity: its name, its draws, and the names along its axes."""
    along = {
        "annotator": space.annotators,
        "true_class": space.states,
        "given_class": space.answers,
    }
    dims = {**DIMS, **model.dims, "accuracy": ("annotator",)}
    rows = ("annotator", "true_class", "given_class")
    read = dict(parameters)
    if "confusion" in read and dims["confusion"] == rows:
        confusion = read["confusion"]
        prevalence = read.get("mean_prior", read.get("prevalence"))
        if prevalence is None:
            prevalence = np.full((1, 1, confusion.shape[3]), 1 / confusion.shape[3])
        prevalence = np.broadcast_to(
            prevalence, (*confusion.shape[:2], confusion.shape[3])
        )
        accuracy = np.einsum("cdk,cdjkl,lk->cdj", prevalence, confusion, space.votes)
        read = {
            "accuracy": accuracy,
            "prevalence": prevalence,
            "confusion": confusion,
        }
    for name, draws in read.items():
        axes = tuple(
            along.get(axis, range(size))
            for axis, size in zip(dims[name], draws.shape[2:], strict=True)
        )
        yield name, draws, axes
    items = [str(space.unit_item[unit]) for unit in units]
    if isinstance(space, ContainsSpace):
        items = [
            f"{item}, {label}"
            for item, label in zip(items, space.unit_label[units], strict=True)
        ]
    yield "P(label)", labels, (items,)


def _called(name: str, axes: tuple[Any, ...], place: Int[np.ndarray, " A"]) -> str:
    words = [str(names[at]) for names, at in zip(axes, place, strict=False)]
    return f"{name}[{', '.join(words)}]" if words else name


def _differing_most(draws: Shaped[np.ndarray, "C D P"]) -> Int[np.ndarray, " V"]:
    """Return the quantities with the largest R-hat of halves, without ranks.

    Those that have one value in all draws of all chains are fixed by the model.
    """
    moving = np.flatnonzero(np.ptp(draws, axis=(0, 1)) > 0)
    half = draws.shape[1] // 2
    if len(moving) <= MOST or half < 2:
        return moving[:MOST]
    halves = np.concatenate([draws[:, :half, moving], draws[:, -half:, moving]])
    within = halves.var(1, dtype=float).mean(0)
    between = halves.mean(1, dtype=float).var(0)
    ratio = between / np.maximum(within, np.finfo(float).tiny)
    return np.sort(moving[np.argsort(-ratio, kind="stable")[:MOST]])
