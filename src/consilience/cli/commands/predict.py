"""The command `predict`: the truth of new items, by an earlier run's parameters."""

import warnings
from dataclasses import asdict, replace
from pathlib import Path

from consilience.cli.commands.fit import summary
from consilience.cli.commands.runs import save
from consilience.cli.options import (
    READ_AS_IT_IS,
    Flag,
    Reading,
    print_account,
    read_gold,
    read_responses,
    with_options,
)
from consilience.cli.terminal import check_free, finish, print_json, screen
from consilience.errors import as_options


def predict(  # noqa: PLR0913 (each option stands alone)
    run: Path,
    responses: list[Path],
    /,
    *,
    out: Path,
    candidates: Path | None = None,
    similarity: Path | None = None,
    gold: Path | None = None,
    contains: Path | None = None,
    overwrite: Flag = False,
    json: Flag = False,
    reading: Reading = READ_AS_IT_IS,
) -> None:
    """Predict the truth of new items with the parameters of an earlier run.

    All parameters stay as that run estimated them. Annotators are matched by name; an
    unknown one is treated as an average annotator of that run. If all are unknown, a
    warning says so.

    Parameters
    ----------
    run
        Folder of the earlier run.
    responses
        A folder of responses, or files of any readable format.
    out
        Run folder to write.
    candidates
        Table of candidates of the new items, as for `fit`.
    similarity
        Table of labels that are similar, as for `fit`.
    gold
        Table of new items whose truth is given.
    contains
        Answers of kind contains about the new items, as for `fit`.
    overwrite
        Replace an existing run.
    json
        Print the result as JSON.

    Examples
    --------
    consilience predict run new-responses --out predicted
    """
    check_free(out, marker="run.toml", overwrite=overwrite)
    show = screen(as_json=json)
    data = read_responses(responses, reading, both=True)
    truth = None if gold is None else read_gold(gold, reading)
    data = replace(data, gold=data.gold if truth is None else truth)
    from consilience import fitting
    from consilience.cli.pages.fit import fit_page
    from consilience.errors import UnfamiliarAnnotatorsWarning
    from consilience.posterior import load

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnfamiliarAnnotatorsWarning)  # printed below
        predicted = fitting.predict(
            load(run),
            data,
            candidates=candidates,
            similarity=similarity,
            gold=truth,
            contains=contains,
        )
    warning = as_options(predicted.data.attrs.get("warning", ""))
    if warning:
        show.print(f"WARNING: {warning}", style="bold color(160)", soft_wrap=True)
    print_account(show, data)
    save(predicted, out, overwrite=overwrite)
    show.print(fit_page(predicted))
    finish(show, out, "export", out, "--out", out.parent / "tables")
    if json:
        print_json(
            {
                "run": out,
                "warning": warning,
                **summary(predicted),
                "cleaning": asdict(with_options(data).cleaning),
            }
        )
