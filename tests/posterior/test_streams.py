"""Each item draws from its own stream."""

import numpy as np

from consilience.posterior.streams import streams

NAMES = np.array(["a", "b", "c"], object)


def drawn(numbers, size):
    return [
        numbers.random((size, 5)),
        numbers.spread(7),
        numbers.standard_gamma(np.full((size, 4), 2.0)),
        numbers.beta(np.full((size, 3), 2.0), np.full((size, 3), 1.0)),
        numbers.multinomial(np.full(size, 9), np.full((size, 2, 3), 1 / 3)),
    ]


def test_an_item_draws_the_same_whoever_stands_beside_it():
    both = zip(
        drawn(streams(3, NAMES), 3), drawn(streams(3, NAMES[[2, 1]]), 2), strict=True
    )
    for among, apart in both:
        assert np.array_equal(among[[2, 1]], apart)


def test_another_item_or_seed_draws_others():
    one, other = (drawn(streams(seed, NAMES), 3)[0] for seed in (0, 1))
    assert not np.isin(one, other).any()
    assert len(np.unique(one)) == one.size


def test_what_is_spread_is_even_and_in_no_order():
    found = streams(0, NAMES).spread(1000)
    assert (np.diff(np.sort(found, axis=1)) - 1e-3 < 1e-12).all()
    # The correlation with the order is normal with variance 1 / 1000.
    order = np.corrcoef(np.vstack([np.arange(1000), found]))[0, 1:]
    assert (np.abs(order) < 4 / np.sqrt(1000)).all()
    assert abs(np.corrcoef(np.arange(1000), np.sort(found[0]))[0, 1]) > 0.99
