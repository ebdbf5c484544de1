"""The main job on the built-in study, from an export to tables and scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pandas as pd

from consilience.demo.simulated import LABELS, Study
from consilience.fitting import fit
from consilience.posterior import Fit, export
from consilience.progress import Reporter
from consilience.reports import can_draw, gather
from consilience.reports import write as write_report
from consilience.responses import Responses, read, write
from consilience.scoring.metrics import Score, score
from consilience.whole_folder import whole_folder

MODEL = "auto"
BASELINE = "majority"
_EXPORTED = ("labels", "items", "annotators", "confusion", "soft_labels")


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of the study.

    Attributes
    ----------
    study
        The study with its truth.
    responses
        As they were read from the export.
    fit
        The fit.
    scores
        Of the model and of majority vote, by name.
    accuracy
        The fit's table `annotators` with the column `truth`, the true accuracy.
    covered
        Annotators whose true accuracy lies in its interval.
    folder
        Where all of it is written.
    drawn
        Whether there is a report: what draws it may not be installed.
    seconds
        How long it took.
    """

    study: Study
    responses: Responses
    fit: Fit
    scores: Mapping[str, Score]
    accuracy: pd.DataFrame
    covered: int
    folder: Path
    drawn: bool
    seconds: float


def run(
    study: Study,
    folder: Path,
    *,
    engine: str,
    seed: int,
    overwrite: bool = False,
    progress: bool | Reporter = False,
) -> Outcome:
    """Write the study as an export, read it, fit, keep the run, and score it."""
    started = monotonic()
    with whole_folder(folder, replaceable=is_demo if overwrite else None) as partial:
        study.answers.to_csv(partial / "answers.csv", index=False)
        study.truth.to_csv(partial / "truth.csv", index=False)
        responses = _read(partial)
        write(responses, partial / "responses")
        fitted = fit(
            responses, model=MODEL, engine=engine, seed=seed, progress=progress
        )
        fitted.save(partial / "run")
        export(fitted, _EXPORTED, "csv", partial / "tables")
        counted = fit(responses, model=BASELINE)
        drawn = can_draw()
        if drawn:
            title = "The built-in study"
            shown = gather({"demo": fitted}, responses=responses, title=title)
            write_report(shown, partial / "report.html")
    gold = study.truth.set_axis(["item", "label"], axis="columns")
    accuracy = fitted.annotators()
    truth = study.accuracy()
    accuracy["truth"] = [truth[name] for name in accuracy["annotator"]]
    covered = accuracy["truth"].between(accuracy["lower"], accuracy["upper"])
    scores = {
        name: score(result.labels(), gold, kind="choice", seed=seed)
        for name, result in ((MODEL, fitted), (BASELINE, counted))
    }
    return Outcome(
        study=study,
        responses=responses,
        fit=fitted,
        scores=scores,
        accuracy=accuracy,
        covered=int(covered.sum()),
        folder=folder,
        drawn=drawn,
        seconds=monotonic() - started,
    )


def is_demo(folder: Path) -> bool:
    """Say whether a folder is that of an earlier demonstration."""
    parts = ("answers.csv", "responses/responses.parquet", "run/run.toml")
    return all((folder / part).is_file() for part in parts)


def _read(folder: Path) -> Responses:
    return read(
        folder / "answers.csv",
        item="photo",
        annotator="annotator",
        label="animal",
        labels=list(LABELS),
        gold=folder / "truth.csv",
    )
