"""Studies that tests draw, and how far what is promised is from what holds."""

from functools import partial

import jax
import numpy as np
import pandas as pd

from consilience.annotators import load, names
from consilience.model import Model, belief, given
from consilience.model import score as scored
from consilience.objects.space import assembled
from consilience.responses import read
from consilience.spaces import space_of
from consilience.truth import observe
from consilience.truth.named import Named

# Of which the parameters of a model can be listed; answers do not matter.
SMALL = space_of(
    read(
        pd.DataFrame(
            [("i", "ann", "x"), ("i", "bob", "y")],
            columns=["item", "annotator", "label"],
        )
    )
)
FITTED = [name for name in names() if isinstance(load(name), Model)]
WORDS = ["no", "maybe", "yes"]


def crossed(items, annotators, per_item, generator=None):
    """Return a table in which annotators, picked at random, answer each item."""
    generator = generator or np.random.default_rng(0)
    who = generator.random((items, annotators)).argsort(1)[:, :per_item]
    item = np.arange(items).repeat(per_item)
    return pd.DataFrame(
        {
            "item": [f"i{number:04d}" for number in item],
            "annotator": [f"a{code:03d}" for code in who.ravel()],
        }
    )


@partial(jax.jit, static_argnums=0)
def score(model, observations, parameters):
    """Score compiled whole: one by one, hundreds of operations take longer."""
    return scored(given(model, observations, parameters), observations)


def posterior(model, space, parameters):
    """Return p(state | the answers of each unit) under parameters, as NumPy has it."""
    with jax.enable_x64(True):
        return np.asarray(belief(score(model, observe(space), parameters)))


def gap(belief, state):
    """Return how much surer than right beliefs are, in standard errors."""
    promised = belief.max(1)
    hits = belief.argmax(1) == state
    return (promised - hits).sum() / np.sqrt((promised * (1 - promised)).sum())


def inside(draws, truth, mass=0.9):
    """Return whether bounds of draws hold each element of a parameter."""
    lower, upper = np.quantile(draws, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    return ((lower <= truth) & (truth <= upper)).ravel()


def off(held, mass=0.9):
    """Return how far the share held is from what is promised, in standard errors."""
    return abs(held.mean() - mass) / np.sqrt(mass * (1 - mass) / held.size)


def information(joint):
    """Return the mutual information of the two axes of a table of counts."""
    share = joint / joint.sum()
    apart = share.sum(1, keepdims=True) * share.sum(0, keepdims=True)
    return np.sum(share * np.log(np.maximum(share, 1e-300) / apart))


def objects_space(answers, num_labels, *, own=0, said=None):
    """Return a space whose units hold the answers (main label, mask) in turn.

    `said` is how many said no, maybe and yes of each unit and label.
    """
    units = len(answers)
    flat = [answer for unit in answers for answer in unit]
    named = Named(
        labels=np.array([f"l{label}" for label in range(num_labels)], object),
        parents=np.array(["p", "p", "q", "q", "q"][:num_labels], object),
        candidate=np.tile(np.arange(num_labels), (units, 1)),
        dataset_label=np.full(units, own),
        mask=np.array([mask for _, mask in flat]),
        main=np.array([main for main, _ in flat]),
        covariates=np.zeros((units, num_labels, 0)),
        none=np.zeros(units, int),
        observed=np.ones(units, bool),
        contains_counts=None if said is None else np.array(said),
    )
    return assembled(
        named,
        np.array([f"i{unit:05d}" for unit in range(units)], object),
        np.array(["(anonymous)"], object),
        np.zeros(1, bool),
        unit=np.repeat(np.arange(units), [len(unit) for unit in answers]),
        annotator=np.zeros(len(flat), int),
        n=np.ones(len(flat), int),
    )


def every_objects_answer(num_labels):
    """Return all that can be answered of so many labels: a main one, and a mask."""
    return [
        (main, mask)
        for main in range(num_labels)
        for mask in range(1 << num_labels)
        if mask >> main & 1
    ]
