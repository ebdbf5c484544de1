"""The command `agreement`: coefficients of agreement."""

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from rich.console import Group, RenderableType
from rich.text import Text

from consilience.cli.options import (
    LISTED,
    READ_AS_IT_IS,
    Json,
    Overwrite,
    Prob,
    Reading,
    Seed,
    Sources,
    read_responses,
)
from consilience.cli.terminal import check_free, finish, screen
from consilience.errors import as_options
from consilience.whole_folder import whole_folder

if TYPE_CHECKING:
    from consilience.analysis import Agreement

_MAX_LABELS, _MAX_PAIRS = 15, 5
_MARKER = "coefficients.parquet"


def agreement(  # noqa: PLR0913 (each option stands alone)
    responses: Sources,
    /,
    *,
    by: Annotated[tuple[Literal["label", "pair"], ...], LISTED] = (),
    distance: Literal["nominal", "ordinal", "interval", "ratio", "jaccard", "masi"]
    | None = None,
    prob: Prob = 0.9,
    resamples: int = 1000,
    seed: Seed = 0,
    out: Path | None = None,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Measure how far annotators agree: every usual coefficient, with intervals.

    Percent agreement, Cohen, Scott, Fleiss, Conger, Brennan-Prediger, Gwet's AC1 and
    AC2, Krippendorff's alpha. Those that are not defined are listed with the reason.

    Parameters
    ----------
    by
        Also show agreement on each label, of each pair of annotators, or both.
    distance
        Distance between two answers: nominal, ordinal, interval or ratio;
        for objects nominal, jaccard or masi. By default nominal for choice, ordinal
        (no, maybe, yes) for contains, masi for objects.
    resamples
        Resamples of the items; with 0 intervals are from the published variance.
    out
        Folder for the whole tables, as Parquet.

    Examples
    --------
    consilience agreement responses
    consilience agreement ratings.csv --distance ordinal --by pair --out agreement
    """
    from consilience.analysis import agreement as measure

    check_free(out, marker=_MARKER, overwrite=overwrite)
    measured = measure(
        read_responses(responses, reading),
        distance=distance,
        by=by,
        prob=prob,
        resamples=resamples,
        seed=seed,
    )
    show = screen(as_json=json)
    show.print(_page(measured))
    if out is not None:
        _write(measured, out, overwrite=overwrite)
    reasons = measured.coefficients["reason"].map(as_options)
    shown = replace(
        measured,
        coefficients=measured.coefficients.assign(reason=reasons),
        notes=tuple(map(as_options, measured.notes)),
    )
    result = {field.name: getattr(shown, field.name) for field in fields(shown)}
    result["out"] = out
    given = {name: value for name, value in result.items() if value is not None}
    finish(show, given, "fit", *responses, "--out", "run", written=out)


def _write(agreement: "Agreement", out: Path, *, overwrite: bool) -> None:
    """Write the tables, with what their numbers mean in the files' metadata."""
    from consilience.posterior.tables import write_parquet

    about: dict[str, str | float] = {
        "prob": agreement.prob,
        "interval": "item bootstrap, equal-tailed",
        "distance": agreement.distance,
        "resamples": agreement.resamples,
        "seed": agreement.seed,
    }
    tables = {
        _MARKER: agreement.coefficients,
        "labels.parquet": agreement.labels,
        "pairs.parquet": agreement.pairs,
    }
    with whole_folder(out, replaceable=_MARKER if overwrite else None) as partial:
        for name, table in tables.items():
            if table is not None:
                write_parquet(table, partial / name, about)


def _page(agreement: "Agreement") -> Group:
    """Return the page: what was compared, coefficients, notes, further tables."""
    from consilience.analysis import model_tables as shown
    from consilience.tables.terminal import terminal

    coefficients = terminal(shown.coefficients(agreement), drawn="value")
    parts: list[RenderableType] = [Text(), _head(agreement), Text(), coefficients]
    parts += [Text(as_options(each), "dim") for each in shown.undefined(agreement)]
    labels = shown.labels(agreement).first(_MAX_LABELS)
    for table in (labels, shown.pairs(agreement).ends(_MAX_PAIRS)):
        if len(table.frame):
            parts += [Text(), terminal(table, drawn="kappa")]
        elif table.note:
            parts += [Text(), Text(table.note, "dim")]
    notes = [
        Text(as_options(f"{note[0].upper()}{note[1:]}."), "dim")
        for note in agreement.notes
    ]
    return Group(*parts, *([Text(), *notes] if notes else []), Text())


def _head(agreement: "Agreement") -> Text:
    units = f"{agreement.items:,} items"
    if agreement.kind == "contains":
        units = f"{agreement.questions:,} pairs of item and label"
    people = "without ids"
    if agreement.annotators:
        people = f"by {agreement.annotators:,} annotators"
    what = {
        "choice": f"{agreement.categories:,} labels",
        "contains": "no maybe yes" if agreement.categories == 3 else "no yes",
        "objects": f"{agreement.categories:,} different sets of labels",
    }[agreement.kind]
    alike = {
        "nominal": "equal or not",
        "ordinal": "alike by rank",
        "interval": "alike by squared difference",
        "ratio": "alike by squared ratio",
        "jaccard": "alike by Jaccard's distance",
        "masi": "alike by MASI",
    }[agreement.distance]
    return Text.assemble(
        (f"{agreement.answers:,} answers", "bold"),
        f" to {units} {people}; {what}, {alike}",
    )
