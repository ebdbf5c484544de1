"""Whether rankings say when they are not to be trusted, and how they predict."""

import numpy as np
import pandas as pd
from scipy.stats import binom

import consilience as cs
from consilience.comparisons import Prior
from consilience.comparisons.checks import mixed_chains


def fitted(table, **how):
    return cs.comparisons.fit(cs.comparisons.read(table), **how)


def outcomes(ranking):
    return ranking.diagnostics().set_index("name")["outcome"]


def test_what_is_left_out_is_predicted_as_by_fits_without_it(draw):
    table, _ = draw(0, systems=4, judges=4, number=150)
    prior = Prior(weight=1e9)  # scales are not learned
    comparisons = cs.comparisons.read(table)
    ranking = cs.comparisons.fit(comparisons, prior=prior)
    stated, refitted = ranking.leave_one_out(), []
    for left in range(0, len(comparisons), 5):
        kept = np.arange(len(comparisons)) != left
        without = cs.comparisons.fit(comparisons.take(kept), prior=prior)
        refitted.append(-without.log_loss(comparisons.take(~kept)))
    errors = stated[::5] - refitted
    p = ranking.predict(comparisons).to_numpy()
    inside = np.log(p[np.arange(len(p)), comparisons.outcome])
    # A step of Newton leaves a tenth of what leaving out changes.
    assert np.abs(errors).mean() < 0.1 * np.abs(inside[::5] - refitted).mean()
    assert np.abs(inside[::5] - refitted).mean() > 0.02  # what a fit with it says


def failures(draw, studies, change):
    """Return how often each check fails of studies that are changed."""
    tables = (change(draw(seed, number=800)[0], seed) for seed in range(studies))
    failed = [outcomes(fitted(table)) == "failed" for table in tables]
    return pd.DataFrame(failed).sum()


def in_groups(table, _):
    people = table["judge"].isin(["j0", "j1", "j2"])
    return table.assign(group=np.where(people, "people", "models"))


def by_chance(studies):
    """Return how many studies of the model fail, at most, at the level of .01."""
    return binom.ppf(0.999, studies, 0.01)


def test_checks_pass_where_the_model_holds(draw):
    failed = failures(draw, 20, in_groups)
    assert {*failed.index} == {"pairs", "groups"}
    assert (failed <= by_chance(20)).all()


def test_a_circle_is_no_scale():
    random = np.random.default_rng(0)
    first = random.integers(4, size=600)
    second = (first + random.integers(1, 4, size=600)) % 4
    names = np.array([*"wxyz"])
    beats = (second - first) % 4 == 1  # each beats the next
    won = np.where(beats | (random.random(600) < 0.4), first, second)
    columns = {"first": names[first], "second": names[second], "winner": names[won]}
    ranking = fitted(pd.DataFrame(columns))
    assert outcomes(ranking)["pairs"] == "failed"
    assert "covariates" in ranking.diagnostics()["remedy"].iloc[0]


def test_models_who_favour_a_system_are_not_as_people(draw):
    def favoured(table, seed):
        table = in_groups(table, seed)
        ours = (table["first"] == "s0") | (table["second"] == "s0")
        turned = ours & (table["group"] == "models")
        chosen = np.random.default_rng(seed).random(len(table)) < 0.7
        return table.assign(winner=table["winner"].mask(turned & chosen, "s0"))

    assert failures(draw, 6, favoured)["groups"] > by_chance(6)


def test_what_cannot_be_told_is_no_failure():
    ranking = fitted({"first": [*"xy"], "second": [*"yz"], "winner": [*"xy"]})
    assert outcomes(ranking)["pairs"] == "cannot be told"


def test_chains_that_disagree_are_seen():
    draws = np.random.default_rng(0).normal(size=(400, 3))
    assert mixed_chains(draws).outcome == "passed"
    draws[200:] += 1.0  # the second chain
    assert mixed_chains(draws).outcome == "failed"
