"""What a study says of classes, labels and pairs is kept, and takes itself off."""

from dataclasses import replace

import numpy as np
import pytest
from xarray import DataTree

from consilience.objects import label_pairs
from consilience.objects.covariates import candidate_covariates
from consilience.objects.pooling import pool
from consilience.spaces import space_of
from consilience.truth.named import LabelPairs


@pytest.fixture(scope="module")
def space(objects_study):
    return space_of(objects_study.responses)


@pytest.fixture(scope="module")
def kept(objects_fit):
    return label_pairs.evidence_of(objects_fit.data)


def columns(space, said, own):
    return candidate_covariates(space, said, among=False, item_counts=own)


def test_items_asked_again_with_the_same_answers_are_told_the_same(space, kept):
    before = candidate_covariates(space, pool(space), among=True)
    after = columns(space, kept.pool, kept.item_counts(space))
    for kind in ("label", "slope", "block", "pair", "item"):
        assert np.allclose(getattr(before, kind), getattr(after, kind), atol=1e-12)
    # Were its own answers not taken off, an item would hear itself.
    other = columns(space, kept.pool, None)
    assert not np.allclose(before.label, other.label, atol=0.01)


def test_new_labels_at_the_end_change_nothing(space, kept):
    named = space.named
    labels = np.append(named.labels, ["new", "newer"])
    parents = np.append(named.parents, ["", ""])
    wider = replace(space, named=replace(named, labels=labels, parents=parents))
    more = kept.with_labels(labels, parents)
    one = columns(space, kept.pool, kept.item_counts(space))
    other = columns(wider, more.pool, more.item_counts(wider))
    for kind in ("label", "slope", "block", "pair", "item"):
        assert np.array_equal(getattr(one, kind), getattr(other, kind))


def test_pairs_and_how_alike_labels_are_are_kept(space):
    pairs = LabelPairs(np.array([0, 1]), np.array([2, 3]), np.array([0.5, 2.0]))
    alike = replace(space, named=replace(space.named, similar=pairs))
    names = candidate_covariates(
        alike, pool(alike), among=True, pairs=((0, 1), (2, 5))
    ).names
    said = label_pairs.StudyEvidence(pool=pool(alike), names=names, answers=alike)
    reported = label_pairs.as_dataset(said)
    again = label_pairs.evidence_of(DataTree.from_dict({"evidence": reported}))
    assert again.names == names
    assert again.similar.value.tolist() == [0.5, 2.0]
    assert again.similar.at(np.array([3, 0]), np.array([1, 1])).tolist() == [2.0, 0.0]


def test_what_is_kept_of_some_items_is_theirs(space, kept):
    few = kept.about(space.unit_item[[5, 3]])
    assert few.answers.unit_item.tolist() == space.unit_item[[3, 5]].tolist()
    assert few.pool is kept.pool


def test_it_is_kept_in_bounds(objects_fit, space):
    group = objects_fit.data["evidence"]
    labels = len(space.named.labels)
    for name, each in group.data_vars.items():
        if name.endswith("_entry"):
            assert each.size <= labels**2
