"""Simulate answers of the model of objects, given the partitions."""

from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key
from scipy.special import expit, softmax

from consilience.model import Parameters, Simulated
from consilience.objects.contains_counts import endorsed_share
from consilience.objects.covariates import BlockCovariates
from consilience.objects.endorsement import endorsement_log_odds, mean_shares
from consilience.objects.items import Items
from consilience.objects.label_counts import (
    affinities,
    detection_log_odds,
    duplicate_name_weights,
    pseudo_votes,
    style_beta,
    synonym_log_odds,
)
from consilience.objects.partitions import enumerated, members
from consilience.objects.space import Names
from consilience.truth import Observations
from consilience.truth.named import MAX_LABELS


def simulation(
    key: Key[Array, ""], observations: Observations, parameters: Parameters
) -> Simulated:
    """Draw a partition for each item, and as many answers about it as were given.

    An answer is coded as its main label's place, times 1,024, plus the candidates that
    it names, as bits. Where candidates were asked about, `said` holds how many say no,
    maybe and yes.
    """
    items: Items = observations.layout
    generator = np.random.default_rng(jax.random.bits(key).item())
    number, units = np.asarray(items.answered), len(items.place)
    objects = np.full((units, MAX_LABELS), -1)
    objects[:, 0] = 0
    contains_counts = np.zeros((*objects.shape, 3), np.int64)
    answers = [np.full(n, 1) for n in number]  # names the first label
    for blocks, covariates in zip(items.blocks, items.covariates, strict=True):
        for row, unit in enumerate(np.asarray(blocks.unit)):
            one = jax.tree.map(itemgetter(slice(row, row + 1)), covariates)
            groups, counts, respond = _item(one, items.names, parameters, generator)
            contains_counts[unit, : len(counts)] = counts
            for place, labels in enumerate(groups):
                objects[unit, labels] = place
            given = [respond() for _ in range(number[unit])]
            answers[unit] = np.array(given, np.int64)
    substates = {"object_of": jnp.asarray(objects)}
    if items.names.endorsement:
        substates["said"] = jnp.asarray(contains_counts)
    state, answer = jnp.asarray(objects.max(1)), jnp.asarray(np.concatenate(answers))
    return Simulated(substates, state, answer)


def _item(
    one: BlockCovariates,
    names: Names,
    parameters: Parameters,
    generator: np.random.Generator,
) -> tuple[list[list[int]], Int[np.ndarray, "n 3"], Callable[[], int]]:
    """Draw an item: its objects, answers about its labels, and how annotators answer.

    Objects are lists of places of labels.
    """
    partitions = enumerated(one.label.shape[1])
    weight = np.asarray(affinities(one, parameters))[0] @ partitions.incidence
    chosen = generator.choice(len(weight), p=softmax(weight.astype(float)))
    masks = partitions.blocks[chosen]
    masks = masks[masks > 0]
    objects = [np.flatnonzero(members(one.label.shape[1])[m]).tolist() for m in masks]
    odds = np.asarray(one.block[0, masks] @ parameters["high_detection"])
    high = (generator.random(len(masks)) < expit(odds)).astype(int)
    rates = np.asarray(jnp.stack(detection_log_odds(parameters)))
    contains_counts = _draw_contains(one, objects, high, rates, parameters, generator)
    if "endorsed" in names.label:
        label = np.array(one.label)
        label[0, :, names.label.index("endorsed")] = endorsed_share(contains_counts)
        one = replace(one, label=label)
    votes, called = (
        np.asarray(pseudo_votes(one, parameters, what), float)[0]
        for what in ("salience", "naming")
    )
    yes, no = style_beta(one.item, parameters)
    picks = generator.beta(float(yes[0]), float(no[0]))
    odds = np.asarray(synonym_log_odds(one, parameters))[0, masks]
    synonyms = (generator.random(len(masks)) < expit(odds)).astype(int)
    duplicate = np.stack(duplicate_name_weights(parameters), axis=1)[synonyms]
    salience = generator.dirichlet([votes[labels].sum() for labels in objects])
    shares = [generator.dirichlet(called[labels]) for labels in objects]

    def respond() -> int:
        first = generator.choice(len(objects), p=salience)
        single_label = generator.random() < picks
        detection = expit(rates[high])
        mask, main = 0, 0
        for place, labels in enumerate(objects):
            if place == first:
                main = int(generator.choice(labels, p=shares[place]))
                others = [label for label in labels if label != main]
                chance = 0.0 if single_label else generator.beta(*duplicate[place])
                duplicates = [label for label in others if generator.random() < chance]
                mask |= _bits([main, *duplicates])
            elif not single_label and generator.random() < detection[place]:
                extra = generator.binomial(
                    len(labels) - 1, generator.beta(*duplicate[place])
                )
                if extra:  # several names at once: any of them may have been the first
                    mask |= _bits(generator.choice(labels, extra + 1, replace=False))
                else:
                    mask |= _bits([generator.choice(labels, p=shares[place])])
        return (main << MAX_LABELS) + mask

    return objects, contains_counts, respond


def _draw_contains(
    one: BlockCovariates,
    objects: list[list[int]],
    level: Int[np.ndarray, " k"],
    rates: Float[np.ndarray, " 2"],
    parameters: Parameters,
    generator: np.random.Generator,
) -> Int[np.ndarray, "n 3"]:
    """Draw what is said of each label, as many answers as were given."""
    if one.exceeds is None or one.is_dataset_label is None:
        return np.zeros((one.label.shape[1], 3), np.int64)
    every = np.asarray(endorsement_log_odds(jnp.asarray(rates), parameters))
    is_own = np.asarray(one.is_dataset_label[0]).astype(int)
    odds = np.zeros(len(is_own))
    for labels, kind in zip(objects, level, strict=True):
        odds[labels] = every[kind, int(len(labels) > 1), is_own[labels]]
    width = one.exceeds.shape[-1] // 4
    number = np.asarray(one.exceeds[0, :, -width:]).sum(1).astype(int)
    weight = float(np.exp(parameters["endorsement_shape"][1]))
    shares = np.asarray(mean_shares(odds, parameters), float).T
    gamma = np.maximum(generator.gamma(weight * shares), 1e-300)
    return generator.multinomial(number, gamma / gamma.sum(1, keepdims=True))


def _bits(labels: Any) -> int:
    return int(sum(1 << int(label) for label in labels))
