"""Pairs of labels: objects that come together, and names taken for each other.

What is counted is what a fit's tables say of each item. Items that a study began with
and did not ask about count, where `per_class` says that there are such, as one object
under the data set's own label.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), sections 4.1 and 4.2. Brown, Cai
and DasGupta (2001), Interval estimation for a binomial proportion (Jeffreys).
"""

import pandas as pd
from scipy.stats import beta

from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.fit import check_responses
from consilience.posterior.labels import items as items_of
from consilience.posterior.objects import object_table
from consilience.responses import Responses
from consilience.responses.tables.id_types import restores_types
from consilience.responses.tools.on_screen import NONE

_HALF = 0.5


@restores_types
def cooccurring(
    fit: Fit,
    responses: Responses,
    *,
    per_class: int | None = None,
    min_items: int = 2,
    prob: float = 0.9,
) -> pd.DataFrame:
    """Return which objects occur together with the items of a class, and how often.

    Parameters
    ----------
    fit : Fit
        A fit of kind objects.
    responses : Responses
        The responses of the fit, with the data set's label of each item.
    per_class : int, optional
        Number of items of each class in the study; by default those of the fit.
    min_items : int, default 2
        Pairs that occur together in fewer items are left out.
    prob : float, default 0.9
        Probability of the (Jeffreys) interval.

    Returns
    -------
    pandas.DataFrame
        Columns class_label, label (of an object that is not named by the class, in an
        item of several objects), together (items), items (of the class), share, lower
        and upper; the most frequent first.

    Raises
    ------
    OptionError
        If the fit is of another kind, or no item has a label of the data set.

    See Also
    --------
    called_otherwise : Classes whose main label is another.

    References
    ----------
    Brown, Cai and DasGupta (2001), Interval estimation for a binomial proportion.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> table = cs.cooccurring(fit, study.responses, min_items=1)
    >>> table.columns.tolist()
    ['class_label', 'label', 'together', 'items', 'share', 'lower', 'upper']
    """
    items = with_dataset_labels(fit, responses)
    dataset_label = items.set_index("item")["dataset_label"].dropna()
    objects = object_table(fit.data, "objects").astype({"item": "str"})
    objects["code"] = objects["label"].cat.codes
    objects["label"] = objects["label"].astype("str")
    objects["own"] = dataset_label.reindex(objects["item"]).to_numpy()
    there = objects[(objects["probability"] >= _HALF) & objects["own"].notna()]
    order = ["item", "object", "share", "code"]
    ordered = there.sort_values(order, ascending=[True, True, False, True])
    ordered = ordered[ordered["label"] != NONE]
    names = ordered.drop_duplicates(["item", "object"])
    # A lone object is the class's own, whatever it is called.
    several = names.groupby("item")["object"].transform("size") > 1
    other = names[several & (names["label"] != names["own"])]
    pairs = other.drop_duplicates(["item", "label"]).groupby(["own", "label"]).size()
    table = pairs[pairs >= min_items].rename("together").reset_index()
    table = table.rename(columns={"own": "class_label"})
    number = dataset_label.value_counts()
    table["items"] = per_class or number.reindex(table["class_label"]).to_numpy()
    table["share"] = table["together"] / table["items"]
    tail, hit = (1 - prob) / 2, table["together"] + 0.5
    miss = table["items"] - table["together"] + 0.5
    table["lower"] = beta.ppf(tail, hit, miss)
    table["upper"] = beta.ppf(1 - tail, hit, miss)
    order = ["together", "class_label", "label"]
    return table.sort_values(order, ascending=[False, True, True], ignore_index=True)


@restores_types
def called_otherwise(
    fit: Fit,
    responses: Responses,
    *,
    per_class: int | None = None,
    min_share: float = 0.2,
) -> pd.DataFrame:
    """Return pairs of labels where items of one have the other as their main label.

    Parameters
    ----------
    fit : Fit
        A fit of kind objects.
    responses : Responses
        The responses of the fit, with the data set's label of each item.
    per_class : int, optional
        Number of items of each class in the study; by default those of the fit.
    min_share : float, default 0.2
        Smallest value of the larger of the two shares.

    Returns
    -------
    pandas.DataFrame
        Columns label_a, label_b, items_a, items_b, a_called_b and b_called_a (shares),
        mutual (the smaller) and one_sided (the difference); the most mutual first.

    Raises
    ------
    OptionError
        If the fit is of another kind, or no item has a label of the data set.

    See Also
    --------
    human_confusion : Estimates for each class, from few answers.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=16, annotators=8, classes=6)
    >>> fit = cs.fit(study.responses, engine="em")
    >>> table = cs.called_otherwise(fit, study.responses)
    >>> table.columns.tolist()[:4]
    ['label_a', 'label_b', 'items_a', 'items_b']
    """
    items = with_dataset_labels(fit, responses).dropna(
        subset=["dataset_label", "main_label"]
    )
    number = items["dataset_label"].value_counts().to_dict()
    other = items[~items["main_label"].isin([NONE])]
    other = other[other["dataset_label"] != other["main_label"]]
    counts = other.value_counts(["dataset_label", "main_label"])
    rate = {
        pair: count / (per_class or number[pair[0]])
        for pair, count in zip(counts.index.tolist(), counts, strict=True)
    }
    rows = []
    for first, second in sorted({(min(pair), max(pair)) for pair in rate}):
        there = rate.get((first, second), 0.0)
        back = rate.get((second, first), 0.0)
        if max(there, back) >= min_share:
            sizes = [per_class or number.get(name, 0) for name in (first, second)]
            rows.append((first, second, *sizes, there, back))
    names = ["label_a", "label_b", "items_a", "items_b", "a_called_b", "b_called_a"]
    table = pd.DataFrame(rows, columns=names)
    both = table[["a_called_b", "b_called_a"]]
    table["mutual"] = both.min(axis=1)
    table["one_sided"] = both.max(axis=1) - both.min(axis=1)
    order = ["mutual", "one_sided", "label_a", "label_b"]
    return table.sort_values(
        order, ascending=[False, False, True, True], ignore_index=True
    )


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
