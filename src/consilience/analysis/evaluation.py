r"""Models evaluated against the posterior of the truth, not against one fixed label.

A model proposes labels for each item, the best first. As the truth is known with a
probability only, its accuracy is the mean of :math:`p_i`, the probability that the
label proposed for item i is true. Within a subset that is itself uncertain (items whose
data-set label is wrong, items that show several objects) it is

.. math:: \frac{\sum_i \Pr(\text{label true}, i \in S)}{\sum_i \Pr(i \in S)}.

**True** is, of kind choice, the label that is the truth; of contains, each that is
present; of objects, each name of an object that more than `threshold` of annotators
would name (multi-label accuracy). **Selection frequencies** are means over items of the
share of yes among the answers about the label that a model predicts; as models have
predicted without having seen the answers, they are unbiased however few answers there
are.

**Intervals** are of items like these (`shares`), with the same weights of the items for
all models, so that differences are paired and have a probability. Weights and
draws of the parameters are taken for independent. Where the parameters were estimated
from the items that are judged, each of which holds little information, they are not: if
each item's probability is drawn to the mean of all by a share :math:`1 - s`, the
variance comes out :math:`s^2 + (1 - s)^2` times what it should be, so that bounds are
at worst .71 as wide (:math:`s = 1/2`).

References
----------
Shankar, Roelofs, Mania, Fang, Recht and Schmidt (2020), section 3 (multi-label
accuracy). Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), section 5 (main label,
number of objects, a random object, selection frequency). Guo, Pleiss, Sun and
Weinberger (2017), On calibration of modern neural networks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis import model_tables
from consilience.analysis.confusion import Against, ComparedConfusion, compared
from consilience.analysis.decisions import share_of_yes
from consilience.analysis.drawn_objects import (
    DrawnObjects,
    drawn_objects,
    object_sums,
    random_object,
)
from consilience.analysis.model_tables import Judged, judge
from consilience.analysis.proposals import (
    Proposals,
    Truths,
    Unasked,
    propose,
    truth_sums,
    truths,
)
from consilience.analysis.shares import Cell, Resampling, Sums, mean_share
from consilience.errors import OptionError, not_among
from consilience.fitting.inputs import check_fit
from consilience.notebook import shown_as
from consilience.posterior import Fit
from consilience.posterior.truth import MAX_DRAWS
from consilience.responses.id_types import Types, restores_types

HALF = 0.5
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
DATASET = "dataset"
_NUMBERS = 2**23  # draws x models x items of one sum: 64 MiB


@shown_as("models", "differences", "labels", "baselines", "costs", facts=("prob",))
@dataclass(frozen=True, eq=False, kw_only=True)
class Evaluation:
    """Models judged by a fit, all on the same items.

    Attributes
    ----------
    models : pandas.DataFrame
        Columns model, metric, subset, value, lower, upper and items (expected number in
        the subset that could be judged).
    differences : pandas.DataFrame
        Columns metric, subset, model, other_model, difference, lower, upper and
        p_greater (probability that `model` is the better of the two).
    labels : pandas.DataFrame
        By label of the data set and model: label, items, right (expected share of items
        with that true label), model, dataset_accuracy, accuracy, wrong (expected number
        of items with another true, for objects another main, label), repeated (the
        share of these on which the model gives the label nevertheless), repeated_lower
        and repeated_upper.
    baselines : pandas.DataFrame
        For objects, with labels of the data set: `random_object` names one of the
        item's objects at random, by its most frequent label.
    costs : pandas.DataFrame
        Columns model, metric, value, lower and upper: the metric on items with one
        object (contains: label) less that on items with several, of each model and of
        their mean.
    unasked : mapping of str to int
        By model, the number of items of whose predicted label no annotator was asked:
        they count as wrong, or are left out for all models.

    See Also
    --------
    consilience.evaluate : Make one; describes its options.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> fit = cs.fit(study(0, num_photos=30).responses(), model="multinomial")
    >>> guesses = fit.items()[["item"]].assign(label="husky", rank=1, probability=0.6)
    >>> evaluation = cs.evaluate(fit, guesses)
    >>> evaluation.models[["model", "metric", "value"]].head(1).round(2)
       model    metric  value
    0  model  accuracy   0.23
    >>> evaluation.calibration()[["group", "stated", "value"]].round(2)
       group  stated  value
    0      6     0.6   0.23
    >>> evaluation.by_rank()[["rank", "value"]].round(2)
       rank  value
    0     1   0.23
    """

    fit: Fit
    proposals: Proposals
    resampling: Resampling
    threshold: float
    unasked_are: Unasked = "wrong"

    @property
    def prob(self) -> float:
        """Probability of the intervals."""
        return self.resampling.prob

    @property
    def types(self) -> Types:
        """Types of ids and labels in the source of the fit."""
        return self.fit.types

    @property
    def models(self) -> pd.DataFrame:
        """Metrics of each model."""
        return self._judged.table

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Differences between each two models."""
        return model_tables.differences(self._judged, self.resampling)

    @cached_property
    @restores_types
    def labels(self) -> pd.DataFrame:
        """Metrics on the items of each label of the data set."""
        return model_tables.by_label(self._judged, self.proposals, self.resampling)

    @cached_property
    def baselines(self) -> pd.DataFrame:
        """Metrics of naming an object at random."""
        sums: Iterable[tuple[Cell, Sums]] = ()
        if isinstance(self._truth, DrawnObjects):
            sums = random_object(self.proposals, self._truth)
        judged = judge(["random_object"], sums, self.resampling)
        return judged.table.rename(columns={"model": "baseline"})

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Metrics on items with one object or label, less those with several."""
        return model_tables.costs(self._judged, self.resampling)

    @property
    def unasked(self) -> Mapping[str, int]:
        """Number of items of whose predicted label no annotator was asked, by model."""
        first = self.proposals.fitted_label[:, :, 0]
        unasked = np.zeros(len(first), np.int64)
        if isinstance(self._truth, Truths):
            unasked = np.isnan(self._truth.asked(first)).any(0).sum(1)
        return dict(zip(self.proposals.models, map(int, unasked), strict=True))

    def calibration(self, bins: int = 10) -> pd.DataFrame:
        """Estimate how often labels are valid that models state with some probability.

        Of labels that are stated with probability .8, eight in ten should be valid.
        Models that state no probability are left out.

        Parameters
        ----------
        bins : int, default 10
            Number of bins between 0 and 1, all of one width.

        Returns
        -------
        pandas.DataFrame
            Columns model, group (the bin, from 0), stated (mean probability), value
            (expected share of valid labels), lower, upper and items; bins without items
            are left out.

        Raises
        ------
        OptionError
            If no probability is stated, or one is not between 0 and 1.
        """
        if bins < 1:
            raise OptionError(f"bins {bins}: give 1 or more")
        stated = self._stated()
        group = np.minimum((stated * bins).astype(int), bins - 1)
        valid = self._truth.validity(self.proposals.fitted_label[:, :, 0])
        judged = ~np.isnan(self.proposals.stated) & ~np.isnan(valid).any(0)
        shares = []
        for number in range(bins):
            members = judged & (group == number)
            mean = (stated * members).sum(1) / np.maximum(members.sum(1), 1)
            named = {"model": self.proposals.models, "group": number, "stated": mean}
            shares.append(mean_share(valid, members, named))
        table = self.resampling.table(shares)
        return table[table["items"] > 0].sort_values(
            ["model", "group"], ignore_index=True, kind="stable"
        )

    def by_rank(self) -> pd.DataFrame:
        """Estimate how often the label of each rank of a model, up to `top`, is valid.

        Returns
        -------
        pandas.DataFrame
            Columns model, rank, value (expected share of valid labels), lower, upper
            and items.
        """
        shares = []
        for rank in range(self.proposals.label.shape[2]):
            valid = self._truth.validity(self.proposals.fitted_label[:, :, rank])
            listed = self.proposals.label[:, :, rank] >= 0
            named = {"model": self.proposals.models, "rank": rank + 1}
            shares.append(mean_share(valid, listed & ~np.isnan(valid).any(0), named))
        table = self.resampling.table(shares)
        return table[table["items"] > 0].reset_index(drop=True)

    def frequencies(self) -> pd.DataFrame:
        """Estimate how often people select the labels that models predict.

        Returns
        -------
        pandas.DataFrame
            Columns who (`dataset`, where its labels are given, then the models),
            statistic, subset, value, lower, upper and items (on which people were asked
            about the label). `frequency` is the share of yes among the answers,
            whatever the model of the fit. With labels of the data set also
            `less_dataset`, the difference from that of the data set's label, and
            `accuracy`, the share of these items where the label is the data set's: the
            frequency if people said yes to that label and to nothing else. Subsets:
            `all`; `right` and `wrong`, where a model's label is the data set's or not.

        Raises
        ------
        KindError
            If the fit is not of kind contains.
        """
        first, dataset = self.proposals.label[:, :, 0], self.proposals.dataset
        share = self._frequency(first)
        observed = ~np.isnan(share)
        of_all = {"model": self.proposals.models, "statistic": "frequency"}
        of_all |= {"subset": "all"}
        if dataset is None:
            return self.resampling.table([mean_share(share, observed, of_all)])
        of_dataset = self._frequency(dataset[None])
        hit, apart = first == dataset, share - of_dataset
        both, less = ~np.isnan(apart), of_all | {"statistic": "less_dataset"}
        parts = (
            (of_dataset, ~np.isnan(of_dataset), of_all | {"model": [DATASET]}),
            (share, observed, of_all),
            (apart, both, less),
            (share, observed & hit, of_all | {"subset": "right"}),
            (share, observed & ~hit, of_all | {"subset": "wrong"}),
            (apart, both & ~hit, less | {"subset": "wrong"}),
            (hit.astype(float), observed, of_all | {"statistic": "accuracy"}),
        )
        return self.resampling.table(mean_share(*part) for part in parts)

    def errors(self, edges: Sequence[float] = EDGES) -> pd.DataFrame:
        """Return how often people select the labels with which models err.

        An error is a label that is not the data set's. Where most people say yes to it,
        the error is one of the data set rather than of the model.

        Parameters
        ----------
        edges : sequence of float, default (0, .2, .4, .6, .8, 1)
            Edges of the bins of the share of yes, ascending from 0 to 1.

        Returns
        -------
        pandas.DataFrame
            Columns model, low and high (edges of the bin; the last includes its upper
            edge), value (share of the model's errors), lower, upper and items (errors
            that people were asked about). The shares are of answers, so that few raters
            spread them.

        Raises
        ------
        KindError, OptionError
            If the fit is not of kind contains, the edges do not ascend, or the data set
            has no labels.
        """
        inner = np.asarray(edges, float)
        ascend = len(inner) > 1 and (np.diff(inner) > 0).all()
        if not ascend or inner[0] != 0 or inner[-1] != 1:
            raise OptionError(
                f"edges {list(edges)}: give numbers that ascend from 0 to 1"
            )
        first = self.proposals.label[:, :, 0]
        share = self._frequency(first)
        wrong = ~np.isnan(share) & (first != self.proposals.need_dataset("an error"))
        place = np.searchsorted(inner[1:-1], share, side="right")
        return self.resampling.table(
            mean_share(
                (place == number).astype(float),
                wrong,
                {"model": self.proposals.models, "low": low, "high": high},
            )
            for number, (low, high) in enumerate(pairwise(inner))
        )

    def confusion(
        self, labels: pd.DataFrame | None = None, *, against: Against = "dataset"
    ) -> ComparedConfusion:
        """Compare how people and models label the items of each class.

        Parameters
        ----------
        labels : pandas.DataFrame, optional
            Columns label and parent: superclasses, or a hierarchy where parents have
            parents.
        against : {"dataset", "truth"}, default "dataset"
            What is taken as the truth: the data set's label (people beside models), or
            the posterior of the fit, for objects its main labels (models and the data
            set).

        Returns
        -------
        ComparedConfusion
            The confusion of each party.

        Raises
        ------
        KindError, OptionError
            If the fit is of kind contains, or the data set has no labels.
        """
        return compared(self.fit, self.proposals, self.resampling, labels, against)

    @cached_property
    def _truth(self) -> Truths | DrawnObjects:
        fit, proposals = self.fit, self.proposals
        if fit.data.attrs["kind"] == "objects":
            names = proposals.names[: proposals.num_fit_labels]
            return drawn_objects(fit, proposals.items, names, self.threshold)
        most = _NUMBERS // proposals.label[:, :, 0].size
        draws = max(1, min(MAX_DRAWS, most))
        return truths(fit, proposals.items, draws, self.unasked_are)

    @cached_property
    def _judged(self) -> Judged:
        truth, proposals = self._truth, self.proposals
        if isinstance(truth, DrawnObjects):
            sums = object_sums(proposals, truth)
        else:
            sums = truth_sums(proposals, truth)
        return judge(proposals.models, sums, self.resampling)

    def _stated(self) -> Float[np.ndarray, "A I"]:
        """Return the probability that each model states, 0 where it states none."""
        stated = self.proposals.stated
        if np.isnan(stated).all():
            raise OptionError(
                "predictions: they state no probability (column probability); give "
                "scores, or ask for the validity by rank"
            )
        wrong = (stated < 0) | (stated > 1)
        if wrong.any():
            model = self.proposals.models[int(wrong.any(1).argmax())]
            raise OptionError(
                f"predictions of {model!r}: a probability is {stated[wrong][0]:g}; "
                "give numbers between 0 and 1"
            )
        return np.nan_to_num(stated)

    def _frequency(self, label: Int[np.ndarray, "W I"]) -> Float[np.ndarray, "W I"]:
        """Return the share of yes of a label of each item; NaN where not asked."""
        items, names = self.proposals.items, self.proposals.names
        pairs = pd.MultiIndex.from_arrays(
            [np.tile(items, len(label)), names.take(label.ravel())]
        )
        return share_of_yes(self.fit).reindex(pairs).to_numpy().reshape(label.shape)


def evaluate(  # noqa: PLR0913 (each option stands alone)
    fit: Fit,
    predictions: pd.DataFrame,
    *,
    dataset_labels: pd.DataFrame | None = None,
    top: int = 5,
    threshold: float = HALF,
    resamples: int = 1000,
    prob: float = 0.9,
    seed: int = 0,
    unasked: Unasked = "wrong",
    allow_circular: bool = False,
) -> Evaluation:
    """Judge models by the posterior of the truth, or by the answers of people.

    Parameters
    ----------
    fit : Fit
        A fit of any kind.
    predictions : pandas.DataFrame
        Columns item, label and rank (from 1), model where there are several, and
        probability where models state it. The one label of an item needs no rank, and
        scores rank several, also those of a column for each label.
    dataset_labels : pandas.DataFrame, optional
        Columns item and label: the label of each item in the data set, one each. Items
        without one are left out.
    top : int, default 5
        Number of labels of the top-k metrics; where a model has fewer, all of them.
    threshold : float, default 0.5
        Kind objects: an object is present if more than this share of annotators name
        it.
    resamples, prob, seed
        Number of weightings of the items (Bayesian bootstrap), probability of the
        intervals, and seed of the weights.
    unasked : {"wrong", "left_out"}, default "wrong"
        Kind contains: a predicted label that no annotator was asked about counts as
        wrong, or the item is left out, for all models. What was asked about was
        proposed by somebody, and what nobody proposed is seldom there.
    allow_circular : bool, default False
        Allow models whose predictions were covariates of the fit, or who are among its
        annotators.

    Returns
    -------
    Evaluation
        Metrics: `accuracy` (the first label is true), `top_k` (one of the first k is),
        where several labels of an item can be true `precision`, `f1` and
        `average_precision` of all that a model lists, up to `top`,
        `dataset_accuracy` and `dataset_top_k` (agreement with the data set's label);
        for objects also `main_object` and `main_label`. Subsets: `all`; for contains
        `one_label` and `several_labels` (are true); for objects `one_object` (at most),
        `several_objects`, `two_objects`, `three_objects`, `four_objects` (or more);
        with labels of the data set `label_right` and `label_wrong`, for objects also
        `other_main_label` and `other_main_label_several` (with several objects).

    Raises
    ------
    DataError
        If a column is missing, a rank occurs twice, or no item is one of the fit.
    OptionError
        If the predictions of a model were covariates of the fit, it is one of its
        annotators, or a setting is not valid.

    See Also
    --------
    human_confusion : The confusion of people, from few answers.
    consilience.score : Score a fit against gold labels.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="contains", items=20, annotators=6, classes=3, seed=0)
    >>> fit = cs.fit(study.responses, model="contains_states")
    >>> asked = fit.labels()[["item", "label"]]
    >>> another = asked.assign(label="another")
    >>> evaluation = cs.evaluate(fit, asked.assign(rank=1), dataset_labels=another)
    >>> evaluation.frequencies()[["model", "statistic", "value"]].tail(1).round(2)
       model statistic  value
    6  model  accuracy    0.0
    >>> float(evaluation.errors()["value"].sum().round(6))
    1.0
    """
    check_fit(fit)
    if not 0 < threshold < 1:
        raise OptionError(
            f"threshold {threshold:g}: give a share of annotators, between 0 and 1"
        )
    proposals = propose(
        fit, predictions, dataset_labels, top, allow_circular=allow_circular
    )
    resampling = Resampling(len(proposals.items), resamples, prob, seed)
    if unasked not in {"wrong", "left_out"}:
        raise OptionError(
            not_among("value of `unasked`", unasked, ("wrong", "left_out"))
        )
    return Evaluation(
        fit=fit,
        proposals=proposals,
        resampling=resampling,
        threshold=threshold,
        unasked_are=unasked,
    )
