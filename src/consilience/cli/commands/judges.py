"""The commands `rate` and `judges`: judges, and people who correct them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from consilience.cli.commands.fit import load_or_fit
from consilience.cli.options import (
    Flag,
    Json,
    Overwrite,
    Prob,
    RunOrAnswers,
    Seed,
    Several,
    read_columns,
)
from consilience.cli.outcome import is_run
from consilience.cli.terminal import check_free, finish, rows, screen
from consilience.console import Console
from consilience.errors import OptionError, as_options

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 40  # of a table on the screen
# Columns of judges that a screen has no room for.
_WIDE = {"items", "sensitivity", "specificity", "advantage", "winning_rate"}


def rate(  # noqa: PLR0913 (each option stands alone)
    run: RunOrAnswers,
    /,
    *,
    reference: Several = (),
    gold: Path | None = None,
    by: str | None = None,
    groups: Path | None = None,
    label: str | None = None,
    cluster: str | None = None,
    population: Flag = False,
    width: float | None = None,
    ask: Path | None = None,
    prob: Prob = 0.9,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Show rates of groups of items that people's answers to some items correct.

    Parameters
    ----------
    reference
        Who is right on average: a group of annotators, or annotators.
    gold
        Table of true labels of some items (item, label) in place of --reference.
    by
        Column of the items, such as the system that each is from.
    groups
        Table of item and group in place of --by.
    label
        Label whose share is shown; by default the mean of ordered labels, the better
        of two labels, or each label.
    cluster
        Column of the items that have errors in common, such as the prompt.
    population
        Take the items for a sample of more of their kind.
    width
        Say also how many items of each group people have to judge for intervals of
        this width.
    ask
        Table to write of the items that they have to judge for it, drawn at random
        within each group.
    out
        Table of the rates to write (.csv, .parquet, .json or .xlsx).

    Examples
    --------
    consilience rate run --reference human --by system
    consilience rate run --gold gold.csv --by system --out rates.csv
    consilience rate run --gold gold.csv --by system --width 0.1 --ask next.csv
    consilience rate log-base.json log-tuned.json --gold person.csv --by system
    """
    from consilience.analysis import rate as estimate
    from consilience.posterior import export_table

    for each in (out, ask):
        check_free(each, marker=None, overwrite=overwrite)
    if ask is not None and width is None:
        raise OptionError("--ask draws items for intervals of a width: give --width")
    right = _right(reference, gold) if reference or gold else None
    show = screen(as_json=json)
    made = estimate(
        load_or_fit(run, show),
        reference=right,
        by=by if groups is None else read_columns(groups, ()),
        label=label,
        cluster=cluster,
        population=population,
        prob=prob,
    )
    if out is not None:
        export_table(made.table, out, overwrite=overwrite)
    needed = None if width is None else made.needed(width)
    if ask is not None and width is not None:
        export_table(made.to_judge(width), ask, overwrite=overwrite)
    if not json:
        interval = prob if right is not None else None  # else the range of judges
        _print(show, "rates", made.table, interval, "estimate")
        _print(show, "rate_differences", made.differences, prob, "difference")
        if needed is not None:
            _print(show, "rates_needed", needed, prob)
        for remark in made.remarks:
            show.print(Text(as_options(remark)))
    result = {
        "rates": rows(made.table),
        "differences": rows(made.differences),
        "needed": [] if needed is None else rows(needed),
        "remarks": list(made.remarks),
    }
    also = (
        ("judges", *_named(reference, gold)) if reference or gold else ("annotators",)
    )
    follow = _next(run, *also)
    finish(show, {"out": out, **result}, *follow, written=out)


def judges(  # noqa: PLR0913 (each option stands alone)
    run: RunOrAnswers,
    /,
    *,
    reference: Several = (),
    gold: Path | None = None,
    by: str | None = None,
    label: str | None = None,
    epsilon: float = 0.2,
    resamples: int = 1000,
    seed: Seed = 0,
    prob: Prob = 0.9,
    out: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Show how far judges agree with people, and which may replace a person.

    Parameters
    ----------
    reference
        The people: a group of annotators, or annotators.
    gold
        Table of true labels of some items (item, label) in place of --reference.
    by
        Column of the items, such as the system that each is from.
    label
        Label of which sensitivity and specificity are.
    epsilon
        What the alternative annotator test grants a judge for being cheaper: 0.1 where
        people are crowd workers, 0.2 where they are trained, 0.3 where experts.
    resamples
        Weightings of the items.
    out
        Table to write (.csv, .parquet, .json or .xlsx).

    Examples
    --------
    consilience judges run --reference human
    consilience judges run --reference human --by system --out judges.csv
    consilience judges run --gold gold.csv
    """
    from consilience.analysis import judges as held
    from consilience.posterior import export_table

    check_free(out, marker=None, overwrite=overwrite)
    show = screen(as_json=json)
    made = held(
        load_or_fit(run, show),
        reference=_right(reference, gold),
        by=by,
        label=label,
        epsilon=epsilon,
        prob=prob,
        resamples=resamples,
        seed=seed,
    )
    if out is not None:
        export_table(made.table, out, overwrite=overwrite)
    if not json:
        _print(show, "judges", made.table, prob, "agreement")
        show.print(
            f"effective number of judges: {made.effective:.1f}; a judge passes the "
            "alternative annotator test if it beats half of the people or more; "
            "sensitivity, specificity and all other columns: --out or --json"
            if gold is None
            else f"effective number of judges: {made.effective:.1f}; sensitivity, "
            "specificity and all other columns: --out or --json"
        )
    result = {"judges": rows(made.table), "effective": made.effective}
    also = ("--by", by) if by else ()
    follow = _next(run, "rate", *_named(reference, gold), *also)
    finish(show, {"out": out, **result}, *follow, written=out)


def _right(reference: Sequence[str], gold: Path | None) -> Any:
    """Return who is right: gold labels, a group or an annotator, or annotators."""
    if gold is not None:
        return read_columns(gold, ())
    if not reference:
        raise OptionError(
            "name the people (`--reference human`), or give gold labels (`--gold`)"
        )
    return reference[0] if len(reference) == 1 else list(reference)


def _named(reference: Sequence[str], gold: Path | None) -> list[str]:
    return ["--reference", *reference] if gold is None else ["--gold", str(gold)]


def _next(run: list[Path], command: str, *options: str) -> list[str | Path]:
    """Return the command to type next: one about the run, or one that makes a run."""
    if len(run) == 1 and is_run(run[0]):
        return [command, run[0], *options]
    return ["fit", *run, "--out", "run"]


def _print(
    show: Console,
    name: str,
    frame: "pd.DataFrame",
    prob: float | None,
    bounds: str = "",
) -> None:
    from consilience.tables import CATALOGUE
    from consilience.tables.catalogue import schema_of
    from consilience.tables.terminal import terminal

    if frame.empty:
        return
    table = schema_of(name, frame).of(frame, prob).first(_ROWS)
    every = [each.name for each in table.columns]
    names = [each for each in every if name != "judges" or each not in _WIDE]
    show.print()
    show.print(CATALOGUE[name].title, style="bold")
    between = "range" if prob is None and bounds else ""
    show.print(terminal(table, *names, bounds=bounds, between=between))
    if len(frame) > _ROWS:
        show.print(f"and {len(frame) - _ROWS:,} more rows; all with --json")
