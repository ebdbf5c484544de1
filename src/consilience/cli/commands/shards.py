"""Shards on the command line: what `read --shards` and `fit` of shards do."""

from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import Any

from consilience.cli.options import Reading, read_options
from consilience.cli.outcome import print_fitted, resumed, summary
from consilience.cli.terminal import check_free, finish, screen
from consilience.errors import OptionError, as_options


def read_shards(
    source: Path, out: Path, reading: Reading, *, rows: int, overwrite: bool, json: bool
) -> None:
    """Write shards, and say what was kept and dropped."""
    from consilience.progress import bar
    from consilience.sharding import MARKER, as_address, check_options, written_shards

    address = as_address(str(source))
    check_free(out, marker=MARKER, overwrite=overwrite)
    options = read_options(reading, None)
    check_options(options, reading.format)
    show = screen(as_json=json)
    given = address or source
    with resumed(out), bar() as report:
        made = written_shards(
            given, out, options, rows=rows, overwrite=overwrite, report=report
        )
    cleaning = replace(made.cleaning, notes=tuple(map(as_options, made.cleaning.notes)))
    for line in cleaning.account():
        show.print(as_options(line), soft_wrap=True)
    for warning in cleaning.warnings:
        show.print(f"WARNING: {as_options(warning)}", style="bold color(160)")
    show.print(
        f"{made.num_answers:,} answers about {made.num_items:,} items by "
        f"{len(made.annotators):,} annotators, {len(made.labels):,} labels, in "
        f"{len(made):,} shards"
    )
    result = {
        "shards": out,
        "number": len(made),
        "answers": made.num_answers,
        "items": made.num_items,
        "annotators": len(made.annotators),
        "labels": len(made.labels),
        "cleaning": cleaning,
    }
    finish(show, result, "fit", out, "--out", out.parent / "run", written=out)


def fit_shards(
    folder: Path,
    out: Path,
    how: dict[str, Any],
    *,
    refused: bool,
    overwrite: bool,
    json: bool,
) -> None:
    """Fit shards, and write a run of the first and the tables of all items."""
    if refused:
        raise OptionError(
            "shards are fitted without similarities, an earlier fit, what annotators "
            "answered earlier, answers of kind contains, states or an order; leave "
            "these out"
        )
    from consilience import fitting
    from consilience.posterior import ITEMS, LABELS
    from consilience.progress import bar
    from consilience.sharding import Shards

    show = screen(as_json=json)
    shards = Shards.load(folder)
    show.print(shards.cleaning.account()[0])
    with resumed(out, show) as unfinished:
        fitted = fitting.fit_shards(shards, checkpoint=unfinished, progress=True, **how)
    with bar() as report:
        fitted.save(out, overwrite=overwrite, progress=report)
    rmtree(unfinished, ignore_errors=True)
    first = fitted.part(0)
    print_fitted(show, first)
    show.print(
        f"all {shards.num_items:,} items: {out / ITEMS} and {out / LABELS}, folders "
        "of Parquet files; the run itself shows the items of the first shard",
        soft_wrap=True,
    )
    result = {"run": out, **summary(first), "items": shards.num_items}
    page = out.parent / "report.html"
    finish(show, result, "report", out, "--out", page, written=out)
