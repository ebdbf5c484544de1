"""The commands about responses: `read` and `describe`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from consilience.cli.options import (
    READ_AS_IT_IS,
    Flag,
    Reading,
    print_account,
    print_warnings,
    read_options,
    read_responses,
    with_options,
)
from consilience.cli.terminal import check_free, print_json, screen

if TYPE_CHECKING:
    from rich.table import Table

    from consilience.responses import Description


def read(
    files: list[Path],
    /,
    *,
    out: Path,
    gold: Path | None = None,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Flag = False,
    json: Flag = False,
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
    overwrite
        Replace an existing folder of responses.
    json
        Print the result as JSON.
    """
    from consilience.responses import read_with, write

    check_free(out, marker="responses.parquet", overwrite=overwrite)
    found = read_with(files, read_options(reading, gold), format=reading.format)
    show = screen(as_json=json)
    print_account(show, found)
    write(found, out, overwrite=overwrite)
    show.print(f"written to {out}", soft_wrap=True)
    if json:
        found = with_options(found)
        print_json(
            {
                "responses": out,
                "kinds": found.kinds,
                "answers": found.num_responses,
                "items": found.num_items,
                "annotators": found.num_annotators,
                "labels": found.num_labels,
                "offer": found.offer,
                "summary": found.summary.to_dict(),
                "cleaning": asdict(found.cleaning),
                "assumptions": found.assumptions,
                "sources": found.sources,
            }
        )


def describe(
    responses: list[Path],
    /,
    *,
    gold: Path | None = None,
    reading: Reading = READ_AS_IT_IS,
    json: Flag = False,
) -> None:
    """Show the design at a glance: counts, coverage, how far answers agree.

    Parameters
    ----------
    responses
        A folder of responses, or files of any readable format.
    gold
        Table of true labels.
    json
        Print the result as JSON.
    """
    from consilience import responses as room

    told = with_options(read_responses(responses, reading, gold))
    found, account = room.describe(told), told.cleaning
    if json:
        columns = {"columns": account.columns, "unused": account.unused}
        print_json({**found.to_dict(), **columns, "warnings": account.warnings})
        return
    show = screen(as_json=False)
    show.print(_counts(found))
    show.print(_frequencies(found))
    if account.columns or account.unused:
        show.print(f"columns used: {account.roles()}", soft_wrap=True)
        show.print(f"columns not used: {account.rest() or 'none'}", soft_wrap=True)
    print_warnings(show, told)


def _counts(found: "Description") -> "Table":
    from rich.table import Table

    asked = "pairs of item and label" if found.kind == "contains" else "items asked"
    each, person = found.answers_per_question, found.answers_per_annotator
    spread = "{0.min:,} to {0.max:,}, median {0.median:g}"
    facts = {
        "kind": found.kind,
        "on screen": {
            "all": "every label",
            "listed": "the labels listed in offered",
            "unknown": "not known",
        }[found.offer],
        "answers": f"{found.answers:,}",
        "skipped": f"{found.skipped:,}",
        "items": f"{found.items:,} ({found.items_without_answers:,} without answers)",
        asked: f"{found.questions:,}",
        "annotators": f"{found.annotators:,}",
        "anonymous answers": f"{found.anonymous:,}",
        "labels": f"{found.labels:,}",
        "answers per question": spread.format(each),
        "answers per annotator": spread.format(person),
        "repeated answers": f"{found.repeated:,}",
        "coverage": _share(found.coverage),
        "agreement of two answers": _share(found.agreement),
        "questions with gold": f"{found.gold:,}",
    }
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        table.add_row(name, value)
    return table


def _frequencies(found: "Description") -> "Table":
    from rich.table import Table
    from rich.text import Text

    first = sorted(found.frequencies.items(), key=lambda pair: -pair[1])
    shown, total = first[:15], max(found.answers, 1)
    title = "answer" if found.kind == "contains" else "label"
    table = Table(title, "answers", "share", box=None, padding=(0, 2, 0, 0))
    for name, count in shown:
        bar = Text("█" * round(30 * count / total), style="cyan")
        table.add_row(Text(name), f"{count:,}", f"{count / total:6.1%}", bar)
    if len(first) > len(shown):
        rest = sum(count for _, count in first[len(shown) :])
        name = f"{len(first) - len(shown):,} more"
        table.add_row(name, f"{rest:,}", f"{rest / total:6.1%}")
    return table


def _share(value: float) -> str:
    return "not defined" if value != value else f"{value:.1%}"  # noqa: PLR0124 (NaN)
