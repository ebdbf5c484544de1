"""The commands about responses: `read` and `describe`."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from consilience.cli.options import (
    READ_AS_IT_IS,
    Flag,
    Json,
    Overwrite,
    Reading,
    Sources,
    read_options,
    read_responses,
)
from consilience.cli.terminal import check_free, finish, screen
from consilience.console import Console
from consilience.errors import OptionError, as_options

if TYPE_CHECKING:
    from consilience.responses import Description, Responses
    from consilience.tables.terminal import DrawnTable


def read(  # noqa: PLR0913 (each option stands alone)
    files: list[Path],
    /,
    *,
    out: Path | None = None,
    gold: Path | None = None,
    plan: Flag = False,
    with_: Annotated[Path | None, Parameter(name="--with")] = None,
    shards: Flag = False,
    shard_rows: int = 2_000_000,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Turn any export into the canonical tables, a folder of Parquet files.

    Before anything else it says what it kept, what it dropped, and why; then what it
    understood, which columns it did not use, and what looks wrong.

    Parameters
    ----------
    files
        Files or folders of one format.
    out
        Folder to write.
    gold
        Table of true labels.
    plan
        Write how the files would be read, as TOML, in place of reading them.
    with_
        How to read them: a plan, or a folder of responses that keeps one. Their columns
        must be those of the plan.
    shards
        Write answers that may be more than memory holds as shards, files of whole
        items: one label per item (choice), a row for each answer, from one Parquet,
        CSV or Arrow file or a folder of such files, also at an address such as s3://,
        or from a DuckDB file. After it was stopped, the same command goes on.
    shard_rows
        Rows of a shard, about.

    Examples
    --------
    consilience read export.json --out responses
    consilience read answers.csv --item photo --annotator worker --label animal
        --out responses
    consilience read anna.xml bernd.xml --gold truth.csv --out responses
    consilience read answers.parquet --shards --out shards
    consilience read answers.csv --plan
    consilience read may.csv --with plan.toml --out may
    """
    if plan:
        _print_plan(files, reading, gold)
        return
    if out is None:
        raise OptionError("no folder to write is named; add --out")
    if shards:
        from consilience.cli.commands.shards import read_shards

        if len(files) != 1 or gold is not None:
            raise OptionError(
                "shards are read from one file or folder, without gold labels; name "
                "that alone"
            )
        read_shards(
            files[0], out, reading, rows=shard_rows, overwrite=overwrite, json=json
        )
        return
    from consilience.responses import read_by, read_with, write

    check_free(out, marker="responses.parquet", overwrite=overwrite)
    if with_ is None:
        responses = read_with(files, read_options(reading, gold), format=reading.format)
    else:
        if gold is not None or reading != READ_AS_IT_IS:
            raise OptionError(
                "--with settles how the files are read; leave out all other options, "
                "or plan the reading again with them"
            )
        responses = read_by(files, with_)
    show = screen(as_json=json)
    print_account(show, responses)
    write(responses, out, overwrite=overwrite)
    chosen = ["--kind", responses.kinds[0]] if len(responses.kinds) > 1 else []
    shown = with_options(responses)
    result = {
        "responses": out,
        "kinds": responses.kinds,
        "answers": responses.num_responses,
        "items": responses.num_items,
        "annotators": responses.num_annotators,
        "labels": responses.num_labels,
        "offer": responses.offer,
        "summary": responses.summary.to_dict(),
        "cleaning": shown.cleaning,
        "assumptions": shown.assumptions,
        "sources": responses.sources,
    }
    finish(show, result, "fit", out, *chosen, "--out", out.parent / "run", written=out)


def _print_plan(files: list[Path], reading: Reading, gold: Path | None) -> None:
    """Write how files would be read."""
    from consilience.responses import plan_with

    made = plan_with(files, read_options(reading, gold), format=reading.format)
    sys.stdout.write(made.toml())


def describe(
    responses: Sources,
    /,
    *,
    gold: Path | None = None,
    reading: Reading = READ_AS_IT_IS,
    json: Json = False,
) -> None:
    """Show the design at a glance: counts, coverage, how far answers agree.

    Parameters
    ----------
    gold
        Table of true labels.

    Examples
    --------
    consilience describe responses
    consilience describe answers.csv --json
    """
    from consilience import responses as room

    data = with_options(read_responses(responses, reading, gold))
    description, account = room.describe(data), data.cleaning
    show = screen(as_json=json)
    if not json:
        show.print(_counts(description))
        show.print(_frequencies(description, 15 if show.is_terminal else None))
        if account.columns or account.unused:
            show.print(f"columns used: {account.roles()}", soft_wrap=True)
            show.print(f"columns not used: {account.rest() or 'none'}", soft_wrap=True)
        print_warnings(show, data)
    result = {
        **description.to_dict(),
        "columns": account.columns,
        "unused": account.unused,
        "warnings": account.warnings,
    }
    finish(show, result, "fit", *responses, "--out", "run")


def print_account(show: Console, responses: "Responses") -> None:
    """Print what was kept, dropped and assumed, then what was understood."""
    shown = with_options(responses)
    for line in shown.cleaning.account():
        show.print(line)
    for sentence in shown.assumptions:
        show.print(f"assumed: {sentence}")
    show.print(facts_table(shown.summary.facts()))
    print_warnings(show, responses)


def facts_table(facts: Mapping[str, str]) -> Table:
    """Return facts side by side with their names; long ones are wrapped."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    for name, value in facts.items():
        table.add_row(name, Text(value))
    return table


def print_warnings(show: Console, responses: "Responses") -> None:
    """Print what looks wrong in the data."""
    for sentence in responses.cleaning.warnings:
        show.say(f"warning: {sentence}", style="color(130)")


def with_options(responses: "Responses") -> "Responses":
    """Return responses whose account names options in place of arguments."""
    account = responses.cleaning
    dropped = [
        replace(group, reason=as_options(group.reason)) for group in account.dropped
    ]
    cleaning = replace(
        account,
        dropped=tuple(dropped),
        notes=tuple(map(as_options, account.notes)),
        warnings=tuple(map(as_options, account.warnings)),
    )
    assumptions = tuple(map(as_options, responses.assumptions))
    return replace(responses, cleaning=cleaning, assumptions=assumptions)


def _counts(description: "Description") -> Table:
    unit = (
        "pairs of item and label" if description.kind == "contains" else "items asked"
    )
    per_question = description.answers_per_question
    per_annotator = description.answers_per_annotator
    spread = "{0.min:,} to {0.max:,}, median {0.median:g}"
    unanswered = description.items_without_answers
    facts = {
        "kind": description.kind,
        "on screen": {
            "all": "every label",
            "listed": "the labels listed in offered",
            "unknown": "not known",
        }[description.offer],
        "answers": f"{description.answers:,}",
        "skipped": f"{description.skipped:,}",
        "items": f"{description.items:,} ({unanswered:,} without answers)",
        unit: f"{description.questions:,}",
        "annotators": f"{description.annotators:,}",
        "anonymous answers": f"{description.anonymous:,}",
        "labels": f"{description.labels:,}",
        "answers per question": spread.format(per_question),
        "answers per annotator": spread.format(per_annotator),
        "repeated answers": f"{description.repeated:,}",
        "coverage": _share(description.coverage),
        "agreement of two answers": _share(description.agreement),
        "questions with gold": f"{description.gold:,}",
    }
    return facts_table(facts)


def _frequencies(description: "Description", limit: int | None) -> "DrawnTable":
    from consilience.tables.terminal import bar, drawn_table

    first = sorted(description.frequencies.items(), key=lambda pair: -pair[1])
    shown, total = first[:limit], max(description.answers, 1)
    title = "answer" if description.kind == "contains" else "label"
    table = drawn_table(title, "answers", "share")
    for name, count in shown:
        share = count / total
        table.add_row(Text(name), f"{count:,}", f"{share:6.1%}", line=bar(share))
    if len(first) > len(shown):
        rest = sum(count for _, count in first[len(shown) :])
        name = f"{len(first) - len(shown):,} more"
        table.add_row(name, f"{rest:,}", f"{rest / total:6.1%}")
    return table


def _share(value: float) -> str:
    return "not defined" if value != value else f"{value:.1%}"  # noqa: PLR0124 (NaN)
