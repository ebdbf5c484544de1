"""Overview, items and annotators: what was fitted, and how certain it is."""

from dataclasses import replace

import pandas as pd

from consilience.analysis import model_tables as shown
from consilience.figures import Figure, StudyFigures
from consilience.posterior.flags import flagged_first
from consilience.posterior.trust import PASSED, is_sound, trust
from consilience.reports.content import (
    Chart,
    Drawing,
    Facts,
    Findings,
    Listing,
    Models,
    Note,
    Part,
    Report,
    Run,
    Section,
    prefix,
    sentence,
    suffix,
)
from consilience.reports.sections.data import plain_table, with_items
from consilience.tables import CATALOGUE
from consilience.tables.catalogue import together
from consilience.tables.html import Table, beside, columns, html
from consilience.tables.vega import certainty, skill

_MAX_FIGURE_ROWS = 40
_PLAIN = {"superclass_confusion"}  # its labels are superclasses: no item has them
_MAX_MODEL_ROWS = 60
_ORDER = (
    *("models", "baselines", "differences", "labels", "within"),
    *("superclass_confusion", "pairs", "confusion"),
)
_ON_PAPER = 40


def overview(report: Report) -> Section:
    """Return the section."""
    parts: list[Part] = [verdict(run, prefix(report, run)) for run in report.runs]
    run = report.runs[0]
    if len(report.runs) == 1:
        pairs = [*_counts(report, run), ("Model", run.model), ("Engine", run.engine)]
        intervals = ("Intervals", f"{run.prob:.0%}, equal-tailed")
        parts.append(Facts((*pairs, ("Seed", str(run.seed)), intervals)))
        if run.of_all:
            shown = "annotators and confusions are those of all items; what is said of "
            shown += "items, answers and agreement is of the items that the run shows"
            parts.append(Note(shown, "mind"))
    else:
        parts.append(_side_by_side(report))
    parts += [_certainty(run, prefix(report, run)) for run in report.runs]
    return Section("overview", "Overview", tuple(parts))


def verdict(run: Run, who: str) -> Note:
    """Say whether the checks of a run passed."""
    checks = run.table("diagnostics")
    if checks.empty:
        return Note(sentence(f"{who}no check was run on this result"), "mind")
    outcome = sentence(f"{who}{trust(checks)}")
    if not is_sound(checks):
        return Note(outcome, "bad")
    return Note(outcome, "good" if (checks["outcome"] == PASSED).all() else "mind")


def _counts(report: Report, run: Run) -> list[tuple[str, str]]:
    items = run.table("items")
    of_items, of_answers = (
        (f" of {n:,}" for n in run.of_all) if run.of_all else ("", "")
    )
    pairs = [("Items", f"{len(items):,}{of_items}")]
    if report.description is not None:
        description = report.description
        people = f"{description.annotators:,}"
        if description.anonymous:
            people += f" and {description.anonymous:,} anonymous answers"
        answers = f"{description.answers:,}{of_answers}"
        pairs += [("Answers", answers), ("Annotators", people)]
        pairs.append(("Labels", f"{description.labels:,}"))
    if "tied" in items:
        pairs.append(("Tied items", f"{int(items['tied'].sum()):,}"))
    return pairs


def _side_by_side(report: Report) -> Table:
    rows = [
        {
            "name": run.name,
            "model": run.model,
            "engine": run.engine,
            "posterior": run.reported_posterior,
            "items": len(run.table("items")),
            "tied": run.table("items")["tied"].sum(),
            "seed": run.seed,
            "seconds": run.seconds,
        }
        for run in report.runs
    ]
    return html(CATALOGUE["runs"].of(pd.DataFrame(rows)))


def _certainty(run: Run, who: str) -> Chart:
    items = run.table("items")
    probability = items["probability"].dropna()
    sure = int((probability >= 0.95).sum())
    what = {"contains": "present", "objects": "the main one"}.get(run.kind, "right")
    caption = (
        f"{who}{sure:,} of {len(probability):,} items have a label that is {what} with "
        "probability 0.95 or more"
    )
    drawn = certainty(list(items["probability"]))
    return Chart(drawn, f"Histogram. {caption}", caption)


def findings(report: Report) -> Section | None:
    """Return the section that leads the page; None where nothing was found."""
    if report.study is None or not report.study.findings:
        return None
    made = report.study.findings
    entries = [(anchor(each.name), each.title, each.finding) for each in made]
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
    sentences = [sentence for run in report.runs for sentence in run.assumptions]
    favour = "Labels that were found with a model's help favour it"
    parts: list[Part] = [
        Note(f"{favour}: {sentence}", "mind")
        for sentence in dict.fromkeys(sentences)
        if "candidate" in sentence or "predictions" in sentence
    ]
    last = [name for name in report.evaluation if name not in _ORDER]
    for name in [*filter(report.evaluation.__contains__, _ORDER), *last]:
        parts += _tables(name, report.evaluation[name])
    return Section("models", "Models", tuple(parts))


def _tables(name: str, table: pd.DataFrame) -> list[Part]:
    """Draw a table that `evaluate` writes for comparison, and any other as it is."""
    columns = set(table.columns)
    if {"model", "metric", "subset", "value"} <= columns:
        return [
            _by_subset(str(metric), rows)
            for metric, rows in table.groupby("metric", sort=False)
        ]
    if {"model", "other_model", "p_greater"} <= columns:
        some = table[(table["metric"] == "accuracy") & (table["subset"] == "all")]
        made = _ranked("differences", some, (some["p_greater"] - 0.5).abs())
        return [made if len(some) else plain_table(name, table)]
    if {"repeated", "wrong", "model"} <= columns:
        expected = (table["wrong"] * table["repeated"]).fillna(0.0)
        return [_ranked("model_labels", table, -expected)]
    if {"model", "label", "mutual"} <= columns:
        pairs = table[["label", "other_label"]].drop_duplicates()
        shown = CATALOGUE["compared_pairs"].of(pairs).first(_MAX_MODEL_ROWS)
        return [beside(shown, table, "model", "mutual")]
    if {"model", "true_label", "given_label"} <= columns:
        return [_confusion(name, table)]
    return [plain_table(name, table)]


def _ranked(name: str, table: pd.DataFrame, rank: pd.Series) -> Table:
    """Return the rows of the lowest rank."""
    rows = table.loc[rank.sort_values(kind="stable").index]
    return html(CATALOGUE[name].of(rows).first(_MAX_MODEL_ROWS))


def _by_subset(metric: str, rows: pd.DataFrame) -> Table:
    order = rows[rows["subset"] == "all"].sort_values("value", ascending=False)
    made = beside(CATALOGUE["models"].of(order[["model"]]), rows, "subset", "value")
    sizes = rows.groupby("subset", sort=False)["items"].max()
    words = CATALOGUE["models"].column("subset").values
    listed = [
        f"{words.get(str(name), str(name))} {size:,.0f}" for name, size in sizes.items()
    ]
    captions = CATALOGUE["models"].column("metric").values
    caption = captions.get(metric, metric.replace("_", " ").capitalize())
    return replace(made, caption=caption, note=f"Of items: {', '.join(listed)}.")


def _confusion(name: str, table: pd.DataFrame) -> Table:
    ends = ["true_label", "given_label"]
    apart = table[table["true_label"] != table["given_label"]]
    # So many items that a class of one item is not what stands first.
    expected = apart.assign(items=apart["probability"] * apart["items"])
    most = expected.groupby(ends, sort=False)["items"].max()
    cells = most.sort_values(ascending=False, kind="stable").reset_index()[ends]
    shown = CATALOGUE["compared_confusion"].of(cells).first(_MAX_MODEL_ROWS)
    title = name.replace("_", " ").capitalize()
    made = beside(shown, apart, "model", "probability")
    return replace(made, caption=f"{title}: people beside models")


def items(report: Report) -> Section:
    """Return the section."""
    frame = report.runs[0].table("items")
    if report.kind == "choice":  # as the items to check
        frame = frame.sort_values(["probability", "responses"], kind="stable")
    else:
        frame = frame.sort_values("entropy", ascending=False, kind="stable")
    table = CATALOGUE["items"].of(frame).first(_ON_PAPER)
    paper = replace(html(table), on_paper=True)
    return Section("items", "Items", (paper,), app="items")


def check(report: Report) -> Section | None:
    """Return the section."""
    frame = report.runs[0].table("check")
    if frame.empty:
        return None
    shown = html(CATALOGUE["check"].of(frame).first(_ON_PAPER))
    return Section("check", "Items to check", (shown,))


_MAX_ROWS = 300
_MAX_AGREEMENT_ROWS = 50
_FLAGS = ("flag", "flag_probability", "evidence")  # in a table of their own


def annotators(report: Report) -> Section:
    """Return the section."""
    run = report.runs[0]
    people = run.table("annotators")
    general = [made for run in report.runs for made in _population(run, report)]
    if people.empty:
        nobody = "No annotator has an id"
        if len(run.table("confusion")):
            nobody += "; what they have in common is under confusion"
        return Section("annotators", "Annotators", (Note(nobody), *general))
    parts: list[Part] = []
    if people["accuracy"].notna().any():
        caption = (
            f"Accuracy of {len(people):,} annotators against the answers they gave"
        )
        parts.append(Chart(skill(people), f"Scatter plot. {caption}", caption))
    flagged = flagged_first(people[people["flag"] != ""])
    if len(flagged):
        table = CATALOGUE["annotators"].of(flagged, report.prob)
        shown = columns(table, "annotator", "responses", "accuracy", *_FLAGS)
        parts.append(Table("Annotators to talk to", tuple(shown), table.notes))
    return Section("annotators", "Annotators", (*parts, _skills(report), *general))


def _population(run: Run, report: Report) -> list[Table]:
    """Return the tables about annotators in general: groups, styles, covariates."""
    groups, apart = run.table("annotator_groups"), run.table("group_differences")
    if len(apart):
        both = apart["group"].astype(str) + " and " + apart["other_group"].astype(str)
        apart = apart.assign(groups=both)
    styles, weights = run.table("styles"), run.table("covariate_effects")
    frames = (groups, apart, styles, weights)
    names = ("annotator_groups", "group_differences", "styles", "covariate_effects")
    made = []
    for name, frame in zip(names, frames, strict=True):
        table = CATALOGUE[name].of(frame, report.prob)
        if name == "covariate_effects":
            sentence = together(run.table("relative_information"))
            table = replace(table, note=f"{table.schema.note} {sentence}".strip())
        if len(frame):
            made.append(html(table, of=suffix(report, run)))
    return made


def _skills(report: Report) -> Table:
    """Return the skills of each annotator, a column for each run."""
    schema, first = CATALOGUE["annotators"], report.runs[0].table("annotators")
    people = schema.of(first, report.prob).sort("accuracy").first(_MAX_ROWS)
    names = people.frame["annotator"].astype(str)
    made = columns(people, "annotator", "responses")
    for run in report.runs:
        frame = run.table("annotators")
        frame = frame.set_axis(frame["annotator"].astype(str)).reindex(names)
        frame = frame.drop(columns=["annotator", "responses", *_FLAGS])
        theirs = schema.of(frame)
        made += columns(theirs, of=suffix(report, run))
    return Table(schema.title, tuple(made), people.notes)


def agreement(report: Report) -> Section:
    """Return the section."""
    measured = report.agreement
    if measured is None:
        return Section("agreement", "Agreement", (Note(report.no_agreement),))
    parts: list[Part] = [html(shown.coefficients(measured))]
    remarks = (*shown.undefined(measured), *measured.notes)
    if remarks:
        parts.append(Listing("Notes", tuple(map(sentence, remarks))))
    parts += [
        html(table.first(_MAX_AGREEMENT_ROWS)) if len(table.frame) else Note(table.note)
        for table in (shown.labels(measured), shown.pairs(measured))
        if len(table.frame) or table.note
    ]
    return Section("agreement", "Agreement", tuple(parts))
