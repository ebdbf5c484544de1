"""Does the model fit? Observed answers against those that the fit would give."""

from dataclasses import dataclass

import pandas as pd

from consilience.reports import charts
from consilience.reports.content import (
    Chart,
    Note,
    Part,
    Section,
    Table,
    counts,
    estimates,
    numbers,
    texts,
)
from consilience.reports.record import Report, Run

LIMIT = 0.02  # of an adjusted p-value, below which a statistic is not reproduced
_MAX_LABELS = 12
_MAX_ROWS = 10


@dataclass(frozen=True, slots=True)
class _Check:
    """How one of the checks is shown."""

    what: str
    of: str
    remedy: str
    caption: str
    of_all: str
    of_one: str
    axes: tuple[str, str | None] | None = None


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
        axes=("share of answers", None),
    ),
}


def predictive(report: Report) -> Section | None:
    """Return the section; None where no model has tables to draw answers from."""
    parts = [
        part
        for run in report.runs
        if len(run.table("predictive_checks"))
        for part in _parts(run, f"{run.name}: " if len(report.runs) > 1 else "")
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
            notes.append(Note(f"{who}{_sentence(rows, check)}; {check.remedy}", "mind"))
        if len(rows):
            drawn.append(_chart(rows[rows["name"] != ""], check, run, who))
    reproduced = "the model reproduces agreement, votes and errors of the answers"
    return [
        *(notes or [Note(f"{who}{reproduced}", "good")]),
        *drawn,
        _table(table, run, who),
    ]


def _names(table: pd.DataFrame) -> pd.Series:
    """Return what each row is about; empty for all together."""
    pair = table["annotator"].astype("str") + " and " + table["other"].astype("str")
    share = table["share"].map("{:.0%}".format)
    label = table["label"].astype("str")
    names = pair.where(table["annotator"].notna(), share.where(table["share"].notna()))
    return names.fillna(label).fillna("")


def _sentence(rows: pd.DataFrame, check: _Check) -> str:
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
        drawn = charts.observed_by_replicated(rows.sort_values("misfit", kind="stable"))
        return Chart(drawn, f"Scatter plot. {caption}", caption)
    least = rows.sort_values(["adjusted_p", "n"], ascending=[True, False]).index
    shown = rows.loc[least[:_MAX_LABELS].sort_values()]
    drawn = charts.observed_in_intervals(shown, *check.axes)
    return Chart(drawn, f"Intervals and points. {caption}", caption)


def _table(table: pd.DataFrame, run: Run, who: str) -> Table:
    every, each = (table[(table["name"] == "") == whole] for whole in (True, False))
    least = each.sort_values("adjusted_p", kind="stable").head(_MAX_ROWS)
    shown = pd.concat([every, least])
    called = [
        (CHECKS[check].of_one if name else CHECKS[check].of_all).format(name)
        for check, name in zip(shown["check"], shown["name"], strict=True)
    ]
    return Table(
        f"{who}What is reproduced least",
        (
            texts("Statistic", called),
            counts("Of", list(shown["n"])),
            numbers("Observed", list(shown["observed"]), "{:.3f}"),
            estimates("Replicated", shown, ("replicated", "lower", "upper")),
            numbers("p-value", list(shown["p"]), "{:.3f}"),
            numbers("Adjusted", list(shown["adjusted_p"]), "{:.3f}"),
        ),
        f"{run.prob:.0%} intervals of answers drawn again from the posterior. p-value: "
        "the probability of a larger value than that observed. Adjusted: "
        "that any pair, share or label is as far from what the model expects; "
        f"below {LIMIT}, the model does not reproduce the statistic.",
    )
