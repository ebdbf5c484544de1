"""Data and cleaning: what was read, kept and dropped, and what was assumed."""

from consilience.report.content import (
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
from consilience.report.record import Report
from consilience.responses import Cleaning, Description

_MOST_LABELS = 30


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
    said = [*report.cleaned_assumptions]
    said += [each for run in report.runs for each in run.assumptions]
    if said:
        parts.append(Listing("Assumed", tuple(dict.fromkeys(said))))
    read = dict(pair for run in report.runs for pair in run.sources.items())
    if read:
        files = tuple(f"{name}: SHA-256 {sum_}" for name, sum_ in read.items())
        parts.append(Listing("Files read", files))
    return Section("data", "Data and cleaning", tuple(parts))


def _cleaning(told: Cleaning) -> list[Part]:
    kept = (
        f"Read {told.read:,} {told.unit}, kept {told.kept:,}: {told.answers:,} answers"
    )
    parts: list[Part] = [Note(kept)]
    if told.dropped:
        parts.append(
            Table(
                "Dropped",
                (
                    texts("Why", [part.reason for part in told.dropped]),
                    counts("Rows", [part.count for part in told.dropped]),
                    texts("The first", [part.example for part in told.dropped]),
                ),
            )
        )
    if told.notes:
        parts.append(Listing("Noticed", told.notes))
    return parts


def _description(told: Description) -> list[Part]:
    each, person = told.answers_per_question, told.answers_per_annotator
    spread = "{0.min:,} to {0.max:,}, median {0.median:g}"
    asked = "pairs of item and label" if told.kind == "contains" else "items asked"
    screen = {"all": "every label", "listed": "listed labels", "unknown": "not known"}
    pairs = [
        ("Kind of question", told.kind),
        ("On screen", screen[told.offer]),
        ("Answers", f"{told.answers:,}"),
        ("Skipped", f"{told.skipped:,}"),
        (asked.capitalize(), f"{told.questions:,}"),
        ("Answers per question", spread.format(each)),
        ("Answers per annotator", spread.format(person)),
        ("Repeated answers", f"{told.repeated:,}"),
        ("Coverage", number(told.coverage, "{:.1%}")),
    ]
    first = sorted(told.frequencies.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = first[:_MOST_LABELS]
    total = max(told.answers, 1)
    what = "Answer" if told.kind == "contains" else "Label"
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
