"""Modes of the posterior weighted by how well each predicts the answers.

How many chains fell into a mode says where chains started. Modes are weighted as models
are that are compared: so that their mixture predicts each answer best from all others
(stacking), and shrunk towards equal weights, because a model that errs can predict
answers better by labels that are worse.

References
----------
Yao, Vehtari and Gelman (2022), Stacking for non-mixing Bayesian computations: the curse
and blessing of multimodal posteriors, section 2.
"""

from typing import Any

import numpy as np

from consilience.checks.leave_one_out import leave_one_response_out
from consilience.checks.stacking import shrink_weights, stacking_weights
from consilience.inference import Result
from consilience.inference.modes import weigh
from consilience.log import logger
from consilience.model import AnnotatorModel
from consilience.truth import Space


def weigh_modes(
    model: AnnotatorModel[Any], space: Space, result: Result, prob: float
) -> Result:
    """Return the result with its modes weighted; as it is where there is one."""
    mixing = result.mixing
    if mixing is None or len(mixing.weight) < 2 or not result.moments:
        return result
    scores = []
    for mode in range(len(mixing.weight)):
        chains = mixing.mode == mode
        draws = {name: each[chains] for name, each in result.parameters.items()}
        predicted = leave_one_response_out(model, space, draws)
        if predicted is None:
            return result
        scores.append(predicted.elpd)
    stacked = stacking_weights(np.stack(scores), space.n)
    weight = shrink_weights(
        stacked, np.zeros(len(stacked)), np.ones(len(stacked), bool)
    )
    shares = ", ".join(f"{each:.2f}" for each in weight)
    logger.info("modes: %s; weighted %s", mixing.modes, shares)
    return weigh(result, weight, prob)
