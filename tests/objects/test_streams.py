"""Each item draws from its own stream."""

import numpy as np

from consilience.objects.draws import streams

NAMES = np.array(["a", "b", "c"], object)


def drawn(numbers, size):
    return [
        numbers.random((size, 5)),
        numbers.stratified(7),
        numbers.log_gamma(np.full((size, 4), 2.0)),
        numbers.beta(np.full((size, 3), 2.0), np.full((size, 3), 1.0)),
        numbers.multinomial(np.full(size, 9), np.full((size, 2, 3), 1 / 3)),
    ]


def test_an_item_draws_the_same_whoever_stands_beside_it():
    both = zip(
        drawn(streams(3, NAMES), 3), drawn(streams(3, NAMES[[2, 1]]), 2), strict=True
    )
    for among, apart in both:
        assert np.array_equal(among[[2, 1]], apart)


def taken(logs):
    """Return how often each of several numbers is nearly all of their sum."""
    share = np.exp(logs - logs.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    return (share > 0.999).mean(0)


def test_of_tiny_gamma_numbers_one_is_all_as_often_as_its_shape_says():
    shape = np.full((1, 4000, 2), [3e-12, 1e-12])
    # Shares of 3 to 1; four standard errors of 4,000 draws.
    assert np.abs(
        taken(streams(0, NAMES[:1]).log_gamma(shape)[0]) - [0.75, 0.25]
    ).max() < 4 * np.sqrt(0.75 * 0.25 / 4000)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = np.log(np.random.default_rng(0).standard_gamma(shape[0]))
        assert np.isnan(taken(plain)).all() or taken(plain).max() == 0
