"""Logistic Dawid-Skene as written for NumPyro: enumerated, padded, non-centred.

The same prior as `consilience.annotators.logistic_dawid_skene` under NUTS, with the
truth left to NumPyro's parallel enumeration (funsor) and items laid out as a rectangle
of items x positions with a mask.
"""

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import log_softmax


def rectangle(unit, annotator, answer):
    """Return annotators, answers and mask of each item, padded to the longest."""
    count = np.bincount(unit)
    order = np.argsort(unit, kind="stable")
    place = np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count)
    shape = (len(count), int(count.max()))
    annotators, answers = np.zeros(shape, int), np.zeros(shape, int)
    mask = np.zeros(shape, bool)
    at = (unit[order], place)
    annotators[at], answers[at], mask[at] = annotator[order], answer[order], True
    return annotators, answers, mask


def basis(size):
    """Return an orthonormal basis of the vectors that sum to zero."""
    contrasts = np.zeros((size, size - 1))
    for column in range(1, size):
        contrasts[:column, column - 1] = 1.0
        contrasts[column, column - 1] = -column
    return contrasts / np.linalg.norm(contrasts, axis=0)


def model(annotators, answers, mask, num_annotators, num_classes):
    """The whole model; `truth` is enumerated."""
    V = basis(num_classes)
    prevalence = numpyro.sample("prevalence", dist.Dirichlet(jnp.ones(num_classes)))
    centre = 2.0 * np.eye(num_classes) @ V
    population = numpyro.sample("population", dist.Normal(centre, 1.0).to_event(2))
    spread = numpyro.sample(
        "spread", dist.HalfNormal(jnp.ones(num_classes)).to_event(1)
    )
    shape = (num_annotators, num_classes, num_classes - 1)
    distance = numpyro.sample(
        "distance", dist.Normal(jnp.zeros(shape), 1.0).to_event(3)
    )
    log_confusion = log_softmax((population + spread[:, None] * distance) @ V.T)
    numpyro.deterministic("confusion", jnp.exp(log_confusion))
    with numpyro.plate("items", annotators.shape[0], dim=-2):
        truth = numpyro.sample(
            "truth", dist.Categorical(prevalence), infer={"enumerate": "parallel"}
        )
        with (
            numpyro.plate("positions", annotators.shape[1], dim=-1),
            numpyro.handlers.mask(mask=mask),
        ):
            logits = log_confusion[annotators, truth]
            numpyro.sample("answer", dist.Categorical(logits=logits), obs=answers)
