"""Acceptance: how often people say yes to what models predict, and to their errors."""

from consilience.analysis import error_frequencies
from consilience.figures import charts
from consilience.figures.charts import Axis, Line
from consilience.figures.figure import Figure, share_of
from consilience.figures.record import StudyFigures

_DATASET = "dataset"


def acceptance(study: StudyFigures) -> Figure:
    """Return how often people accept a model's prediction, beside its accuracy."""
    table = study.predicted_frequencies
    whole = table[table["subset"] == "all"]
    accuracy = whole[whole["statistic"] == "accuracy"].set_index("who")["value"]
    rows = whole[whole["statistic"] == "frequency"].rename(columns={"who": "model"})
    dataset = rows[rows["model"] == _DATASET].iloc[0]
    rows = rows[rows["model"] != _DATASET].copy()
    rows["accuracy"] = rows["model"].map(accuracy)
    rows = rows.sort_values("accuracy", kind="stable").assign(
        text=lambda table: [
            f"{row['model']}: people say yes to {share_of(row)}; accuracy "
            f"{100 * row['accuracy']:.1f} %"
            for _, row in table.iterrows()
        ]
    )
    apart = whole[whole["statistic"] == "less_dataset"].set_index("who")
    near = int(((apart["lower"] <= 0) & (apart["upper"] >= 0)).sum())
    ends = (float(rows["accuracy"].min()), float(rows["accuracy"].max()))
    level = Line(x=ends, y=(dataset["value"],) * 2, text="the data set's label")
    if_alone = tuple(end * dataset["value"] for end in ends)
    alone = Line(x=ends, y=if_alone, text="if only right labels were accepted")
    best = rows.iloc[-1]
    return Figure(
        name="acceptance",
        title="How often people accept what models predict",
        finding=(
            f"People say yes to {share_of(best)} of the labels that {best['model']} "
            f"predicts, and to {share_of(dataset)} of the data set's labels; {near} of "
            f"{len(rows)} models cannot be distinguished from the data set's labels."
        ),
        note=(
            "The share of yes among the answers about the label, a maybe counting "
            "half, of the items on which people were asked about it "
            f"({best['items']:,.0f} of {best['model']}, {dataset['items']:,.0f} of the "
            "data set). The lower line: accuracy times the share of the data set's "
            "labels."
        ),
        table=table,
        charts={
            "": lambda: charts.by_model(
                rows,
                Axis(
                    column="accuracy",
                    title="accuracy by the data set's labels, same items",
                    form="%",
                ),
                Axis(column="value", title="share of yes", form="%"),
                [level, alone],
                hues=study.colours,
            )
        },
        models=True,
    )


def errors_by_acceptance(study: StudyFigures) -> Figure:
    """Return how often people accept the errors of each model."""
    table = study.in_order(
        error_frequencies(
            study.asked_alone,
            study.predicted,
            dataset_labels=study.dataset_labels,
            **study.settings,
        )
    )
    rows = table.assign(
        name=[
            f"{low:g} to {high:g}"
            for low, high in zip(table["low"], table["high"], strict=True)
        ],
        text=[
            f"{row['model']}: {row['low']:g} to {row['high']:g} say yes, "
            f"{share_of(row)} of {row['items']:,} errors"
            for _, row in table.iterrows()
        ],
    )
    often = table[table["low"] == table["low"].max()].set_index("model")
    worst, best = study.models[0], study.models[-1]
    return Figure(
        name="errors_by_acceptance",
        title="Errors, by how often people accept them",
        finding=(
            f"Of the errors of {best}, {share_of(often.loc[best])} are labels that "
            f"four in five people or more accept; of {worst}'s, "
            f"{share_of(often.loc[worst])}."
        ),
        note=(
            "An error is a label that is not the data set's. By the share of yes among "
            "the answers about it; few raters spread these shares."
        ),
        table=table,
        charts={
            "": lambda: charts.paths(
                rows,
                Axis(column="name", title="share of people who say yes"),
                Axis(column="value", title="share of the model's errors", form="%"),
                ordinal=True,
                hues=study.colours,
            )
        },
        models=True,
    )
