"""Diagnostics: results of the checks, and the comparison of models."""

from dataclasses import dataclass, replace

import pandas as pd

from consilience.posterior.trust import CANNOT_TELL, CORRECTED, FAILED
from consilience.reports.content import (
    Chart,
    Facts,
    Note,
    Part,
    Report,
    Run,
    Section,
    prefix,
    sentence,
    suffix,
)
from consilience.tables import CATALOGUE, estimate
from consilience.tables.html import Table, html
from consilience.tables.vega import observed_by_replicated, observed_in_intervals

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
LIMIT = 0.02  # of an adjusted p-value, below which a statistic is not reproduced
_MAX_LABELS = 12
_MAX_ROWS = 10


def diagnostics(report: Report) -> Section:
    """Return the section."""
    parts: list[Part] = []
    for run in report.runs:
        parts += [_run_facts(run), Note(f"{run.engine}: {run.engine_reason}")]
        checks, compared = run.table("diagnostics"), run.table("comparison")
        who = suffix(report, run)
        for name in ("gold", "independence"):
            if len(table := run.table(name)):
                parts.append(html(CATALOGUE[name].of(table), of=who))
        if checks.empty:
            parts.append(Note(f"{run.name}: no check was run on this result.", "mind"))
        else:
            checks = checks.assign(remedy=checks["remedy"].map(report.spelled))
            parts.append(html(CATALOGUE["diagnostics"].of(checks), of=who))
        if len(compared):
            parts.append(html(CATALOGUE["comparison"].of(compared), of=who))
    return Section("diagnostics", "Diagnostics", tuple(parts))


def _run_facts(run: Run) -> Facts:
    return Facts(
        (
            ("Run", run.name),
            ("Model", run.model),
            ("Engine", run.engine),
            ("Posterior shown", run.reported_posterior),
            ("Seconds", estimate(run.seconds, form=".4g").text),
            ("Program", f"consilience {run.version}"),
        )
    )


def caution(report: Report) -> Section:
    """Return the section."""
    notes: list[Part] = []
    for run in report.runs:
        who = prefix(report, run)
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
        elif row["outcome"] in {CANNOT_TELL, CORRECTED}:
            text = f"The check {name}: {row['outcome']}: {remedy}."
            notes.append(Note(text, "mind"))
    people, items = run.table("annotators"), run.table("items")
    bounded = any(people[name].notna().any() for name in people if "lower" in str(name))
    tied = int(items["tied"].sum()) if "tied" in items else 0
    mind = {
        "Shares of votes are not probabilities.": run.model == "majority",
        "A heuristic states its result as certain, without uncertainty.": (
            run.model == "tsipras2020"
        ),
        "em gives point estimates: there are no intervals of annotators.": (
            run.engine == "em" and not bounded
        ),
        "Intervals of vb tend to be too narrow; nuts is exact.": run.engine == "vb",
        f"{tied:,} items are tied: the label shown for them is the first.": tied > 0,
    }
    return [*notes, *(Note(text, "mind") for text, holds in mind.items() if holds)]


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
    tables = any(map(_has_matrices, report.runs))
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


def _has_matrices(run: Run) -> bool:
    """Whether each annotator has a confusion matrix, also in a mean of models."""
    models = {run.model, *run.table("comparison").get("model", ())}
    return any("dawid_skene" in model for model in models)


@dataclass(frozen=True, slots=True)
class _Check:
    """How one of the checks is shown."""

    what: str
    of: str
    remedy: str
    caption: str
    of_all: str
    of_one: str
    axes: tuple[str, str] | None = None


def predictive(report: Report) -> Section | None:
    """Return the section; None where no model has tables to draw answers from."""
    parts = [
        part
        for run in report.runs
        if len(run.table("predictive_checks"))
        for part in _parts(run, prefix(report, run))
    ]
    return Section("predictive", "Does the model fit?", tuple(parts)) if parts else None


def _parts(run: Run, who: str) -> list[Part]:
    table = run.table("predictive_checks")
    table = table.assign(misfit=table["adjusted_p"] < LIMIT, name=_names(table))
    notes: list[Part] = []
    drawn: list[Part] = []
    for name, check in CHECKS.items():
        rows = table[table["check"] == name]
        if rows["misfit"].any():
            text = sentence(f"{who}{_misfit(rows, check)}; {check.remedy}")
            notes.append(Note(text, "mind"))
        if len(rows):
            drawn.append(_chart(rows[rows["name"] != ""], check, run, who))
    reproduced = "the model reproduces agreement, votes and errors of the answers"
    return [
        *(notes or [Note(sentence(f"{who}{reproduced}"), "good")]),
        *drawn,
        _table(table, run, who),
    ]


def _names(table: pd.DataFrame) -> pd.Series:
    """Return what each row is about; empty for all together."""
    pair = (
        table["annotator"].astype("str")
        + " and "
        + table["other_annotator"].astype("str")
    )
    share = table["share"].map("{:.0%}".format)
    label = table["label"].astype("str")
    names = pair.where(table["annotator"].notna(), share.where(table["share"].notna()))
    return names.fillna(label).fillna("")


def _misfit(rows: pd.DataFrame, check: _Check) -> str:
    """Say what is not reproduced."""
    each, every = (rows[(rows["name"] != "") == part] for part in (True, False))
    bad, low = each[each["misfit"]], (rows["misfit"] & (rows["p"] > 0.5))
    sentences = []
    if every["misfit"].any():
        side = "below" if low[every.index].any() else "above"
        sentences.append(f"{check.of_all.lower()} is {side} what the model expects")
    if len(bad):
        below = int(low[bad.index].sum())
        sentences.append(
            f"{check.of} {len(bad):,} of {len(each):,} {check.what} differs from what "
            f"the model expects ({len(bad) - below:,} above, {below:,} below)"
        )
    return ", and ".join(sentences)


def _chart(rows: pd.DataFrame, check: _Check, run: Run, who: str) -> Chart:
    caption = f"{who}{check.caption.format(prob=f'{run.prob:.0%}')}"
    if rows["misfit"].any():
        caption += " Orange: not reproduced."
    if check.axes is None:
        drawn = observed_by_replicated(rows.sort_values("misfit", kind="stable"))
        return Chart(drawn, f"Scatter plot. {caption}", caption)
    least = rows.sort_values(["adjusted_p", "n"], ascending=[True, False]).index
    shown = rows.loc[least[:_MAX_LABELS].sort_values()]
    drawn = observed_in_intervals(shown, *check.axes)
    return Chart(drawn, f"Intervals and points. {caption}", caption)


def _table(table: pd.DataFrame, run: Run, who: str) -> Table:
    every, each = (table[(table["name"] == "") == whole] for whole in (True, False))
    least = each.sort_values("adjusted_p", kind="stable").head(_MAX_ROWS)
    shown = pd.concat([every, least])
    called = [
        (CHECKS[check].of_one if name else CHECKS[check].of_all).format(name)
        for check, name in zip(shown["check"], shown["name"], strict=True)
    ]
    checks = CATALOGUE["predictive_checks"].of(shown.assign(statistic=called), run.prob)
    checks = replace(checks, note=checks.schema.note.format(limit=LIMIT))
    return html(checks, caption=f"{who}{checks.schema.title}")


CHECKS = {
    "agreement": _Check(
        what="pairs of annotators",
        of="agreement of",
        remedy="pairs that agree too often may have copied, or make the same errors: "
        "look at their answers, and compare the models ebcc and community_bcc",
        caption="Agreement of each pair of annotators, observed against replicated. "
        "Pairs far above the line agree more often than the model expects: they may "
        "copy, or make the same errors. Dark: outside the {prob} interval of the pair, "
        "as some are by chance.",
        of_all="Agreement of all pairs",
        of_one="Agreement of {}",
    ),
    "votes": _Check(
        what="shares of votes for one label",
        of="number of items at",
        remedy="items differ in a way that the model does not know, such as "
        "difficulty: compare the models correlated_dawid_skene and ebcc",
        caption="Items by the votes for their most voted label, up to the share at the "
        "left. If too many items are unanimous and too many divided, they differ in "
        "difficulty. "
        "Dots: observed. Bars: {prob} intervals of replicated answers.",
        of_all="Mean share of the most voted label",
        of_one="{} of the votes for one label",
        axes=("share of items", "votes for it"),
    ),
    "errors": _Check(
        what="labels",
        of="share of errors on",
        remedy="accuracy depends on the label in a way that the model does not know: "
        "fit one with a confusion matrix, such as hierarchical_dawid_skene",
        caption="Answers that differ from the truth as the fit infers it, by true "
        "label. Labels outside their interval need a model whose accuracy depends on "
        "the label. Dots: observed. Bars: {prob} intervals of replicated answers.",
        of_all="Share of errors on all labels",
        of_one="Share of errors on {}",
        axes=("share of answers", ""),
    ),
}
