"""Replicated answers in the tree of a fit, where ArviZ looks for them."""

import numpy as np
import xarray as xr

from consilience.analysis.goodness_of_fit.replicated import replication
from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.stored_fit.tree import with_groups

MAX_DRAWN = 2**26  # answers over all replicates: 256 MiB


def replicate_answers(fit: Fit, *, replicates: int = 200, seed: int = 0) -> xr.DataTree:
    """Return the data of a fit with answers drawn again from the posterior.

    Every annotator answers again about the same items, whose truth is drawn from its
    posterior. ArviZ's plots of posterior predictive checks read the result.

    Parameters
    ----------
    fit : Fit
        A fit of kind choice or contains, of a model that draws answers from tables of
        P(answer | truth).
    replicates : int, default 200
        How often all answers are drawn again; fewer where there are very many.
    seed : int, default 0
        Seed of the random number generator.

    Returns
    -------
    xarray.DataTree
        The data with the group posterior_predictive: `answer`, along chain (one), draw
        and response, as codes of the attribute labels, with the names of annotator and
        item. The group observed_data has the observed `answer` alone, in a row for each
        also where a row stood for several.

    Raises
    ------
    OptionError
        If the model has no tables, or there are no replicates.

    See Also
    --------
    predictive_checks : Checks by pair of annotators, votes and label.
    plot_ppc : These as a plot.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="hierarchical_dawid_skene")
    >>> data = cs.replicate_answers(fit, replicates=50)
    >>> dict(data["posterior_predictive"]["answer"].sizes)
    {'chain': 1, 'draw': 50, 'response': 180}
    """
    if replicates < 1:
        msg = f"replicates is {replicates}; give 1 or more"
        raise OptionError(msg)
    drawn_from = replication(fit.data)
    space = drawn_from.space
    number = max(min(replicates, MAX_DRAWN // max(len(space.answer), 1)), 1)
    drawn = drawn_from.draw(number, np.random.default_rng(seed))
    answers = np.stack([each.same for each in drawn]).astype(np.int32)
    constant = fit.data["constant_data"]
    # Coordinates, so that ArviZ takes the answer alone for an observed variable.
    place = {
        "response": np.arange(len(space.answer)),
        "annotator": ("response", space.annotators[space.annotator]),
        "item": ("response", constant["unit_item"].to_numpy()[space.unit]),
    }
    given = {"labels": list(map(str, space.answers))}
    sampled = {"chain": [0], "draw": np.arange(number)}
    axes = ("chain", "draw", "response")
    return with_groups(
        fit.data,
        posterior_predictive=xr.Dataset(
            {"answer": (axes, answers[None], given)}, sampled | place
        ),
        observed_data=xr.Dataset(
            {"answer": ("response", space.answer.astype(np.int32), given)}, place
        ),
    )
