r"""The latent trait on nodes: probabilities of answers there, and of presence.

Arithmetic of the model `contains`, whose parameters it takes by name.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import log_sigmoid, sigmoid, softmax
from jax.scipy.special import betainc, xlogy
from jaxtyping import Array, Float, Shaped

from consilience.model import Model, belief, from_draw, lay_out, score, thin
from consilience.model.contract import Parameters
from consilience.programs import double_precision
from consilience.truth import ContainsSpace, Observations

MIN_PROBABILITY = 1e-12  # of a probability
MIN_SLOPE = 0.2  # of log-odds in the trait
ALMOST = 1e-3  # nats: cuts that tell so much less than the best one count 1 / e


def answer_tables(parameters: Parameters) -> Float[Array, "J G L T"]:
    """Return log p(answer | appearance) of each annotator in each group of labels."""
    low, high = log_odds(parameters)
    maybe = jnp.log(jnp.maximum(sigmoid(low) - sigmoid(high), MIN_PROBABILITY))
    looked = jnp.stack([log_sigmoid(-low), maybe, log_sigmoid(high)], 2)
    lapse = parameters["lapse"][:, None, None, None]
    blind = log_sigmoid(lapse) - np.log(looked.shape[2])
    return jnp.logaddexp(log_sigmoid(-lapse) + looked, blind)


def log_odds(
    parameters: Parameters,
) -> tuple[Float[Array, "J G T"], Float[Array, "J G T"]]:
    """Return the log-odds of at least *maybe*, and of *yes*, at each node."""
    slope, width = (parameters[name][:, None, None] for name in ("slope", "width"))
    away = parameters["node"] - parameters["threshold"][:, :, None]
    return slope * (away + width), slope * (away - width)


def mixture(
    parameters: Parameters, shift: Float[Array, "H G M"]
) -> Float[Array, "H G M T"]:
    """Return p(trait) of components whose means are shifted, the upper one last."""
    node = parameters["node"]
    which = np.repeat([0, 1], [len(shift) - 1, 1])
    means = parameters["means"][which][:, :, None] + shift
    width = deviations(parameters)[which, None, None, None]
    return softmax(-0.5 * ((node - means[..., None]) / width) ** 2, 3)


def deviations(parameters: Parameters) -> Float[Array, " 2"]:
    """Return the standard deviations of the components on the nodes.

    They are no narrower than half a cell of nodes: else the optimizer could end between
    two.
    """
    node, apart = parameters["node"], parameters["scale_ratio"] / 2
    scale = parameters["scale"] * jnp.exp(jnp.stack([-apart, apart]))
    return jnp.hypot(scale, (node[1] - node[0]) / 2)


class Readings(NamedTuple):
    """What makes a label present, for each group of labels, given the trait."""

    slope: Float[Array, " G"]
    boundary: Float[Array, " G"]
    cut: Float[Array, " G"]
    informative: Float[Array, " G"]


def readings(tables: Float[Array, "J G L T"], parameters: Parameters) -> Readings:
    """Return what the components and the annotators say of presence."""
    means, width = parameters["means"], deviations(parameters)
    # The log-odds of the upper component are a parabola in the trait, here around the
    # middle of the means; it crosses zero on its way up.
    half = (means[1] - means[0]) / 2
    lower, upper = 1 / width**2
    bend = (lower - upper) / 2
    middle = half * (lower + upper)
    level = parameters["share"] + jnp.log(width[0] / width[1]) + bend * half**2
    slope = jnp.sqrt(jnp.maximum(middle**2 - 4 * bend * level, MIN_SLOPE**2))
    boundary = means.mean(0) - 2 * level / jnp.maximum(middle + slope, MIN_SLOPE)
    wide = jnp.hypot(width, parameters["item"])[:, None, None]
    parts = softmax(-0.5 * ((parameters["node"] - means[:, :, None]) / wide) ** 2, 2)
    share = sigmoid(jnp.stack([-parameters["share"], parameters["share"]]))
    joint = jnp.maximum(share[:, None, None] * parts, MIN_PROBABILITY)
    density = joint.sum(0)
    unknown = xlogy(density, density).sum(1) - xlogy(joint, joint).sum((0, 2))
    relative = 1 - unknown / -xlogy(share, share).sum()
    informative = (1 - relative**2) ** 4
    cut = most_informative(tables, parameters, density)
    return Readings(slope, boundary, cut, informative)


def most_informative(
    tables: Float[Array, "J G L T"],
    parameters: Parameters,
    density: Float[Array, "G T"],
) -> Float[Array, " G"]:
    """Return the trait above which being present tells most about an answer.

    The mutual information with the answer of an annotator drawn at random is the
    largest there; cuts that tell almost as much are averaged.
    """
    answers = jnp.einsum("j,jglt->glt", parameters["asked"], jnp.exp(tables))
    joint = answers * density[:, None]
    above = jnp.flip(jnp.flip(joint, 2).cumsum(2), 2)
    both = jnp.stack([joint.sum(2, keepdims=True) - above, above])
    both = jnp.maximum(both, MIN_PROBABILITY)
    state = both.sum(2)
    # Mutual information, less the entropy of answers, which is the same for all cuts.
    information = xlogy(both, both).sum((0, 2)) - xlogy(state, state).sum(0)
    weight = softmax(information / ALMOST, axis=1)
    node = parameters["node"]
    return weight @ (node - (node[1] - node[0]) / 2)


def presence(
    tables: Float[Array, "J G L T"], parameters: Parameters, away: Float[Array, " M"]
) -> Float[Array, "G M 2 T"]:
    """Return p(absent) and p(present) at each node, if so much of the trait is excused.

    Where a panel is asked, present is what at least half of it endorse; a tie endorses.
    """
    node = parameters["node"] - away[:, None]
    if "panel" in parameters:
        present = _endorsed({**parameters, "node": node[0]})[:, None]
        present = jnp.broadcast_to(present, (len(present), *node.shape))
    else:
        slope, boundary, cut, informative = readings(tables, parameters)
        slope = (slope * parameters["sharpness"])[:, None, None]
        moved = node[None] - parameters["cut"]
        of_state, of_cut = (
            sigmoid(slope * (moved - place[:, None, None])) for place in (boundary, cut)
        )
        informative = parameters.get("informative", informative)[..., None, None]
        present = (1 - informative) * of_state + informative * of_cut
        present = parameters["contrary"] + (1 - 2 * parameters["contrary"]) * present
    both = jnp.stack([1 - present, present], 2)
    return jnp.clip(both, MIN_PROBABILITY, 1 - MIN_PROBABILITY)


def _endorsed(parameters: Parameters) -> Float[Array, "G T"]:
    """Return p(at least half of a panel endorse), a maybe being worth a part of one."""
    answers = jnp.exp(answer_tables(parameters))
    _, maybe, yes = jnp.einsum("j,jglt->lgt", parameters["asked"], answers)
    endorsed = jnp.clip(yes + parameters["maybe"] * maybe, 0.0, 1.0)
    panel = jax.lax.stop_gradient(parameters["panel"])
    half = jnp.ceil(panel / 2)
    return betainc(half, panel - half + 1, endorsed)


def share_present(
    tables: Float[Array, "J G L T"], parameters: Parameters, weight: Float[Array, "G T"]
) -> Float[Array, " V"]:
    """Return the share of pairs that are present, by each of `MEANINGS`."""
    panels = [{"panel": jnp.asarray(6.0), "maybe": jnp.asarray(w)} for w in (1, 0.5, 0)]
    changed: list[Parameters] = [{}, *panels]
    if "panel" not in parameters:
        alone = {"contrary": jnp.zeros(())}
        parts = [{**alone, "informative": jnp.full(1, w)} for w in (0.0, 1.0)]
        changed = [{}, *parts, *panels]
    shares = [
        (presence(tables, {**parameters, **each}, jnp.zeros(1))[:, 0, 1] * weight).sum()
        for each in changed
    ]
    if "panel" in parameters:
        shares[1:1] = [jnp.full((), jnp.nan)] * 2
    return jnp.stack(shares) / weight.sum()


def relative_information(
    present: Float[Array, " U"], share: Float[Array, " U"], joint: Float[Array, "2 L"]
) -> Float[Array, ""]:
    """Return the information of covariates about presence, in answers of one annotator.

    Both are mutual information with presence: of the covariates, and of one answer of
    an annotator drawn at random, without them.
    """

    def entropy(share: Float[Array, "... _"]) -> Float[Array, "..."]:
        return -(share * jnp.log(jnp.clip(share, MIN_PROBABILITY))).sum(-1)

    prior = jnp.stack([1 - present, present], 1)
    mutual_information = entropy(share @ prior) - share @ entropy(prior)
    joint = joint / joint.sum()
    answer = entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint.ravel())
    return mutual_information / jnp.maximum(answer, MIN_PROBABILITY)


def traits(
    model: Model[Any],
    space: ContainsSpace,
    parameters: Mapping[str, Shaped[np.ndarray, "chain draw ..."]],
    most: int,
) -> Iterator[tuple[Float[np.ndarray, "U T"], Float[np.ndarray, "J G L T"]]]:
    """Give the posterior of each pair's trait, and p(answer | trait), by draws."""
    with double_precision():
        observations = lay_out(model, space)
    for draw in thin(parameters, most):
        with double_precision():
            trait, answers = map(np.asarray, _trait(model, observations, dict(draw)))
        yield trait, answers


@partial(jax.jit, static_argnames="model")
def _trait(model: Model[Any], observations: Observations, draw: Any) -> tuple[Any, Any]:
    """Return the posterior of the trait of each pair, and p(answer | trait)."""
    ran = from_draw(model, observations, draw)
    beliefs = belief(score(ran, observations))
    of_pairs: Any = ran.answers
    answers = jax.numpy.exp(answer_tables(of_pairs.parameters))
    return beliefs.reshape(len(beliefs), -1, answers.shape[-1]).sum(1), answers
