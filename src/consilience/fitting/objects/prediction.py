"""Apply a fit of objects to other items, or to more answers.

Parameters stay as they were fitted, and so does what that study said of classes, labels
and pairs. An item that was in it does not get its own answers from there. What is found
of an item depends on its own answers alone, not on the items beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Shaped
from scipy.special import logsumexp

from consilience.errors import OptionError
from consilience.fitting.objects.fit import with_item_posteriors
from consilience.fitting.previous.predicting import DRAWS, align_draws
from consilience.fitting.request import Study
from consilience.inference.result import Result, of_draws
from consilience.model import Model, Parameters, thin
from consilience.objects.layout.items import Items, items_of
from consilience.objects.posterior import label_pairs
from consilience.objects.posterior.draws import block_weights
from consilience.objects.posterior.label_pairs import StudyEvidence
from consilience.posterior.tree import tree, with_groups
from consilience.responses import Responses
from consilience.truth import ObjectsSpace

NOT_OURS = "attraction"  # the slope that no table of candidates gives


@dataclass(frozen=True, slots=True, eq=False)
class PreviousFit:
    """An earlier fit of kind objects, and its model."""

    data: xr.DataTree
    model: Model[Any]

    def evidence(self) -> StudyEvidence:
        """Return what its study says of classes, labels and pairs."""
        study = label_pairs.evidence_of(self.data)
        if study is None:
            msg = (
                "the earlier fit does not hold the effects of classes and labels; "
                "it was written by an older version: fit that study again"
            )
            raise OptionError(msg)
        return study


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Predicted:
    """What is found of some items."""

    earlier: PreviousFit
    space: ObjectsSpace
    items: Items
    evidence: StudyEvidence
    draws: list[Parameters]
    result: Result

    def tree(self, attributes: Mapping[str, Any]) -> xr.DataTree:
        """Lay it out as a fit."""
        dims, before = self.earlier.model.dims, self.earlier.data.attrs
        data = with_item_posteriors(
            tree(
                self.space,
                self.result,
                dims,
                attributes,
                covariates=self.evidence.names,
            ),
            self.space,
            self.items,
            self.draws,
            seed=int(before["seed"]),
            prob=float(before["prob"]),
        )
        evidence = label_pairs.as_dataset(self.evidence)
        return with_groups(data, **{label_pairs.GROUP: evidence})


def predict_objects(earlier: PreviousFit, study: Study) -> Predicted:
    """Infer what items hold by what an earlier study has learned."""
    evidence = earlier.evidence()
    if study.contains is not None and not evidence.names.endorsement:
        msg = (
            "the earlier fit had no answers of kind contains and has no estimate of "
            "leading questions; leave them out, or fit both tasks there"
        )
        raise OptionError(msg)
    given = with_labels(study.responses, evidence)
    space = replace(study, responses=given).objects_space()
    named = replace(space.named, similar=evidence.similar)
    space = replace(space, named=named)
    _check_numbers(evidence, named.covariate_names)
    evidence = evidence.with_labels(named.labels, named.parents).about(space.unit_item)
    items = items_of(
        space,
        evidence.pool,
        evidence.item_counts(space),
        names=evidence.names,
        slopes=False,
        by_annotator="annotator" in earlier.data["posterior"].dims,
    )
    values = list(thin(align_draws(space, earlier.data), DRAWS))
    draws: list[Parameters] = [
        {name: jnp.asarray(value) for name, value in draw.items()} for draw in values
    ]
    prob = float(earlier.data.attrs["prob"])
    return Predicted(
        earlier=earlier,
        space=space,
        items=items,
        evidence=evidence,
        draws=draws,
        result=_result(items, draws, values, space.num_units, len(space.states), prob),
    )


def with_labels(given: Responses, study: StudyEvidence) -> Responses:
    """Return the responses with the labels of an earlier study first, then new ones."""
    rows = given.labels.set_index(given.labels["label"].astype(str))
    labels = [
        *map(str, study.labels),
        *sorted(set(rows.index) - set(map(str, study.labels))),
    ]
    kind = given.table["label"].cat.categories.dtype
    parent = rows["parent"].reindex(labels).fillna("")
    before = pd.Series(study.parents, study.labels).reindex(labels).fillna("")
    parent = parent.where(parent != "", before).replace("", None)
    table = rows.reindex(labels).assign(
        label=labels,
        name=rows["name"].reindex(labels).fillna(pd.Series(labels, labels)),
        parent=parent.astype(rows["parent"].dtype),
    )
    codes = given.table["label"].cat.set_categories(pd.Index(labels, dtype=kind))
    return replace(
        given,
        table=given.table.assign(label=codes),
        labels=table.reset_index(drop=True),
    )


def _check_numbers(study: StudyEvidence, now: tuple[str, ...]) -> None:
    before = tuple(name for name in study.names.slope if name != NOT_OURS)
    if now != before:
        msg = (
            f"candidates have the columns {', '.join(now) or 'none'}; the earlier fit "
            f"had {', '.join(before) or 'none'}: give the same"
        )
        raise OptionError(msg)


def _result(
    items: Items,
    draws: list[Parameters],
    values: list[dict[str, Shaped[np.ndarray, "..."]]],
    units: int,
    most: int,
    prob: float,
) -> Result:
    """Return how many objects each item has, over draws of the parameters."""
    scores = np.full((len(draws), units, most), -np.inf)
    scores[:, :, 0] = 0.0
    for draw, parameters in enumerate(draws):
        each = zip(items.blocks, items.covariates, items.responses_by_size, strict=True)
        for blocks, covariates, who in each:
            sums = block_weights(blocks, covariates, parameters, who).sums
            scores[draw, blocks.unit, : sums.shape[1]] = sums
    likelihood = logsumexp(scores, axis=2)
    drawn = np.exp(scores - likelihood[:, :, None])
    parameters = {
        name: np.stack([each[name] for each in values])[None] for name in values[0]
    }
    return of_draws(parameters, drawn[None], likelihood[None], prob)
