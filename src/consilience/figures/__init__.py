"""The figures of a study: each with its table, its finding in words, and its chart."""

import pandas as pd

from consilience.figures import accuracy, labels
from consilience.figures.figure import Figure
from consilience.figures.record import Maker, StudyFigures
from consilience.posterior import Fit
from consilience.responses import Responses

__all__ = ["FIGURES", "Figure", "StudyFigures", "study"]

# In the order in which they are read.
FIGURES: tuple[Maker, ...] = (
    labels.shares,
    labels.number_of_objects,
    labels.valid_labels,
    labels.cooccurring_objects,
    labels.confused_labels,
    labels.renamed_classes,
    accuracy.accuracy_by_objects,
    accuracy.accuracy_lost,
    accuracy.disagreement,
    accuracy.main_label,
    accuracy.acceptance,
    accuracy.errors_by_acceptance,
    labels.superclass_confusion,
    labels.class_confusion,
    labels.within_superclass,
    accuracy.calibration,
    accuracy.validity_by_rank,
    accuracy.wrong_labels_repeated,
)


def study(  # noqa: PLR0913 (each option stands alone)
    fit: Fit,
    responses: Responses,
    *,
    predictions: pd.DataFrame | None = None,
    contains: Fit | None = None,
    of: int | None = None,
    threshold: float = 0.5,
    prob: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
    allow_circular: bool = False,
    names: pd.DataFrame | None = None,
) -> StudyFigures:
    """Collect the figures of a study.

    Parameters
    ----------
    fit : Fit
        A fit of any kind. Most figures are of kind objects.
    responses : Responses
        The responses of the fit; most figures need the data set's label of each item.
    predictions : pandas.DataFrame, optional
        Columns item, label and rank (from 1), model where there are several, and
        probability where models state it.
    contains : Fit, optional
        A fit of `contains_counts`: yes-or-no answers about one label at a time, of
        items of the same study.
    of : int, optional
        Number of items in the study; by default those that the responses list. Items
        that nobody was asked about count as having one object.
    threshold, prob, resamples, seed, allow_circular
        As of `consilience.evaluate`.
    names : pandas.DataFrame, optional
        Columns label and name: names of labels in words and charts. By default those of
        the responses, up to the first comma where these are different.

    Returns
    -------
    StudyFigures
        `figures` are worked out when they are first asked for; `left_out` says which
        lack what they need.

    Raises
    ------
    KindError
        If `contains` is of another kind.

    See Also
    --------
    consilience.reports.write_study : Write tables, figures and a page.

    References
    ----------
    Tsipras, Santurkar, Engstrom, Ilyas and Madry (2020), From ImageNet to image
    classification: contextualizing progress on benchmarks.

    Examples
    --------
    >>> import consilience as cs
    >>> made = cs.simulate(kind="objects", items=16, classes=6, seed=0)
    >>> fit = cs.fit(made.responses, model="tsipras2020")
    >>> study = cs.study(fit, made.responses)
    >>> study.left_out["acceptance"]
    'there are no yes-or-no answers about one label at a time'
    """
    return StudyFigures(
        fit=fit,
        responses=responses,
        makers=FIGURES,
        predictions=predictions,
        contains=contains,
        items_of_study=of,
        threshold=threshold,
        prob=prob,
        resamples=resamples,
        seed=seed,
        allow_circular=allow_circular,
        names_of_labels=names,
    )
