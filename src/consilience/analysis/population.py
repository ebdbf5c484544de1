"""What a study of objects says of its items together: shares, and pairs of labels.

All are plug-in figures: each item counts as what the fit's tables say of it, and the
intervals are of the items (item bootstrap), not of the annotators. With few annotators
for each item such shares are inflated, since a label that wins by chance is another
label: see the model's own posterior, or `human_confusion`, for what a population of
annotators would say.

Items that a study began with and did not ask about count, where `of` or `per_class`
says that there are such, as one object under the data set's own label.

References
----------
Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), sections 4.1 and 4.2, whose
figures these are. Brown, Cai and DasGupta (2001), Interval estimation for a binomial
proportion (Jeffreys).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from scipy.stats import beta

from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.responses import Responses

_BLOCK = 2**22  # draws held at once
_HALF = 0.5


def population(
    fit: Fit,
    responses: Responses,
    *,
    of: int | None = None,
    tau: float = _HALF,
    resamples: int = 1000,
    mass: float = 0.9,
    seed: int = 0,
) -> pd.DataFrame:
    """Return shares of the items: with several objects, and called otherwise.

    Parameters
    ----------
    fit
        A fit of kind objects.
    responses
        What it was fitted to, with the data set's own label of each item.
    of
        How many items the study began with; None: those of the fit.
    tau
        How often an object must be named to count, where the model has such a
        threshold; the nearest that the fit holds is taken.
    resamples, seed
        Of the item bootstrap.
    mass
        Share of the resamples between the bounds.

    Returns
    -------
    A row for each statistic: statistic, value, lower, upper, items (its denominator).
    `several_objects` and `three_objects` (or more) of all items; `mean_objects`;
    `other_main_label` (the main label is not the data set's) of the items of the fit,
    of those with several objects (`_several`) and with one (`_single`).

    Raises
    ------
    OptionError
        The fit is of another kind, no item has a label of the data set, or `of` is
        less than the items of the fit.
    """
    items = _items(fit, responses)
    answered = items[items["responses"] > 0]
    whole = len(answered) if of is None else of
    if whole < len(answered):
        msg = f"of={of} is less than the {len(answered):,} items of the fit; mend it"
        raise OptionError(msg)
    counts = _counts(fit, tau).reindex(answered["item"]).fillna(0.0)
    number = counts.columns.to_numpy(dtype=float)
    probability = counts.to_numpy()
    several, three = (probability @ (number >= least) for least in (2, 3))
    mean = probability @ number
    # Several objects by the point that the items' table tells.
    many = answered["objects"].to_numpy() > 1
    asked = answered["dataset_label"].notna() & answered["main_label"].notna()
    other = asked & (answered["main_label"] != answered["dataset_label"])
    parts = {
        "several_objects": (several, None),
        "three_objects": (three, None),
        "mean_objects": (mean - 1, None),
        "other_main_label": (other, asked),
        "other_main_label_several": (other & many, asked & many),
        "other_main_label_single": (other & ~many, asked & ~many),
    }
    tops = np.stack([np.asarray(top, float) for top, _ in parts.values()], 1)
    bottoms = np.stack(
        [
            np.ones(len(answered)) if low is None else np.asarray(low, float)
            for _, low in parts.values()
        ],
        1,
    )
    outside = np.array([low is None for _, low in parts.values()], float)
    shift = np.array([float(name == "mean_objects") for name in parts])

    def ratio(weights: Float[np.ndarray, "R I"]) -> Float[np.ndarray, "R P"]:
        rest = (whole - weights.sum(1))[:, None] * outside
        below = weights @ bottoms + rest
        with np.errstate(divide="ignore", invalid="ignore"):
            value: Float[np.ndarray, "R P"] = (weights @ tops) / below + shift
        return value

    value = ratio(np.ones((1, len(answered))))[0]
    drawn = _resampled(ratio, len(answered), whole, resamples, seed)
    lower, upper = np.nanquantile(drawn, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
    below = bottoms.sum(0) + outside * (whole - len(answered))
    return pd.DataFrame(
        {
            "statistic": list(parts),
            "value": value,
            "lower": lower,
            "upper": upper,
            "items": below.astype(np.int64),
        }
    )


def cooccurring(
    fit: Fit,
    responses: Responses,
    *,
    per_class: int | None = None,
    least: int = 2,
    mass: float = 0.9,
) -> pd.DataFrame:
    """Return which objects come with the items of a class, and how often.

    Parameters
    ----------
    fit
        A fit of kind objects.
    responses
        What it was fitted to, with the data set's own label of each item.
    per_class
        How many items of each class the study began with; None: those of the fit.
    least
        Pairs that come together in fewer items are left out.
    mass
        Probability that the (Jeffreys) interval holds.

    Returns
    -------
    Columns class_label, label (the name of an object that goes by another name than the
    class, in an item of several objects), together (items), items (of the class),
    share, lower, upper; the most frequent first.

    Raises
    ------
    OptionError
        The fit is of another kind, or no item has a label of the data set.
    """
    items = _items(fit, responses)
    own = items.set_index("item")["dataset_label"].dropna()
    objects = fit.objects().astype({"item": "str"})
    objects["code"] = objects["label"].cat.codes
    objects["label"] = objects["label"].astype("str")
    objects["own"] = own.reindex(objects["item"]).to_numpy()
    there = objects[(objects["probability"] >= _HALF) & objects["own"].notna()]
    order = ["item", "object", "share", "code"]
    ordered = there.sort_values(order, ascending=[True, True, False, True])
    names = ordered.drop_duplicates(["item", "object"])
    # A lone object is the class's own, whatever it is called.
    several = names.groupby("item")["object"].transform("size") > 1
    other = names[several & (names["label"] != names["own"])]
    pairs = other.drop_duplicates(["item", "label"]).groupby(["own", "label"]).size()
    found = pairs[pairs >= least].rename("together").reset_index()
    found = found.rename(columns={"own": "class_label"})
    number = own.value_counts()
    found["items"] = per_class or number.reindex(found["class_label"]).to_numpy()
    found["share"] = found["together"] / found["items"]
    tail, hit = (1 - mass) / 2, found["together"] + 0.5
    miss = found["items"] - found["together"] + 0.5
    found["lower"] = beta.ppf(tail, hit, miss)
    found["upper"] = beta.ppf(1 - tail, hit, miss)
    order = ["together", "class_label", "label"]
    return found.sort_values(order, ascending=[False, True, True], ignore_index=True)


def called_otherwise(
    fit: Fit, responses: Responses, *, per_class: int | None = None, least: float = 0.2
) -> pd.DataFrame:
    """Return pairs of labels of which items of one have the other for a main label.

    Parameters
    ----------
    fit
        A fit of kind objects.
    responses
        What it was fitted to, with the data set's own label of each item.
    per_class
        How many items of each class the study began with; None: those of the fit.
    least
        The larger of the two shares is at least this.

    Returns
    -------
    Columns label_a, label_b, items_a, items_b, a_called_b, b_called_a (shares), mutual
    (the smaller) and one_sided (the larger less the smaller); the most mutual first.

    Raises
    ------
    OptionError
        The fit is of another kind, or no item has a label of the data set.
    """
    items = _items(fit, responses).dropna(subset=["dataset_label", "main_label"])
    number = items["dataset_label"].value_counts().to_dict()
    other = items[items["dataset_label"] != items["main_label"]]
    rate = {}
    for own, main, count in (
        other.value_counts(["dataset_label", "main_label"])
        .reset_index()
        .itertuples(index=False)
    ):
        rate[str(own), str(main)] = float(count) / (per_class or number[own])
    rows = []
    for first, second in sorted({(min(pair), max(pair)) for pair in rate}):
        there = rate.get((first, second), 0.0)
        back = rate.get((second, first), 0.0)
        if max(there, back) >= least:
            asked = [per_class or number.get(name, 0) for name in (first, second)]
            rows.append((first, second, *asked, there, back))
    names = ["label_a", "label_b", "items_a", "items_b", "a_called_b", "b_called_a"]
    found = pd.DataFrame(rows, columns=names)
    both = found[["a_called_b", "b_called_a"]]
    found["mutual"] = both.min(axis=1)
    found["one_sided"] = both.max(axis=1) - both.min(axis=1)
    order = ["mutual", "one_sided", "label_a", "label_b"]
    return found.sort_values(
        order, ascending=[False, False, True, True], ignore_index=True
    )


def _items(fit: Fit, responses: Responses) -> pd.DataFrame:
    """Return the table items with the data set's label, both as plain text."""
    if fit.data.attrs["kind"] != "objects":
        msg = f"the fit is of kind {fit.data.attrs['kind']}; these are of kind objects"
        raise OptionError(msg)
    known = responses.items
    if known is None or "dataset_label" not in known:
        msg = (
            "no item has a label of the data set; give responses whose table items has "
            "the columns item and dataset_label"
        )
        raise OptionError(msg)
    own = known.set_index(known["item"].astype("str"))["dataset_label"]
    items = fit.items().astype({"item": "str", "label": "str", "main_label": "str"})
    return items.assign(dataset_label=own.reindex(items["item"]).to_numpy())


def _counts(fit: Fit, tau: float) -> pd.DataFrame:
    """Return P(objects), items by numbers of objects, at the nearest threshold."""
    table = fit.object_counts().astype({"item": "str"})
    taus = table["tau"].dropna().unique()
    if len(taus):
        table = table[table["tau"] == taus[np.abs(taus - tau).argmin()]]
    return table.pivot_table(
        index="item", columns="objects", values="probability", fill_value=0.0
    )


def _resampled(
    ratio: Callable[[Float[np.ndarray, "R I"]], Float[np.ndarray, "R P"]],
    number: int,
    whole: int,
    resamples: int,
    seed: int,
) -> Float[np.ndarray, "R P"]:
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // max(whole, 1))
    found = []
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn: Int[np.ndarray, "r i"] = generator.integers(whole, size=(size, whole))
        weights = [np.bincount(row, minlength=whole)[:number] for row in drawn]
        found.append(ratio(np.stack(weights).astype(float)))
    return np.concatenate(found)
