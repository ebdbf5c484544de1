"""Joint draws of the truth: they have the stated probabilities, and move together."""

import numpy as np
import pytest

import consilience as cs
from consilience.errors import OptionError


@pytest.fixture(scope="module")
def fit():
    study = cs.simulate(items=80, per_item=3, seed=3)
    return cs.fit(study.responses, model="hierarchical_dawid_skene", seed=0)


def test_shares_of_draws_are_the_probabilities(fit):
    drawn = fit.draws(number=2000, seed=1)
    labels = fit.labels()
    for name, table in labels.groupby("label", observed=True):
        share = (drawn == name).mean("draw").to_series()
        stated = table.set_index("item")["probability"].loc[share.index]
        error = np.sqrt(stated * (1 - stated) / 2000)
        # Four standard errors, and what forty draws of parameters differ from the mean.
        assert (np.abs(share - stated) < 4 * error + 0.01).all()


def test_items_move_together_with_the_parameters(fit):
    """The share of a label varies by more than independent items would."""
    drawn = fit.draws(number=2000, seed=1)
    name = fit.items()["label"].mode()[0]
    share = (drawn == name).mean("item")
    alone = (drawn == name).var("draw").sum() / drawn.sizes["item"] ** 2
    assert share.var() > 1.15 * alone


def test_the_same_seed_gives_the_same_draws(fit):
    assert fit.draws(number=20, seed=4).equals(fit.draws(number=20, seed=4))
    assert not fit.draws(number=20, seed=4).equals(fit.draws(number=20, seed=5))


def test_labels_that_were_asked_about_are_present_or_not():
    study = cs.simulate(kind="contains", items=30, per_item=3, seed=1)
    fit = cs.fit(study.responses, model="bayesian_dawid_skene")
    drawn = fit.draws(number=500)
    stated = fit.labels().set_index(["item", "label"])["probability"]
    pairs = list(zip(drawn["item"].values, drawn["label"].values, strict=True))
    assert np.abs(drawn.mean("draw").values - stated.loc[pairs]).max() < 0.12


def test_what_has_no_draws_says_what_does(fit):
    with pytest.raises(OptionError, match="truth, "):
        fit.draws("skil")
    with pytest.raises(OptionError, match="1 or more"):
        fit.draws(number=0)
    objects = cs.simulate(kind="objects", items=12, annotators=8, classes=6, seed=0)
    with pytest.raises(OptionError, match="of kind choice and contains"):
        cs.fit(objects.responses, model="tsipras2020").draws()
