"""Data and cleaning: what was read, kept and dropped, and what was assumed."""

from consilience.reports.content import (
    Facts,
    Listing,
    Note,
    Part,
    Section,
    Table,
    counts,
    number,
    numbers,
    texts,
)
from consilience.reports.record import Report
from consilience.responses import Cleaning, Description

_MAX_LABELS = 30


def data(report: Report) -> Section:
    """Return the section."""
    parts: list[Part] = []
    if report.cleaning is None:
        parts.append(
            Note(
                "What reading the export kept and dropped is not kept in a run; name "
                "the responses beside it to see it here"
            )
        )
    else:
        parts += _cleaning(report.cleaning)
    if report.description is not None:
        parts += _description(report.description)
    assumptions = [*report.cleaned_assumptions]
    assumptions += [sentence for run in report.runs for sentence in run.assumptions]
    if assumptions:
        parts.append(Listing("Assumed", tuple(dict.fromkeys(assumptions))))
    read = dict(pair for run in report.runs for pair in run.sources.items())
    if read:
        files = tuple(f"{name}: SHA-256 {sum_}" for name, sum_ in read.items())
        parts.append(Listing("Files read", files))
    return Section("data", "Data and cleaning", tuple(parts))


def _cleaning(cleaning: Cleaning) -> list[Part]:
    kept = (
        f"Read {cleaning.read:,} {cleaning.unit}, kept {cleaning.kept:,}: "
        f"{cleaning.answers:,} answers"
    )
    parts: list[Part] = [Note(kept)]
    if cleaning.dropped:
        parts.append(
            Table(
                "Dropped",
                (
                    texts("Why", [part.reason for part in cleaning.dropped]),
                    counts("Rows", [part.count for part in cleaning.dropped]),
                    texts("The first", [part.example for part in cleaning.dropped]),
                ),
            )
        )
    if cleaning.notes:
        parts.append(Listing("Noticed", cleaning.notes))
    return parts


def _description(description: Description) -> list[Part]:
    per_question = description.answers_per_question
    per_annotator = description.answers_per_annotator
    spread = "{0.min:,} to {0.max:,}, median {0.median:g}"
    unit = (
        "pairs of item and label" if description.kind == "contains" else "items asked"
    )
    screen = {"all": "every label", "listed": "listed labels", "unknown": "not known"}
    pairs = [
        ("Kind of question", description.kind),
        ("On screen", screen[description.offer]),
        ("Answers", f"{description.answers:,}"),
        ("Skipped", f"{description.skipped:,}"),
        (unit.capitalize(), f"{description.questions:,}"),
        ("Answers per question", spread.format(per_question)),
        ("Answers per annotator", spread.format(per_annotator)),
        ("Repeated answers", f"{description.repeated:,}"),
        ("Coverage", number(description.coverage, "{:.1%}")),
    ]
    first = sorted(
        description.frequencies.items(), key=lambda pair: (-pair[1], pair[0])
    )
    shown = first[:_MAX_LABELS]
    total = max(description.answers, 1)
    what = "Answer" if description.kind == "contains" else "Label"
    note = ""
    if len(first) > len(shown):
        note = f"The {len(shown)} most frequent of {len(first):,}."
    table = Table(
        "How often each label was given",
        (
            texts(what, [name for name, _ in shown]),
            counts("Answers", [count for _, count in shown]),
            numbers("Share", [count / total for _, count in shown], "{:.1%}"),
        ),
        note,
    )
    return [Facts(tuple(pairs)), table]
