"""The commands about a run of kind contains: decisions, and leading questions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from consilience.cli.options import Flag
from consilience.cli.terminal import (
    check_free,
    finish,
    print_json,
    rows,
    screen,
)

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

_THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def filtering(
    run: Path,
    /,
    *,
    threshold: tuple[float, ...] = _THRESHOLDS,
    by: Literal["votes", "probability"] = "votes",
    json: Flag = False,
) -> None:
    """Show which labels of a run a threshold on answers keeps, and which it loses.

    Parameters
    ----------
    run
        Folder of the run.
    threshold
        A label of an item is kept if it reaches this; several thresholds are compared.
    by
        The share of yes among the answers, a maybe counting half, or the run's
        probability that the label is present.
    json
        Print the result as JSON.

    Examples
    --------
    consilience filtering run
    consilience filtering run --threshold 0.5 0.7 --by probability
    """
    from consilience.analysis import filtering as estimate
    from consilience.posterior import load

    _show(estimate(load(run), threshold, by=by), "thresholds", as_json=json)
    finish(screen(as_json=json), None, "decide", run, "--out", "decided.csv")


def decide(
    run: Path,
    /,
    *,
    loss: Literal["errors", "f1"] = "errors",
    false_negative_cost: Annotated[
        float, Parameter(name=("--false-negative-cost", "--miss"))
    ] = 1.0,
    out: Path | None = None,
    overwrite: Flag = False,
    json: Flag = False,
) -> None:
    """Decide which labels are present so that the expected loss is smallest.

    Parameters
    ----------
    run
        Folder of the run.
    loss
        "errors" counts false positives and false negatives; "f1" is one minus the
        F-measure of all labels together, for which it pays to call also less likely
        labels present.
    false_negative_cost
        Cost of a false negative in false positives; with f1 the square of beta, so 4
        for F2.
    out
        Table to write (.csv, .parquet or .json): item, label, probability, present.
    overwrite
        Replace an existing table.
    json
        Print the result as JSON.

    Examples
    --------
    consilience decide run --out decided.csv
    """
    from consilience.analysis import decide as minimize_loss
    from consilience.posterior import export_table, load

    if out is not None:
        check_free(out, marker=None, overwrite=overwrite)
    decision = minimize_loss(
        load(run), loss=loss, false_negative_cost=false_negative_cost
    )
    labels = decision.labels
    if out is not None:
        export_table(labels, out, overwrite=overwrite)
    present = int(labels["present"].sum())
    if json:
        print_json(
            {
                "out": out,
                "labels": len(labels),
                "present": present,
                "threshold": decision.threshold,
                "expected_loss": decision.expected_loss,
            }
        )
        return
    show = screen(as_json=False)
    least = f", of probability {decision.threshold:.3f} and more" if present else ""
    show.print(f"{present:,} of {len(labels):,} labels are called present{least}")
    show.print(f"expected loss: {decision.expected_loss:.4f}")
    finish(show, out, "score", run, "--gold", "GOLD.csv")


def leading_question(run: Path, /, *, json: Flag = False) -> None:
    """Show how much a leading question raises the odds of a yes.

    For a run of the model contains whose fit knows similar labels (--similarity, or
    groups): the odds of a false yes where a similar label is present. For a run of
    objects and contains together: the odds of saying yes to a label over those of
    naming it.

    Parameters
    ----------
    run
        Folder of the run.
    json
        Print the result as JSON.

    Examples
    --------
    consilience leading-question run
    """
    from consilience.analysis import leading_question as table_of
    from consilience.posterior import load

    _show(table_of(load(run)), "contrasts", as_json=json)
    finish(screen(as_json=json), None, "filtering", run)


def _show(contrasts: "pd.DataFrame", name: str, *, as_json: bool) -> None:
    if as_json:
        print_json({name: rows(contrasts)})
        return
    screen(as_json=False).print(_table(contrasts))


def _table(contrasts: "pd.DataFrame") -> "Table":
    """Return the table in long form, with the facts of each row side by side."""
    from rich.table import Table

    first, *others = contrasts.columns
    table = Table(first, box=None)
    for value in contrasts[first]:
        table.add_column(str(value), justify="right")
    for name in others:
        whole = name in ("kept", "items", "answers")
        form = "{:,.0f}" if whole else "{:.3f}"
        table.add_row(name, *(form.format(value) for value in contrasts[name]))
    return table
