"""How often another label is accepted as often as the data set's.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 4.2.
"""

import numpy as np
import pandas as pd

from consilience.analysis.decisions.filtering import vote_shares
from consilience.analysis.model_evaluation.bootstrap import bounds, ratios, weights
from consilience.errors import KindError, OptionError
from consilience.posterior import Fit
from consilience.responses.tables.id_types import as_texts


def rival_labels(
    fit: Fit,
    dataset_labels: pd.DataFrame,
    *,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Return on which share of items another label gets yes as often as the data set's.

    Parameters
    ----------
    fit : Fit
        A fit of kind contains. Its answers are used, whatever its model.
    dataset_labels : pandas.DataFrame
        Columns item and label: the label of each item in the data set, one each.
    resamples, seed : int
        Number and seed of the weightings of the items (Bayesian bootstrap).
    prob : float, default 0.9
        Probability of the interval.

    Returns
    -------
    pandas.DataFrame
        One row: statistic (another_label_as_often), value, lower, upper and items
        (on which people were asked about the data set's label). A share of answers:
        with few raters, chance makes rivals.

    Raises
    ------
    KindError
        If the fit is of another kind.
    OptionError
        If nobody was asked about the data set's label of any item.

    See Also
    --------
    valid_label_counts : How many labels are valid.

    References
    ----------
    Tsipras et al. (2020), From ImageNet to image classification: contextualizing
    progress on benchmarks, section 4.2.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> answers = pd.DataFrame(
    ...     {
    ...         "item": ["a", "a", "a", "a", "b", "b"],
    ...         "label": ["tub", "tub", "bath", "bath", "tub", "bath"],
    ...         "annotator": ["Ada", "Ben", "Ada", "Ben", "Ada", "Ada"],
    ...         "answer": ["yes", "no", "yes", "yes", "yes", "no"],
    ...     }
    ... )
    >>> fit = cs.fit(cs.read(answers), model="majority")
    >>> labels = pd.DataFrame({"item": ["a", "b"], "label": "tub"})
    >>> cs.rival_labels(fit, labels)[["statistic", "value", "items"]]
                    statistic  value  items
    0  another_label_as_often    0.5      2
    """
    if fit.data.attrs["kind"] != "contains":
        msg = (
            f"the fit is of kind {fit.data.attrs['kind']}; rivals need answers of kind "
            "contains"
        )
        raise KindError(msg)
    constant = fit.data["constant_data"]
    asked = constant["num_responses"].to_numpy() > 0
    answers = pd.DataFrame(
        {
            "item": constant["unit_item"].to_numpy().astype(str),
            "label": constant["unit_label"].to_numpy().astype(str),
            "share": vote_shares(fit),
        }
    )[asked]
    listed = as_texts(dataset_labels[["item", "label"]].dropna())
    asked_of = answers.merge(listed, on=["item", "label"])
    dataset_share = asked_of.set_index("item")["share"]
    if dataset_share.empty:
        msg = "nobody was asked about the data set's label of any item"
        raise OptionError(msg)
    mine = answers.merge(listed, on=["item", "label"], how="left", indicator=True)
    others = mine[mine["_merge"] == "left_only"].groupby("item")["share"].max()
    rival = (others.reindex(dataset_share.index) >= dataset_share).to_numpy(
        dtype=float
    )[None, None]
    weightings = list(weights(len(dataset_share), resamples, seed))
    values = ratios(rival, np.ones_like(rival), weightings)
    lower, upper = bounds(values, prob)
    return pd.DataFrame(
        {
            "statistic": ["another_label_as_often"],
            "value": values[0],
            "lower": lower,
            "upper": upper,
            "items": [len(dataset_share)],
        }
    )
