"""Objects and Contains in one likelihood: what permuting answers to either does."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.studies import objects_space

from consilience.annotators import load, objects
from consilience.model import lay_out, marginal
from consilience.objects.items import items_of
from consilience.objects.partitions import MAX_LABELS
from consilience.objects.simulation import simulation

MODEL = load("objects")
# What other items say follows from their answers, and is not drawn with them.
ALONE = replace(
    MODEL, layout=lambda space, _: items_of(space, pooled=False, slopes=False)
)
ITEMS, ANSWERS, ASKED = 600, 5, 5
# Rounded from a fit to two public studies, but that more is granted here than there.
USUAL = {
    "naming": [0.2, 0.3, 1.5],
    "salience": [-0.8, -0.8, 1.2],
    "attraction": [],
    "objects": [0.0],
    "affinity": [-1.0, 2.0],
    "high_detection": [-0.3, 0.4],
    "detection": [-0.5, 0.9],
    "duplicate_name": [[-1.8, 0.3], [0.6, 0.8]],
    "synonyms": [-0.5, 1.5],
    "single_label": [-1.1, 2.2],
    "style": [],
    "endorsement": [0.8, -0.4, 0.5],
    "endorsement_shape": [0.1, 0.7, 0.3],
}


@pytest.fixture(scope="module", autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def study():
    """Answers to both tasks; the last fifth of the items was not asked about."""
    said = np.zeros((ITEMS, 3, 3), int)
    said[: ITEMS * 4 // 5, :, 0] = ASKED
    blank = objects_space([[(0, 1)] * ANSWERS] * ITEMS, 3, said=said)
    usual = {name: jnp.array(value) for name, value in USUAL.items()}
    made = simulation(jax.random.key(5), lay_out(ALONE, blank), usual)
    said = np.asarray(made.parameters["said"])[:, :3]
    answer = np.stack(np.divmod(made.answer, 1 << MAX_LABELS), 1)
    return objects_space(answer.reshape(ITEMS, ANSWERS, 2), 3, said=said), usual


@pytest.fixture(scope="module")
def log_likelihood():
    """log p(both answers of each item), compiled."""
    return jax.jit(
        lambda observations, parameters: marginal(
            objects.score(observations, parameters)
        )
    )


@pytest.fixture(scope="module")
def observations(study):
    return lay_out(ALONE, study[0])


@pytest.fixture(scope="module")
def of_others(study, observations, log_likelihood):
    """Log-likelihoods of the items when each is told what was said of another."""
    _, usual = study
    generator = np.random.default_rng(0)
    place = observations.layout.names.label.index("endorsed")
    (known,) = observations.layout.covariates
    results = []
    for _ in range(20):
        order = np.arange(ITEMS)
        order[: ITEMS * 4 // 5] = generator.permutation(ITEMS * 4 // 5)
        label = known.label.copy()
        label[:, :, place] = known.label[order][:, :, place]
        other = replace(known, label=label, exceeds=known.exceeds[order])
        own = replace(observations.layout, covariates=(other,))
        results.append(log_likelihood(replace(observations, layout=own), usual))
    return np.stack(results)


def test_answers_given_to_other_items_are_less_probable(
    study, observations, log_likelihood, of_others
):
    _, usual = study
    right = np.asarray(log_likelihood(observations, usual))
    others = of_others.sum(1)
    assert right.sum() - others.mean() > 4 * others.std(ddof=1)
    assert (of_others[:, ITEMS * 4 // 5 :] == right[ITEMS * 4 // 5 :]).all()


def test_answers_dealt_anew_are_as_probable_as_dealt_before(of_others):
    others = of_others.sum(1)
    assert not others[0] - others[1:].mean() > 4 * others[1:].std(ddof=1)
