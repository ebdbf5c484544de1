"""The command `agreement`: coefficients of agreement."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from consilience.cli.options import READ_AS_IT_IS, Flag, Prob, Reading, read_responses
from consilience.cli.terminal import check_free, finish, print_json, rows, screen
from consilience.errors import as_options

if TYPE_CHECKING:
    from consilience.analysis import Agreement

_MARKER = "coefficients.parquet"


def agreement(  # noqa: PLR0913 (each option stands alone)
    responses: list[Path],
    /,
    *,
    by: Annotated[
        tuple[Literal["label", "pair"], ...], Parameter(show_default=False)
    ] = (),
    distance: Literal["nominal", "ordinal", "interval", "ratio", "jaccard", "masi"]
    | None = None,
    prob: Prob = 0.9,
    bootstrap: int = 1000,
    seed: int = 0,
    out: Path | None = None,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Flag = False,
    json: Flag = False,
) -> None:
    """Measure how far annotators agree: every usual coefficient, with intervals.

    Percent agreement, Cohen, Scott, Fleiss, Conger, Brennan-Prediger, Gwet's AC1 and
    AC2, Krippendorff's alpha. Those that are not defined are listed with the reason.

    Parameters
    ----------
    responses
        A folder of responses, or files of any readable format.
    by
        Also show agreement on each label, of each pair of annotators, or both.
    distance
        Distance between two answers: nominal, ordinal, interval or ratio;
        for objects nominal, jaccard or masi. By default nominal for choice, ordinal
        (no, maybe, yes) for contains, masi for objects.
    prob
        Probability that an interval covers.
    bootstrap
        Resamples of the items; with 0 intervals are from the published variance.
    seed
        Seed of the resamples.
    out
        Folder for the whole tables, as Parquet.
    overwrite
        Replace an existing folder of these tables.
    json
        Print the result as JSON.

    Examples
    --------
    consilience agreement responses
    consilience agreement ratings.csv --distance ordinal --by pair --out agreement
    """
    from consilience.analysis import agreement as measure
    from consilience.cli.pages.agreement import agreement_page

    if out is not None:
        check_free(out, marker=_MARKER, overwrite=overwrite)
    measured = measure(
        read_responses(responses, reading),
        distance=distance,
        by=by,
        prob=prob,
        bootstrap=bootstrap,
        seed=seed,
    )
    show = screen(as_json=json)
    show.print(agreement_page(measured))
    if out is not None:
        _write(measured, out, overwrite=overwrite)
    finish(show, out, "fit", *responses, "--out", "run")
    if json:
        print_json(_as_json(measured, out))


def _write(agreement: "Agreement", out: Path, *, overwrite: bool) -> None:
    """Write the tables, with what their numbers mean in the files' metadata."""
    from consilience.posterior.results.items import write_parquet
    from consilience.whole_folder import whole_folder

    def ours(folder: Path) -> bool:
        return (folder / _MARKER).is_file()

    about: dict[str, str | float] = {
        "prob": agreement.prob,
        "interval": "item bootstrap, equal-tailed",
        "distance": agreement.distance,
        "resamples": agreement.resamples,
        "seed": agreement.seed,
    }
    with whole_folder(out, replaceable=ours if overwrite else None) as partial:
        write_parquet(agreement.coefficients, partial / _MARKER, about)
        if agreement.labels is not None:
            write_parquet(agreement.labels, partial / "labels.parquet", about)
        if agreement.pairs is not None:
            write_parquet(agreement.pairs, partial / "pairs.parquet", about)


def _as_json(agreement: "Agreement", out: Path | None) -> dict[str, Any]:
    """Return all that was found as plain values."""
    values: dict[str, Any] = {
        "kind": agreement.kind,
        "distance": agreement.distance,
        "answers": agreement.answers,
        "items": agreement.items,
        "questions": agreement.questions,
        "paired": agreement.paired,
        "annotators": agreement.annotators,
        "anonymous": agreement.anonymous,
        "categories": agreement.categories,
        "prob": agreement.prob,
        "resamples": agreement.resamples,
        "seed": agreement.seed,
        "coefficients": rows(
            agreement.coefficients.assign(
                reason=agreement.coefficients["reason"].map(as_options)
            )
        ),
        "notes": [*map(as_options, agreement.notes)],
    }
    if agreement.labels is not None:
        values["labels"] = rows(agreement.labels)
    if agreement.pairs is not None:
        values["pairs"] = rows(agreement.pairs)
    if out is not None:
        values["out"] = out
    return values
