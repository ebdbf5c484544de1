"""The leading question: the odds of a yes where the question suggests it.

The model `contains` learns how much a similar label that is present raises the odds of
a false yes, and how much more where annotators were not shown that label. The models of
objects, fitted to both tasks in one likelihood, learn how much likelier objects are
endorsed when asked about than named (`consilience.objects.likelihood.endorsement`).
"""

import numpy as np
import pandas as pd
import xarray as xr

from consilience.errors import OptionError
from consilience.posterior import Fit
from consilience.posterior.stored import draws, estimate

SIMILAR = {
    "context_effect": "a similar label is there",
    "context_effect_not_shown": "and was not shown",
}
SELDOM, OFTEN = "a thing seldom seen", "a thing often seen"
CONTRASTS = {
    "one of several names": "of a thing with several names, against one name",
    "own": "of the data set's own label, against others",
}


def leading_question(fit: Fit) -> pd.DataFrame:
    """Return by how much a leading question raises the odds of a yes.

    Parameters
    ----------
    fit : Fit
        A fit of the model `contains` with similar labels (groups, or `similarity=`), or
        a fit of kind objects and contains together.

    Returns
    -------
    pandas.DataFrame
        Columns contrast, odds_ratio, lower and upper. The bounds are NaN where the
        engine gave no draws.

        For `contains`, the odds of a yes to an absent label, by an annotator with
        discrimination one: *a similar label is there*, and in addition *and was not
        shown*. NaN where all annotators were shown the similar label, or none. For
        objects and contains together, the odds of endorsing an object over those of
        naming it, for objects of low and of high detection probability, with the
        columns detection_probability and endorsement_probability (shares of exhaustive
        responses, and of the annotators who were asked); and what makes a label be
        endorsed more or less.

    Raises
    ------
    OptionError
        If the fit does not estimate the effect.

    See Also
    --------
    co_confusion : Which labels are similar, from classifiers.

    Examples
    --------
    >>> import consilience as cs
    >>> import pandas as pd
    >>> both = {"contains_answers": 4.0}
    >>> study = cs.simulate(
    ...     kind="objects", items=16, annotators=8, classes=6, per_item=4, prior=both
    ... )
    >>> similar = pd.DataFrame({"label_a": ["class0"], "label_b": ["class1"]})
    >>> fit = cs.fit(study.contains, model="contains", engine="em", similarity=similar)
    >>> cs.leading_question(fit)["contrast"].tolist()
    ['a similar label is there', 'and was not shown']
    """
    if fit.data.attrs["kind"] == "objects":
        return _of_objects(fit.data)
    effects = {name: draws(fit.data, name, ()) for name in SIMILAR}
    estimated = [effect for effect in effects.values() if effect is not None]
    if not estimated:
        msg = (
            "the fit estimates no effect of similar labels; fit the model contains to "
            "items that were asked about similar labels, and name these "
            "(`similarity=`), or give groups of labels"
        )
        raise OptionError(msg)
    nothing = np.full_like(estimated[0], np.nan)
    columns = [nothing if each is None else each for each in effects.values()]
    return _odds_ratios(list(SIMILAR.values()), np.stack(columns, 1), fit.data)


def _odds_ratios(
    names: list[str], effects: np.ndarray, data: xr.DataTree
) -> pd.DataFrame:
    columns = estimate(effects, float(data.attrs["prob"])).columns("odds_ratio")
    ratios = {name: np.exp(column) for name, column in columns.items()}
    return pd.DataFrame({"contrast": names, **ratios})


def _of_objects(data: xr.DataTree) -> pd.DataFrame:
    leading = draws(data, "leading_question", ("detection_level",))
    effects = draws(data, "endorsement", ("endorsement_covariate",))
    if leading is None or effects is None:
        msg = (
            "the fit has no answers of kind contains beside those of kind objects; "
            "give both tasks to the fit (`contains=`)"
        )
        raise OptionError(msg)
    names = [
        str(name) for name in data["posterior"]["endorsement_covariate"].to_numpy()
    ]
    table = _odds_ratios(
        [SELDOM, OFTEN, *(CONTRASTS[name] for name in names[1:])],
        np.concatenate([leading, effects[:, 1:]], axis=1),
        data,
    )
    drawn = draws(data, "endorsement_probability", ("detection_level",))
    endorsement = np.asarray(drawn, float)
    odds = np.log(endorsement) - np.log1p(-endorsement) - leading
    detection, rest = 1 / (1 + np.exp(-odds)), np.full(len(names) - 1, np.nan)
    return table.assign(
        detection_probability=np.append(detection.mean(0), rest),
        endorsement_probability=np.append(endorsement.mean(0), rest),
    )
