"""Expected losses of partitions, held against every pair of partitions compared."""

import numpy as np
from sklearn.metrics import rand_score

from consilience.objects.partitions import binder, block_indices, least_loss


def object_of(blocks, num_labels):
    """Return the object of each label in a partition."""
    labels = range(num_labels)
    return [next(k for k, mask in enumerate(blocks) if mask >> at & 1) for at in labels]


def pairs_apart(one, other):
    pairs = len(one) * (len(one) - 1) / 2
    return (1 - rand_score(one, other)) * pairs


def test_losses_of_ten_labels_are_expected_exactly():
    index = block_indices(10)
    generator = np.random.default_rng(0)
    held = generator.choice(len(index), 3, replace=False)
    weights = [0.5, 0.3, 0.2]
    beliefs = np.zeros((1, len(index)))
    beliefs[0, held] = weights
    told = generator.choice(len(index), 5, replace=False)
    true, estimates = (
        [object_of(index[place], 10) for place in places] for places in (held, told)
    )
    expected = [
        np.dot(weights, [pairs_apart(each, one) for one in true]) for each in estimates
    ]
    assert np.allclose(binder(beliefs, 10)[0, told], expected, atol=1e-12)


def test_of_partitions_as_good_the_one_of_fewest_objects_is_told():
    # Both labels of a pair, in either of which nothing prefers one object to two.
    losses = np.array([[1.0 + 1e-14, 1.0], [1.0 + 1e-6, 1.0]])
    assert least_loss(losses).tolist() == [0, 1]
