"""Sums over partitions: by matrix, by recursion and by brute force they are one."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import logsumexp

from consilience.objects.partitions import (
    block_indices,
    by_matrix,
    by_recursion,
    enumerated,
    members,
    sum_over_partitions,
)

# Compiled whole: one by one, hundreds of operations take longer.
on_host_by_matrix, on_host_by_recursion = by_matrix, by_recursion
by_matrix, by_recursion = jax.jit(by_matrix), jax.jit(by_recursion)

BELL = {1: 1, 2: 2, 3: 5, 4: 15, 5: 52, 6: 203, 7: 877, 8: 4140}
ROUNDING = 64 * np.finfo(float).eps  # of sums of up to some hundred terms


def brute_force(phi, num_labels):
    """Sum over all ways to give each label a block, one of each set of ways alike."""
    total = np.zeros(num_labels)
    for blocks in itertools.product(range(num_labels), repeat=num_labels):
        named = [blocks.index(block) for block in blocks]
        if list(blocks) != named:
            continue  # a block is called by its first label
        masks = [
            sum(1 << label for label in range(num_labels) if blocks[label] == block)
            for block in set(blocks)
        ]
        total[len(masks) - 1] += np.exp(sum(phi[mask] for mask in masks))
    return np.log(total)


def weights(num_labels, rows=3):
    return np.random.default_rng(num_labels).normal(size=(rows, 1 << num_labels))


@pytest.mark.parametrize("num_labels", BELL)
def test_there_are_as_many_partitions_as_bell_counted_each_label_in_one_block(
    num_labels,
):
    assert len(block_indices(num_labels)) == BELL[num_labels]
    partitions = enumerated(num_labels)
    assert (members(num_labels).T @ partitions.incidence == 1).all()
    assert (np.diff(partitions.num_blocks) >= 0).all()


@pytest.mark.parametrize("num_labels", [1, 2, 3, 5])
def test_matrix_and_recursion_give_what_brute_force_gives(num_labels):
    phi = weights(num_labels)
    expected = np.stack([brute_force(row, num_labels) for row in phi])
    with jax.enable_x64(True):
        for way in (by_matrix, by_recursion):
            result = np.asarray(way(jnp.asarray(phi)))
            assert np.abs(result - expected).max() < ROUNDING


def test_matrix_and_recursion_agree_beyond_brute_force():
    phi = weights(7)
    with jax.enable_x64(True):
        ways = (on_host_by_matrix, on_host_by_recursion, by_recursion)
        one, *others = (np.asarray(way(phi)) for way in ways)
    for other in others:
        assert np.abs(one - other).max() < ROUNDING


@pytest.mark.parametrize("way", [by_matrix, by_recursion])
def test_the_gradient_is_the_probability_of_each_block_and_of_no_other_weights(way):
    num_labels = 5
    phi, partitions = weights(num_labels), enumerated(num_labels)
    weight = np.exp(phi @ partitions.incidence)
    expected = (weight / weight.sum(1, keepdims=True)) @ partitions.incidence.T
    with jax.enable_x64(True):
        slope = jax.jit(jax.grad(lambda phi: logsumexp(way(phi), axis=1).sum()))
        result, other = (np.asarray(slope(jnp.asarray(k * phi))) for k in (1, 1.001))
    assert np.abs(result - expected).max() < ROUNDING
    assert np.abs(other - expected).max() > ROUNDING
    assert np.allclose(result @ members(num_labels), 1)


def test_the_partitions_of_ten_labels_are_summed_on_the_host():
    sums = sum_over_partitions(np.zeros((1, 1 << 10)))
    assert np.allclose(np.exp(sums).sum(), 115_975)
