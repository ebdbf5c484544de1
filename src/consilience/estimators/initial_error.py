"""Earlier confusions of annotators, laid out as crowd-kit's `initial_error`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from consilience.errors import OptionError, not_a
from consilience.estimators.columns import Answers


@dataclass(frozen=True, slots=True, eq=False)
class EarlierErrors:
    """Counts or probabilities of answers, given the truth."""

    counts: Float[np.ndarray, "J L K"]
    given: Bool[np.ndarray, "J L"]

    def table(self, answers: Answers) -> pd.DataFrame:
        """Return the counts as `consilience.fit` takes them, in the readers' texts."""
        annotator, answer, truth = self.counts.nonzero()
        return pd.DataFrame(
            {
                "annotator": answers.annotator.texts.take(annotator),
                "true_label": answers.label.texts.take(truth),
                "given_label": answers.label.texts.take(answer),
                "n": self.counts[annotator, answer, truth],
            }
        )


def earlier_errors(answers: Answers, table: pd.DataFrame) -> EarlierErrors:
    """Lay earlier confusions out for the annotators and labels of answers.

    Rows and columns of other annotators and labels are not used.
    """
    if not isinstance(table, pd.DataFrame):
        raise OptionError(not_a("initial_error", table, "a data frame, as `errors_`"))
    names = [answers.annotator.name, answers.label.name]
    if list(table.index.names) != names:
        msg = (
            f"initial_error is indexed by {list(table.index.names)}; index it by "
            f"{names}, with a column for each true label"
        )
        raise OptionError(msg)
    labels = answers.label.values
    whole = pd.MultiIndex.from_product([answers.annotator.values, labels])
    square = len(answers.annotator.values), len(labels)
    given = whole.isin(table.index).reshape(square)
    used = table[[name for name in table if name in labels]]
    used = used.reindex(index=whole, columns=labels).fillna(0.0)
    counts = used.to_numpy(float)
    if (counts < 0).any():
        msg = "initial_error has negative numbers; give counts, or probabilities"
        raise OptionError(msg)
    return EarlierErrors(counts.reshape(*square, len(labels)), given)


def check_complete(
    answers: Answers, table: pd.DataFrame, earlier: EarlierErrors
) -> None:
    """Refuse earlier confusions to start from that are not those of all annotators."""
    given = np.zeros_like(earlier.given)
    given[answers.annotator.codes, answers.label.codes] = True
    lacks = (given & ~earlier.given).any(1)
    if lacks.any():
        first = answers.annotator.values[int(lacks.argmax())]
        msg = (
            f"initial_error lacks answers of {lacks.sum():,} annotators, such as "
            f"{first!r}; to start from it, give the confusions of all, or take "
            '`initial_error_strategy="addition"`'
        )
        raise OptionError(msg)
    sums = earlier.counts.sum(1)
    if (table <= 1).all(axis=None) and not np.allclose(sums, 1.0):
        # crowd-kit's words, which programs may look for.
        msg = (
            "The sum of each worker's error matrix in initial_error should be 1.0 for "
            "each true label; give probabilities that are, or counts"
        )
        raise OptionError(msg)
