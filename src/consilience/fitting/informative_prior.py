r"""The posterior of an earlier study as the prior of another.

Each parameter that the earlier study knows has a normal prior at its posterior there,

.. math::

   u \sim N(\hat\mu, \hat\sigma^2),

with the mean and standard deviation of its draws, in the coordinates in which it is
without bounds. Annotators and groups of labels are matched by name; who was not there
is drawn from the population, as ever, whose own parameters are among the known. How
parameters hang together in the earlier posterior is left out; both studies fitted
together would keep it.

References
----------
Ibrahim and Chen (2000), Power prior distributions for regression models, on priors from
earlier studies.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro  # noqa: F401 (whole before its parts: see `model.program`)
import numpyro.distributions as dist
import xarray as xr
from jaxtyping import Bool, Float
from numpyro.distributions.transforms import biject_to
from numpyro.primitives import Messenger

from consilience import annotators
from consilience.errors import OptionError
from consilience.fitting.earlier import align, aligned_space, places
from consilience.fitting.request import Request, Study
from consilience.fitting.single import fit_one, fit_outcome
from consilience.model import Model, stack_chains
from consilience.model.varying import RandomEffects
from consilience.posterior import Fit
from consilience.posterior.tree import Outcome
from consilience.progress import reporter
from consilience.truth import Space

MIN_SCALE = 1e-3  # standard deviation that a prior has at least

# Draws of a parameter in the shape that the new study has, and which were there before.
type Matched = tuple[Float[np.ndarray, "D ..."], Bool[np.ndarray, "..."]]


def fit_with_previous(study: Study, request: Request, previous: Fit) -> Outcome:
    """Fit a study with the posterior of an earlier one as the prior."""
    name = request.model
    if name == "auto":
        name = previous.data.attrs["model"]
    with reporter(request.progress) as report:
        loaded = annotators.fittable(name, request.prior)
        space = study.space(request.states or loaded.states)
        model = check_previous(name, loaded, previous, space)
        space = aligned_space(space, previous.data)
        model, remark = with_informative_prior(model, space, previous)
        single = fit_one(name, space, request, report, informative=model)
    if request.model == "auto":
        reason = f"it is that of the earlier fit; {single.reason}"
        single = replace(single, reason=reason)
    return fit_outcome(study, request, space, single, remarks=[remark])


def check_previous(name: str, model: Model[Any], fit: Fit, space: Space) -> Model[Any]:
    """Return the model; refuse an earlier fit that cannot be its prior."""
    before = fit.data.attrs
    if before["model"] != name:
        raise OptionError(
            f"the earlier fit is of the model {before['model']}, this one of {name}; "
            "take the same model, or a fit of this one"
        )
    if not model.by_gradient(space) or "objects" in model.kinds:
        raise OptionError(
            f"{name} cannot take its prior from an earlier fit: fit both studies "
            "together, or use `predict` to keep all as it was learned; contains, "
            "contains_counts, glad and item_difficulty can"
        )
    sizes = fit.data["posterior"].sizes
    if sizes["chain"] * sizes["draw"] < 2:
        raise OptionError(
            f"the earlier fit, by {before['engine']}, is a point estimate without "
            "uncertainty; fit it again with draws (em: `draws=50`; or nuts)"
        )
    return model


def with_informative_prior(
    model: Model[Any], space: Space, fit: Fit
) -> tuple[Model[Any], str]:
    """Return the model with the earlier posterior as its prior, and a remark on it."""
    previous = match_draws(
        fit.data["posterior"].to_dataset(), model.own_dims(space), space
    )
    names = places(fit.data["constant_data"]["annotator"].to_numpy(), space.annotators)

    def program(data: Any, prior: Any) -> Any:
        with _InformativePrior(previous):
            return model.program(data, prior)

    remark = (
        f"the prior is the posterior of an earlier fit ({fit.data.attrs['model']} by "
        f"{fit.data.attrs['engine']}), which includes {int((names >= 0).sum()):,} of "
        f"the {len(names):,} annotators"
    )
    return replace(model, program=program), remark


def match_draws(
    posterior: xr.Dataset, dims: Collection[str], space: Space
) -> dict[str, Matched]:
    """Return the draws of each parameter, annotators and groups those of the space."""
    matched = {}
    for name, variable in posterior.data_vars.items():
        if name in dims:
            draws, learned = align(space, variable)
            matched[str(name)] = stack_chains(draws), learned
    return matched


class _InformativePrior(Messenger):  # type: ignore[misc]
    """Change the priors of what is known, while a program runs."""

    def __init__(self, draws: Mapping[str, Matched]) -> None:
        self.draws = draws
        super().__init__()

    def process_message(self, site: Any) -> None:
        """Give the site the prior that the earlier study has for it."""
        if site["type"] == "sample" and site["name"] in self.draws:
            site["fn"] = _prior(site["fn"], self.draws[site["name"]])


def _prior(usual: Any, matched: Matched) -> Any:
    draws, learned = matched
    if not learned.any():
        return usual
    events, base = usual.event_dim, usual
    while isinstance(base, (dist.Independent, dist.ExpandedDistribution)):
        base = base.base_dist
    if isinstance(base, dist.Normal):
        mean = jnp.where(learned, draws.mean(0), base.loc)
        scale = jnp.maximum(draws.std(0, ddof=1), MIN_SCALE)
        scale = jnp.where(learned, scale, base.scale)
        if isinstance(base, RandomEffects):
            new = RandomEffects(scale, base.information, mean)
        else:
            new = dist.Normal(mean, scale)
        return new.to_event(events)
    transform = biject_to(usual.support)
    free = transform.inv(jnp.asarray(draws))
    scale = jnp.maximum(free.std(0, ddof=1), MIN_SCALE)
    normal = dist.Normal(free.mean(0), scale).to_event(transform.domain.event_dim)
    return _Transformed(normal, transform)


class _Transformed(dist.TransformedDistribution):  # type: ignore[misc]
    """What is normal in coordinates without bounds; engines start at its median."""

    @property
    def mean(self) -> Any:
        """Where the coordinates have their mean; not the mean itself."""
        return self.transforms[0](self.base_dist.mean)
