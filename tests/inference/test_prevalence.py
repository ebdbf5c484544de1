"""The prior by columns: its slope and bend, and draws, by arithmetic from outside."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats
from scipy.special import logsumexp

from consilience.annotators import load
from consilience.inference.prevalence import _Bend, column_prior
from consilience.model import PREVALENCE, WEIGHT, HostModel
from consilience.responses import read
from consilience.spaces import space_of

LABELS, ITEMS = ("x", "y", "z"), 30


def prior_of(*, listed):
    """Candidates with two columns, of all labels or of those that are listed."""
    generator = np.random.default_rng(0)
    items = [f"i{number:02d}" for number in range(ITEMS)]
    frame = pd.DataFrame(
        {"item": items, "annotator": "a", "label": generator.choice(LABELS, ITEMS)}
    )
    index = [(item, label) for item in items for label in LABELS[:listed]]
    table = pd.DataFrame(index, columns=["item", "label"])
    table["b"], table["c"] = generator.normal(size=(2, len(index)))
    space = space_of(read(frame, labels=list(LABELS)), lists=table)
    return column_prior(HostModel(load("bayesian_dawid_skene"), space))


def height(prior, at, truth):
    """F as it is written down, at one place or at many."""
    covariates = prior.covariates
    alpha, beta = np.atleast_2d(at)[:, :3, None], np.atleast_2d(at)[:, 3:]
    value = np.einsum("usp,np->nus", covariates.value, beta)
    states, total = np.broadcast_to(prior.matrix.state, truth.shape), 0.0
    for unit, real in enumerate(covariates.real):
        listed = states[unit]
        odds = alpha[:, listed[real], 0] + value[:, unit, real]
        others = np.delete(np.arange(3), listed[real])
        far = alpha[:, others, 0] + (beta @ covariates.unlisted)[:, None]
        every = np.append(odds, far, 1) if covariates.open[unit] else odds
        total = total + (odds - logsumexp(every, 1)[:, None]) @ truth[unit, real]
    gamma = (prior.imagined[:, None] * alpha - np.exp(alpha)).sum((1, 2))
    return np.squeeze(total + gamma - 0.5 * (beta**2).sum(1))[()]


@pytest.fixture(scope="module", params=[2, 3], ids=["open lists", "all labels"])
def example(request):
    prior = prior_of(listed=request.param)
    generator = np.random.default_rng(1)
    places = prior.covariates.real
    truth = np.where(places, generator.exponential(size=places.shape), 0.0)
    truth /= truth.sum(1, keepdims=True)
    at = generator.normal(size=3 + prior.covariates.value.shape[2])
    return prior, truth, at


def named(at):
    return {PREVALENCE: at[:3], WEIGHT: at[3:]}


def test_steps_end_at_the_top(example):
    prior, truth, at = example
    best = optimize.minimize(lambda at: -height(prior, at, truth), at, tol=1e-12).x
    logit = prior.first()
    for _ in range(30):
        logit, _ = prior.step(logit, truth)
    ended = np.concatenate([logit[PREVALENCE], logit[WEIGHT]])
    assert ended == pytest.approx(best, abs=1e-3)


def shares_and_weights(places):
    alpha = places[:, :3]
    return np.append(alpha - logsumexp(alpha, 1)[:, None], places[:, 3:], 1)


def posterior(prior, truth):
    """Top, mean and spread, by importance from Student's t at the top."""
    start = np.zeros(3 + prior.covariates.value.shape[2])
    top = optimize.minimize(lambda at: -height(prior, at, truth), start).x
    bend = _Bend(prior, named(top))
    inverse = np.linalg.inv(np.stack([bend.product(each) for each in np.eye(len(top))]))
    shape = 0.6 * (inverse + inverse.T)
    proposal = stats.multivariate_t(top, shape, df=5, seed=3)
    places = proposal.rvs(20_000)
    logs = height(prior, places, truth) - proposal.logpdf(places)
    weight = np.exp(logs - logsumexp(logs))
    assert 1 / (weight**2).sum() > 2_000
    expected = shares_and_weights(places)
    mean = weight @ expected
    return top, mean, np.sqrt(weight @ (expected - mean) ** 2)


def test_draws_are_of_the_posterior_given_the_truth(example):
    prior, truth, _ = example
    truth = (truth == truth.max(1, keepdims=True)).astype(float)
    top, mean, spread = posterior(prior, truth)
    generator, logit = np.random.default_rng(4), named(top)
    walk, draws = prior.walk(logit), []
    for _ in range(2_000):
        logit = prior.draw(walk, logit, truth, generator)
        draws.append(np.concatenate([logit[PREVALENCE], logit[WEIGHT]]))
    result = shares_and_weights(np.array(draws))
    # The least known of them mix as 100 draws would: four times .1.
    assert np.abs((result.mean(0) - mean) / spread).max() < 0.4
    assert result.std(0) == pytest.approx(spread, rel=0.4)
    _, of_others, _ = posterior(prior, np.roll(truth, 1, axis=0))
    assert np.abs((result.mean(0) - of_others) / spread).max() > 0.8
