"""A simulated study with a known truth: photos of sledge dogs and their likes.

Twenty-five annotators say which animal is in a photo. Huskies and malamutes look alike
to all of them; some are experts, most are fair, a few are careless, and one answers
without looking.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

LABELS = ("husky", "malamute", "wolf", "samoyed", "fox")
PREVALENCE = (0.26, 0.24, 0.2, 0.16, 0.14)

# How alike two animals look: the share of a row's mistakes that goes to each.
_ALIKE = np.array(
    [
        [0.0, 0.76, 0.14, 0.07, 0.03],
        [0.72, 0.0, 0.16, 0.09, 0.03],
        [0.3, 0.36, 0.0, 0.06, 0.28],
        [0.4, 0.36, 0.14, 0.0, 0.1],
        [0.16, 0.14, 0.6, 0.1, 0.0],
    ]
)
# The two that look alike are mistaken more often than the others.
_HARD = np.array([1.35, 1.35, 1.0, 0.8, 0.6])

_NAMES = (
    "Ada Ben Chloe Dev Elif Farid Grace Hugo Ines Jun Kofi Lena Mara Nils Olga Pablo "
    "Quinn Rosa Sven Tara Umut Vera Wei Yara Zoe"
).split()
_SPAMMER = "Sven"
_EXPERTS = ("Ada", "Dev", "Ines", "Kofi", "Mara", "Rosa", "Wei")
_CARELESS = ("Ben", "Farid", "Nils", "Quinn", "Tara", "Umut")


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Answers, and the truth behind them.

    Attributes
    ----------
    answers
        Columns photo, annotator, animal: what an export would hold.
    truth
        Columns photo, animal.
    annotators
        Their names, in the order of `confusion`.
    confusion
        p(answer | truth) of each annotator.
    """

    answers: pd.DataFrame
    truth: pd.DataFrame
    annotators: tuple[str, ...]
    confusion: Float[np.ndarray, "J K K"]

    def accuracy(self) -> dict[str, float]:
        """Chance that each annotator names the truth."""
        found = np.einsum("k,jkk->j", PREVALENCE, self.confusion)
        return dict(zip(self.annotators, map(float, found), strict=True))


def study(seed: int, *, num_photos: int = 200, per_photo: int = 5) -> Study:
    """Simulate the study.

    Parameters
    ----------
    seed
        One seed gives one study.
    num_photos
        Photos to ask about.
    per_photo
        Answers to each photo, by as many annotators.
    """
    generator = np.random.default_rng(seed)
    confusion = _confusions(generator)
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
        annotators=tuple(_NAMES),
        confusion=confusion,
    )


def _confusions(generator: np.random.Generator) -> Float[np.ndarray, "J K K"]:
    mistakes = np.array([_mistakes(name) for name in _NAMES])
    # Annotators of one sort differ a little, and each differs between animals.
    spread = generator.lognormal(0.0, 0.25, size=(len(_NAMES), len(LABELS)))
    wrong = np.minimum(mistakes[:, None] * _HARD * spread, 0.9)
    confusion = wrong[:, :, None] * _ALIKE
    diagonal = np.arange(len(LABELS))
    confusion[:, diagonal, diagonal] = 1 - wrong
    # Whoever answers without looking answers the same whatever is true.
    confusion[_NAMES.index(_SPAMMER)] = (0.42, 0.3, 0.12, 0.1, 0.06)
    return confusion


def _mistakes(name: str) -> float:
    if name in _EXPERTS:
        return 0.07
    return 0.48 if name in _CARELESS else 0.24


def _draw(
    generator: np.random.Generator, probability: Float[np.ndarray, "N L"]
) -> Int[np.ndarray, " N"]:
    below = generator.random((len(probability), 1)) > probability.cumsum(axis=1)
    return np.minimum(below.sum(axis=1), probability.shape[1] - 1)
