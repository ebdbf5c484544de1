"""Contains: how far annotators differ is found again."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from consilience.annotators.contains import MODEL
from consilience.checks.simulated_fits import replace_answers
from consilience.inference.closed_form.ascent import Steps
from consilience.inference.engines import em
from consilience.model import simulate
from consilience.responses import read
from consilience.spaces import space_of

ITEMS, PEOPLE, PER_ITEM = 800, 20, 8
ALIKE = {"threshold_spread": 0.3, "annotator_width_spread": 0.3}
APART = {"threshold_spread": 1.2, "annotator_width_spread": 0.9}
OTHERS = {
    "distance": [3.5, 0.5],
    "scale": 1.7,
    "share": -1.0,
    "width": -0.5,
    "annotator_discrimination_spread": 0.3,
}


@pytest.fixture(scope="module")
def spreads():
    """Standard deviations as drawn and as found, where people are alike or not."""
    who = np.random.default_rng(0).random((ITEMS, PEOPLE)).argsort(1)[:, :PER_ITEM]
    rows = pd.DataFrame(
        {
            "item": np.repeat([f"i{number:03d}" for number in range(ITEMS)], PER_ITEM),
            "annotator": [f"a{j:02d}" for j in who.ravel()],
            "label": "cat",
            "answer": np.resize(["no", "maybe", "yes"], ITEMS * PER_ITEM),
        }
    )
    space = space_of(read(rows, kind="contains"))
    results = {}
    with jax.enable_x64(True):
        for name, true in (("alike", ALIKE), ("apart", APART)):
            data = {site: jnp.asarray(v) for site, v in {**OTHERS, **true}.items()}
            made = simulate(MODEL, space, jax.random.key(2), given=data)
            responses = replace_answers(space, np.asarray(made.answer))
            effort = em.Options(steps=Steps(restarts=1, tolerance=1e-6))
            fit = em.fit(MODEL, responses, 0, effort)
            results[name] = {
                site: (
                    np.asarray(made.parameters[site.removesuffix("_spread")]).std(),
                    fit.parameters[site][0, 0],
                )
                for site in true
            }
    return results


# The logarithm of a standard deviation of J numbers errs by 1 / sqrt(2 J).
MOST = 4 / np.sqrt(2 * PEOPLE)
pytestmark = pytest.mark.study


@pytest.mark.parametrize("site", list(ALIKE))
@pytest.mark.parametrize("people", ["alike", "apart"])
def test_how_far_annotators_differ_is_found_again(spreads, people, site):
    drawn, result = spreads[people][site]
    assert abs(np.log(result / drawn)) < MOST


@pytest.mark.parametrize("site", list(ALIKE))
def test_the_same_check_tells_people_who_are_alike_from_others(spreads, site):
    assert abs(np.log(spreads["apart"][site][1] / spreads["alike"][site][0])) > MOST
