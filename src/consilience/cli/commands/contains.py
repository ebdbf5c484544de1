"""The commands about a run of kind contains: decisions, and leading questions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from rich.table import Table

from consilience.cli.options import LISTED, Json, Overwrite, Run
from consilience.cli.outcome import load_run
from consilience.cli.terminal import check_free, finish, screen

if TYPE_CHECKING:
    import pandas as pd

_THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def filtering(
    run: Run,
    /,
    *,
    threshold: Annotated[tuple[float, ...], LISTED] = _THRESHOLDS,
    by: Literal["votes", "probability"] = "votes",
    json: Json = False,
) -> None:
    """Show which labels of a run a threshold on answers keeps, and which it loses.

    Parameters
    ----------
    threshold
        A label of an item is kept if it reaches this; several thresholds are compared.
    by
        The share of yes among the answers, a maybe counting half, or the run's
        probability that the label is present.

    Examples
    --------
    consilience contains filtering run
    consilience contains filtering run --threshold 0.5 0.7 --by probability
    """
    from consilience.analysis import filtering as estimate

    kept = estimate(load_run(run), threshold, by=by)
    show = screen(as_json=json)
    if not json:
        show.print(_table(kept))
    finish(
        show, {"thresholds": kept}, "contains", "decide", run, "--out", "decided.csv"
    )


def decide(
    run: Run,
    /,
    *,
    loss: Literal["errors", "f1"] = "errors",
    false_negative_cost: float = 1.0,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Decide which labels are present so that the expected loss is smallest.

    Parameters
    ----------
    loss
        "errors" counts false positives and false negatives; "f1" is one minus the
        F-measure of all labels together, for which it pays to call also less likely
        labels present.
    false_negative_cost
        Cost of a false negative in false positives; with f1 the square of beta, so 4
        for F2.
    out
        Table to write (.csv, .parquet or .json): item, label, probability, present.

    Examples
    --------
    consilience contains decide run --out decided.csv
    """
    from consilience.analysis import decide as minimize_loss
    from consilience.posterior import export_table

    check_free(out, marker=None, overwrite=overwrite)
    decision = minimize_loss(
        load_run(run), loss=loss, false_negative_cost=false_negative_cost
    )
    labels = decision.labels
    if out is not None:
        export_table(labels, out, overwrite=overwrite)
    present = int(labels["present"].sum())
    result = {
        "out": out,
        "labels": len(labels),
        "present": present,
        "threshold": decision.threshold,
        "expected_loss": decision.expected_loss,
    }
    show = screen(as_json=json)
    if not json:
        least = f", of probability {decision.threshold:.3f} and more" if present else ""
        show.print(f"{present:,} of {len(labels):,} labels are called present{least}")
        show.print(f"expected loss: {decision.expected_loss:.4f}")
    following = ("score", run, "--gold", "GOLD.csv")
    finish(show, result, *following, written=out)


def leading_question(run: Run, /, *, json: Json = False) -> None:
    """Show how much a leading question raises the odds of a yes.

    For a run of the model contains whose fit knows similar labels (--similarity, or
    groups): the odds of a false yes where a similar label is present. For a run of
    objects and contains together: the odds of saying yes to a label over those of
    naming it.

    Examples
    --------
    consilience contains leading-question run
    """
    from consilience.analysis import leading_question as table_of

    contrasts = table_of(load_run(run))
    show = screen(as_json=json)
    if not json:
        show.print(_table(contrasts))
    finish(show, {"contrasts": contrasts}, "contains", "filtering", run)


def _table(contrasts: "pd.DataFrame") -> Table:
    """Return the table in long form, with the facts of each row side by side."""
    first, *others = contrasts.columns
    table = Table(first, box=None)
    for value in contrasts[first]:
        table.add_column(str(value), justify="right")
    for name in others:
        whole = name in ("kept", "items", "answers")
        form = "{:,.0f}" if whole else "{:.3f}"
        table.add_row(name, *(form.format(value) for value in contrasts[name]))
    return table
