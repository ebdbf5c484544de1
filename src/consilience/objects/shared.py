r"""What all models of objects share: parameters, and the likelihood of all items.

**Effects of single pairs of labels**, around the prediction of their features:

.. math::

   \xi_{ll'} \sim N(0, \sigma_\xi^2), \qquad \omega_{ll'} \sim N(0, \sigma_\omega^2)

for the pairs of labels that are candidates together of enough items: :math:`\xi` on
the affinity, :math:`\omega` on the log-odds of being synonyms. So laptop and notebook
may be two names of one thing although other labels named together are not. Partial
pooling: what the answers say of a pair counts as far as pairs differ. How far
affinities do is estimated. How far synonyms do is not: with few pairs that the answers
tell apart, the most probable spread is none. It is 2 unless asked otherwise: with 1,
known synonyms of the public study of ImageNet are drawn towards what other pairs of one
superclass are (.17): laptop and notebook have .55 for .89, monitor and screen .74 for
.97.

**All items of named objects at once, for slopes.** The arithmetic is that of
`consilience.objects.label_counts`, but of items end to end, which compiles in a
fraction of the time of a program for each number of candidates; and the number of
objects is not asked: a cell of blocks and allocations is one exponential, and
partitions are sums of products.

**Sums over all partitions whatever their number of objects, with slopes at no cost.**
Where the number of objects is not asked, weights need no logarithms: with :math:`w_B =
e^{\phi_B}`,

.. math::

   Z(U) = \sum_{B \subseteq U,\ \min U \in B} w_B\, Z(U \setminus B), \qquad
   \frac{\partial Z(U)}{\partial w_B} = Z(U \setminus B)

so the recursion of `consilience.objects.partitions`, of products and sums alone, gives
the value and all slopes: every complement of a block is among the subsets.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import log_sigmoid
from jaxtyping import Array, Float, Int

from consilience.model import Parameters, marginal
from consilience.model.varying import sample_random_effects, sample_scale
from consilience.objects.endorsement import log_endorsed, sample_endorsement
from consilience.objects.items import EndToEnd, Items, Takings
from consilience.objects.label_counts import (
    detection_log_odds,
    duplicate_names_by_size,
    log_detected,
    log_prior,
    log_rising_factorial,
    log_rising_factorials,
    log_style_probability,
    num_pairs,
    pseudo_votes,
    sums_by_size,
)
from consilience.objects.partitions import members, pairs_inside, subsets_by_size
from consilience.objects.space import Names
from consilience.truth import Observations
from consilience.truth.arrays import COMPILED, AnyArray, maths

once = COMPILED.once


def totals(
    items: Items, every: EndToEnd, parameters: Parameters, evidence: Float[Array, "A K"]
) -> Float[Array, " U"]:
    """Return log p(answers) of units that have two candidates or more."""
    prior = parameters["objects"] + every.pair @ parameters["affinity"]
    prior += _pair_effects(items, every, parameters, "pairs")
    low, high, names, whole = _rows(items, every, parameters)
    log_weight = prior + _further(evidence[every.unit])[every.owner]
    # What names weigh together is of the size of what is detected: one weighs much
    # where the other weighs little.
    shared = jax.lax.stop_gradient(jnp.logaddexp(*names))
    names = names - shared
    low, high = low + log_weight + shared, high + log_weight + shared
    # Off each block comes what its labels weigh as objects of their own. Then all of
    # them apart weigh one, and the total is no smaller; it is finite up to odds of
    # e^700 against that (in double precision).
    logs = jax.lax.stop_gradient(jnp.stack([jnp.logaddexp(low, high), prior]))
    off = _sum_in_blocks(items, logs[:, every.single], _members)
    weight = jnp.zeros(len(every.row))
    for block, rate in zip((low, high), detection_log_odds(parameters), strict=True):
        logs = _take(block - off[0], every.row)
        weight += _exp(logs + every.elsewhere * log_sigmoid(-rate))
    # Names are synonyms or not whatever the level: another factor of the cell.
    duplicates = jnp.zeros(len(every.row))
    spared = duplicate_names_by_size(parameters, every.labels)[:, every.size, 0]
    for block, none in zip(names, spared, strict=True):
        duplicates += _exp(
            _take(block, every.row) + every.inside * _take(none, every.row)
        )
    weight *= duplicates
    cells = _take(weight, every.cell)
    sums, before = _sums(items, cells, jnp.exp(prior - off[1]))
    styles = log_style_probability(every.item, every.answered, every.most, parameters)
    style = styles.ravel()[every.style] + every.log_multiplicity
    answered = jax.ops.segment_sum(
        sums * jnp.exp(style), every.of_unit, len(every.votes), indices_are_sorted=True
    )
    apart, alone = off[:, every.whole]
    return jnp.log(answered) + apart - jnp.log(before) - alone - whole


def _further(evidence: Float[Array, "U K"]) -> Float[Array, " U"]:
    """Return log odds of each further object, for what is known of their number."""
    share = jax.nn.softmax(evidence, axis=1)
    further = share @ jnp.arange(evidence.shape[1])
    most = jnp.isfinite(evidence).sum(1) - 1
    return jnp.log(further) - jnp.log(most - further)


def _take(
    table: Float[Array, "N ..."], index: Int[AnyArray, " M"]
) -> Float[Array, "M ..."]:
    # Codes are never negative nor too large: told so, XLA drops its checks.
    return (
        once(table).at[index].get(mode="promise_in_bounds", wrap_negative_indices=False)
    )


@jax.custom_jvp
def _exp(logs: Float[Array, " C"]) -> Float[Array, " C"]:
    """Return the exponentials, which XLA would compute again, slowly, for gradients."""
    return once(jnp.exp(logs))


@_exp.defjvp
def _exp_slope(
    logs: tuple[Float[Array, " C"]], towards: tuple[Float[Array, " C"]]
) -> tuple[Float[Array, " C"], Float[Array, " C"]]:
    exponentials = _exp(*logs)
    return exponentials, exponentials * towards[0]


def _rows(
    items: Items, every: EndToEnd, parameters: Parameters
) -> tuple[
    Float[Array, " R"], Float[Array, " R"], Float[Array, "2 R"], Float[Array, " U"]
]:
    """Return log weights of blocks by exhaustive responses, at either detection level.

    Then those of duplicate names, of rivals and of synonyms. Affinity is not among
    them; nor is what a partition bears once, which is last.
    """
    most = every.most
    votes, names = (
        pseudo_votes(every, parameters, what) for what in ("salience", "naming")
    )
    together = _sum_in_blocks(items, jnp.stack([votes, names]), _members)
    taken = _taken(every, every.names, log_rising_factorials(names, most).ravel())
    tables = duplicate_names_by_size(parameters, every.labels)
    synonyms = every.pair @ parameters["synonyms"]
    synonyms += _pair_effects(items, every, parameters, "synonym_pairs")
    synonyms /= num_pairs(every.size)
    duplicates = [
        log_sigmoid(sign * synonyms) + _taken(every, every.duplicates, table.ravel())
        for sign, table in zip((-1, 1), tables, strict=True)
    ]
    alike = (
        log_rising_factorial(together[0], every.main, most)
        - log_rising_factorial(together[1], every.named, most)
        + every.uniform
        + taken
    )
    odds = every.block @ parameters["high_detection"]
    rates = detection_log_odds(parameters)
    endorsed = _log_endorsed(items, jnp.stack(rates), parameters)
    low, high = (
        alike + log_sigmoid(sign * odds) + log_detected(every, rate) + each
        for sign, rate, each in zip((-1, 1), rates, endorsed, strict=True)
    )
    whole = log_rising_factorial(together[0][every.whole], every.votes, most)
    return low, high, jnp.stack(duplicates), whole


def _taken(
    every: EndToEnd, takings: Takings, entries: Float[Array, " E"]
) -> Float[Array, " R"]:
    """Return the sum of the entries of a table that each block takes."""
    return jax.ops.segment_sum(
        takings.times * _take(entries, takings.taken), takings.taker, len(every.main)
    )


def _pair_effects(
    items: Items, every: EndToEnd, parameters: Parameters, name: str
) -> Float[Array, " R"] | float:
    if every.pairs is None or name not in parameters:
        return 0.0
    effect = jnp.append(parameters[name], 0.0)[every.pairs]
    return _sum_in_blocks(items, effect[None], pairs_inside)[0]


def _log_endorsed(
    items: Items, rates: Float[Array, " 2"], parameters: Parameters
) -> Float[Array, "2 #R"]:
    """Return log p(contains answers about the names of a block), at either level."""
    tables = [
        log_endorsed(covariates, rates, parameters) for covariates in items.covariates
    ]
    if any(covariates.exceeds is None for covariates in items.covariates):
        return jnp.zeros((2, 1))
    return jnp.concatenate(
        [table.swapaxes(1, 2).reshape(2, -1) for table in tables], axis=1
    )


@cache
def _members(num_labels: int) -> Float[np.ndarray, "n B"]:
    return members(num_labels).T


def _sum_in_blocks(
    items: Items,
    table: Float[Array, "k S"],
    parts: Callable[[int], Float[np.ndarray, "n B"]],
) -> Float[Array, "k R"]:
    """Return the sums over what is in each block: its labels, or its pairs of them."""
    first, sums = 0, []
    for blocks in items.blocks:
        inside = parts(blocks.num_labels)
        last = first + len(blocks.votes) * len(inside)
        values = table[:, first:last].reshape(len(table), len(inside), -1)
        sums.append((inside.T @ values).reshape(len(table), -1))
        first = last
    return jnp.concatenate(sums, axis=1)


def _sums(
    items: Items, weight: Float[Array, " D"], before: Float[Array, " R"]
) -> tuple[Float[Array, " V"], Float[Array, " U"]]:
    """Return the sums over partitions of allocations, and of units unanswered."""
    answered, prior = [], []
    cell, row = 0, 0
    for blocks in items.blocks:
        num_blocks, ways = 1 << blocks.num_labels, len(blocks.of_unit)
        cells, rows = num_blocks * ways, num_blocks * len(blocks.votes)
        with_answers = weight[cell : cell + cells].reshape(num_blocks, ways)
        without = before[row : row + rows].reshape(num_blocks, -1)
        both = total(jnp.concatenate([with_answers, without], axis=1))
        answered.append(both[:ways])
        prior.append(both[ways:])
        cell, row = cell + cells, row + rows
    return jnp.concatenate(answered), jnp.concatenate(prior)


@jax.custom_jvp
def total(weight: Float[Array, "B V"]) -> Float[Array, " V"]:
    """Return the summed weight of all partitions."""
    return _subset_sums(weight)[-1]


@total.defjvp
def _total_slope(
    weight: tuple[Float[Array, "B V"]], towards: tuple[Float[Array, "B V"]]
) -> tuple[Float[Array, " V"], Float[Array, " V"]]:
    sums = _subset_sums(*weight)
    size = np.bitwise_count(np.arange(len(sums)))
    place = np.argsort(np.argsort(size, kind="stable"))
    slope = sums[place[::-1]].at[0].set(0.0)  # of what is left when the block is taken
    return sums[-1], (slope * towards[0]).sum(0)


def _subset_sums(weight: Float[Array, "B V"]) -> Float[Array, "B V"]:
    """Return the sums over the partitions of every subset, in order of size."""
    num_labels = len(weight).bit_length() - 1
    sums = jnp.ones((1, *weight.shape[1:]), weight.dtype)  # of the empty set

    for block, rest in subsets_by_size(num_labels):

        def add(part: Array, where: tuple[Array, Array]) -> tuple[Array, None]:
            taken, left = where
            return part + weight[taken] * sums[left], None  # noqa: B023 (used at once)

        none = jnp.zeros((len(block), *weight.shape[1:]), weight.dtype)
        pairs = (jnp.asarray(block.T), jnp.asarray(rest.T))
        of_size, _ = jax.lax.scan(add, none, pairs)
        sums = jnp.concatenate([sums, of_size])
    return sums


# What the answers to one item tell of the affinity of a pair, which decides how the
# effects are parametrized and so where the mode lies. It is .01 to .025 on average in
# simulated studies and up to .17; with .02 the mode follows noise (log-loss of same
# object in four studies .675, and .621 with .1).
INFORMATION = 0.1
# Standard deviation of the log-odds of being synonyms. One object of two names that are
# given together, and two objects that are seen together, are much alike: with -4 and
# .5, labels of four simulated studies without synonyms are told apart as well as if
# there could be none (log-loss .621, and .644; .659 with -2 and .5). What many answers
# say goes beyond it: of the public study of ImageNet they say 0.3.
SURE = 0.5
WIDE = 0.7  # standard deviation of the logarithm of the spread; judgement


def sample_shared(observations: Observations, prior: Any, spread: float) -> Parameters:
    """Sample what items share; `spread` is that of single-label responses."""
    items: Items = observations.layout
    names: Names = items.names

    def normals(name: str, centre: Array, scale: float | Array) -> Array:
        normal = dist.Normal(centre, scale).to_event(jnp.ndim(centre))
        return numpyro.sample(name, normal)

    single_label = jnp.array([0.0, np.log(spread)])
    duplicate = jnp.array([[-2.5, np.log(prior.spread)], [0.0, np.log(prior.spread)]])
    votes = jnp.where(jnp.arange(len(names.label)) == 0, -0.5, 0.0)
    quantities = {
        "naming": normals("naming", votes, prior.votes),
        "salience": normals("salience", votes, prior.votes),
        "attraction": normals("attraction", jnp.full(len(names.slope), 0.5), 0.5),
        "objects": normals("objects", jnp.zeros(1), prior.affinity),
        "affinity": normals("affinity", jnp.zeros(len(names.pair)), prior.affinity),
        "high_detection": normals(
            "high_detection", jnp.zeros(len(names.block)), prior.affinity
        ),
        "detection": normals("detection", jnp.array([-1.5, 1.0]), prior.rates),
        "duplicate_name": normals("duplicate_name", duplicate, prior.rates),
        "single_label": normals("single_label", single_label, prior.rates),
        "style": normals("style", jnp.full(len(names.item), 0.5), 0.5),
        **sample_endorsement(names),
    }
    if items.pair_items is not None:
        scale = sample_scale("pairs", prior.pairs, WIDE)
        information = jnp.asarray(INFORMATION * items.pair_items)
        quantities["pairs"] = sample_random_effects("pairs", scale, information)
        if prior.synonym_pairs > 0:
            nothing = jnp.zeros(information.shape)
            effects = normals("synonym_pairs", nothing, prior.synonym_pairs)
            quantities["synonym_pairs"] = effects
    nothing = jnp.zeros(len(names.pair))
    quantities["synonyms"] = normals(
        "synonyms", nothing.at[0].set(prior.synonyms), (nothing + 1).at[0].set(SURE)
    )
    return quantities


def score(observations: Observations, parameters: Parameters) -> Float[AnyArray, "U M"]:
    """Return log p(number of objects, the unit's answers), partitions summed out."""
    items: Items = observations.layout
    answered = [
        sums_by_size(blocks, covariates, parameters)
        for blocks, covariates in zip(items.blocks, items.covariates, strict=True)
    ]
    before = [log_prior(covariates, parameters) for covariates in items.covariates]
    most = observations.num_states
    likelihoods, prior = items.in_order(answered, most), items.in_order(before, most)
    return maths(likelihoods).xp.where(items.observed[:, None], likelihoods, prior)


def likelihood(
    observations: Observations, parameters: Parameters
) -> Float[Array, " U"]:
    """Return log p(the unit's answers): the score, summed."""
    items: Items = observations.layout
    log_prior = observations.log_prior
    if items.end_to_end is None:
        log_prior = jnp.where(jnp.isfinite(log_prior), log_prior, 0.0)
        return marginal(score(observations, parameters) + log_prior)
    rows = [jnp.zeros(1), totals(items, items.end_to_end, parameters, log_prior)]
    likelihoods = jnp.concatenate(rows)[items.place]
    return jnp.where(items.observed, likelihoods, 0.0)
