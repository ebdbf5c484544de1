r"""Confusion of two labels by classifiers: the probability that they give to both.

With :math:`p_i(l)` the pooled probability of label l for item i,

.. math::

   f_{ll'} = \frac{\sum_i p_i(l)\, p_i(l')}
                  {\sqrt{\sum_i p_i(l)^2 \sum_i p_i(l')^2}}

the cosine of the two: 1 where both always have the same share of the probability, 0
where no item has both among its candidates.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.sparse import csr_array, triu

from consilience.classifiers.pooled.candidate_table import FILE, Candidates
from consilience.errors import CandidatesError

NEEDED = ("item", "label", "score")


def co_confusion(candidates: Candidates | pd.DataFrame | str | Path) -> pd.DataFrame:
    """Return how often classifiers confuse each pair of labels.

    The estimate improves with the number of items, which need not be those that
    annotators answered about.

    Parameters
    ----------
    candidates : Candidates, data frame or path
        Result of `candidates`, its table, or the folder of `Candidates.save`: columns
        item, label and score (log probability).

    Returns
    -------
    pandas.DataFrame
        Columns label_a, label_b and value (from 0 to 1) for all pairs of labels that
        are candidates of one item, the most confused first: a similarity of labels, as
        `fit` accepts it.

    Raises
    ------
    CandidatesError
        If the file cannot be read, a column is missing, or a score is not finite.

    See Also
    --------
    leading_question : The effect of similar labels on annotators.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"item": ["a", "a"], "label": ["cat", "dog"], "score": [-0.5, -1.0]}
    ... )
    >>> cs.co_confusion(table).round(2)
      label_a label_b  value
    0     cat     dog    1.0
    """
    table = _table(candidates)
    label, labels = pd.factorize(table["label"].astype("str"), sort=True)
    item, items = pd.factorize(table["item"].astype("str"))
    shape = (len(items), len(labels))
    share = csr_array((_probability(table), (item, label)), shape=shape)
    both = triu(share.T @ share, format="coo")
    size = np.sqrt((share.multiply(share)).sum(0))
    off = both.row < both.col
    row, column = both.row[off], both.col[off]
    value = both.data[off] / (size[row] * size[column])
    pairs = pd.DataFrame(
        {"label_a": labels[row], "label_b": labels[column], "value": value}
    )
    order = ["value", "label_a", "label_b"]
    return pairs.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _table(candidates: Candidates | pd.DataFrame | str | Path) -> pd.DataFrame:
    if isinstance(candidates, Candidates):
        table = candidates.table
    elif isinstance(candidates, pd.DataFrame):
        table = candidates
    else:
        path = Path(candidates)
        path = path / FILE if path.is_dir() else path
        try:
            table = pd.read_parquet(path)
        except Exception as error:
            line = str(error).partition("\n")[0]
            msg = f"{path}: cannot be read as Parquet ({line}); make it again"
            raise CandidatesError(msg) from error
    for column in NEEDED:
        if column not in table:
            columns = ", ".join(map(str, table.columns))
            msg = f"candidates have columns {columns}; a column {column!r} is needed"
            raise CandidatesError(msg)
    return table


def _probability(table: pd.DataFrame) -> Float[np.ndarray, " C"]:
    score = pd.to_numeric(table["score"], errors="coerce").to_numpy(float)
    if not np.isfinite(score).all():
        row = int(np.argmin(np.isfinite(score)))
        msg = (
            f"candidates, column 'score', row {row + 1}: found "
            f"{table['score'].iloc[row]!r}, expected a number; fix it or leave it out"
        )
        raise CandidatesError(msg)
    return np.exp(score)
