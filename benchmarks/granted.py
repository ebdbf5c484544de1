"""The leading question of two public studies: what is granted, against what is named.

Annotators of the ImageNet multi-label study named the objects of 6,761 images; raters
of the reassessed labels said of 3,707 of them whether labels are in the image. Both are
fitted in one likelihood (`objects`, by em), and the odds of a name being granted held
against those of its object being named by a lister.
"""

import numpy as np

from benchmarks.public_data import not_run, public_data
from benchmarks.report import Report

TOLERANCE = 1e-6  # nats an answer, .06 in all: where the climb stops
STEP = 1e-3  # of the differences that curvature is taken from

NOTES = (
    (
        "odds ratio: for objects with low and high detection probability, odds of "
        "endorsement (one name, not the data set's label) relative to odds of being "
        "named by an annotator who lists objects and for whom another object is the "
        "main one; and effects of names. 90 % intervals: normal in the logarithm, "
        "with a sandwich covariance clustered by item, so that they are robust to "
        "more variation between items than the model assumes."
    ),
    (
        "The two tasks were answered by different people under different "
        "instructions, and the ratio includes that difference: a ratio below one "
        "means that raters of the reassessed labels endorsed less than annotators of "
        "the other study named."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Fit both tasks and tell the odds ratios."""
    del repeats
    title = "Endorsement compared with naming"
    folder = public_data("imagenet-multilabel", "reassessed-imagenet", quick=quick)
    if folder is None:
        return not_run(title)
    import jax

    import consilience as cs

    responses = cs.read(folder / "imagenet-multilabel")
    contains = cs.read(folder / "reassessed-imagenet")
    with jax.enable_x64(True):  # noqa: FBT003 (JAX's way)
        return Report(title, _rows(responses, contains), NOTES)


def _rows(responses, contains) -> list[dict]:
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    from consilience.annotators import load
    from consilience.inference import EngineOptions, run
    from consilience.model import lay_out, marginal
    from consilience.objects.likelihood.label_counts import follows
    from consilience.progress import silent
    from consilience.spaces import space_of

    space, model = space_of(responses, contains=contains), load("objects")
    key = 0
    found = run(model, space, "em", key, EngineOptions(tolerance=TOLERANCE), silent)
    parameters = {
        name: jnp.asarray(value[0, 0])
        for name, value in found.parameters.items()
        if name not in {"endorsement_probability", "leading_question"}
    }
    at, unravel = ravel_pytree(parameters)
    observations = lay_out(model, space)

    def logs(observations, flat):
        return marginal(model.score(observations, unravel(flat)))

    def told(flat):
        each = unravel(flat)
        return jnp.concatenate(
            [follows(each)["leading_question"], each["endorsement"][1:]]
        )

    each = jax.jit(logs)
    slopes = np.stack(
        [
            (each(observations, at + way) - each(observations, at - way)) / (2 * STEP)
            for way in STEP * jnp.eye(len(at))
        ]
    )
    total = jax.jit(jax.grad(lambda flat, those: logs(those, flat).sum()))
    bend = [
        (total(at + STEP * way, observations) - total(at - STEP * way, observations))
        / (2 * STEP)
        for way in jnp.eye(len(at))
    ]
    inverse = np.linalg.inv(np.eye(len(at)) - np.stack(bend))  # one for the prior
    covariance = inverse @ slopes @ slopes.T @ inverse.T
    rise = np.asarray(jax.jacfwd(told)(at))
    error = np.sqrt(np.einsum("kp,pq,kq->k", rise, covariance, rise))
    value = np.asarray(told(at))
    granted = np.asarray(follows(parameters)["endorsement_probability"])
    names = ("seldom seen", "often seen", "of several names", "the data set's own")
    rows = []
    for row, name in enumerate(names):
        odds = granted[row] / (1 - granted[row]) if row < len(granted) else None
        rows.append(
            {
                "of": name,
                "odds ratio": round(float(np.exp(value[row])), 3),
                "lower": round(float(np.exp(value[row] - 1.645 * error[row])), 3),
                "upper": round(float(np.exp(value[row] + 1.645 * error[row])), 3),
                "seen": None
                if odds is None
                else round(float(1 / (1 + np.exp(value[row]) / odds)), 3),
                "granted": None if odds is None else round(float(granted[row]), 3),
            }
        )
    return rows
