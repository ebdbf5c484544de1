"""The sparse matrix of counts, against the same matrix written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consilience.truth.arrays import incidence, on_host


@jax.jit
def product(matrix, table):
    """Compiled whole: one by one, its operations take longer."""
    return matrix @ table


def written_out(row, column, weight, shape):
    dense = np.zeros(shape)
    np.add.at(dense, (row, column), 1.0 if weight is None else weight)
    return dense


@st.composite
def entries(draw):
    rows, columns = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    number = draw(st.integers(0, 120))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Squared, so that some rows hold most entries and need several rounds of sums.
    row = (generator.random(number) ** 4 * rows).astype(int)
    column = generator.integers(columns, size=number)
    weight = generator.integers(1, 5, number) if draw(st.booleans()) else None
    return row, column, weight, (rows, columns)


@settings(max_examples=5)  # each compiles anew
@given(entries())
def test_products_are_those_of_the_matrix_written_out(given_entries):
    row, column, weight, shape = given_entries
    dense = written_out(*given_entries)
    generator = np.random.default_rng(0)
    with jax.enable_x64(True):
        weight = None if weight is None else weight.astype(float)
        matrix = incidence(row, column, weight, shape)
        table, belief = generator.normal(size=(2, max(shape), 3))
        across, along = table[: shape[1]], belief[: shape[0]]
        assert np.allclose(product(matrix, across), dense @ across)
        assert np.allclose(product(matrix.T, along), dense.T @ along)
        host = on_host(matrix)
        assert isinstance(host @ across, np.ndarray)
        assert np.allclose(host @ across, dense @ across)
        assert np.allclose(host.T @ along, dense.T @ along)


@pytest.fixture
def skewed():
    generator = np.random.default_rng(1)
    row = (generator.random(3000) ** 6 * 50).astype(int)
    return row, generator.integers(20, size=3000), None, (50, 20)


def test_the_gradient_is_the_transposed_product(skewed):
    dense = written_out(*skewed)
    with jax.enable_x64(True):
        matrix = incidence(*skewed)
        table = jnp.asarray(np.random.default_rng(2).normal(size=(20, 4)))
        slope = jax.jit(jax.grad(lambda table: ((matrix @ table) ** 2).sum()))
        result = slope(table)
        assert np.allclose(result, 2 * dense.T @ (dense @ table))


def test_one_long_row_costs_no_more_padding_than_as_many_short_ones():
    lone = incidence(np.zeros(100_000, int), np.arange(100_000), None, (1000, 100_000))
    cells = sum(level.index.size for level in lone.by_row)
    assert cells < 1.5 * 100_000 + 16 * 1000
