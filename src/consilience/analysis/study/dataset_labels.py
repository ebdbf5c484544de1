"""The data set's label of each item, beside the posterior of a fit."""

import pandas as pd

from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.fitted_responses import check_responses
from consilience.posterior.results.items import items as items_of
from consilience.responses import Responses


def with_dataset_labels(fit: Fit, responses: Responses) -> pd.DataFrame:
    """Return the table items with the data set's label, all as plain text."""
    if fit.data.attrs["kind"] != "objects":
        msg = f"the fit is of kind {fit.data.attrs['kind']}; these are of kind objects"
        raise OptionError(msg)
    check_responses(fit, responses)
    table = responses.items
    if (
        table is None
        or "dataset_label" not in table
        or table["dataset_label"].isna().all()
    ):
        msg = (
            "no item has a label of the data set; give responses whose table items has "
            "the columns item and dataset_label"
        )
        raise OptionError(msg)
    dataset_label = table.set_index(table["item"].astype("str"))["dataset_label"]
    items = items_of(fit.data).astype(
        {"item": "str", "label": "str", "main_label": "str"}
    )
    return items.assign(dataset_label=dataset_label.reindex(items["item"]).to_numpy())
