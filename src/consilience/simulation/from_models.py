"""From a model to simulated responses with known truth."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pandas as pd

from consilience.annotators import find, fittable
from consilience.errors import OptionError
from consilience.inference import check_seed
from consilience.model import Model
from consilience.model import simulate as draw
from consilience.programs import double_precision
from consilience.responses import Responses, read
from consilience.responses.options import Kind
from consilience.simulation.objects import Simulated, simulate_objects
from consilience.spaces import space_of
from consilience.truth import ContainsSpace


def simulate(
    *,
    kind: Kind = "choice",
    model: str | Model[Any] | None = None,
    items: int = 200,
    annotators: int = 20,
    classes: int | None = None,
    per_item: int = 5,
    prior: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Simulated:
    """Draw responses with known truth from a model.

    Every item is answered by `per_item` annotators drawn at random.

    Parameters
    ----------
    kind : {"choice", "contains", "objects"}, default "choice"
        Kind of question. For contains, one label is asked about each item: yes, maybe
        or no. For objects, annotators give the labels of what they see, and the main
        one.
    model : str or Model, optional
        The model to draw from, also one of your own; by default Bayesian Dawid-Skene.
        Objects are drawn as `consilience.simulation.objects` describes, which is not a
        model of the library.
    items, annotators, classes, per_item : int
        The design. By default there are 4 classes, or 20 for objects.
    prior : mapping of str to float, optional
        Settings of the model's prior to change, by name; for objects, of the
        simulation (see `consilience.simulation.ObjectsSettings`).
    seed : int, default 0
        Seed of the random number generator.

    Returns
    -------
    Simulated
        The responses, the parameters and the truth.

    Raises
    ------
    OptionError
        If the design is impossible, or the kind has no model yet.

    See Also
    --------
    consilience.demo.study : The built-in study.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, seed=0
    ... )
    >>> study.responses.num_items, study.responses.num_annotators
    (16, 8)
    """
    if kind == "objects":
        if model is not None:
            raise OptionError(
                f"objects are drawn by no model; leave `model={model!r}` out"
            )
        return simulate_objects(
            items=items,
            annotators=annotators,
            classes=classes or 20,
            per_item=per_item,
            settings=prior,
            seed=seed,
        )
    classes, name = classes or 4, find(model or "bayesian_dawid_skene")
    seed = check_seed(seed)
    design = _design(kind, items, annotators, classes, per_item, seed)
    with double_precision():
        chosen = fittable(name, prior)
        space = space_of(design, num_states=chosen.states)
        drawn = draw(chosen, space, jax.random.key(seed))
        answer, state = np.asarray(drawn.answer), np.asarray(drawn.state)
        parameters = jax.tree.map(np.asarray, dict(drawn.parameters))
    given = np.asarray(space.answers, object)[answer]
    columns = {
        "item": space.unit_item[space.unit],
        "annotator": space.annotators[space.annotator],
        "label": given,
    }
    if isinstance(space, ContainsSpace):
        columns |= {"label": space.unit_label[space.unit], "answer": given}
        present = np.where(2 * state >= len(space.states), "yes", "no")
        truth = {"label": space.unit_label, "answer": present}
    else:
        truth = {"label": np.asarray(space.states, object)[state]}
    responses = read(
        pd.DataFrame(columns),
        kind=kind,
        labels=list(design.labels["label"]),
        gold=pd.DataFrame({"item": space.unit_item, **truth}),
    )
    sentence = f"simulated from {name} with seed {seed}"
    return Simulated(
        replace(responses, assumptions=(*responses.assumptions, sentence)), parameters
    )


def _design(
    kind: Kind, items: int, num_annotators: int, classes: int, per_item: int, seed: int
) -> Responses:
    if kind not in ("choice", "contains"):
        raise OptionError(
            f"no model simulates kind {kind!r}; choose choice, contains or objects"
        )
    if not (items > 0 and classes > 1 and 0 < per_item <= num_annotators):
        raise OptionError(
            f"cannot ask {per_item} of {num_annotators} annotators about {items} items "
            f"of {classes} classes; ask for 2 classes or more, and at most that many "
            "annotators per item"
        )
    generator = np.random.default_rng(seed)
    order = generator.random((items, num_annotators)).argsort(1)[:, :per_item]
    labels = [f"class{number}" for number in range(classes)]
    table = {
        "item": np.repeat([f"item{number}" for number in range(items)], per_item),
        "annotator": np.asarray([f"annotator{j}" for j in order.ravel()]),
        "label": np.repeat(generator.choice(labels, items), per_item),
    }
    if kind == "contains":
        table["answer"] = np.full(len(table["item"]), "no")
    return read(pd.DataFrame(table), kind=kind, labels=labels)
