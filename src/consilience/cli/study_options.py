"""Options about a study that the commands `study` and `report` share."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from consilience.cli.options import READ_AS_IT_IS, Flag, Prob, read_responses
from consilience.cli.predictions import read_all

if TYPE_CHECKING:
    import pandas as pd

    from consilience.figures import StudyFigures
    from consilience.posterior import Fit
    from consilience.responses import Responses


@Parameter(name="*", group="Study")
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """What a study is made of, beside a run and its responses."""

    predictions: Annotated[tuple[Path, ...], Parameter(show_default=False)] = ()
    contains: Path | None = None
    prediction_items: Path | None = None
    prediction_labels: Path | None = None
    of: Annotated[int | None, Parameter(name="--of")] = None
    tau: float = 0.5
    prob: Prob = 0.9
    resamples: int = 1000
    seed: int = 0
    allow_circular: Flag = False


USUAL = StudyOptions()


def make_study(
    fit: "Fit",
    responses: "Responses",
    options: StudyOptions,
    names: "pd.DataFrame | None",
) -> "StudyFigures":
    """Collect the figures of a study from what a person names.

    Parameters
    ----------
    fit, responses
        The run and what it was fitted to.
    options
        The rest.
    names
        Names of labels; None: those of the responses.
    """
    import pandas as pd

    from consilience.figures import study

    predicted = None
    if options.predictions:
        sources = read_all(
            options.predictions, options.prediction_items, options.prediction_labels
        )
        predicted = pd.concat([one.table for one in sources], ignore_index=True)
    alone = None
    if options.contains is not None:
        alone = _fit_alone(options.contains, responses)
    return study(
        fit,
        responses,
        predictions=predicted,
        contains=alone,
        of=options.of,
        tau=options.tau,
        prob=options.prob,
        resamples=options.resamples,
        seed=options.seed,
        allow_circular=options.allow_circular,
        names=names,
    )


def _fit_alone(path: Path, responses: "Responses") -> "Fit":
    """Load a run of kind contains, or fit the answers about items of the study."""
    from consilience.errors import KindError
    from consilience.fitting import fit
    from consilience.posterior import load
    from consilience.posterior.stored_fit.store import is_run

    if is_run(path):
        return load(path)
    answers = read_responses([path], READ_AS_IT_IS)
    if answers.kind != "contains":
        msg = (
            f"{path}: holds answers of kind {answers.kind}; --contains takes yes or no "
            "for one label at a time"
        )
        raise KindError(msg)
    if responses.items is not None:
        listed = responses.items["item"].astype("str")
        of_study = answers.table["item"].astype("str").isin(listed)
        answers = answers.where(of_study) if of_study.any() else answers
    return fit(answers, model="contains_counts", engine="em")
