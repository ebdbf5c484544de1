"""The main job on the built-in study, from an export to tables and scores.

**A simulated study with a known truth: which animal is in the photo.** Twenty-five
annotators look at photos of huskies, malamutes and their likes. Huskies and malamutes
look alike to most; some annotators know their wolves and not their foxes; one answers
without looking. Each row of each confusion is drawn for itself, as the model supposes:
what is tested here is the way from an export to tables, not a wrong model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from consilience.fitting import fit
from consilience.posterior import Fit, export
from consilience.progress import Reporter
from consilience.reports import can_draw, gather
from consilience.reports import write as write_report
from consilience.responses import Responses, read, write
from consilience.scoring.metrics import Score, score
from consilience.sharding import Shards, write_shards
from consilience.whole_folder import whole_folder

MODEL = "auto"
BASELINE = "majority"
_EXPORTED = ("labels", "items", "annotators", "confusion", "soft_labels")
LABELS = ("husky", "malamute", "wolf", "samoyed", "fox")
PREVALENCE = (0.26, 0.24, 0.2, 0.16, 0.14)
# Which labels are confused: the share of a row's mistakes that goes to each animal.
_TAKEN_FOR = np.array(
    [
        [0.0, 0.76, 0.14, 0.07, 0.03],
        [0.72, 0.0, 0.16, 0.09, 0.03],
        [0.3, 0.36, 0.0, 0.06, 0.28],
        [0.4, 0.36, 0.14, 0.0, 0.1],
        [0.16, 0.14, 0.6, 0.1, 0.0],
    ]
)
# How often the typical annotator errs, by animal, and how alike annotators are: the
# imagined answers behind each row.
_MISTAKES = np.array([0.42, 0.44, 0.36, 0.3, 0.24])
_ALIKENESS = 5.0
_NAMES = (
    *("Ada", "Ben", "Chloe", "Dev", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jun"),
    *("Kofi", "Lena", "Mara", "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Sven"),
    *("Tara", "Umut", "Vera", "Wei", "Yara", "Zoe"),
)
# Answers the same whatever is true: the shares of the answers given.
_SPAMMER, _BLIND = "Sven", (0.42, 0.3, 0.12, 0.1, 0.06)


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Answers, and the truth behind them.

    Attributes
    ----------
    answers : pandas.DataFrame
        Columns photo, annotator and animal, as in an export.
    truth : pandas.DataFrame
        Columns photo and animal.
    annotators : tuple of str
        Names of the annotators, in the order of `confusion`.
    confusion : array of shape (J, K, K)
        Confusion matrix of each annotator, p(answer | truth).

    See Also
    --------
    study : Simulate a study.

    Examples
    --------
    >>> from consilience.demo import study
    >>> simulated = study(0, num_photos=30)
    >>> simulated.truth.head(2)
           photo    animal
    0  photo-001  malamute
    1  photo-002  malamute
    """

    answers: pd.DataFrame
    truth: pd.DataFrame
    annotators: tuple[str, ...]
    confusion: Float[np.ndarray, "J K K"]

    def accuracy(self) -> dict[str, float]:
        """Return the probability that each annotator gives the true label.

        Returns
        -------
        dict of str to float
            Accuracy by annotator, averaged over the prevalence of the labels.
        """
        accuracy = np.einsum("k,jkk->j", PREVALENCE, self.confusion)
        return dict(zip(self.annotators, map(float, accuracy), strict=True))

    def responses(self) -> Responses:
        """Return the answers as they are read."""
        return read(self.answers, item="photo", label="animal")

    def shards(self, folder: str | Path) -> Shards:
        """Write the answers as a file, and read them as shards.

        Parameters
        ----------
        folder
            Folder of shards to write; the file lies beside it.

        Returns
        -------
        Shards
            The folder.
        """
        source = Path(folder).with_suffix(".parquet")
        self.answers.to_parquet(source)
        return write_shards(source, folder, item="photo", label="animal")


def study(
    seed: int, *, num_photos: int = 200, per_photo: int = 6, mistakes: float = 1.0
) -> Study:
    """Simulate the built-in study: which animal is on the photo.

    Parameters
    ----------
    seed : int
        Seed of the random number generator.
    num_photos : int, default 200
        Number of photos.
    per_photo : int, default 6
        Number of answers about each photo, by as many annotators.
    mistakes : float, default 1
        How often the typical annotator errs, relative to 24 to 44 % of the answers.

    Returns
    -------
    Study
        Answers, and the truth behind them.

    See Also
    --------
    consilience.simulate : Draw responses from any model.

    Examples
    --------
    >>> from consilience.demo import study
    >>> study(0, num_photos=30).answers.head(3)
           photo annotator    animal
    0  photo-001      Hugo  malamute
    1  photo-001      Tara      wolf
    2  photo-001     Quinn  malamute
    """
    generator = np.random.default_rng(seed)
    confusion = _confusions(generator, mistakes)
    num_labels, num_people = len(LABELS), len(_NAMES)
    truth = generator.choice(num_labels, size=num_photos, p=PREVALENCE)
    lots = generator.random((num_photos, num_people))
    person = lots.argsort(axis=1)[:, :per_photo].ravel()
    photo = np.arange(num_photos).repeat(per_photo)
    given = _draw(generator, confusion[person, truth[photo]])
    names = np.array([f"photo-{number:03d}" for number in range(1, num_photos + 1)])
    labels = np.array(LABELS)
    return Study(
        answers=pd.DataFrame(
            {
                "photo": names[photo],
                "annotator": np.array(_NAMES)[person],
                "animal": labels[given],
            }
        ),
        truth=pd.DataFrame({"photo": names, "animal": labels[truth]}),
        annotators=_NAMES,
        confusion=confusion,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of the study: the files, the fit, and how near the truth it is."""

    study: Study
    responses: Responses
    fit: Fit
    scores: Mapping[str, Score]
    accuracy: pd.DataFrame  # of the fit, with a column of the true accuracy
    covered: int  # annotators whose true accuracy lies in its interval
    folder: Path
    drawn: bool  # whether there is a report: what draws it may not be installed
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
        responses = read(
            partial / "answers.csv",
            item="photo",
            annotator="annotator",
            label="animal",
            labels=list(LABELS),
            gold=partial / "truth.csv",
        )
        files = responses.sources.items()  # where they will be
        named = {str(folder / Path(name).name): sha for name, sha in files}
        responses = replace(responses, sources=named)
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


def _confusions(
    generator: np.random.Generator, mistakes: float
) -> Float[np.ndarray, "J K K"]:
    wrong = mistakes * _MISTAKES
    typical = np.diag(1 - wrong) + wrong[:, None] * _TAKEN_FOR
    rows = [generator.dirichlet(_ALIKENESS * row, size=len(_NAMES)) for row in typical]
    confusion = np.stack(rows, axis=1)
    confusion[_NAMES.index(_SPAMMER)] = _BLIND
    return confusion


def _draw(
    generator: np.random.Generator, probability: Float[np.ndarray, "N L"]
) -> Int[np.ndarray, " N"]:
    below: np.ndarray = generator.random((len(probability), 1)) > probability.cumsum(
        axis=1
    )
    return np.minimum(below.sum(axis=1), probability.shape[1] - 1)
