"""Objects and Contains in one likelihood: recovery, slopes, and what permuting does."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from jax.scipy.special import logit
from scipy.optimize import minimize

from consilience.annotators import load, objects
from consilience.model import lay_out, marginal
from consilience.objects.layout.items import items_of
from consilience.objects.layout.partitions import MAX_LABELS
from consilience.objects.layout.space import assembled
from consilience.objects.likelihood.label_counts import follows
from consilience.objects.likelihood.simulation import simulation
from consilience.truth.named import Named

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


def blank_space(items, said):
    """Return items of three labels, two of a kind, with nothing answered in earnest."""
    number = items * ANSWERS
    named = Named(
        labels=np.array(["l0", "l1", "l2"], object),
        parents=np.array(["p", "p", "q"], object),
        candidate=np.tile(np.arange(3), (items, 1)),
        dataset_label=np.zeros(items, int),
        mask=np.ones(number, int),
        main=np.zeros(number, int),
        covariates=np.zeros((items, 3, 0)),
        none=np.zeros(items, int),
        observed=np.ones(items, bool),
        contains_counts=said,
    )
    return with_answers(named, np.ones(number, int))


def with_answers(named, code):
    main, mask = np.divmod(code, 1 << MAX_LABELS)
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
    usual = {name: jnp.array(value) for name, value in USUAL.items()}
    made = simulation(jax.random.key(5), lay_out(ALONE, blank), usual)
    said = np.asarray(made.parameters["said"])[:, :3]
    named = replace(blank.named, contains_counts=said)
    return with_answers(named, np.asarray(made.answer)), usual


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
def loss(study, observations, log_likelihood):
    """What is climbed, with its slope: a normal prior of variance one about the truth.

    It adds one to the information of each number.
    """
    start, unravel = ravel_pytree(study[1])

    @jax.jit
    @jax.value_and_grad
    def of(flat):
        prior = 0.5 * ((flat - start) ** 2).sum()
        return prior - log_likelihood(observations, unravel(flat)).sum()

    return of, np.asarray(start), unravel


def leading(parameters):
    """Log odds ratios of being granted and of being seen, seldom and often seen."""
    seldom, gap = parameters["detection"]
    rates = jnp.stack([seldom, seldom + jnp.exp(gap)])
    return (
        parameters["endorsement"][0]
        + (jnp.exp(parameters["endorsement_shape"][0]) - 1) * rates
    )


@pytest.fixture(scope="module")
def estimate(observations, log_likelihood, loss):
    """The log odds ratios at the top, and errors from the slopes of items."""
    of, start, unravel = loss
    result = minimize(
        lambda flat: tuple(map(np.asarray, of(flat))),
        start + 0.3,
        jac=True,
        method="L-BFGS-B",
    ).x
    slope = np.stack(
        [
            log_likelihood(observations, unravel(result + step))
            - log_likelihood(observations, unravel(result - step))
            for step in 1e-4 * np.eye(len(result))
        ],
        axis=1,
    )
    slope /= 2e-4
    rise = np.asarray(jax.jacfwd(lambda flat: leading(unravel(flat)))(result))
    covariance = np.linalg.inv(slope.T @ slope + np.eye(len(result)))
    error = np.sqrt(np.einsum("kp,pq,kq->k", rise, covariance, rise))
    return np.asarray(leading(unravel(result))), error


@pytest.mark.study
def test_the_leading_question_is_found_again(study, estimate):
    _, usual = study
    result, error = estimate
    assert (abs(result - np.asarray(leading(usual))) < 4 * error).all()


@pytest.mark.study
def test_questions_that_do_not_lead_are_told_apart(estimate):
    """The same check, held against an odds ratio of one."""
    result, error = estimate
    assert (abs(result) > 4 * error).any()


def test_odds_ratios_are_told_with_the_parameters(study):
    _, usual = study
    reported = follows(usual)
    assert np.allclose(reported["leading_question"], leading(usual), atol=1e-6)
    odds = logit(reported["endorsement_probability"]) - reported["leading_question"]
    assert np.isclose(odds[0], usual["detection"][0], atol=1e-5)


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


def test_slopes_are_those_of_differences(loss):
    of, start, _ = loss
    along = np.random.default_rng(1).normal(size=len(start))
    step = 1e-5  # errors of order step squared, and of rounding over step
    above, below = (float(of(start + sign * step * along)[0]) for sign in (1, -1))
    slope = float(np.asarray(of(start)[1]) @ along)
    assert np.isclose(slope, (above - below) / (2 * step), rtol=1e-5)
