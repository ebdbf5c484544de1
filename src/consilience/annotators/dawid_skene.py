r"""Dawid-Skene: each annotator has a confusion of their own, estimated as it comes.

.. math::

   z_i \sim \mathrm{Cat}(\pi), \qquad
   y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_{jk})

Maximum likelihood, by EM from the vote shares, as in the paper of 1979. A thousandth of
a count on every cell keeps probabilities off zero. With few answers per annotator and
class it overfits, and its posteriors are overconfident; the hierarchical model corrects
the first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from consilience.model import (
    ByTables,
    LogDirichlet,
    Model,
    confusions,
    sample,
    sample_prevalence,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Counts added to every cell.

    Enough to keep a class that an annotator never met from being impossible, too few
    to move the posteriors printed in the paper: .0007 at most, where a hundredth of a
    count moved one by .007.
    """

    smoothing: float = 0.001


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence and each annotator's confusion."""
    log_prevalence = sample_prevalence(data, prior.smoothing)
    same = np.full((data.num_states, data.num_answers), prior.smoothing)
    dims = ("annotator", "true_class", "given_class")
    log_confusion = sample("confusion", LogDirichlet(same), *dims)
    return confusions(log_prevalence, log_confusion)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("em",),
    references=("Dawid and Skene (1979), section 3",),
)
