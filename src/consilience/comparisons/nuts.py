"""The same model as a NumPyro program, and its draws by NUTS: the reference engine."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro import distributions as dist
from numpyro.infer import MCMC, NUTS

from consilience.comparisons.checks import CHAINS
from consilience.comparisons.model import Counts, Estimate, Prior, counted
from consilience.comparisons.record import Comparisons

_WARMUP, _DRAWS = 300, 700


def program(comparisons: Comparisons, prior: Prior | None = None) -> Callable[[], None]:
    """Return the model of comparisons as a NumPyro program, without covariates.

    Parameters
    ----------
    comparisons : Comparisons
        The comparisons.
    prior : Prior, optional
        Usual scales.

    Returns
    -------
    callable
        A program without arguments.

    See Also
    --------
    consilience.comparisons.fit : Rank the systems.

    Examples
    --------
    >>> import consilience as cs
    >>> rows = {"first": ["x", "y"], "second": ["y", "x"], "winner": ["x", "tie"]}
    >>> callable(cs.comparisons.program(cs.comparisons.read(rows)))
    True
    """
    x = np.zeros((len(comparisons), 0))
    return program_of(counted(comparisons, x), prior or Prior())


def program_of(counts: Counts, prior: Prior) -> Callable[[], None]:
    """Return the program of counted comparisons."""
    judges, groups, weight = len(counts.group_of), counts.groups, prior.weight
    mean, wide = prior.group_means
    usual = jnp.asarray(prior.traits)

    def scale(name: str, usual: Any, shape: tuple[int, ...]) -> Any:
        # Twice the weight over the square is chi-squared; the mode is of the logarithm.
        half = dist.Gamma(weight / 2, weight / 2).expand(shape).to_event(len(shape))
        return usual / jnp.sqrt(numpyro.sample(name, half))

    def model() -> None:
        sigma = scale("score_precision", prior.score, ())
        tau = scale("judge_precision", usual, (groups, 3))
        free = numpyro.sample("free", _normal(counts.systems))
        score = numpyro.deterministic("score", sigma * (free - free.mean()))
        beta = numpyro.sample("coefficient", _normal(counts.x.shape[1]))
        group = numpyro.sample("group", _normal(groups, 3)) * wide + mean
        apart = numpyro.sample("apart", _normal(judges, 3))
        judge = group[counts.group_of] + tau[counts.group_of] * apart
        unit = judge[:, 0].mean()
        numpyro.deterministic("group_traits", group.at[:, 0].add(-unit))
        judge = numpyro.deterministic("judge", judge.at[:, 0].add(-unit))
        trait = judge[counts.judge]
        gap = score[counts.first] - score[counts.second]
        h = jnp.exp(trait[:, 0]) * gap + trait[:, 1] + counts.x @ beta
        logits = jnp.stack([h / 2, -h / 2, trait[:, 2]], -1)
        log_p = jax.nn.log_softmax(logits)
        numpyro.factor("outcomes", (counts.outcomes * log_p).sum())

    return model


def _normal(*shape: int) -> Any:
    return dist.Normal(0.0, 1.0).expand(shape).to_event(len(shape))


def drawn(counts: Counts, prior: Prior, seed: int) -> Estimate:
    """Draw scores, coefficients, and traits of groups and judges."""
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        kernel = NUTS(program_of(counts, prior))
        sampler = MCMC(
            kernel,
            num_warmup=_WARMUP,
            num_samples=_DRAWS,
            num_chains=CHAINS,
            chain_method="sequential",
            progress_bar=False,
        )
        sampler.run(jax.random.key(seed))
        draws = sampler.get_samples()
    names = ("score", "group_traits", "coefficient", "judge")
    score, group, coefficient, judge = (
        np.asarray(draws[name], np.float64) for name in names
    )
    return Estimate(
        *(score.mean(0), judge.mean(0), judge.std(0)), score, group, coefficient
    )
