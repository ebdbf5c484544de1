"""Overview: what was fitted, the diagnostics, and the certainty of the items."""

import pandas as pd

from consilience.figures import Figure, StudyFigures
from consilience.posterior.results.diagnostics import FAILED, PASSED, tally
from consilience.reports.content import (
    Chart,
    Column,
    Drawing,
    Facts,
    Findings,
    Models,
    Note,
    Part,
    Section,
    Table,
    certainty,
    counts,
    estimates,
    number,
    numbers,
    texts,
)
from consilience.reports.record import Report, Run
from consilience.reports.sections.annotators import words
from consilience.reports.sections.data import plain_table, with_items

_MAX_FIGURE_ROWS = 40
_PLAIN = {"superclass_confusion"}  # its labels are superclasses: no item has them
_MAX_MODEL_ROWS = 60
_METRICS = {
    "accuracy": "The model's label is true",
    "main_object": "The model names the main object",
    "main_label": "The model predicts the main label",
    "dataset_accuracy": "The model predicts the data set's label",
}
_ORDER = (
    "models",
    "baselines",
    "differences",
    "labels",
    "within",
    "superclass_confusion",
    "pairs",
    "confusion",
)
_ON_PAPER = 40


def overview(report: Report) -> Section:
    """Return the section."""
    parts: list[Part] = [
        verdict(run, named=len(report.runs) > 1) for run in report.runs
    ]
    parts.append(_facts(report) if len(report.runs) == 1 else _side_by_side(report))
    parts += [_certainty(run, named=len(report.runs) > 1) for run in report.runs]
    return Section("overview", "Overview", tuple(parts))


def verdict(run: Run, *, named: bool) -> Note:
    """Say whether the checks of a run passed."""
    checks, who = run.table("diagnostics"), f"{run.name}: " if named else ""
    if checks.empty:
        return Note(f"{who}no check was run on this result", "mind")
    summary = f"checks: {tally(checks)}"
    bad = checks.loc[checks["outcome"] == FAILED, "name"]
    together = bad == "independence"
    if (~together).any():
        return Note(f"{who}do not trust this fit yet: {summary}", "bad")
    if together.any():
        tempered = run.reported_posterior == "tempered"
        summary += "; errors of annotators are correlated, so probabilities are "
        summary += "tempered" if tempered else "overconfident"
    good = (checks["outcome"] == PASSED).all()
    return Note(f"{who}{summary}", "good" if good else "mind")


def _facts(report: Report) -> Facts:
    run = report.runs[0]
    pairs = [*_counts(report, run), ("Model", run.model), ("Engine", run.engine)]
    pairs.append(("Seed", str(run.seed)))
    pairs.append(("Intervals", f"{run.prob:.0%}, equal-tailed"))
    return Facts(tuple(pairs))


def _counts(report: Report, run: Run) -> list[tuple[str, str]]:
    items = run.table("items")
    pairs = [("Items", f"{len(items):,}")]
    if report.description is not None:
        description = report.description
        people = f"{description.annotators:,}"
        if description.anonymous:
            people += f" and {description.anonymous:,} anonymous answers"
        pairs += [("Answers", f"{description.answers:,}"), ("Annotators", people)]
        pairs.append(("Labels", f"{description.labels:,}"))
    if "tied" in items:
        pairs.append(("Tied items", f"{int(items['tied'].sum()):,}"))
    return pairs


def _side_by_side(report: Report) -> Table:
    runs = report.runs
    return Table(
        "The runs",
        (
            texts("Run", [run.name for run in runs]),
            texts("Model", [run.model for run in runs]),
            texts("Engine", [run.engine for run in runs]),
            texts("Posterior", [run.reported_posterior for run in runs]),
            counts("Items", [len(run.table("items")) for run in runs]),
            counts("Tied", [run.table("items")["tied"].sum() for run in runs]),
            texts("Seed", [run.seed for run in runs]),
            texts("Seconds", [number(run.seconds) for run in runs]),
        ),
    )


def _certainty(run: Run, *, named: bool) -> Chart:
    items = run.table("items")
    probability = items["probability"].dropna()
    sure = int((probability >= 0.95).sum())
    who = f"{run.name}: " if named else ""
    what = {"contains": "present", "objects": "the main one"}.get(run.kind, "right")
    caption = (
        f"{who}{sure:,} of {len(probability):,} items have a label that is {what} with "
        "probability 0.95 or more"
    )
    return Chart(
        certainty(list(items["probability"])), f"Histogram. {caption}", caption
    )


def findings(report: Report) -> Section | None:
    """Return the section that leads the page; None where there is no figure."""
    if report.study is None or not report.study.figures:
        return None
    figures = report.study.figures.values()
    entries = [
        (anchor(figure.name), figure.title, figure.finding) for figure in figures
    ]
    leading = {anchor(figure.name) for figure in figures if figure.leads}
    entries.sort(key=lambda entry: entry[0] not in leading)
    return Section("findings", "Findings", (Findings(tuple(entries)),))


def figures(report: Report) -> Section | None:
    """Return the section of all figures; None where there is no figure."""
    if report.study is None or not report.study.figures:
        return None
    study = report.study
    made = study.figures.values()
    parts: list[Part] = []
    if any(figure.models for figure in made):
        parts.append(Models(tuple(study.colours.items())))
    parts += [_drawing(study, figure) for figure in made]
    parts += [
        Note(f"Not drawn: {', '.join(names)}: {why}.")
        for why, names in study.lacking.items()
    ]
    return Section("figures", "Figures", tuple(parts))


def anchor(name: str) -> str:
    """Return the anchor of a figure."""
    return f"figure-{name.replace('_', '-')}"


def _drawing(study: StudyFigures, figure: Figure) -> Drawing:
    named = study.named(_first_rows(figure.table))
    table = plain_table(f"numbers_of_{figure.name}", named, _MAX_FIGURE_ROWS)
    if figure.name not in _PLAIN:
        table = with_items(table, named)
    return Drawing(
        id=anchor(figure.name),
        title=figure.title,
        finding=figure.finding,
        note=figure.note,
        frames=tuple(study.drawings(figure.name).items()),
        frames_of=figure.frames,
        table=table,
    )


def _first_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose rows that say most stand first, where there are many."""
    if len(table) <= _MAX_FIGURE_ROWS or not {"true_label", "probability"} <= set(
        table
    ):
        return table
    apart = table["true_label"].astype("str") != table["given_label"].astype("str")
    return table[apart].sort_values("probability", ascending=False, kind="stable")


def models(report: Report) -> Section | None:
    """Return the section; None where no evaluation was given."""
    if not report.evaluation:
        return None
    assumptions = [sentence for run in report.runs for sentence in run.assumptions]
    circular = [
        sentence
        for sentence in assumptions
        if "candidate" in sentence or "predictions" in sentence
    ]
    parts: list[Part] = [
        Note(
            f"Labels that were found with a model's help favour it: {sentence}", "mind"
        )
        for sentence in dict.fromkeys(circular)
    ]
    for name in sorted(report.evaluation, key=_place):
        parts += _tables(name, report.evaluation[name])
    return Section("models", "Models", tuple(parts))


def _place(name: str) -> int:
    """Return where a table of `evaluate` stands; others stand last, as they came."""
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _tables(name: str, table: pd.DataFrame) -> list[Part]:
    """Draw a table that `evaluate` writes for comparison, and any other as it is."""
    columns = set(table.columns)
    if {"model", "metric", "subset", "value"} <= columns:
        return [
            _by_subset(str(metric), rows)
            for metric, rows in table.groupby("metric", sort=False)
        ]
    if {"model", "against", "better"} <= columns:
        some = table[(table["metric"] == "accuracy") & (table["subset"] == "all")]
        return [_differences(some)] if len(some) else [plain_table(name, table)]
    if {"followed", "wrong", "model"} <= columns:
        return [_dataset_errors(table)]
    if {"who", "label_a", "mutual"} <= columns:
        return [_pairs(table)]
    if {"who", "true_label", "given_label"} <= columns:
        return [_confusion(name, table)]
    return [plain_table(name, table)]


def _by_subset(metric: str, rows: pd.DataFrame) -> Table:
    order = rows[rows["subset"] == "all"].sort_values("value", ascending=False)
    models = order["model"].tolist()
    columns: list[Column] = [texts("Model", models)]
    sizes = []
    for subset, group in rows.groupby("subset", sort=False):
        values = group.drop_duplicates("model").set_index("model").reindex(models)
        title = words(subset).capitalize()
        columns.append(estimates(title, values, ("value", "lower", "upper")))
        sizes.append(f"{title.lower()} {values['items'].max():,.0f}")
    caption = _METRICS.get(metric, metric.replace("_", " ").capitalize())
    return Table(caption, tuple(columns), f"Of items: {', '.join(sizes)}.")


def _differences(rows: pd.DataFrame) -> Table:
    doubt = (rows["better"] - 0.5).abs()
    shown = rows.loc[doubt.sort_values(kind="stable").index[:_MAX_MODEL_ROWS]]
    note = f"The {len(shown):,} of {len(rows):,} pairs that are most in doubt, first."
    return Table(
        "Which model's label is true more often",
        (
            texts("Model", shown["model"]),
            texts("Against", shown["against"]),
            estimates("Difference", shown, ("difference", "lower", "upper"), "{:+.3f}"),
            numbers("P(better)", shown["better"], "{:.3f}"),
        ),
        note,
    )


def _dataset_errors(table: pd.DataFrame) -> Table:
    expected = (table["wrong"] * table["followed"]).fillna(0.0)
    shown = table.loc[expected.sort_values(ascending=False).index[:_MAX_MODEL_ROWS]]
    followed = ("followed", "followed_lower", "followed_upper")
    return Table(
        "Where models follow the data set although something else is true",
        (
            texts("Label", shown["label"]),
            texts("Model", shown["model"]),
            counts("Items", shown["items"]),
            numbers("Of these wrong", shown["wrong"], "{:.1f}"),
            estimates("Followed", shown, followed),
            numbers(
                "Predicts the data set's label", shown["dataset_accuracy"], "{:.3f}"
            ),
        ),
        f"The {len(shown):,} of {len(table):,} rows with most such items.",
    )


def _pairs(table: pd.DataFrame) -> Table:
    pairs = list(dict.fromkeys(zip(table["label_a"], table["label_b"], strict=True)))
    shown = pairs[:_MAX_MODEL_ROWS]
    columns: list[Column] = [
        texts("Label", [one for one, _ in shown]),
        texts("Other label", [other for _, other in shown]),
    ]
    for who, rows in table.groupby("who", sort=False):
        values = rows.set_index(["label_a", "label_b"]).reindex(shown)
        bounds = ("mutual", "mutual_lower", "mutual_upper")
        columns.append(estimates(str(who), values, bounds))
    return Table(
        "Labels confused both ways, by people and by models",
        tuple(columns),
        "The smaller of both probabilities. "
        f"The first {len(shown):,} of {len(pairs):,} pairs.",
    )


def _confusion(name: str, table: pd.DataFrame) -> Table:
    apart = table[table["true_label"] != table["given_label"]]
    # So many items that a class of one item is not what stands first.
    expected = apart.assign(items=apart["probability"] * apart["items"])
    cells = expected.groupby(["true_label", "given_label"], sort=False)["items"]
    most = cells.max().sort_values(ascending=False, kind="stable")
    shown = list(most.index[:_MAX_MODEL_ROWS])
    columns: list[Column] = [
        texts("Is", [true for true, _ in shown]),
        texts("Called", [given for _, given in shown]),
    ]
    for who, rows in apart.groupby("who", sort=False):
        values = rows.set_index(["true_label", "given_label"]).reindex(shown)
        columns.append(estimates(str(who), values))
    title = name.replace("_", " ").capitalize()
    return Table(
        f"{title}: people beside models",
        tuple(columns),
        f"The {len(shown):,} of {len(most):,} that most items are expected to meet.",
    )


def items(report: Report) -> Section:
    """Return the section."""
    run = report.runs[0]
    table = run.table("items").sort_values("entropy", ascending=False, kind="stable")
    shown = table.head(_ON_PAPER)
    columns: list[Column] = [
        texts("Item", shown["item"]),
        texts("Label", shown["label"]),
        numbers("Probability", list(shown["probability"]), "{:.3f}"),
        numbers("Entropy, nats", list(shown["entropy"]), "{:.3f}"),
        numbers("Answers", list(shown["responses"].astype(float)), "{:,.0f}"),
    ]
    caption = f"The {len(shown):,} most ambiguous of {len(table):,} items"
    paper = Table(caption, tuple(columns), on_paper=True)
    return Section("items", "Items", (paper,), app="items")
