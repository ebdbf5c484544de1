r"""Numbers that vary between annotators, about zero, with a spread that is learned.

.. math::

   \theta_j \sim N(0, \sigma^2)

Given :math:`\sigma`, the posterior of :math:`\theta_j` is about as wide as
:math:`v_j^{1/2}`, :math:`v_j = (h_j + \sigma^{-2})^{-1}`, with :math:`h_j` the
information in the answers. The coordinate that engines move in is
:math:`\theta_j / v_j^{1/2}`: centred where answers are many, standardised where they
are few. Its density carries the logarithm of the change of volume,
:math:`\frac{1}{2} \log v_j`, which is what Laplace's approximation adds when
:math:`\theta_j` is integrated out. So the mode of all together has about the
:math:`\sigma` of the marginal likelihood; in other coordinates it is nil, or too large.

The density is exact whatever :math:`h_j`; a rough one will do, for where
:math:`\sigma^2 h_j` is large it hardly matters how large.

References
----------
Kleppe (2019), Dynamically rescaled Hamiltonian Monte Carlo, section 3. MacKay (1998),
Choice of basis for Laplace approximation. Searle, Casella and McCulloch (1992),
Variance components, section 6.3, for what numbers tell of their spread.
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jaxtyping import Array, Float
from numpyro.distributions.constraints import Constraint
from numpyro.distributions.transforms import AffineTransform, biject_to
from numpyro.primitives import Messenger


def sample_scale(name: str, median: float, wide: float) -> Float[Array, ""]:
    """Sample by how much numbers vary, inside a program."""
    prior = dist.LogNormal(jnp.log(median), wide)
    return numpyro.sample(scale_site(name), prior)


def sample_random_effects(
    name: str, spread: Float[Array, ""], information: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """Sample numbers that vary by a spread, inside a program."""
    each = RandomEffects(spread, information).to_event(information.ndim)
    return numpyro.sample(name, each)


def scale_site(name: str) -> str:
    """Return the site of the spread of the numbers of a site."""
    return f"{name}_spread"


def is_random_effect(site: Any) -> bool:
    """Return whether numbers of a NumPyro site vary by a spread."""
    if site["type"] != "sample" or site["is_observed"]:
        return False
    return isinstance(_base(site["fn"]), RandomEffects)


def scale_errors(sites: Mapping[str, Any]) -> dict[str, Float[Array, ""]]:
    r"""Return how well the logarithm of each spread is known, by the sites that vary.

    The standard error at the mode: each number tells as much of the spread as the
    answers, with information :math:`h_j`, tell of the number, so with
    :math:`\tau` the prior standard deviation the precision is

    .. math::

       2 \sum_j \Bigl( \frac{\sigma^2 h_j}{1 + \sigma^2 h_j} \Bigr)^2 + \tau^{-2}

    (Searle, Casella and McCulloch 1992, section 6.3).
    """
    errors = {}
    for name, site in sites.items():
        if is_random_effect(site):
            numbers = _base(site["fn"])
            information = numbers.scale**2 * numbers.information
            precision = 2 * ((information / (1 + information)) ** 2).sum()
            # The prior of a spread, an earlier fit's too, is normal in its logarithm.
            before = _base(_base(sites[scale_site(name)]["fn"]).base_dist).scale
            errors[name] = (precision + before**-2) ** -0.5
    return errors


class plain(Messenger):  # type: ignore[misc]  # noqa: N801 (as NumPyro names them)
    """Sample numbers that vary in coordinates of their own, not measured by data."""

    def process_message(self, site: Any) -> None:
        """Take the measure away."""
        if is_random_effect(site):
            base = _base(site["fn"])
            events = site["fn"].event_dim
            site["fn"] = dist.Normal(base.loc, base.scale).to_event(events)


def _base(distribution: Any) -> Any:
    while isinstance(distribution, dist.Independent):
        distribution = distribution.base_dist
    return distribution


class RandomEffects(dist.Normal):  # type: ignore[misc]
    """A normal distribution whose coordinates are measured by the data.

    Parameters
    ----------
    spread
        Standard deviation.
    information
        In the answers, of each number.
    mean
        Mean of the numbers.
    """

    pytree_data_fields = ("information",)

    def __init__(
        self, spread: Any, information: Any, mean: Any = 0.0, **checks: Any
    ) -> None:
        self.information = information
        shape = jnp.shape(information)
        super().__init__(
            jnp.broadcast_to(mean, shape), jnp.broadcast_to(spread, shape), **checks
        )

    @property
    def support(self) -> Constraint:
        """All numbers, in units of the width of the posterior."""
        return _Measured((self.information + self.scale**-2) ** -0.5)


class _Measured(Constraint):  # type: ignore[misc]
    """All numbers; the coordinate of one is the number over a unit."""

    def __init__(self, unit: Any) -> None:
        self.unit = unit

    def __call__(self, x: Any) -> Any:
        return jnp.isfinite(x)

    def feasible_like(self, prototype: Any) -> Any:
        return jnp.zeros_like(prototype)

    def tree_flatten(self) -> Any:
        return (self.unit,), (("unit",), {})

    def eq(self, other: object, static: bool = False) -> Any:  # noqa: FBT001, FBT002 (NumPyro's)
        del static
        return self is other


@biject_to.register(_Measured)  # type: ignore[untyped-decorator]
def _coordinate(constraint: _Measured) -> AffineTransform:
    return AffineTransform(0.0, constraint.unit)
