"""The pooled multinomial, worked on paper."""

import numpy as np
import pandas as pd
from tests.studies import posterior

from consilience.annotators.multinomial import MODEL
from consilience.responses import read
from consilience.spaces import space_of


def test_posterior_of_two_yes_and_a_no_from_a_shared_confusion():
    frame = pd.DataFrame({"item": ["i"] * 3, "label": ["yes", "yes", "no"]})
    space = space_of(read(frame, labels=["no", "yes"]))
    # p(yes) = .3; people say yes to a yes in .8, to a no in .1 of the cases:
    # .3 x .8 x .8 x .2 against .7 x .1 x .1 x .9.
    parameters = {
        "prevalence": np.log([0.7, 0.3]),
        "confusion": np.log([[0.9, 0.1], [0.2, 0.8]]),
    }
    expected = 0.3 * 0.8 * 0.8 * 0.2 / (0.3 * 0.8 * 0.8 * 0.2 + 0.7 * 0.1 * 0.1 * 0.9)
    assert np.allclose(posterior(MODEL, space, parameters), [1 - expected, expected])
