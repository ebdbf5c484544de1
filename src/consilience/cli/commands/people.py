"""The commands about who answered, and how they rate: `annotators` and `ratings`."""

from pathlib import Path
from typing import TYPE_CHECKING

from consilience.cli.options import (
    READ_AS_IT_IS,
    Json,
    Overwrite,
    Prob,
    Reading,
    Run,
    Seed,
    read_columns,
    read_responses,
)
from consilience.cli.terminal import check_free, finish, rows, screen

if TYPE_CHECKING:
    import pandas as pd

    from consilience.console import Console

_SHOWN = 20  # annotators without a flag
_RATINGS = ("overall", "groups", "differences")  # with the items, all tables


def annotators(
    run: Run,
    /,
    *,
    responses: Path | None = None,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
    reading: Reading = READ_AS_IT_IS,
) -> None:
    """Show the annotators of a run, those to talk to first, and why.

    Flags: answers at random, answers by habit, answers like another, confuses two
    labels; and with --responses drifts, in the order of the answers' times or rows.

    Parameters
    ----------
    responses
        The responses that were fitted, read as they were then: for drift.
    out
        Table to write (.csv, .parquet, .json or .xlsx).

    Examples
    --------
    consilience annotators run
    consilience annotators run --responses responses --out annotators.csv
    """
    from consilience.posterior import export_table, load

    check_free(out, marker=None, overwrite=overwrite)
    fit = load(run)
    if responses is not None:
        from consilience.posterior.drifting import annotators_in_time

        table = annotators_in_time(fit, read_responses([responses], reading))
    else:
        table = fit.table("annotators")
    if out is not None:
        export_table(table, out, overwrite=overwrite)
    show = screen(as_json=json)
    if not json:
        _print(show, table, float(fit.data.attrs["prob"]))
    result = {"out": out, "annotators": rows(table)} if json else {}
    what = ("--what", "check", "--out", run.parent / "check.csv")
    finish(show, result, "export", run, *what, written=out)


def _print(show: "Console", table: "pd.DataFrame", prob: float) -> None:
    from rich.text import Text

    from consilience.tables import CATALOGUE
    from consilience.tables.terminal import WARNING, terminal

    if table.empty:
        show.print("no annotator has an id: there is nobody to talk to")
        return
    flagged = table[table["flags"] != ""]
    show.print(f"{len(flagged):,} of {len(table):,} annotators to talk to")
    for row in flagged.to_dict("records"):
        head = f"{row['annotator']}: {row['flags']} ({row['sure']:.2f} sure)"
        show.print(Text(head, WARNING))
        show.print(Text(f"  {row['evidence']}"))
    names = ["annotator", "responses", "accuracy"]
    names += [name for name in ("bias", "precision", "extremity") if name in table]
    shown = CATALOGUE["annotators"].of(table.head(len(flagged) + _SHOWN), prob)
    show.print()
    show.print(terminal(shown, *names, drawn="accuracy"))
    hidden = len(table) - len(shown.frame)
    if hidden > 0:
        show.print(f"and {hidden:,} more, of a higher accuracy; all with --out")


def ratings(
    run: Run,
    /,
    *,
    groups: Path | None = None,
    seed: Seed = 0,
    prob: Prob = 0.9,
    resamples: int = 400,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Show mean ratings, corrected for raters' biases, and compare groups of items.

    Parameters
    ----------
    groups
        Table of the items' groups, such as the system that each is from: item, group.
    resamples
        Weightings of the items.
    out
        Table of the rating of each item to write (.csv, .parquet, .json or .xlsx).

    Examples
    --------
    consilience ratings run
    consilience ratings run --groups systems.csv --out ratings.csv
    """
    from consilience.analysis import mean_ratings
    from consilience.posterior import export_table, load
    from consilience.tables import CATALOGUE
    from consilience.tables.terminal import terminal

    check_free(out, marker=None, overwrite=overwrite)
    members = None if groups is None else read_columns(groups, ["item", "group"])
    made = mean_ratings(
        load(run), groups=members, prob=prob, resamples=resamples, seed=seed
    )
    if out is not None:
        export_table(made.items, out, overwrite=overwrite)
    show = screen(as_json=json)
    if not json:
        for name in _RATINGS:
            table = CATALOGUE[f"rating_{name}"].of(getattr(made, name), prob)
            if len(table.frame):
                show.print()
                show.print(table.schema.title, style="bold")
                bounds = "difference" if name == "differences" else "rating"
                show.print(terminal(table, bounds=bounds))
    result = {name: rows(getattr(made, name)) for name in (*_RATINGS, "items")}
    finish(show, {"out": out, **result}, "annotators", run, written=out)
