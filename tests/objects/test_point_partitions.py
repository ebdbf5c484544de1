"""Expected losses of partitions, held against every pair of partitions compared."""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score, rand_score

import consilience as cs
from consilience.objects.partitions import (
    binder,
    block_indices,
    information,
    least_loss,
)


def object_of(blocks, num_labels):
    """Return the object of each label in a partition."""
    labels = range(num_labels)
    return [next(k for k, mask in enumerate(blocks) if mask >> at & 1) for at in labels]


def objects_of(num_labels):
    return [object_of(blocks, num_labels) for blocks in block_indices(num_labels)]


def variation(one, other):
    return (
        mutual_info_score(one, one)
        + mutual_info_score(other, other)
        - 2 * mutual_info_score(one, other)
    )


def pairs_apart(one, other):
    pairs = len(one) * (len(one) - 1) / 2
    return (1 - rand_score(one, other)) * pairs


def compared(num_labels, distance):
    every = objects_of(num_labels)
    return np.array([[distance(one, other) for other in every] for one in every])


def some_beliefs(num_labels):
    size = len(block_indices(num_labels))
    return np.random.default_rng(num_labels).dirichlet(np.full(size, 0.3), 4)


@pytest.mark.parametrize("num_labels", [2, 3, 4])
@pytest.mark.parametrize(
    ("loss", "distance"), [(information, variation), (binder, pairs_apart)]
)
def test_a_loss_is_the_mean_over_all_that_may_hold(num_labels, loss, distance):
    beliefs = some_beliefs(num_labels)
    expected = beliefs @ compared(num_labels, distance)
    assert np.allclose(loss(beliefs, num_labels), expected, atol=1e-12)
    other = binder if loss is information else information
    assert not np.allclose(other(beliefs, num_labels), expected, atol=0.01)


def test_two_labels_cost_the_logarithm_of_two_where_they_are_told_wrongly():
    # One object with probability .3; by hand.
    result = information(np.array([[0.3, 0.7]]), 2)
    assert np.allclose(result, [[0.7 * np.log(2), 0.3 * np.log(2)]])


def test_one_label_moved_out_of_four_costs_what_meila_says():
    # {1 2 3 4} against {1 2 3} {4}: the entropy of the latter (Meila 2007, section 3).
    beliefs = np.zeros((1, 15))
    beliefs[0, 0] = 1.0
    place = objects_of(4).index([0, 0, 0, 1])
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert np.isclose(information(beliefs, 4)[0, place], entropy)


def test_losses_of_ten_labels_are_expected_exactly_too():
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
    for loss, distance in ((information, variation), (binder, pairs_apart)):
        expected = [
            np.dot(weights, [distance(each, one) for one in true]) for each in estimates
        ]
        assert np.allclose(loss(beliefs, 10)[0, told], expected, atol=1e-12)


def test_of_partitions_as_good_the_one_of_fewest_objects_is_told():
    # Both labels of a pair, in either of which nothing prefers one object to two.
    losses = np.array([[1.0 + 1e-14, 1.0], [1.0 + 1e-6, 1.0]])
    assert least_loss(losses).tolist() == [0, 1]


def test_a_fit_tells_the_partition_of_either_loss():
    # Seed two: in the study that other tests share the two losses agree everywhere.
    design = {"items": 120, "annotators": 20, "classes": 8, "per_item": 9}
    study = cs.simulate(kind="objects", **design, prior={"most": 4.0}, seed=2)
    fit = cs.fit(study.responses, model="objects", engine="em", seed=0)
    by_pairs, by_information = map(fit.table, ("objects", "objects_vi"))
    assert by_pairs.equals(fit.table("objects"))
    apart = by_pairs.merge(by_information, on=["item", "label"])
    same = (apart["object_x"] == apart["object_y"]).groupby(apart["item"]).all()
    assert 0.5 < same.mean() < 1
    # Where they agree, all else is the same too.
    rows = apart[apart["item"].map(same).astype(bool)]
    assert (rows["share_x"] == rows["share_y"]).all()
    by_object = by_information.groupby(["item", "object"], observed=True)
    assert np.allclose(by_object["share"].sum(), 1)
