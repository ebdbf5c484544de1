"""When not to trust this: what the run itself gives reason to doubt, then the rest."""

from consilience.posterior.results.diagnostics import FAILED, TOO_LITTLE
from consilience.report.content import Note, Part, Section
from consilience.report.record import Report, Run

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
    found: list[Part] = []
    for run in report.runs:
        who = f"{run.name}: " if several else ""
        found += [Note(f"{who}{each.text}", each.sort) for each in _of_run(run)]
    found += [Note(sentence, "mind") for sentence in _of_answers(report)]
    found += [Note(sentence) for sentence in _ALWAYS]
    return Section("caution", "When not to trust this", tuple(found))


def _of_run(run: Run) -> list[Note]:
    found = []
    for row in run.table("diagnostics").to_dict("records"):
        name, value, remedy = row["name"], row["value"], row["remedy"]
        if row["outcome"] == FAILED:
            against = f"{value:.4g}, allowed {row['limit']:.4g}"
            told = f"The check {name} failed ({against}): {remedy}."
            found.append(Note(told, "bad"))
        elif row["outcome"] == TOO_LITTLE:
            told = f"The check {name} has {TOO_LITTLE}: {remedy}."
            found.append(Note(told, "mind"))
    if run.model == "majority":
        found.append(Note("Shares of votes are not probabilities.", "mind"))
    if run.model == "tsipras2020":
        told = "A heuristic states its result as certain, without uncertainty."
        found.append(Note(told, "mind"))
    people = run.table("annotators")
    bounded = any(people[name].notna().any() for name in people if "lower" in str(name))
    if run.engine == "em" and not bounded:
        told = "em gives point estimates: there are no intervals of annotators."
        found.append(Note(told, "mind"))
    if run.engine in ("vb", "svi"):
        told = f"Intervals of {run.engine} tend to be too narrow; nuts is exact."
        found.append(Note(told, "mind"))
    items = run.table("items")
    tied = int(items["tied"].sum()) if "tied" in items else 0
    if tied:
        told = f"{tied:,} items are tied: the label shown for them is the first."
        found.append(Note(told, "mind"))
    return found


def _of_answers(report: Report) -> list[str]:
    told = report.description
    if told is None:
        return []
    found = []
    each, person = told.answers_per_question.median, told.answers_per_annotator.median
    if each < 3:  # from three on, a confusing label and a rare one can be told apart
        found.append(
            f"Half of the questions have {each:g} answers or fewer: a disagreement "
            "says that someone is wrong, and not who. Read the result as a smoothed "
            "vote."
        )
    imagined = told.labels * (told.labels + _IMAGINED - 1)
    tables = any("dawid_skene" in run.model for run in report.runs)
    if tables and report.kind == "choice" and told.annotators and person < imagined:
        found.append(
            f"Half of the annotators gave {person:g} answers or fewer; of each, the "
            f"usual prior imagines {imagined:,}. Their intervals may miss the truth "
            "more often than they say; the order of annotators suffers less."
        )
    if told.anonymous:
        found.append(
            f"{told.anonymous:,} answers have no annotator's id: two answers of one "
            "person count as two people."
        )
    if told.offer == "unknown":
        found.append("What was on screen is not known; see what was assumed instead.")
    return found
