"""The page in five sentences: what was asked, what came out, and what to do.

They are about the first run, for somebody who reads nothing else.
"""

import pandas as pd

from consilience.posterior.flags import flagged_first
from consilience.posterior.trust import FAILED, PASSED, is_sound, trust
from consilience.reports.content import Listing, Report, Run, Section

_SURE, _DOUBTFUL = 0.95, 0.7
_NAMED = 3  # annotators and items that are named


def summary(report: Report) -> Section:
    """Return the section."""
    run = report.runs[0]
    sentences = (_asked(run), _came_out(run), _look_at(run), _trust(run), _next(run))
    entries = tuple(sentence for sentence in sentences if sentence)
    return Section("summary", "In short", (Listing("", entries),))


def _asked(run: Run) -> str:
    items, people = run.table("items"), run.table("annotators")
    number = int(items["responses"].sum())
    what = {
        "choice": f"which of {_labels(run):,} labels is right for each of "
        f"{len(items):,} items",
        "contains": "whether a label is there, for each of "
        f"{len(run.table('labels')):,} pairs of item and label",
        "objects": f"what objects each of {len(items):,} items shows",
    }[run.kind]
    who = f"{len(people):,} annotators" if len(people) else "People without a name"
    return f"{who} were asked {what}: {number:,} answers."


def _labels(run: Run) -> int:
    return len(run.table("labels")["label"].cat.categories)


def _came_out(run: Run) -> str:
    if run.kind == "contains":
        present = run.table("labels")["probability"].dropna()
        sure = (present >= _SURE) | (present <= 1 - _SURE)
        return (
            f"Of {len(present):,} pairs, {present.sum():,.0f} are expected to be "
            f"present; {int(sure.sum()):,} are sure to {_SURE:.0%} or more."
        )
    items = run.table("items").dropna(subset="probability")
    best, p = items["label"].astype("str"), items["probability"]
    if run.kind == "objects":
        number = items["objects"].astype(float).mean()
        return (
            f"An item shows {number:.1f} objects in the mean; the main label of "
            f"{int((p >= _SURE).sum()):,} of {len(items):,} items is sure to "
            f"{_SURE:.0%} or more."
        )
    most, share = best.value_counts(normalize=True).head(1).to_dict().popitem()
    return (
        f"The most frequent label is {most} ({share:.0%} of the items); "
        f"{int((p >= _SURE).sum()):,} of {len(items):,} best labels are right with "
        f"probability {_SURE} or more, and about {(1 - p).sum():,.0f} are expected to "
        f"be wrong{_beside_votes(run, items)}."
    )


def _beside_votes(run: Run, items: pd.DataFrame) -> str:
    """Say of how many items the most frequent answer is another label."""
    if run.answers is None or "label" not in run.answers:
        return ""
    given = run.answers.dropna(subset="label").astype({"item": "str", "label": "str"})
    number = given.groupby(["item", "label"], sort=False)["n"].sum()
    highest = number.groupby(level="item").transform("max")
    leading = pd.MultiIndex.from_tuples(number.index[number == highest])
    best = items[items["responses"] > 0].astype({"item": "str", "label": "str"})
    pairs = pd.MultiIndex.from_frame(best[["item", "label"]])
    changed = int((~pairs.isin(leading)).sum())
    if not changed:
        return "; all are as most votes say"
    return f"; {changed:,} of them are not as most votes say"


def _look_at(run: Run) -> str:
    people, parts = run.table("annotators"), []
    if "flag" in people and len(people):
        flagged = flagged_first(people[people["flag"] != ""])
        named = [
            f"{row['annotator']} ({row['flag']})"
            for row in flagged.head(_NAMED).to_dict("records")
        ]
        more = f" and {len(flagged) - _NAMED:,} more" if len(flagged) > _NAMED else ""
        talk = (
            f"Talk to {', '.join(named)}{more}" if named else "No annotator stands out"
        )
        parts.append(talk)
    check = run.table("check")
    if len(check):
        first = ", ".join(dict.fromkeys(check["item"].astype("str").head(_NAMED)))
        parts.append(f"look first at the items {first}")
    listed = "; ".join(parts)
    return f"{listed[0].upper()}{listed[1:]}." if parts else ""


def _trust(run: Run) -> str:
    checks = run.table("diagnostics")
    if checks.empty:
        return "A rule has no checks: nothing tells whether to trust it."
    if not is_sound(checks):
        return f"{trust(checks)}."
    return f"No check failed: {trust(checks).removeprefix('checks: ')}."


def _next(run: Run) -> str:
    checks = run.table("diagnostics").to_dict("records")
    failed = [row for row in checks if row["outcome"] == FAILED]
    what = "labels" if run.kind == "contains" else "items"
    p = run.table(what)["probability"]
    sure = p.where(p >= 0.5, 1 - p) if run.kind == "contains" else p
    doubtful = int((sure < _DOUBTFUL).sum())
    if doubtful and not failed:
        return (
            f"To do next: more answers, or an expert's, about the {doubtful:,} "
            f"{'pairs' if run.kind == 'contains' else 'items'} whose best answer has a "
            f"probability below {_DOUBTFUL}."
        )
    rest = failed or [row for row in checks if row["outcome"] != PASSED]
    for row in rest[:1]:
        return f"To do next: {row['remedy']} (check {row['name']})."
    return "Nothing more needs to be done."
