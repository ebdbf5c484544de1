"""How well posterior labels agree with gold labels, with intervals.

Every metric is a function of the items' weights. All weights one give its value;
resampling the items with replacement, all answers about an item together, gives weights
whose metrics make the interval (the item bootstrap). Bounds are quantiles of the
resampled values. The expected calibration error (ECE) alone takes the *basic*
bootstrap, 2 value - quantile, cut off at 0 and stretched to hold the value: chance
differences inside bins push it upwards, in the resamples once more than in the value,
and this bootstrap takes the push off again.

References
----------
Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13. Davison and
Hinkley (1997), Bootstrap methods and their application, section 5.2.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.errors import OptionError, not_among
from consilience.intervals import bounds, check_prob, resampled
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.labels import items as items_of
from consilience.posterior.labels import labels as labels_of
from consilience.responses.options import Kind, ReadOptions
from consilience.responses.side_columns import named_in
from consilience.responses.side_tables import gold_table
from consilience.scoring.gold import not_given
from consilience.scoring.item_metrics import (
    Measure,
    choice_metrics,
    contains_metrics,
    objects_metrics,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """Settings of the metrics.

    Attributes
    ----------
    clip : float, default 0.001
        Smallest probability of the truth in the log loss; for contains also the
        smallest distance from 1.
    bins : int, optional
        Largest number of bins of the expected calibration error, with about equal
        numbers of items; items of equal confidence share a bin. Chosen from the data by
        default (see `calibration`).
    resamples : int, default 1000
        Number of bootstrap resamples of the items.
    prob : float, default 0.9
        Probability of the intervals.

    See Also
    --------
    score : Takes these settings as its argument `options`.

    Examples
    --------
    >>> import consilience as cs
    >>> cs.scoring.ScoreOptions(bins=10).bins
    10
    """

    clip: float = 1e-3
    bins: int | None = None
    resamples: int = 1000
    prob: float = 0.9

    def __post_init__(self) -> None:
        """Refuse settings that no score can be computed with."""
        check_prob(self.prob)
        for name, least in (("bins", 1), ("resamples", 1)):
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise OptionError(f"{name} is {value}; give {least} or more")
        if not 0 <= self.clip < 0.5:
            raise OptionError(
                f"clip is {self.clip:g}; give the smallest probability of the truth "
                "that counts, below 0.5"
            )


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric with the bounds of its bootstrap interval; NaN where it is undefined.

    See Also
    --------
    Score : Metrics by name.

    Examples
    --------
    >>> from consilience.scoring import Metric
    >>> Metric(value=0.9, lower=0.8, upper=0.95).upper
    0.95
    """

    value: float
    lower: float
    upper: float


@shown_as("table", facts=("kind", "items", "missing", "given"))
@dataclass(frozen=True, slots=True)
class Score:
    """Metrics of a fit against gold labels.

    Attributes
    ----------
    kind : str
        choice, contains or objects.
    items, missing : int
        Numbers of items with gold labels that were scored, and of gold rows about an
        item (for contains, an item and label) that is not in the fit; they are left
        out.
    given : int
        Number of gold rows whose truth the fit was given; they are left out, too.
    options : ScoreOptions
        Settings of the metrics.
    metrics : mapping of str to Metric
        The metrics by name.

    See Also
    --------
    score : Compute it.

    Examples
    --------
    >>> import pandas as pd
    >>> import consilience as cs
    >>> labels = pd.DataFrame(
    ...     {"item": ["a", "b"], "label": ["cat", "dog"], "probability": [0.9, 0.8]}
    ... )
    >>> gold = pd.DataFrame({"item": ["a", "b"], "label": ["cat", "cat"]})
    >>> score = cs.score(labels, gold, kind="choice", seed=0)
    >>> score.items, score.metrics["accuracy"].value
    (2, 0.5)
    >>> score.table()[["metric", "value"]].round(2).tail(1)
      metric  value
    3    ece   0.45
    >>> score.to_dict()["metrics"]["accuracy"]["value"]
    0.5
    """

    kind: str
    items: int
    missing: int
    given: int
    options: ScoreOptions
    metrics: Mapping[str, Metric]

    def table(self) -> pd.DataFrame:
        """Return the metrics as a table: metric, value, lower and upper."""
        rows = [{"metric": k, **asdict(m)} for k, m in self.metrics.items()]
        return pd.DataFrame(rows, columns=["metric", "value", "lower", "upper"])

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain dictionaries of numbers and text, as for JSON."""
        return {
            "kind": self.kind,
            "items": self.items,
            "missing": self.missing,
            "given": self.given,
            **asdict(self.options),
            "metrics": {name: asdict(metric) for name, metric in self.metrics.items()},
        }


def score(
    posterior: Fit | pd.DataFrame,
    gold: pd.DataFrame | str | Path,
    *,
    kind: Kind | None = None,
    seed: int = 0,
    options: ScoreOptions | None = None,
    items: pd.DataFrame | None = None,
) -> Score:
    """Score posterior labels against gold labels.

    Parameters
    ----------
    posterior : Fit or pandas.DataFrame
        A fit; or a table with the columns item, label and probability, such as that of
        another program.
    gold : pandas.DataFrame or path
        Columns item and label. For choice, an item with several rows has several right
        labels, any of which counts. For contains also answer, yes or no; and annotator,
        where several experts answered: their majority is the truth. For objects all
        valid labels of each item, or answer, yes or no, of those that were judged; and
        main, true for the label of the main object, where it is known. A row with
        inclusion, the probability of being drawn (`gold_design`), counts as one over
        it, for choice and contains.
    kind : {"choice", "contains", "objects"}, optional
        Kind of question, needed for a table; a fit has one.
    seed : int, default 0
        Seed of the bootstrap.
    options : ScoreOptions, optional
        Settings of the metrics: bins, resamples and probability of the intervals.
    items : pandas.DataFrame, optional
        Columns item and main_label, for a table of labels of kind objects where gold
        has the main label.

    Returns
    -------
    Score
        For all kinds log_loss, brier and ece. For choice and contains accuracy (a tie
        counts in part); for contains and objects precision, recall and f1; for contains
        auc, and soft_log_loss where several experts answered; for objects item_f1,
        jaccard and exact, and main_accuracy where gold has the main label.

    Raises
    ------
    DataError
        If no gold row is about an item of the fit, or an answer is neither yes nor no.
    OptionError
        If a table is given and its kind is not given.

    See Also
    --------
    consilience.plot.calibration : How often labels are right, by their probability.
    evaluate : Score models against a fit.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> simulated = study(0, num_photos=30)
    >>> responses = cs.read(simulated.answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> gold = simulated.truth.set_axis(["item", "label"], axis=1)
    >>> round(cs.score(fit, gold).metrics["accuracy"].value, 2)
    0.9
    """
    given = 0
    stated = labels_of(posterior.data) if isinstance(posterior, Fit) else posterior
    gold = gold_table(gold, ReadOptions(), named_in(stated))
    if isinstance(posterior, Fit):
        data, kind = posterior.data, posterior.data.attrs["kind"]
        if "tables" in data.children and "gold" in data["tables"].children:
            gold, given = not_given(data, gold)
        items = items_of(data) if kind == "objects" else None
    if kind is None or kind not in get_args(Kind.__value__):
        raise OptionError(not_among("kind of question", kind, get_args(Kind.__value__)))
    chosen = options or ScoreOptions()
    if kind == "objects":
        metrics = objects_metrics(stated, gold, chosen.clip, chosen.bins, items)
    else:
        prepare = choice_metrics if kind == "choice" else contains_metrics
        metrics = prepare(stated, gold, chosen.clip, chosen.bins)
    values, drawn = bootstrapped(
        metrics.measures, metrics.items, chosen.resamples, seed, widest=len(gold)
    )
    return Score(
        kind=kind,
        items=metrics.items,
        missing=metrics.missing,
        given=given,
        options=chosen,
        metrics={
            name: interval(name, value, drawn[name], chosen.prob)
            for name, value in values.items()
        },
    )


def bootstrapped(
    measures: Mapping[str, Measure],
    num_items: int,
    resamples: int,
    seed: int,
    *,
    widest: int = 1,
) -> tuple[dict[str, float], dict[str, Float[np.ndarray, " R"]]]:
    """Return each metric, and what it is in each resample of the items."""

    def measured(weights: Float[np.ndarray, "R I"]) -> dict[str, np.ndarray]:
        return {name: measure(weights) for name, measure in measures.items()}

    values = {
        name: float(v[0]) for name, v in measured(np.ones((1, num_items))).items()
    }
    generator = np.random.default_rng(seed)
    return values, resampled(measured, num_items, resamples, widest, generator)


def interval(
    name: str, value: float, resampled: Float[np.ndarray, " R"], prob: float
) -> Metric:
    """Return a metric with the bounds of its bootstrap."""
    # A resample may hold no item with, say, a yes: it says nothing of the recall.
    defined = resampled[~np.isnan(resampled)]
    if np.isnan(value) or not len(defined):
        return Metric(value, float("nan"), float("nan"))
    lower, upper = map(float, bounds(defined, prob))
    if name == "ece":
        lower, upper = max(0.0, 2 * value - upper), max(value, 2 * value - lower)
    return Metric(value, lower, upper)
