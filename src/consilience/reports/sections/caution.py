"""When not to trust this: doubts from the run itself, then general ones."""

from consilience.posterior.results.diagnostics import FAILED, TOO_LITTLE
from consilience.reports.content import Note, Part, Section
from consilience.reports.record import Report, Run

_ALWAYS = (
    (
        "Nothing here was compared with an external truth. A model is checked "
        "against the answers, which need not say what is true: score it against some "
        "gold labels."
    ),
    (
        "Answers are assumed independent given the truth, and given the parameters of "
        "the model. Where all annotators make the same error for the same "
        "reason, their answers count as one, and probabilities are overconfident."
    ),
    (
        "The model does not describe why an item was shown to an annotator, or why a "
        "label was offered."
    ),
)
# Answers that the usual prior of a confusion imagines for the truth; it imagines one
# for each other label.
_IMAGINED = 4


def caution(report: Report) -> Section:
    """Return the section."""
    several = len(report.runs) > 1
    notes: list[Part] = []
    for run in report.runs:
        who = f"{run.name}: " if several else ""
        notes += [Note(f"{who}{note.text}", note.sort) for note in _run_notes(run)]
    notes += [Note(sentence, "mind") for sentence in _answer_notes(report)]
    notes += [Note(sentence) for sentence in _ALWAYS]
    return Section("caution", "When not to trust this", tuple(notes))


def _run_notes(run: Run) -> list[Note]:
    notes = []
    for row in run.table("diagnostics").to_dict("records"):
        name, value, remedy = row["name"], row["value"], row["remedy"]
        if row["outcome"] == FAILED:
            against = f"{value:.4g}, allowed {row['limit']:.4g}"
            text = f"The check {name} failed ({against}): {remedy}."
            notes.append(Note(text, "bad"))
        elif row["outcome"] == TOO_LITTLE:
            text = f"The check {name} has {TOO_LITTLE}: {remedy}."
            notes.append(Note(text, "mind"))
    if run.model == "majority":
        notes.append(Note("Shares of votes are not probabilities.", "mind"))
    if run.model == "tsipras2020":
        text = "A heuristic states its result as certain, without uncertainty."
        notes.append(Note(text, "mind"))
    people = run.table("annotators")
    bounded = any(people[name].notna().any() for name in people if "lower" in str(name))
    if run.engine == "em" and not bounded:
        text = "em gives point estimates: there are no intervals of annotators."
        notes.append(Note(text, "mind"))
    if run.engine in ("vb", "svi"):
        text = f"Intervals of {run.engine} tend to be too narrow; nuts is exact."
        notes.append(Note(text, "mind"))
    items = run.table("items")
    tied = int(items["tied"].sum()) if "tied" in items else 0
    if tied:
        text = f"{tied:,} items are tied: the label shown for them is the first."
        notes.append(Note(text, "mind"))
    return notes


def _answer_notes(report: Report) -> list[str]:
    description = report.description
    if description is None:
        return []
    sentences = []
    per_question = description.answers_per_question.median
    per_annotator = description.answers_per_annotator.median
    # From three answers on, a confusing label can be distinguished from a rare one.
    if per_question < 3:
        sentences.append(
            f"Half of the questions have {per_question:g} answers or fewer: a "
            "disagreement says that someone is wrong, and not who. Read the result as "
            "a smoothed vote."
        )
    imagined = description.labels * (description.labels + _IMAGINED - 1)
    tables = any("dawid_skene" in run.model for run in report.runs)
    tables &= report.kind == "choice" and description.annotators > 0
    if tables and per_annotator < imagined:
        sentences.append(
            f"Half of the annotators gave {per_annotator:g} answers or fewer; of each, "
            f"the usual prior imagines {imagined:,}. Their intervals may miss the "
            "truth more often than they say; the order of annotators suffers less."
        )
    if description.anonymous:
        sentences.append(
            f"{description.anonymous:,} answers have no annotator's id: two answers "
            "of one person count as two people."
        )
    if description.offer == "unknown":
        unknown = "What was on screen is not known; see what was assumed instead."
        sentences.append(unknown)
    return sentences
