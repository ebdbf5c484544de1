"""How people call the items of each class, learned from few answers to each.

With a thousand classes and some fifty answers to the items of each, most cells of the
table of classes by labels are empty, and the others are noise. What is known of other
classes fills them in: the label's popularity, its superclass, how often the items of
that label are called by this class, and which labels third classes share. How much each
kind of evidence weighs is learned (`naming_prior`).

The class of an item is the label that the data set has for it; nothing here says that
it is right.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.stats import beta

from consilience.analysis.class_confusion.counted_labels import label_counts
from consilience.analysis.class_confusion.dirichlet_prior import Learned, learn
from consilience.analysis.class_confusion.label_counts import Naming
from consilience.analysis.class_confusion.response_panels import called_otherwise
from consilience.errors import OptionError, TooLargeError
from consilience.intervals import bounds
from consilience.responses import Responses
from consilience.responses.tables.id_types import Types, restores_types

MOST_LABELS = 3_000  # nine squares of them are 650 MB
_BLOCK = 10_000  # pairs that are drawn at once: a thousand draws of each are 80 MB


@dataclass(frozen=True, slots=True, eq=False)
class HumanConfusion:
    """How people call the items of each class.

    Attributes
    ----------
    labels
        Names of the labels, in the order of `naming`.
    parent
        Superclass of each label; empty where it has none.
    learned
        What the answers say of how items are called.
    votes
        Answers that give each label about the items of each class.
    mass
        Of the intervals.
    types
        Type of the labels in the source.
    """

    labels: pd.Index
    parent: pd.Index
    learned: Learned
    votes: Float[np.ndarray, "K K"]
    mass: float
    types: Types = field(default_factory=dict)

    @property
    def naming(self) -> Naming:
        """The posterior of P(label | class)."""
        return self.learned.best

    @restores_types
    def table(self, least: float = 0.01) -> pd.DataFrame:
        """Return the cells that are answered, or expected, at least so often.

        Parameters
        ----------
        least
            Cells without answers are listed from this probability.

        Returns
        -------
        Columns annotator (null: the population), true_label (the class), given_label,
        probability, lower, upper, votes; classes in order, the likeliest label first.
        """
        mean = self.naming.probability
        kept = ((mean >= least) | (self.votes > 0)) & self._is_contains()[:, None]
        row, column = np.nonzero(kept)
        order = np.lexsort((-mean[row, column], row))
        row, column = row[order], column[order]
        here, elsewhere = self.naming.beta(row, column)
        tail = (1 - self.mass) / 2
        return pd.DataFrame(
            {
                "annotator": pd.Categorical([None] * len(row)),
                "true_label": pd.Categorical.from_codes(row, categories=self.labels),
                "given_label": pd.Categorical.from_codes(
                    column, categories=self.labels
                ),
                "probability": mean[row, column],
                "lower": beta.ppf(tail, here, elsewhere),
                "upper": beta.ppf(1 - tail, here, elsewhere),
                "votes": self.votes[row, column].astype(np.int64),
            }
        )

    @restores_types
    def pairs(
        self, least: float = 0.05, *, draws: int = 1000, seed: int = 0
    ) -> pd.DataFrame:
        """Return pairs of labels of which one is taken for the other.

        Parameters
        ----------
        least
            The larger of the two probabilities is at least this.
        draws, seed
            Of the namings of classes, for the bounds.

        Returns
        -------
        Columns label_a, label_b, a_called_b, b_called_a (probabilities), mutual (the
        smaller of the two) and one_sided (the larger less the smaller), both with
        bounds (`mutual_lower` and so on); the most mutual first.
        """
        mean = np.where(self._is_contains()[:, None], self.naming.probability, 0.0)
        larger = np.maximum(mean, mean.T)
        first, second = np.nonzero(np.triu(larger >= least, 1))
        there, back = mean[first, second], mean[second, first]
        mutual, one_sided = self._drawn_pairs(first, second, draws, seed)
        found = pd.DataFrame(
            {
                "label_a": self.labels[first],
                "label_b": self.labels[second],
                "a_called_b": there,
                "b_called_a": back,
                "mutual": np.minimum(there, back),
                "mutual_lower": mutual[0],
                "mutual_upper": mutual[1],
                "one_sided": np.abs(there - back),
                "one_sided_lower": one_sided[0],
                "one_sided_upper": one_sided[1],
            }
        )
        return found.sort_values("mutual", ascending=False, ignore_index=True)

    @restores_types
    def superclasses(self, *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
        """Return the confusion between superclasses, each class counting the same.

        Parameters
        ----------
        draws, seed
            Of the namings of classes, for the bounds.

        Returns
        -------
        Columns true_label, given_label (superclasses), probability, lower, upper.

        Raises
        ------
        OptionError
            No label has a superclass.
        """
        names = pd.Index(self.parent.unique())
        if list(names) == [""]:
            msg = "no label has a superclass; give labels with the column parent"
            raise OptionError(msg)
        member = (self.parent.to_numpy()[:, None] == names.to_numpy()).astype(float)
        asked = member * self._is_contains()[:, None]
        rows = asked / np.maximum(asked.sum(0), 1.0)
        between = rows.T @ self.naming.probability @ member
        index = pd.MultiIndex.from_product(
            [names, names], names=["true_label", "given_label"]
        )
        generator = np.random.default_rng(seed)
        naming, drawn = self.naming, np.empty((draws, *between.shape))
        for each in drawn:
            each[:] = rows.T @ naming.draw(generator, member)
        lower, upper = bounds(drawn, self.mass)
        columns = {"probability": between, "lower": lower, "upper": upper}
        return pd.DataFrame(
            {name: values.ravel() for name, values in columns.items()}, index=index
        ).reset_index()

    @restores_types
    def panels(
        self, sizes: Sequence[int] = (3, 9, 25), *, draws: int = 200, seed: int = 0
    ) -> pd.DataFrame:
        """Return how many items most of a panel would call otherwise than their class.

        What few annotators call an item is noisier than what many do, and noise rarely
        speaks for the class: so the share among panels of three says too much of
        panels of nine. Here those who have not answered are drawn.

        Parameters
        ----------
        sizes
            Annotators on a panel; those who have answered are on it.
        draws
            Of all that is uncertain: weights, namings, answers to come.
        seed
            Of random numbers.

        Returns
        -------
        Columns annotators, items (that have a class and an answer), share, lower,
        upper. Bounds hold for these items; ties go to the first label, in an order that
        says nothing.

        Raises
        ------
        OptionError
            A panel is empty, or there are no draws.
        """
        if draws < 1 or not sizes or min(sizes) < 1:
            msg = "a panel has one annotator at least, and one draw is the least"
            raise OptionError(msg)
        found = called_otherwise(self.learned, sizes, draws=draws, seed=seed)
        lower, upper = bounds(found, self.mass)
        return pd.DataFrame(
            {
                "annotators": list(sizes),
                "items": len(self.learned.namings.own),
                "share": found.mean(0),
                "lower": lower,
                "upper": upper,
            }
        )

    @restores_types
    def evidence(self) -> pd.DataFrame:
        """Return what was learned: the weight of each kind of evidence, in answers.

        Returns
        -------
        Columns evidence, weight; then `odds` (of the own label, where the evidence for
        others is worth one answer), `against` (the power of that evidence by which they
        fall), `classes` (how closely classes keep to this, in answers), `aside` (what
        naming a label aside is worth) and `correlation` (of two answers about one item,
        given its class).
        """
        found = {
            **self.naming.weights,
            "odds": self.naming.odds,
            "against": self.naming.against,
            "classes": self.naming.classes,
            "aside": self.naming.aside,
            "correlation": self.naming.correlation,
        }
        return pd.DataFrame({"evidence": list(found), "weight": list(found.values())})

    def _drawn_pairs(
        self,
        first: Int[np.ndarray, " P"],
        second: Int[np.ndarray, " P"],
        draws: int,
        seed: int,
    ) -> tuple[Float[np.ndarray, "2 P"], Float[np.ndarray, "2 P"]]:
        """Return bounds of the smaller of both probabilities, and of the difference."""
        generator = np.random.default_rng(seed)
        naming, asked = self.naming, self._is_contains()
        found = np.empty((2, 2, len(first)))
        for start in range(0, len(first), _BLOCK):
            some = slice(start, start + _BLOCK)
            pair = first[some], second[some]
            both = []
            for row, column in (pair, pair[::-1]):
                here, elsewhere = naming.beta(row, column)
                drawn = generator.beta(here, elsewhere, (draws, len(row)))
                both.append(drawn * asked[row])
            found[0, :, some] = bounds(np.minimum(*both), self.mass)
            found[1, :, some] = bounds(np.abs(both[0] - both[1]), self.mass)
        return found[0], found[1]

    def _is_contains(self) -> Bool[np.ndarray, " K"]:
        asked: Bool[np.ndarray, " K"] = self.votes.sum(1) > 0
        return asked


def human_confusion(responses: Responses, *, mass: float = 0.9) -> HumanConfusion:
    """Learn how people call the items of each class.

    Parameters
    ----------
    responses
        Of kind choice (the label given), or objects (the main label; labels that are
        named besides weigh in), with the data set's own label of each item.
    mass
        Probability that an interval holds.

    Raises
    ------
    KindError
        The responses are of another kind.
    OptionError
        No item has a label of the data set, or the mass is not between 0 and 1.
    TooLargeError
        There are too many labels for a table of them.
    """
    if not 0 < mass < 1:
        msg = f"mass is {mass}; an interval holds a part between 0 and 1"
        raise OptionError(msg)
    labels = responses.table["label"].cat.categories
    if len(labels) > MOST_LABELS:
        msg = (
            f"{len(labels):,} labels make a table too large (at most {MOST_LABELS:,}); "
            "merge rare labels"
        )
        raise TooLargeError(msg)
    parent = pd.Index(responses.labels["parent"].fillna("").astype("str"))
    namings = label_counts(responses, labels, parent)
    return HumanConfusion(
        labels=labels,
        parent=parent,
        learned=learn(namings),
        votes=namings.by_class(namings.votes),
        mass=mass,
        types=responses.types,
    )
