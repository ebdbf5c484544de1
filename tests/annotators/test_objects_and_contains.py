"""Objects and Contains in one likelihood: recovery, slopes, and what permuting does."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import logit
from jax.test_util import check_grads

from consilience.annotators import load
from consilience.inference import em
from consilience.model import lay_out, marginal, score
from consilience.truth.items import items_of
from consilience.truth.named import Named
from consilience.truth.objects import assembled
from consilience.truth.partitions import MOST_LABELS

MODEL = load("objects")
# What other items say follows from their answers, and is not drawn with them.
ALONE = replace(MODEL, layout=lambda space, _: items_of(space, pooled=False))
ITEMS, ANSWERS, ASKED = 500, 6, 5
# Rounded from a fit to two public studies, but that more is granted here than there.
USUAL = {
    "naming": [0.2, 0.3, 1.5],
    "salience": [-0.8, -0.8, 1.2],
    "attraction": [],
    "objects": [0.0],
    "affinity": [-1.0, 2.0],
    "often": [-0.3, 0.4],
    "seen": [-0.5, 0.9],
    "slip": [-1.8, 0.3],
    "picker": [-1.1, 2.2],
    "style": [],
    "granting": [0.8, -0.4, 0.5],
    "granters": [0.1, 0.7, 0.3],
}


def blank_space(items, said):
    """Return items of three labels, two of a kind, with nothing answered in earnest."""
    number = items * ANSWERS
    named = Named(
        labels=np.array(["l0", "l1", "l2"], object),
        parents=np.array(["p", "p", "q"], object),
        candidate=np.tile(np.arange(3), (items, 1)),
        own=np.zeros(items, int),
        mask=np.ones(number, int),
        main=np.zeros(number, int),
        known=np.zeros((items, 3, 0)),
        heard=np.ones(items, bool),
        asked=said,
    )
    return with_answers(named, np.ones(number, int))


def with_answers(named, code):
    main, mask = np.divmod(code, 1 << MOST_LABELS)
    items = len(named.candidate)
    return assembled(
        replace(named, main=main, mask=mask),
        np.array([f"i{item:05d}" for item in range(items)], object),
        np.array(["(anonymous)"], object),
        np.zeros(1, bool),
        unit=np.repeat(np.arange(items), ANSWERS),
        annotator=np.zeros(len(code), int),
        n=np.ones(len(code), int),
    )


@pytest.fixture(scope="module")
def study():
    """Answers to both tasks; the last fifth of the items was not asked about."""
    said = np.zeros((ITEMS, 3, 3), int)
    said[: ITEMS * 4 // 5, :, 0] = ASKED
    blank = blank_space(ITEMS, said)
    with jax.enable_x64(True):
        usual = {name: jnp.array(value) for name, value in USUAL.items()}
        made = ALONE.own_simulation(jax.random.key(5), lay_out(ALONE, blank), usual)
    said = np.asarray(made.parameters["said"])[:, :3]
    named = replace(blank.named, asked=said)
    return with_answers(named, np.asarray(made.answer)), usual


@pytest.fixture(scope="module")
def log_likelihood(study):
    """log p(both answers of each item), as a compiled function of the parameters."""
    space, _ = study
    with jax.enable_x64(True):
        observations = lay_out(ALONE, space)
    return jax.jit(lambda parameters: marginal(score(ALONE, observations, parameters)))


@pytest.fixture(scope="module")
def fitted(study):
    space, _ = study
    with jax.enable_x64(True):
        return em.fit(ALONE, space, jax.random.key(0), em.Effort())


def leading(parameters):
    """Log odds ratios of being granted and of being seen, seldom and often seen."""
    seldom, gap = parameters["seen"]
    rates = jnp.stack([seldom, seldom + jnp.exp(gap)])
    return parameters["granting"][0] + (jnp.exp(parameters["granters"][0]) - 1) * rates


@pytest.fixture(scope="module")
def estimate(fitted, log_likelihood):
    """The log odds ratios, and their standard errors from the slopes of items."""
    with jax.enable_x64(True):
        at = {name: jnp.asarray(each[0, 0]) for name, each in fitted.parameters.items()}
        at = {name: at[name] for name in USUAL}
        slopes = jax.jacfwd(log_likelihood)(at)
        flat = np.concatenate([np.asarray(slopes[name]) for name in USUAL], axis=1)
        rise = jax.jacfwd(leading)(at)
        rise = np.concatenate([np.asarray(rise[name]) for name in USUAL], axis=1)
    # A unit normal prior adds one to the information of each number, about.
    covariance = np.linalg.inv(flat.T @ flat + np.eye(flat.shape[1]))
    error = np.sqrt(np.einsum("kp,pq,kq->k", rise, covariance, rise))
    return np.asarray(leading(at)), error


def test_the_leading_question_is_found_again(study, fitted, estimate):
    _, usual = study
    found, error = estimate
    assert (abs(found - np.asarray(leading(usual))) < 4 * error).all()
    assert (error < 0.5).all()
    assert np.allclose(fitted.parameters["leading"][0, 0], found, atol=1e-4)
    odds = logit(fitted.parameters["granted"][0, 0])
    low = fitted.parameters["seen"][0, 0, 0]
    assert np.isclose(odds[0] - low, found[0], atol=1e-4)


def test_questions_that_do_not_lead_are_told_apart(estimate):
    """The same check, held against an odds ratio of one."""
    found, error = estimate
    assert (abs(found) > 4 * error).any()


def test_answers_given_to_other_items_are_less_probable(study, log_likelihood):
    space, usual = study
    asked = space.named.asked
    order = np.arange(ITEMS)
    order[: ITEMS * 4 // 5] = np.random.default_rng(0).permutation(ITEMS * 4 // 5)
    permuted = replace(space, named=replace(space.named, asked=asked[order]))
    with jax.enable_x64(True):
        observations = lay_out(ALONE, permuted)
        loss = np.asarray(log_likelihood(usual)) - np.asarray(
            marginal(score(ALONE, observations, usual))
        )
    asked_about = loss[: ITEMS * 4 // 5]
    error = asked_about.std(ddof=1) / np.sqrt(len(asked_about))
    assert asked_about.mean() > 4 * error
    assert (loss[ITEMS * 4 // 5 :] == 0).all()


def test_slopes_are_those_of_differences(study, log_likelihood):
    _, usual = study

    def total(granting, granters):
        both = {"granting": granting, "granters": granters}
        return log_likelihood({**usual, **both}).mean()

    with jax.enable_x64(True):
        check_grads(
            total, (usual["granting"], usual["granters"]), order=1, modes=["rev"]
        )
