"""The frozen record that a page is made of."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from consilience.analysis import Agreement
from consilience.responses import Cleaning, Description


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Run:
    """What one run says.

    Attributes
    ----------
    name
        What the page calls it.
    kind, model, engine, engine_reason, version
        As the fit has them.
    seed, mass, seconds
        Of the fit; `mass` is the probability that its intervals hold.
    told
        Which posterior of the truth the tables tell, raw or tempered.
    assumptions
        One sentence each.
    sources
        SHA-256 of each file that was read.
    tables
        The tables of the run by name, those that it has.
    answers
        Columns item, annotator (null: anonymous), label, answer (contains, else null)
        and n; objects also main and response. None where the run does not keep them.
    """

    name: str
    kind: str
    model: str
    engine: str
    engine_reason: str
    version: str
    seed: int
    mass: float
    seconds: float
    told: str
    assumptions: tuple[str, ...]
    sources: Mapping[str, str]
    tables: Mapping[str, pd.DataFrame]
    answers: pd.DataFrame | None

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; one that the run does not have is empty."""
        return self.tables.get(name, pd.DataFrame())


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Report:
    """All that a page shows.

    Attributes
    ----------
    title
        Of the page.
    runs
        One or several of one kind, side by side.
    description
        Counts of the responses; None where they are not known.
    cleaning
        What was read, kept and dropped; None where it was not given.
    cleaned_assumptions
        What the reading of the responses assumed.
    dataset_labels
        The data set's own label by item, where the responses have it.
    agreement
        Of the annotators; None where it cannot be measured.
    no_agreement
        Why it cannot; else empty.
    pairs
        Tables about pairs of labels of the first run, by name.
    evaluation
        Tables about models, by name.
    thumbnails
        Small JPEG pictures by item.
    images_missing
        Items without a picture, where pictures were given.
    """

    title: str
    runs: tuple[Run, ...]
    description: Description | None
    cleaning: Cleaning | None
    cleaned_assumptions: tuple[str, ...]
    dataset_labels: Mapping[str, str]
    agreement: Agreement | None
    no_agreement: str
    pairs: Mapping[str, pd.DataFrame]
    evaluation: Mapping[str, pd.DataFrame]
    thumbnails: Mapping[str, bytes]
    images_missing: int

    @property
    def kind(self) -> str:
        """The kind of question."""
        return self.runs[0].kind

    @property
    def mass(self) -> float:
        """Probability that an interval holds."""
        return self.runs[0].mass
