"""A study: its answers, its fit, what models predict, and what is worked out of them.

What several figures need is worked out once, when the first of them asks for it.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from consilience import analysis
from consilience.analysis import ComparedConfusion, Evaluation, evaluate
from consilience.errors import ConsilienceError, KindError, OptionError
from consilience.figures.figure import Figure
from consilience.notebook import Part, as_html
from consilience.posterior import Fit, export_table
from consilience.posterior.labels import items as items_of
from consilience.posterior.loading import check_responses
from consilience.progress import Progress
from consilience.responses import Responses
from consilience.responses.label_names import (
    COLUMNS,
    label_names,
    rename_labels,
    short_names,
)
from consilience.tables.vega import Drawn, alone, in_widths, model_colours, png
from consilience.truth.named import label_groups

if TYPE_CHECKING:
    from consilience.analysis import HumanConfusion

PEOPLE = "people"
MIN_PROBABILITY = 0.02  # of a cell of classes
MAX_DEPTH = 8  # levels of a hierarchy
TABLES, PICTURES = "tables", "figures"
# Of the answers of each study, the SHA-256 and the table of its published values.
STUDIES = {
    "8eed7a16091fa6ff3124d941ad26d9b0760378756967329cd0d63c408e457bbc": (
        "imagenet_multilabel"
    )
}


@dataclass(eq=False, repr=False, kw_only=True)
class StudyFigures:
    """A study, from whose parts its figures are made.

    Attributes
    ----------
    fit, responses, predictions, contains, threshold, prob, resamples, seed
        As given to `consilience.study`.
    of : int
        Number of items in the study.

    See Also
    --------
    consilience.study : Make one.

    Examples
    --------
    >>> import consilience as cs
    >>> made = cs.simulate(kind="objects", items=16, classes=6, seed=0)
    >>> fit = cs.fit(made.responses, model="tsipras2020")
    >>> sorted(cs.study(fit, made.responses).figures)[:2]
    ['class_confusion', 'confused_labels']
    """

    fit: Fit
    responses: Responses
    makers: Sequence["Maker"]
    predictions: pd.DataFrame | None = None
    contains: Fit | None = None
    items_of_study: int | None = None
    threshold: float = 0.5
    prob: float = 0.9
    resamples: int = 1000
    seed: int = 0
    allow_circular: bool = False
    names_of_labels: pd.DataFrame | None = None
    _figures: dict[str, Figure] = field(default_factory=dict, init=False)
    _confusion: dict[int, pd.DataFrame] = field(default_factory=dict, init=False)
    _left_out: dict[str, str] = field(default_factory=dict, init=False)
    _drawings: dict[str, Mapping[str, Drawn]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Refuse answers of another kind or study."""
        if self.contains is not None:
            kind = self.contains.data.attrs["kind"]
            if kind != "contains":
                raise KindError(
                    f"contains: the fit is of kind {kind}; give one of kind contains "
                    "(yes or no for one label at a time)"
                )
        if self.kind == "contains":
            self.contains = self.fit
        check_responses(self.fit, self.responses)
        self.predictions = self._of_items(self.predictions)

    def __repr__(self) -> str:
        """Say which figures are made; showing a study does not make them."""
        return (
            f"StudyFigures(kind={self.kind!r}; {len(self._figures)} of "
            f"{len(self.makers)} figures are made)"
        )

    def _repr_html_(self) -> str:
        """Return the findings of the figures that are made, for a notebook."""
        made = pd.DataFrame(
            [(each.title, each.finding) for each in self._figures.values()],
            columns=["figure", "finding"],
        )
        facts = {
            "kind": self.kind,
            "items": len(self.items),
            "figures": f"{len(made)} of {len(self.makers)} are made",
        }
        why = [f"{name}: {reason}" for name, reason in self._left_out.items()]
        parts = [Part("findings", made, rows=len(made))]
        return as_html("StudyFigures", facts, parts, folded={"left out": why})

    def _of_items(self, predictions: pd.DataFrame | None) -> pd.DataFrame | None:
        """Return what is predicted for items of the fits; most lists have many more."""
        if predictions is None:
            return None
        if "model" not in predictions:
            predictions = predictions.assign(model="model")
        if "item" not in predictions:
            return predictions  # every analysis refuses it in its own words
        wanted = self.items
        if self.contains is not None:
            more = items_of(self.contains.data)["item"].astype("str")
            wanted = wanted.union(pd.Index(more))
        return predictions[predictions["item"].astype("str").isin(wanted)]

    @property
    def kind(self) -> str:
        """The kind of question of the fit."""
        return str(self.fit.data.attrs["kind"])

    @cached_property
    def items(self) -> pd.Index:
        """The items of the fit that have answers."""
        table = items_of(self.fit.data)
        return pd.Index(table.loc[table["responses"] > 0, "item"].astype("str"))

    @cached_property
    def of(self) -> int:
        """Number of items of the study: those that it lists, asked about or not."""
        if self.items_of_study is not None:
            return self.items_of_study
        listed = self.responses.items
        return max(len(self.items), 0 if listed is None else len(listed))

    @property
    def dataset_labels(self) -> pd.DataFrame:
        """The data set's label of each item of the study: item, label."""
        if self._dataset_labels is None:
            raise OptionError(
                "no item has a label of the data set (column dataset_label of the "
                "table items of the responses)"
            )
        return self._dataset_labels

    @cached_property
    def _dataset_labels(self) -> pd.DataFrame | None:
        table = self.responses.items
        if table is None or "dataset_label" not in table:
            return None
        labels = table[["item", "dataset_label"]].dropna().astype("str")
        labels = labels.rename(columns={"dataset_label": "label"})
        return labels if len(labels) else None

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Names of labels by code."""
        if self.names_of_labels is not None:
            return label_names(self.names_of_labels)
        return short_names(label_names(self.responses.labels))

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with names of labels in the place of codes."""
        return rename_labels(table, dict(self.names))

    def name_of(self, label: object) -> str:
        """Return what a label is called."""
        return self.names.get(str(label), str(label))

    def named_pairs(
        self, rows: pd.DataFrame, ends: list[str], between: str
    ) -> pd.DataFrame:
        """Return rows about pairs of labels with what each pair is called."""
        pairs = rows[ends].to_numpy(object)
        names = [between.join(map(self.name_of, pair)) for pair in pairs]
        return rows.assign(name=names)

    def beside(self, table: pd.DataFrame, figure: str, key: list[str]) -> pd.DataFrame:
        """Return a figure's table with the columns published and source, if known."""
        values = self._published
        rows = values[values["figure"] == figure].set_index("row")
        if rows.empty:
            return table
        names = table[key].astype("str").agg("/".join, axis=1)
        return table.assign(
            published=names.map(rows["published"]), source=names.map(rows["source"])
        )

    @cached_property
    def predicted(self) -> pd.DataFrame:
        """What models predict."""
        if self.predictions is None:
            raise OptionError("there are no predictions of models")
        return self.predictions

    @cached_property
    def models(self) -> list[str]:
        """Names of the models, the least accurate by the data set's labels first."""
        rows = self.evaluation.models.query("subset == 'all'")
        unlabelled = self._dataset_labels is None
        metric = "accuracy" if unlabelled else "dataset_accuracy"
        rows = rows[rows["metric"] == metric].sort_values("value", kind="stable")
        return rows["model"].astype("str").tolist()

    def in_order(self, table: pd.DataFrame, last: Sequence[str] = ()) -> pd.DataFrame:
        """Return rows in the order of the models, the least accurate first."""
        names = [*self.models, *last]
        place = {model: number for number, model in enumerate(names)}
        return table.sort_values(
            "model", key=lambda model: model.astype("str").map(place), kind="stable"
        ).reset_index(drop=True)

    @cached_property
    def colours(self) -> Mapping[str, str]:
        """The colour of each model, the same in all figures."""
        return model_colours(self.models)

    @cached_property
    def evaluation(self) -> Evaluation:
        """Models against the posterior."""
        labels, how = (
            self._dataset_labels,
            {"threshold": self.threshold, **self.settings},
        )
        return evaluate(self.fit, self.predicted, dataset_labels=labels, **how)

    @cached_property
    def compared_confusion(self) -> ComparedConfusion:
        """How people and models call the items of each class."""
        _ = self.dataset_labels
        return self.evaluation.confusion(self.responses.labels)

    @cached_property
    def depth(self) -> int:
        """Number of levels of labels above the classes."""
        labels = self.responses.labels
        names = pd.Index(labels["label"].astype("str"))
        if labels["parent"].isna().all():
            return 0
        level, before = 0, names
        while True:
            group, above = label_groups(names, labels, level + 1)
            reached = above[group]
            if reached.equals(before) or level == MAX_DEPTH:
                return level
            level, before = level + 1, reached

    def confusion(self, level: int) -> pd.DataFrame:
        """Return the confusion so many levels up, of people and if any, of models."""
        if level not in self._confusion:
            self._confusion[level] = self._confused(level)
        return self._confusion[level]

    def _confused(self, level: int) -> pd.DataFrame:
        try:
            compared = self.compared_confusion
        except ConsilienceError:
            if level > 1:
                raise
            human = self.human_confusion
            if level:
                return human.superclasses(seed=self.seed).assign(model=PEOPLE)
            table = human.table(min_probability=MIN_PROBABILITY)
            return table.drop(columns="annotator").assign(model=PEOPLE)
        return compared.table(level, MIN_PROBABILITY if level == 0 else 0.0)

    @cached_property
    def human_confusion(self) -> "HumanConfusion":
        """How people call the items of each class, partially pooled."""
        if self.kind == "contains":
            raise KindError(
                "the fit is of kind contains, where no label is the main one"
            )
        _ = self.dataset_labels
        return analysis.human_confusion(self.responses, prob=self.prob)

    @cached_property
    def evaluation_by_answers(self) -> Evaluation:
        """Models against the answers about one label at a time."""
        if self.contains is None:
            raise OptionError(
                "there are no yes-or-no answers about one label at a time"
            )
        labels, how = self.dataset_labels, {"top": 1, **self.settings}
        return evaluate(self.contains, self.predicted, dataset_labels=labels, **how)

    @property
    def resampling(self) -> dict[str, Any]:
        """Options of the intervals."""
        return {"resamples": self.resamples, "prob": self.prob, "seed": self.seed}

    @property
    def settings(self) -> dict[str, Any]:
        """Options that every analysis of models takes."""
        return {**self.resampling, "allow_circular": self.allow_circular}

    def need_objects(self) -> None:
        """Refuse a figure of objects where there are none."""
        if self.kind != "objects":
            raise KindError(
                f"the fit is of kind {self.kind}, whose items have no objects"
            )

    @property
    def figures(self) -> Mapping[str, Figure]:
        """The figures that can be made, by name."""
        deque(self.make(), maxlen=0)
        return self._figures

    @property
    def findings(self) -> list[Figure]:
        """The figures in which something was found, the largest finding first."""
        return sorted(
            (each for each in self.figures.values() if each.size > 0),
            key=lambda each: -each.size,
        )

    @property
    def left_out(self) -> Mapping[str, str]:
        """Why each of the others cannot be made, by name."""
        deque(self.make(), maxlen=0)
        return self._left_out

    @property
    def lacking(self) -> Mapping[str, list[str]]:
        """What figures lack, and their names in words."""
        lacking: dict[str, list[str]] = {}
        for name, why in self.left_out.items():
            lacking.setdefault(why, []).append(name.replace("_", " "))
        return lacking

    def make(self) -> Iterator[Progress]:
        """Make the figures one by one; each that comes next is in the note."""
        number = len(self.makers)
        for done in range(len(self._figures) + len(self._left_out), number):
            make = self.makers[done]
            note = make.__name__.replace("_", " ")
            yield Progress("working out", done, number, note)
            try:
                self._figures[make.__name__] = make(self)
            except ConsilienceError as error:
                self._left_out[make.__name__] = str(error)

    def drawings(self, name: str) -> Mapping[str, Drawn]:
        """Return the charts of a figure as SVG for a page, by caption."""
        if name not in self._drawings:
            charts = self.figures[name].charts.items()
            self._drawings[name] = {text: in_widths(draw()) for text, draw in charts}
        return self._drawings[name]

    @cached_property
    def _published(self) -> pd.DataFrame:
        """Published values of the study that the responses belong to."""
        sources = self.responses.sources.values()
        names = [STUDIES[sha] for sha in sources if sha in STUDIES]
        if not names:
            return pd.DataFrame(columns=["figure", "row", "published", "source"])
        place = files("consilience.figures").joinpath("published", f"{names[0]}.csv")
        return pd.read_csv(StringIO(place.read_text("utf-8")))


def write_figures(study: StudyFigures, folder: Path) -> Iterator[str]:
    """Write the tables and pictures of a study into a folder that exists."""
    for name in (TABLES, PICTURES):
        (folder / name).mkdir()
    for name, figure in study.figures.items():
        table = _with_names(figure.table, study)
        for ending in ("parquet", "csv"):
            export_table(table, folder / TABLES / f"{name}.{ending}")
        for number, (caption, drawing) in enumerate(study.drawings(name).items()):
            # Frames after the first are told apart by what they are frames of.
            stem = f"{name}_{caption}" if number else name
            whole = alone(drawing.wide)
            (folder / PICTURES / f"{stem}.svg").write_text(whole, "utf-8")
            (folder / PICTURES / f"{stem}.png").write_bytes(png(whole))
        yield name


def _with_names(table: pd.DataFrame, study: StudyFigures) -> pd.DataFrame:
    """Return a table with a column of names behind each column of labels."""
    named = study.named(table)
    columns = {}
    for column in table:
        columns[column] = table[column]
        texts = named[column].astype("str")
        if column in COLUMNS and (texts != table[column].astype("str")).any():
            columns[f"{column}_name"] = named[column]
    return pd.DataFrame(columns)


type Maker = Callable[[StudyFigures], Figure]
