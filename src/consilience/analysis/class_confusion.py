"""Confusion of people for each class, estimated from few answers per item.

The class of an item is the label that the data set has for it; nothing here says that
it is right. The estimates are those of a fit of the model `class_confusion`, and what
follows from it of pairs of labels, superclasses and panels of annotators.

**A larger panel of annotators.** The label that most of a few annotators give is more
often another than the data set's own than that of many: noise rarely speaks for the
class. So a panel is drawn: those who have answered, and new annotators up to its size,
who answer as the item's posterior has it (its class's confusion, how closely items keep
to that, and the answers there are).

How often an item is called by its own label by those who do not lapse is drawn given
the answers about it. New answers are drawn one by one: each is a lapse, or gives the
own label or not; which other label it gives is that of one of the others before it, or
afresh as the class has it: Polya's urn, whose outcomes are Dirichlet-multinomial.

References
----------
Blackwell and MacQueen (1973), Ferguson distributions via Polya urn schemes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.analysis.confusion import mistaken_pairs
from consilience.class_confusion.class_posterior import ClassPosterior
from consilience.class_confusion.confusion_posterior import (
    ConfusionPosterior,
    beta_from_moments,
)
from consilience.class_confusion.dataset_label import (
    LabelCounts,
    dataset_label_and_others,
    log_probabilities,
    possible_lapses,
)
from consilience.errors import KindError, OptionError
from consilience.fitting import fit
from consilience.inference import EngineOptions
from consilience.intervals import bounds
from consilience.notebook import shown_as
from consilience.posterior.class_confusion import (
    cell_table,
    cells,
    confusion_of_groups,
    has_answers,
    posterior_of,
)
from consilience.ragged import places_within
from consilience.responses import Responses
from consilience.responses.id_types import Types, restores_types
from consilience.responses.tools.work import NONE
from consilience.truth.named import label_groups


def panel_disagreement(
    learned: ClassPosterior, sizes: Sequence[int], *, draws: int, seed: int
) -> Float[np.ndarray, "D P"]:
    """Draw the share of items that most of a panel call otherwise than their class."""
    generator = np.random.default_rng(seed)
    label_counts = learned.label_counts
    given = _response_rows(label_counts)
    number = (given >= 0).sum(1)
    shares = np.empty((draws, len(sizes)))
    for row in shares:
        posterior = learned.draw(generator)
        votes = _draw_votes(posterior, label_counts, given, max(sizes), generator)
        for place, size in enumerate(sizes):
            label = _winner(votes, number, size)
            row[place] = (label != label_counts.dataset_label).mean()
    return shares


def _response_rows(label_counts: LabelCounts) -> Int[np.ndarray, "I n"]:
    """Return the labels given to each item, in no order; -1 is padding."""
    item, label = (
        np.repeat(each, label_counts.votes.astype(int))
        for each in (label_counts.item, label_counts.label)
    )
    number = np.bincount(item, minlength=len(label_counts.dataset_label))
    rows = np.full((len(number), int(number.max(initial=1))), -1)
    rows[item, places_within(number)] = label
    return rows


def _draw_votes(
    posterior: ConfusionPosterior,
    label_counts: LabelCounts,
    given: Int[np.ndarray, "I n"],
    most: int,
    generator: np.random.Generator,
) -> Int[np.ndarray, "I m"]:
    """Draw answers until every item has so many."""
    theta = posterior.draw(generator)
    dataset_label, (items, answers) = label_counts.dataset_label, given.shape
    votes = np.full((items, max(most, answers)), -1)
    votes[:, :answers] = given
    share = (1 - posterior.lapse) * _shares(posterior, label_counts, theta, generator)
    np.fill_diagonal(theta, 0.0)
    ladder = np.cumsum(theta / np.maximum(theta.sum(1, keepdims=True), 1e-300), axis=1)
    ladder += np.arange(len(ladder))[:, None]  # one ladder for all classes
    for place in range(votes.shape[1]):
        unfinished = np.flatnonzero(votes[:, place] < 0)
        before, class_ = votes[unfinished, :place], dataset_label[unfinished]
        is_own = generator.random(len(unfinished)) < share[unfinished]
        top = ladder[class_, -1] - class_
        step = class_ + generator.random(len(unfinished)) * top
        new = np.searchsorted(ladder.ravel(), step) - class_ * ladder.shape[1]
        new = np.minimum(new, ladder.shape[1] - 1)
        other = _draw_other(before, class_, posterior.beside, new, generator)
        votes[unfinished, place] = np.where(is_own, class_, other)
    return votes


def _shares(
    posterior: ConfusionPosterior,
    label_counts: LabelCounts,
    theta: Float[np.ndarray, "K K"],
    generator: np.random.Generator,
) -> Float[np.ndarray, " I"]:
    """Draw how often each item is called by its own label by those who do not lapse."""
    share = np.diagonal(theta)[label_counts.dataset_label] / (1 - posterior.lapse)
    agreeing, others = dataset_label_and_others(label_counts)
    rows = possible_lapses(agreeing, others)
    mean = share[rows.which][:, None]
    logs = log_probabilities(rows, mean, posterior.spread, posterior.lapse)
    # The greatest of log chances, each with Gumbel noise, is a draw by those chances.
    noise = generator.gumbel(size=len(rows.which))
    order = np.lexsort((np.asarray(logs)[:, 0] + noise, rows.which))
    heeded = rows.heeded[order[np.cumsum(others + 1) - 1]]
    yes = posterior.spread * share + agreeing
    no = posterior.spread * (1 - share) + heeded - agreeing
    return np.asarray(generator.beta(yes, no))


def _draw_other(
    before: Int[np.ndarray, "i m"],
    class_: Int[np.ndarray, " i"],
    spread: float,
    new: Int[np.ndarray, " i"],
    generator: np.random.Generator,
) -> Int[np.ndarray, " i"]:
    """Return one of the other labels given before, or the new one."""
    if before.shape[1] == 0:
        return new
    other = before != class_[:, None]
    number = other.sum(1)
    fresh = generator.random(len(class_)) * (spread + number) < spread
    ticket = np.where(other, generator.random(other.shape), -1.0).argmax(1)
    return np.where(fresh, new, before[np.arange(len(class_)), ticket])


def _winner(
    votes: Int[np.ndarray, "I m"], number: Int[np.ndarray, " I"], size: int
) -> Int[np.ndarray, " I"]:
    """Return the label most of a panel give, on a tie the first: order says nothing."""
    counted = np.arange(votes.shape[1]) < np.maximum(size, number)[:, None]
    same = (votes[:, :, None] == votes[:, None, :]) & counted[:, None, :]
    often = np.where(counted, same.sum(2), 0)
    return votes[np.arange(len(votes)), often.argmax(1)]


_BLOCK = 10_000  # pairs that are drawn at once: a thousand draws of each are 80 MB


@shown_as("table", "pairs", facts=("labels", "prob"))
@dataclass(frozen=True, slots=True, eq=False)
class HumanConfusion:
    """How people label the items of each class.

    Attributes
    ----------
    labels, parent : pandas.Index
        Names of the labels, in the order of `naming`, and the superclass of each; empty
        where it has none.
    posterior : ClassPosterior
        What the fit says of the confusion of each class.
    prob : float
        Probability of the intervals.

    See Also
    --------
    consilience.analysis.human_confusion : Compute it.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=60, annotators=8, classes=6)
    >>> confusion = cs.analysis.human_confusion(study.responses)
    >>> cells = confusion.table(min_probability=0.05)
    >>> cells[["true_label", "given_label", "responses"]].head(2)
      true_label given_label  responses
    0     class0      class0         37
    1     class0      class2          9
    >>> confusion.naming.probability.shape, int(confusion.votes.sum())
    ((6, 6), 300)
    >>> confusion.pairs()[["label", "other_label", "mutual"]].head(1).round(1)
        label other_label  mutual
    0  class2      class3     0.1
    >>> confusion.panels(sizes=(3, 9), draws=50)[["annotators", "items"]].tail(1)
       annotators  items
    1           9     60
    >>> confusion.evidence()["evidence"].head(3).tolist()
    ['any', 'popular', 'reverse']
    >>> parents = ["cat", "cat", "cat", "dog", "dog", "dog"]
    >>> labels = study.responses.labels.assign(parent=parents)
    >>> confusion = cs.analysis.human_confusion(replace(study.responses, labels=labels))
    >>> confusion.superclasses()[["true_label", "given_label"]].head(1)
      true_label given_label
    0        cat         cat
    """

    labels: pd.Index
    parent: pd.Index
    posterior: ClassPosterior
    prob: float
    types: Types = field(default_factory=dict)

    @property
    def naming(self) -> ConfusionPosterior:
        """The posterior of p(label | class) at the mean of what is learned."""
        return self.posterior.centre

    @property
    def votes(self) -> Float[np.ndarray, "K K"]:
        """Number of answers that give each label to the items of each class."""
        counts = self.posterior.label_counts
        return counts.by_class(counts.votes)

    @restores_types
    def table(self, min_probability: float = 0.01) -> pd.DataFrame:
        """Return the cells that have answers, or at least so large a probability.

        Parameters
        ----------
        min_probability : float, default 0.01
            Smallest probability of a cell without answers.

        Returns
        -------
        pandas.DataFrame
            Columns annotator (null: the population), true_label (the class),
            given_label, probability, lower, upper and votes; classes in order, the most
            probable label first.
        """
        chosen = cells(self.posterior, min_probability)
        return cell_table(self.posterior, self.labels.to_numpy(), self.prob, *chosen)

    @restores_types
    def pairs(
        self, min_probability: float = 0.05, *, draws: int = 1000, seed: int = 0
    ) -> pd.DataFrame:
        """Return pairs of labels of which one is mistaken for the other.

        Parameters
        ----------
        min_probability : float, default 0.05
            Smallest value of the larger of the two probabilities.
        draws, seed : int
            Number and seed of the posterior draws for the bounds.

        Returns
        -------
        pandas.DataFrame
            Columns label, other_label, a_called_b and b_called_a (probabilities),
            mutual (the smaller of the two) and one_sided (the difference), both with
            bounds (`mutual_lower` and so on); the most mutual first. *None of these* is
            an answer and no name, and in no pair.
        """
        answered = has_answers(self.posterior)
        mean = np.where(answered[:, None], self.posterior.probability, 0.0)
        name = self.labels != NONE
        larger = np.where(name[:, None] & name, np.maximum(mean, mean.T), -1.0)
        first, second = np.nonzero(np.triu(larger >= min_probability, 1))
        generator, parts = np.random.default_rng(seed), []
        for start in range(0, max(len(first), 1), _BLOCK):
            a, b = first[start : start + _BLOCK], second[start : start + _BLOCK]
            both = []
            for row, column in ((a, b), (b, a)):
                shape = beta_from_moments(*self.posterior.moments(row, column))
                drawn = generator.beta(*shape, (draws, len(row))) * answered[row]
                both.append(np.concatenate([mean[row, column][None], drawn]))
            labels = {"label": self.labels[a], "other_label": self.labels[b]}
            columns = mistaken_pairs(both[0], both[1], self.prob)
            parts.append(pd.DataFrame({**labels, **columns}))
        table = pd.concat(parts, ignore_index=True)
        return table.sort_values("mutual", ascending=False, ignore_index=True)

    @restores_types
    def superclasses(self, *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
        """Return the confusion between superclasses, with equal weight for each class.

        Parameters
        ----------
        draws, seed
            See `pairs`.

        Returns
        -------
        pandas.DataFrame
            Columns true_label and given_label (superclasses), probability, lower and
            upper.

        Raises
        ------
        OptionError
            If no label has a superclass.
        """
        parents = dict(zip(self.labels, self.parent, strict=True))
        group, names = label_groups(self.labels, parents, 1)
        return confusion_of_groups(
            self.posterior, group, names.to_numpy(), self.prob, draws=draws, seed=seed
        )

    @restores_types
    def panels(
        self, sizes: Sequence[int] = (3, 9, 25), *, draws: int = 200, seed: int = 0
    ) -> pd.DataFrame:
        """Estimate on how many items most of a panel would not give the class as label.

        The label that few annotators give most often is noisier than that of many, and
        the noise rarely favors the class: the share among panels of three overstates
        that of panels of nine. Here the annotators who have not answered are simulated.

        Parameters
        ----------
        sizes : sequence of int
            Sizes of the panels, which include those who have answered.
        draws, seed : int
            Number and seed of the draws of weights, label probabilities and future
            answers.

        Returns
        -------
        pandas.DataFrame
            Columns annotators, items (with a class and an answer), share, lower and
            upper. The bounds hold for these items. Ties go to the first label, in an
            order that is independent of the class.

        Raises
        ------
        OptionError
            If a panel is empty, or there are no draws.
        """
        if draws < 1 or not sizes or min(sizes) < 1:
            raise OptionError(
                "give panels of one annotator or more, and one draw or more"
            )
        shares = panel_disagreement(self.posterior, sizes, draws=draws, seed=seed)
        lower, upper = bounds(shares, self.prob)
        return pd.DataFrame(
            {
                "annotators": list(sizes),
                "items": len(self.posterior.label_counts.dataset_label),
                "share": shares.mean(0),
                "lower": lower,
                "upper": upper,
            }
        )

    @restores_types
    def evidence(self) -> pd.DataFrame:
        """Return the weight of each kind of evidence, in answers.

        Returns
        -------
        pandas.DataFrame
            Columns evidence and weight; further `odds` (of the class's label, where the
            evidence for others is that of a typical item), `against` (the power of that
            evidence by which they fall), `classes` (how close classes are to this, in
            answers), `aside` (the weight of a label that is not the main one) and
            `correlation` (of two answers about one item, given its class).
        """
        centre = self.naming
        names = ("odds", "against", "classes", "aside", "correlation")
        others = {name: getattr(centre, name) for name in names}
        weights = {**centre.weights, **others}
        return pd.DataFrame(weights.items(), columns=["evidence", "weight"])


def human_confusion(responses: Responses, *, prob: float = 0.9) -> HumanConfusion:
    """Estimate how people label the items of each class.

    Parameters
    ----------
    responses : Responses
        Responses of kind choice (the label given), or objects (the main label; further
        labels are used as evidence), with the data set's label of each item.
    prob : float, default 0.9
        Probability of the intervals.

    Returns
    -------
    HumanConfusion
        The posterior of the confusion of each class.

    Raises
    ------
    KindError, OptionError
        If the responses are of another kind, no item has a label of the data set, or
        `prob` is not between 0 and 1.
    FitError
        If there are too many labels for a table of them.

    See Also
    --------
    Evaluation.confusion : Compare the confusion of people and models.

    Examples
    --------
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=60, annotators=8, classes=6)
    >>> confusion = cs.analysis.human_confusion(study.responses)
    >>> confusion.table()[["true_label", "given_label", "probability"]].head(1).round(1)
      true_label given_label  probability
    0     class0      class0          0.5
    """
    if responses.kinds not in {("choice",), ("objects",)}:
        kinds = ", ".join(responses.kinds)
        raise KindError(
            f"labels are given in kinds choice and objects; these are of kind {kinds}"
        )
    if responses.items is not None and "dataset_label" in responses.items:
        # Items without a class say next to nothing of classes, and take long.
        with_class = responses.items.dropna(subset="dataset_label")["item"]
        kept = responses.table["item"].isin(with_class)
        responses = responses.where(kept) if kept.any() else responses
    fitted = fit(responses, model="class_confusion", effort=EngineOptions(prob=prob))
    constant = fitted.data["constant_data"]
    labels = pd.Index(constant["true_class"].to_numpy(), dtype="str")
    parent = np.full(len(labels), "", object)
    if "superclass" in constant:
        parent = constant["superclass"].to_numpy()
    return HumanConfusion(
        labels=labels,
        parent=pd.Index(parent, dtype="str"),
        posterior=posterior_of(fitted.data),
        prob=prob,
        types=responses.types,
    )
