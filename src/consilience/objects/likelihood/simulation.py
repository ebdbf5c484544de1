"""Simulate answers of the model of objects, given the partitions."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from scipy.special import expit, logit, softmax

from consilience.model import Parameters, Simulated
from consilience.objects.layout.block_counts import Blocks
from consilience.objects.layout.contains_counts import endorsed_share
from consilience.objects.layout.covariate_names import Names
from consilience.objects.layout.covariates import BlockCovariates
from consilience.objects.layout.items import Items
from consilience.objects.layout.partitions import enumerated
from consilience.objects.likelihood.by_annotator import single_label_log_odds
from consilience.objects.likelihood.endorsement import (
    draw_endorsements,
    endorsement_log_odds,
)
from consilience.objects.likelihood.label_counts import (
    affinities,
    detection_log_odds,
    duplicate_name_weights,
    pseudo_votes,
    style_beta,
    synonym_log_odds,
)
from consilience.truth import Observations
from consilience.truth.named import MAX_LABELS


def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw a partition for each item, and answers about its objects.

    An answer is coded as its main label's place, times 1,024, plus the candidates that
    it names, as bits. Where candidates were asked about, `said` holds how many say no,
    maybe and yes.
    """
    seed = jax.random.bits(key).item()
    answer, objects, state, contains_counts = simulate_items(
        observations.layout, parameters, seed
    )
    substates = {"object_of": jnp.asarray(objects)}
    if observations.layout.names.endorsement:
        substates["said"] = jnp.asarray(contains_counts)
    return Simulated(substates, state, answer)


@dataclass(frozen=True, slots=True)
class _Item:
    """One item: its objects as places of labels, and what annotators make of them.

    `contains_counts` are those drawn where labels were asked about, else zero. The
    probabilities of detection, and the pull towards a single label, are in log-odds.
    """

    objects: list[list[int]]
    salience: Float[np.ndarray, " k"]
    shares: list[Float[np.ndarray, " _"]]
    detection: Float[np.ndarray, " k"]
    pull: float
    duplicate: Float[np.ndarray, "k 2"]
    contains_counts: Int[np.ndarray, "n 3"]


def simulate_items(
    items: Items, parameters: Parameters, seed: int
) -> tuple[
    Int[Array, " N"], Int[np.ndarray, "U C"], Int[Array, " U"], Int[np.ndarray, "U C 3"]
]:
    """Draw as many answers about each item as were given."""
    generator = np.random.default_rng(seed)
    units = len(items.place)
    objects = np.full((units, MAX_LABELS), -1)
    objects[:, 0] = 0
    contains_counts = np.zeros((*objects.shape, 3), np.int64)
    number = np.asarray(items.answered)
    who, picking, recall = _effects(items, parameters)
    answers = [np.full(n, (0 << MAX_LABELS) + 1) for n in number]
    for blocks, covariates in zip(items.blocks, items.covariates, strict=True):
        for row, unit in enumerate(np.asarray(blocks.unit)):
            item = _item(blocks, covariates, items.names, parameters, row, generator)
            contains_counts[unit, : len(item.contains_counts)] = item.contains_counts
            for place, labels in enumerate(item.objects):
                objects[unit, labels] = place
            answers[unit] = np.array(
                [_answer(item, picking[j], recall[j], generator) for j in who[unit]],
                np.int64,
            )
    return (
        jnp.asarray(np.concatenate(answers)),
        objects,
        jnp.asarray(objects.max(1)),
        contains_counts,
    )


def _effects(
    items: Items, parameters: Parameters
) -> tuple[
    list[Int[np.ndarray, " _"]], Float[np.ndarray, " J"], Float[np.ndarray, " J"]
]:
    """Return who answered about each item, and the effects of who answers."""
    number = np.asarray(items.answered)
    people = items.people
    if people is None:
        return [np.zeros(n, int) for n in number], np.zeros(1), np.zeros(1)
    who = np.split(people.annotator, np.cumsum(number)[:-1])
    effect = np.asarray(parameters["single_label_effect"])
    return who, effect, np.asarray(parameters["recall"])


def _item(
    blocks: Blocks,
    covariates: BlockCovariates,
    names: Names,
    parameters: Parameters,
    row: int,
    generator: np.random.Generator,
) -> _Item:
    one = jax.tree.map(lambda leaf: leaf[row : row + 1], covariates)
    partitions = enumerated(blocks.num_labels)
    affinity = np.asarray(affinities(one, parameters))[0]
    weight = affinity @ partitions.incidence
    chance = np.exp(weight - weight.max())
    chosen = generator.choice(len(chance), p=chance / chance.sum())
    masks = partitions.blocks[chosen]
    masks = masks[masks > 0]
    objects = [
        [label for label in range(blocks.num_labels) if mask >> label & 1]
        for mask in masks
    ]
    odds = np.asarray(one.block[0, masks] @ parameters["high_detection"])
    high = generator.random(len(masks)) < 1 / (1 + np.exp(-odds))
    rates = np.asarray(jnp.stack(detection_log_odds(parameters)))
    contains_counts = _draw_contains(
        one, objects, high.astype(int), rates, parameters, generator
    )
    if "endorsed" in names.label:
        label = np.array(one.label)
        label[0, :, names.label.index("endorsed")] = endorsed_share(contains_counts)
        one = replace(one, label=label)
    votes = np.asarray(pseudo_votes(one, parameters, "salience"))[0]
    called = np.asarray(pseudo_votes(one, parameters, "naming"))[0]
    if "single_label_effect" in parameters:
        nodes, weight = map(np.asarray, single_label_log_odds(one, parameters))
        pull = generator.choice(nodes[0], p=softmax(weight.astype(float)))
    else:
        yes, no = style_beta(one.item, parameters)
        pull = logit(generator.beta(float(yes[0]), float(no[0])))
    odds = np.asarray(synonym_log_odds(one, parameters))[0, masks]
    synonyms = (generator.random(len(masks)) < expit(odds)).astype(int)
    duplicate = np.stack(duplicate_name_weights(parameters), axis=1)
    return _Item(
        objects=objects,
        salience=_dirichlet([votes[labels].sum() for labels in objects], generator),
        shares=[_dirichlet(called[labels], generator) for labels in objects],
        detection=rates[high.astype(int)],
        pull=float(pull),
        duplicate=duplicate[synonyms],
        contains_counts=contains_counts,
    )


def _draw_contains(
    one: BlockCovariates,
    objects: list[list[int]],
    level: Int[np.ndarray, " k"],
    rates: Float[np.ndarray, " 2"],
    parameters: Parameters,
    generator: np.random.Generator,
) -> Int[np.ndarray, "n 3"]:
    """Draw what is said of each label, as many answers as were given."""
    if one.contains_counts is None:
        return np.zeros((one.label.shape[1], 3), np.int64)
    every = np.asarray(endorsement_log_odds(jnp.asarray(rates), parameters))
    is_own = np.asarray(one.contains_counts.is_dataset_label[0]).astype(int)
    odds = np.zeros(len(is_own))
    for labels, kind in zip(objects, level, strict=True):
        odds[labels] = every[kind, int(len(labels) > 1), is_own[labels]]
    width = one.contains_counts.exceeds.shape[-1] // 4
    number = np.asarray(one.contains_counts.exceeds[0, :, -width:]).sum(1).astype(int)
    return draw_endorsements(number, odds, parameters, generator)


def _answer(
    item: _Item, picking: float, recall: float, generator: np.random.Generator
) -> int:
    first = generator.choice(len(item.objects), p=item.salience)
    single_label = generator.random() < expit(item.pull + picking)
    detection = expit(item.detection + recall)
    mask, main = 0, 0
    for place, labels in enumerate(item.objects):
        if place == first:
            main = int(generator.choice(labels, p=item.shares[place]))
            others = [label for label in labels if label != main]
            chance = 0.0 if single_label else generator.beta(*item.duplicate[place])
            duplicates = [label for label in others if generator.random() < chance]
            mask |= _bits([main, *duplicates])
        elif not single_label and generator.random() < detection[place]:
            extra = generator.binomial(
                len(labels) - 1, generator.beta(*item.duplicate[place])
            )
            if extra:  # several names at once: any of them may have been the first
                mask |= _bits(generator.choice(labels, extra + 1, replace=False))
            else:
                mask |= _bits([generator.choice(labels, p=item.shares[place])])
    return (main << MAX_LABELS) + mask


def _dirichlet(weight: Any, generator: np.random.Generator) -> Float[np.ndarray, " k"]:
    return generator.dirichlet(np.asarray(weight, float))


def _bits(labels: Any) -> int:
    return int(sum(1 << int(label) for label in labels))
