"""Tables of models that are judged, and of agreement: each ratio with its interval."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.sparse import csr_array

from consilience.analysis.proposals import Proposals
from consilience.analysis.reliability import Agreement
from consilience.analysis.shares import (
    Cell,
    Resampling,
    Share,
    Sums,
    bounds,
    weighted_sums,
)
from consilience.tables import CATALOGUE, Table

# Pairs that share fewer questions are at the ends of any list by chance.
MIN_QUESTIONS = 10


def coefficients(agreement: Agreement) -> Table:
    """Return the coefficients that are defined; without resamples, published bounds."""
    rows = agreement.coefficients
    rows = rows[rows["reason"] == ""]
    published = rows["lower"].isna() & rows["se"].notna()
    rows = rows.assign(
        coefficient=[_identifier(agreement, name) for name in rows["coefficient"]],
        lower=rows["lower"].fillna(rows["se_lower"]),
        upper=rows["upper"].fillna(rows["se_upper"]),
        # Plain agreement is held against no chance.
        expected=rows["expected"].mask(rows["coefficient"] == "percent"),
    )
    schema = CATALOGUE["coefficients"]
    named = [cell.text for cell in schema.of(rows[published]).cells("coefficient")]
    note = f"They are over {agreement.resamples:,} resamples of the items"
    if not agreement.resamples:
        note = "They are from the published variance"
    elif named:
        note += f"; those of {', '.join(named)} are from the published variance"
    return Table(schema=schema, frame=rows, prob=agreement.prob, note=f"{note}.")


def undefined(agreement: Agreement) -> list[str]:
    """Say which coefficients are not defined, a sentence for each reason."""
    rows = agreement.coefficients
    words = CATALOGUE["coefficients"].column("coefficient").values
    reasons: dict[str, list[str]] = {}
    for row in rows[rows["reason"] != ""].to_dict("records"):
        name = words[_identifier(agreement, str(row["coefficient"]))]
        reasons.setdefault(str(row["reason"]), []).append(name)
    return [
        f"Not defined: {', '.join(names)} ({reason})."
        for reason, names in reasons.items()
    ]


def _identifier(agreement: Agreement, coefficient: str) -> str:
    """Return the name of a coefficient, given what was compared."""
    if coefficient == "percent" and agreement.distance != "nominal":
        return "similarity"
    if coefficient == "cohen" and agreement.annotators != 2:
        return "cohen_mean"
    return coefficient


def labels(agreement: Agreement) -> Table:
    """Return agreement on the labels that are given, those given most first."""
    frame = pd.DataFrame() if agreement.labels is None else agreement.labels
    if len(frame):
        frame = frame[frame["share"] > 0]
        frame = frame.sort_values("share", ascending=False, kind="stable")
    return CATALOGUE["agreement_labels"].of(frame, agreement.prob)


def pairs(agreement: Agreement) -> Table:
    """Return pairs of annotators that can be compared, those who agree least first."""
    schema = CATALOGUE["agreement_pairs"]
    if agreement.pairs is None or agreement.pairs.empty:
        return schema.of(pd.DataFrame(), agreement.prob)
    ends = ["annotator", "other_annotator"]
    both = agreement.pairs[ends].astype(str).agg(" and ".join, axis=1)
    rows = agreement.pairs.assign(pair=both)
    compared = rows["kappa"].notna() & (rows["questions"] >= MIN_QUESTIONS)
    note = f"Of {len(rows):,} pairs."
    if not compared.all():
        note = (
            f"{int((~compared).sum()):,} of {len(rows):,} pairs share fewer than "
            f"{MIN_QUESTIONS} questions, or have no kappa because both gave one answer "
            "only."
        )
    rows = rows[compared].sort_values("kappa", kind="stable")
    return Table(schema=schema, frame=rows, prob=agreement.prob, note=note)


MEAN = "mean of the models"
_OF_MODELS = ["model", "metric", "subset", "value", "lower", "upper", "items"]
_OF_LABELS = ["label", "items", "right", "model", "dataset_accuracy", "accuracy"]
_REPEATED = ["wrong", "repeated", "repeated_lower", "repeated_upper"]
_WRONG = ("other_main_label", "label_wrong")  # the first that there is
_BY_LABEL: tuple[Cell, ...] = (
    ("accuracy", "all"),
    *(("dataset_accuracy", subset) for subset in ("all", "label_right", *_WRONG)),
)


class Judged(NamedTuple):
    """Ratios by metric and subset, their table, and the sums that labels need."""

    names: list[str]
    ratios: Mapping[Cell, Float[np.ndarray, "S A"]]
    table: pd.DataFrame
    sums: Mapping[Cell, Sums]


def judge(
    names: list[str], sums: Iterable[tuple[Cell, Sums]], resampling: Resampling
) -> Judged:
    """Take the ratio of both sums of each metric and subset."""
    ratios, rows, kept = {}, [], {}
    for cell, both in sums:
        ratios[cell] = resampling.ratios(*both)
        named = {"model": names, "metric": cell[0], "subset": cell[1]}
        rows.append(resampling.rows(Share(named, *both), ratios[cell]))
        if cell in _BY_LABEL:
            kept[cell] = both
    table = pd.DataFrame(columns=_OF_MODELS)
    return Judged(
        names, ratios, pd.concat(rows, ignore_index=True) if rows else table, kept
    )


def differences(judged: Judged, resampling: Resampling) -> pd.DataFrame:
    """Return the differences between each two models."""
    pairs = list(combinations(range(len(judged.names)), 2))
    first, second = (np.array([pair[end] for pair in pairs], int) for end in (0, 1))
    models = np.array(judged.names, object)
    parts = []
    for (metric, subset), ratio in judged.ratios.items():
        apart = ratio[:, first] - ratio[:, second]
        ahead = ((apart[1:] > 0) + (apart[1:] == 0) / 2).mean(0)
        named = {"metric": metric, "subset": subset}
        named |= {"model": models[first], "other_model": models[second]}
        columns = resampling.interval(apart, "difference")
        parts.append(pd.DataFrame({**named, **columns, "p_greater": ahead}))
    return pd.concat(parts, ignore_index=True)


def costs(judged: Judged, resampling: Resampling) -> pd.DataFrame:
    """Return the metric where items have one object or label, less where several."""
    ratios, parts = judged.ratios, []
    for metric in dict.fromkeys(metric for metric, _ in ratios):
        for what in ("object", "label"):
            one, several = (metric, f"one_{what}"), (metric, f"several_{what}s")
            if one not in ratios or several not in ratios:
                continue
            apart = ratios[one] - ratios[several]
            apart = np.concatenate([apart, apart.mean(1, keepdims=True)], axis=1)
            named = {"model": [*judged.names, MEAN], "metric": metric}
            parts.append(pd.DataFrame({**named, **resampling.interval(apart)}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def by_label(
    judged: Judged, proposals: Proposals, resampling: Resampling
) -> pd.DataFrame:
    """Return how the data set and the models do on the items of each label."""
    if proposals.dataset is None:
        return pd.DataFrame(columns=_OF_LABELS + _REPEATED)
    codes, group = np.unique(proposals.dataset, return_inverse=True)
    # Subsets that have no item in any draw are not among the sums.
    sums = judged.sums
    nothing = (np.zeros_like(sums["accuracy", "all"][0]),) * 2
    cells = [("dataset_accuracy", subset) for subset in _WRONG]
    wrong = next((sums[cell] for cell in cells if cell in sums), nothing)
    right = sums.get(("dataset_accuracy", "label_right"), nothing)[1]
    is_right = _mean(right, group)[:, 0]
    of_dataset = _mean(sums["dataset_accuracy", "all"][0], group)
    accuracy = _mean(sums["accuracy", "all"][0], group)
    place = np.arange(len(group)), group

    def sums_of(values: Float[np.ndarray, "D I"]) -> Float[np.ndarray, "S G"]:
        by_draw = [csr_array((np.nan_to_num(each), place)) for each in values]
        return weighted_sums(by_draw, resampling.weightings)

    parts = []
    for number, model in enumerate(proposals.models):
        given, wrong_items = (sums_of(values[:, number]) for values in wrong)
        repeated = given / np.where(wrong_items > 0, wrong_items, np.nan)
        columns = [proposals.names[codes], np.bincount(group), is_right, model]
        columns += [of_dataset[:, number], accuracy[:, number], wrong_items[0]]
        columns += [repeated[0], *bounds(repeated, resampling.prob)]
        named = dict(zip(_OF_LABELS + _REPEATED, columns, strict=True))
        parts.append(pd.DataFrame(named))
    return pd.concat(parts, ignore_index=True)


def _mean(
    value: Float[np.ndarray, "D A I"], group: np.ndarray
) -> Float[np.ndarray, "G A"]:
    """Return the mean over the items of each group that could be judged."""
    return pd.DataFrame(value.mean(0).T).groupby(group).mean().to_numpy()
