"""Confusion of people for each class, estimated from few answers per item.

The class of an item is the label that the data set has for it; nothing here says that
it is right. The estimates are those of a fit of the model `class_confusion`, and what
follows from it of pairs of labels, superclasses and panels of annotators.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float

from consilience.analysis.confusion import mistaken_pairs
from consilience.class_confusion.class_posterior import ClassPosterior
from consilience.class_confusion.confusion_posterior import ConfusionPosterior
from consilience.class_confusion.response_panels import panel_disagreement
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
from consilience.responses import Responses
from consilience.responses.tables.id_types import Types, restores_types
from consilience.responses.tools.on_screen import NONE
from consilience.truth.named import label_groups

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
    consilience.human_confusion : Compute it.

    Examples
    --------
    >>> from dataclasses import replace
    >>> import consilience as cs
    >>> study = cs.simulate(kind="objects", items=60, annotators=8, classes=6)
    >>> confusion = cs.human_confusion(study.responses)
    >>> cells = confusion.table(min_probability=0.05)
    >>> cells[["true_label", "given_label", "votes"]].head(2)
      true_label given_label  votes
    0     class0      class0     37
    1     class0      class2      9
    >>> confusion.naming.probability.shape, int(confusion.votes.sum())
    ((6, 6), 300)
    >>> confusion.pairs()[["label_a", "label_b", "mutual"]].head(1).round(1)
      label_a label_b  mutual
    0  class2  class3     0.1
    >>> confusion.panels(sizes=(3, 9), draws=50)[["annotators", "items"]].tail(1)
       annotators  items
    1           9     60
    >>> confusion.evidence()["evidence"].head(3).tolist()
    ['any', 'popular', 'reverse']
    >>> parents = ["cat", "cat", "cat", "dog", "dog", "dog"]
    >>> labels = study.responses.labels.assign(parent=parents)
    >>> confusion = cs.human_confusion(replace(study.responses, labels=labels))
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
            Columns label_a, label_b, a_called_b and b_called_a (probabilities), mutual
            (the smaller of the two) and one_sided (the difference), both with bounds
            (`mutual_lower` and so on); the most mutual first. *None of these* is an
            answer and no name, and in no pair.
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
                drawn = self.posterior.draw_cells(generator, draws, row, column)
                drawn *= answered[row]
                both.append(np.concatenate([mean[row, column][None], drawn]))
            labels = {"label_a": self.labels[a], "label_b": self.labels[b]}
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
            msg = "give panels of one annotator or more, and one draw or more"
            raise OptionError(msg)
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
        return pd.DataFrame(
            {"evidence": list(weights), "weight": list(weights.values())}
        )


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
    >>> confusion = cs.human_confusion(study.responses)
    >>> confusion.table()[["true_label", "given_label", "probability"]].head(1).round(1)
      true_label given_label  probability
    0     class0      class0          0.5
    """
    if responses.kinds not in {("choice",), ("objects",)}:
        kinds = ", ".join(responses.kinds)
        msg = f"labels are given in kinds choice and objects; these are of kind {kinds}"
        raise KindError(msg)
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
