r"""The posterior bootstrap: draws near the posterior, each the top of another climb.

Each draw weighs the items anew and leans on the prior from another side,

.. math::

   \phi^* = \arg\max_\phi \; \log p(\phi) - \epsilon^\top \phi
   + \sum_i w_i \log p(y_i \mid \phi), \qquad
   w_i \sim \mathrm{Exp}(1), \quad
   \epsilon = \nabla \log p(\phi_0), \ \phi_0 \sim p

in the coordinates without bounds. The weights vary as the score of the items does, the
tilt as the prior is wide: where all is normal and the model is right, draws are from
the posterior, and a parameter that the answers say nothing of varies as its prior does.
Where the model is wrong, they vary as the estimate would with other items. A climb from
the top to a top nearby takes a few sweeps.

References
----------
Fong, Lyddon and Holmes (2019), Scalable nonparametric sampling from multimodal
posteriors with the posterior bootstrap. Newton and Raftery (1994), for the weights.
Bardsley, Solonen, Haario and Laine (2014), for the tilt.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int, Key
from numpyro.handlers import seed, trace
from numpyro.infer.util import potential_energy, unconstrain_fn

from consilience.inference.ascent import Steps
from consilience.inference.gradient import Peak, Summit, climb_on, told
from consilience.model import AnnotatorModel, sample_parameters
from consilience.progress import Progress, Reporter, silent

PHASE = "posterior bootstrap"


def posterior_bootstrap(
    model: AnnotatorModel[Any],
    summit: Summit,
    item: Int[np.ndarray, " U"],
    steps: Steps,
    key: Key[Array, ""],
    number: int,
    report: Reporter,
) -> Iterator[Peak]:
    """Give so many draws, one after the other.

    Parameters
    ----------
    model
        A model that was climbed along the gradient, and prepares nothing from the data.
    summit
        Where the climb ended.
    item
        The item of each unit: those of one item are weighed together.
    steps
        When to stop.
    key
        Random key.
    number
        How many.
    report
        Called with the progress made.
    """
    data, position, unravel = summit
    shape = data.weight.shape
    none = jnp.zeros((*shape, data.whole.guess.shape[1]))
    for draw in range(number):
        of_weights, of_tilt = jax.random.split(jax.random.fold_in(key, draw))
        weight = jax.random.exponential(of_weights, (int(item.max()) + 1,))[item]
        padded = jnp.zeros(data.weight.size).at[data.place].add(weight)
        weighed = data._replace(weight=padded.reshape(shape))
        tilt = np.asarray(_tilt(model, summit, of_tilt))
        end, _, _ = climb_on(
            model,
            weighed,
            unravel,
            steps.tolerance,
            none,
            position,
            steps.sweeps,
            silent,
            PHASE,
            tilt,
        )
        report(Progress(PHASE, draw + 1, number, f"draw {draw + 1} of {number}"))
        yield told(model, data, unravel(jnp.asarray(end)))


def _tilt(
    model: AnnotatorModel[Any], summit: Summit, key: Key[Array, ""]
) -> Float[Array, " P"]:
    """Return the slope of the log prior where the prior has drawn a point."""
    whole = summit.data.whole
    sites = trace(seed(sample_parameters, key)).get_trace(model, whole)
    values = {
        name: site["value"] for name, site in sites.items() if site["type"] == "sample"
    }
    free = unconstrain_fn(seed(sample_parameters, 0), (model, whole), {}, values)

    def energy(position: Any) -> Float[Array, ""]:
        found: Float[Array, ""] = potential_energy(
            sample_parameters, (model, whole), {}, position
        )
        return found

    slope: Float[Array, " P"] = -ravel_pytree(jax.grad(energy)(free))[0]
    return slope
