"""What an annotator model is, and what follows from it for every model alike.

A model says how parameters are drawn and, given them, what each answer looks like under
each state of the truth: the *emission*. From it comes the **score**: for each unit and
each state listed for it, log p(state, the unit's answers | parameters). From the score
follow, here and once, the likelihood with the truth summed out, the posterior of the
truth, exact leave-one-answer-out, expected counts, and simulation.

A model that integrates something out (item difficulty on quadrature nodes, partitions
of names into objects) gives the score itself, and its own simulation.

Parameters are passed on by name. Those with a Dirichlet prior are passed as logarithms
of probabilities, which is what makes closed forms fall out: the gradient of the log
likelihood in log p is the expected count of the event that has probability p. So one
function serves sampling (log of a draw), EM (log of an estimate) and variational Bayes
(expected log), and an M-step is a gradient.
"""

# ArviZ leaves a NumPyro that loads when it is first named, and breaks if that is one of
# its submodules: so it is named whole, before the modules below name its parts.
import numpyro  # noqa: F401

from consilience.model.answers import from_outside, given_the_others, has_table
from consilience.model.contract import (
    NOTHING,
    AnnotatorModel,
    Dirichlet,
    Normal,
    Parameters,
    Simulated,
)
from consilience.model.difficulty import by_difficulty, sample_difficulty
from consilience.model.emission import (
    ByConfusion,
    ByMixture,
    BySubtype,
    Emission,
    PerAnswer,
    by_subtype,
    own_answer,
    right_and_wrong,
)
from consilience.model.layout import check_tables, fits_in_memory, lay_out, prepared
from consilience.model.log_odds import (
    Information,
    information,
    sample_population,
    sample_rows,
    zero_sum_basis,
)
from consilience.model.on_shortlists import OnShortlists, lists_of
from consilience.model.prior_of_truth import (
    DIMS,
    PREVALENCE,
    SPREAD,
    WEIGHT,
    closed_priors,
    log_logit,
    log_prior_of_truth,
    log_total,
    over_labels,
    takes_columns,
)
from consilience.model.program import SCORE, joint, sample_parameters, simulate
from consilience.model.quadrature import normal_nodes
from consilience.model.replay import TINY, can_be_replayed, joined, replayed, some_draws
from consilience.model.summed import (
    belief,
    derived,
    drawn_counts,
    emission_of,
    expected_counts,
    log_likelihood,
    log_prior,
    marginal,
    posterior_of_truth,
    score,
    splits,
)

__all__ = [
    "DIMS",
    "NOTHING",
    "PREVALENCE",
    "SCORE",
    "SPREAD",
    "TINY",
    "WEIGHT",
    "AnnotatorModel",
    "ByConfusion",
    "ByMixture",
    "BySubtype",
    "Dirichlet",
    "Emission",
    "Information",
    "Normal",
    "OnShortlists",
    "Parameters",
    "PerAnswer",
    "Simulated",
    "belief",
    "by_difficulty",
    "by_subtype",
    "can_be_replayed",
    "check_tables",
    "closed_priors",
    "derived",
    "drawn_counts",
    "emission_of",
    "expected_counts",
    "fits_in_memory",
    "from_outside",
    "given_the_others",
    "has_table",
    "information",
    "joined",
    "joint",
    "lay_out",
    "lists_of",
    "log_likelihood",
    "log_logit",
    "log_prior",
    "log_prior_of_truth",
    "log_total",
    "marginal",
    "normal_nodes",
    "over_labels",
    "own_answer",
    "posterior_of_truth",
    "prepared",
    "replayed",
    "right_and_wrong",
    "sample_difficulty",
    "sample_parameters",
    "sample_population",
    "sample_rows",
    "score",
    "simulate",
    "some_draws",
    "splits",
    "takes_columns",
    "zero_sum_basis",
]
