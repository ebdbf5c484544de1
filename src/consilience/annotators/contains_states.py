r"""Three states of presence: annotators are drawn from a population that is learned.

.. math::

   z_i \sim \mathrm{Cat}(\pi), \quad y_{ij} \mid z_i = k \sim \mathrm{Cat}(\theta_{jk}),
   \qquad \theta_{jk} \sim \mathrm{Dir}(\alpha_k), \quad
   \alpha_{kl} \sim \mathrm{Gamma}(1 + h a_{kl},\ h)

The light version of `contains`, in closed form: a pair of item and label is in one of
three states instead of anywhere on a scale, *maybe* is the answer that names the middle
one, and each annotator has a confusion of three states by three answers whose prior is
learned from all. An unclear pair counts half towards P(present). It is one half of
`auto`. On the raters of the
reassessed ImageNet study it fits a million answers in seconds, and its tempered
posterior is nearly as good as that of `contains`; it uses neither groups of labels nor
covariates.

Two states (``states=2``) are Dawid and Skene's, which grow too sure: an image in which
a label is hard to see misleads all annotators alike.
"""

from dataclasses import dataclass
from typing import Any

from consilience.model import (
    ByTables,
    Gamma,
    LogDirichlet,
    Model,
    confusions,
    imagined_answers,
    sample,
    sample_prevalence,
)


@dataclass(frozen=True, slots=True)
class Prior:
    """Mode of the learned concentration: the answer that names the state, and others.

    Attributes
    ----------
    own, other, held
        That mode, and its weight in annotators.
    prevalence
        Imagined pairs of each state.
    """

    own: float = 4.0
    other: float = 1.0
    held: float = 1.0
    prevalence: float = 1.0


def program(data: Any, prior: Prior) -> ByTables:
    """Sample the prevalence, what annotators have in common, and their confusions."""
    log_prevalence = sample_prevalence(data, prior.prevalence)
    usual = Gamma(1 + prior.held * imagined_answers(data, prior), prior.held)
    row = ("true_class", "given_class")
    confusion = LogDirichlet(sample("confusion_prior", usual, *row))
    log_confusion = sample("confusion", confusion, "annotator", *row)
    return confusions(log_prevalence, log_confusion)


MODEL = Model(
    program=program,
    prior=Prior(),
    engines=("vb", "em", "nuts"),
    references=(
        "Dawid and Skene (1979), section 2",
        "Paun et al. (2018), section 3.4",
        "Minka (2000), Estimating a Dirichlet distribution, section 2",
    ),
    kinds=("contains",),
    states=3,
)
