"""Annotators: the accuracy of each, run beside run; and how far they agree."""

from dataclasses import replace

from consilience.analysis import agreement_tables as shown
from consilience.reports.content import Chart, Listing, Note, Part, Section, suffix
from consilience.reports.record import Report, Run
from consilience.tables import CATALOGUE
from consilience.tables.catalogue import together
from consilience.tables.html import Table, columns, html
from consilience.tables.vega import skill

_MAX_ROWS = 300
_MAX_AGREEMENT_ROWS = 50


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
    people = schema.of(first, report.prob).sort("responses").first(_MAX_ROWS)
    names = people.frame["annotator"].astype(str)
    made = columns(people, "annotator", "responses")
    for run in report.runs:
        frame = run.table("annotators")
        frame = frame.set_axis(frame["annotator"].astype(str)).reindex(names)
        theirs = schema.of(frame.drop(columns=["annotator", "responses"]))
        made += columns(theirs, of=suffix(report, run))
    return Table(schema.title, tuple(made), people.notes)


def agreement(report: Report) -> Section:
    """Return the section."""
    measured = report.agreement
    if measured is None:
        return Section("agreement", "Agreement", (Note(report.no_agreement),))
    parts: list[Part] = [html(shown.coefficients(measured))]
    lacking = [
        f"{name}: not defined, {reason}"
        for reason, names in shown.undefined(measured).items()
        for name in names
    ]
    remarks = (*lacking, *measured.notes)
    if remarks:
        parts.append(Listing("Notes", remarks))
    parts += [
        html(table.first(_MAX_AGREEMENT_ROWS)) if len(table.frame) else Note(table.note)
        for table in (shown.labels(measured), shown.pairs(measured))
        if len(table.frame) or table.note
    ]
    return Section("agreement", "Agreement", tuple(parts))
