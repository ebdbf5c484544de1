"""The pooled multinomial, worked on paper."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from consilience.annotators.multinomial import MODEL
from consilience.model import belief, given, score
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import observe


def test_posterior_of_two_yes_and_a_no_from_a_shared_confusion():
    frame = pd.DataFrame({"item": ["i"] * 3, "label": ["yes", "yes", "no"]})
    space = space_of(read(frame, labels=["no", "yes"]))
    # p(yes) = .3; people say yes to a yes in .8, to a no in .1 of the cases:
    # .3 x .8 x .8 x .2 against .7 x .1 x .1 x .9.
    with jax.enable_x64(True):
        parameters = {
            "prevalence": jnp.log(jnp.array([0.7, 0.3])),
            "confusion": jnp.log(jnp.array([[0.9, 0.1], [0.2, 0.8]])),
        }
        data = observe(space)
        result = np.asarray(belief(score(given(MODEL, data, parameters), data)))
    expected = 0.3 * 0.8 * 0.8 * 0.2 / (0.3 * 0.8 * 0.8 * 0.2 + 0.7 * 0.1 * 0.1 * 0.9)
    assert np.allclose(result, [[1 - expected, expected]])
