"""SVI from minibatches, against what the exact engines find."""

import jax
import pytest
from tests.studies import gap

from consilience.annotators import load
from consilience.inference.engines import svi, vb


@pytest.fixture(scope="module")
def study(simulated):
    return simulated(
        "hierarchical_dawid_skene", 5, items=600, annotators=30, per_item=5, classes=3
    )


@pytest.fixture(scope="module")
def result(study):
    effort = svi.Options(steps=3000, batch=150, draws=200)
    with jax.enable_x64(True):
        return svi.fit(load("hierarchical_dawid_skene"), study[0], 0, effort)


def test_minibatches_find_the_truth_that_the_closed_form_finds(study, result):
    with jax.enable_x64(True):
        model = load("hierarchical_dawid_skene")
        closed = vb.fit(model, study[0], 0, vb.Options(draws=0))
    agree = (closed.belief.argmax(1) == result.belief.argmax(1)).mean()
    doubt = 1 - closed.belief.max(1).mean()
    assert agree > 1 - doubt


def test_promised_and_found_truth_agree(study, result):
    assert abs(gap(result.belief, study[1])) < 4


def test_it_says_that_intervals_may_be_narrow_and_that_it_settled(result):
    assert "narrow" in result.remarks[0]
    assert result.optimization.converged.all()
