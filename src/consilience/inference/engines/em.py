"""EM: the parameters' most probable values, and the truth given them.

Most probable in log-odds (the softmax basis; MacKay 1998, Choice of basis for Laplace
approximation), where the estimate is (counts + concentration) / total: defined for any
concentration, and maximum likelihood as it goes to zero. Models with Dirichlet priors
use closed-form updates, all others the gradient, to find a mode of the same density; of
these it takes draws by the posterior bootstrap, where they are asked for. A prior that
VB learns is held where its own prior has its mode: together with its vectors it has
none, since the density grows without limit as these become alike.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from consilience.inference.ascent import Steps, UpdateRule, logs_of, optimize, point
from consilience.inference.dirichlet import log_mean, log_normaliser
from consilience.inference.options import EngineOptions, Seed, generator_of
from consilience.inference.result import Result, at_a_point
from consilience.model import HostModel, Model
from consilience.progress import Reporter, silent
from consilience.truth import Space

NEEDS_DRAWS, HAS_CLOSED_FORM = False, True


def fit(
    model: Model[Any],
    space: Space,
    seed: Seed,
    effort: EngineOptions,
    report: Reporter = silent,
) -> Result:
    """Fit by EM."""
    steps = Steps().asked(effort)
    if not model.closed(space):
        from consilience.inference.gradient_em import fit_by_gradient

        return fit_by_gradient(
            model, space, steps, seed, effort.draws or 0, effort.prob, report
        )
    sweeps = HostModel(model, space)
    where, how = optimize(sweeps, RULE, steps, generator_of(seed), report)
    swept = sweeps.sweep(logs_of(RULE, where))
    learned = (name for name, each in sweeps.priors.items() if each.hyperprior_weight)
    return at_a_point(
        point(sweeps, where),
        sweeps.truth(swept.belief),
        swept.log_likelihood,
        how,
        (
            "em gives point estimates, without uncertainty of the parameters",
            *(f"em holds the prior of {name} fixed; vb learns it" for name in learned),
        ),
    )


def _price(
    prior: Float[np.ndarray, "*shared L"],
    total: Float[np.ndarray, "*batch L"],
    logs: Float[np.ndarray, "*batch L"],
) -> float:
    share = total.size // prior.size
    return -share * log_normaliser(prior) - float((prior * logs).sum())


RULE = UpdateRule("penalised log-likelihood", log_mean, _price, learns=False)
