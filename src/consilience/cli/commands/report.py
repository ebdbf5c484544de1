"""The command `report`: one HTML file to look at."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from consilience.cli.options import (
    READ_AS_IT_IS,
    Flag,
    Reading,
    read_responses,
)
from consilience.cli.study_options import USUAL, StudyOptions, make_study
from consilience.cli.terminal import finish, print_json, screen

if TYPE_CHECKING:
    import pandas as pd

    from consilience.progress import Progress


def report(  # noqa: PLR0913 (each option stands alone)
    runs: list[Path],
    /,
    *,
    out: Path,
    responses: Path | None = None,
    options: StudyOptions = USUAL,
    evaluation: Annotated[tuple[Path, ...], Parameter(show_default=False)] = (),
    names: Path | None = None,
    images: Path | None = None,
    pictures: Literal["embedded", "linked"] = "embedded",
    picture_size: int = 320,
    title: str | None = None,
    bootstrap: int = 1000,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Flag = False,
    json: Flag = False,
) -> None:
    """Write one HTML file that shows runs: to search, to sort, to print.

    The file works offline. Needs consilience[report].

    Parameters
    ----------
    runs
        Folder of a run, or folders of several of one kind, to show side by side.
    out
        HTML file to write.
    responses
        What the runs were fitted to (a folder of responses or any readable file): adds
        what was read, kept and dropped, the data set's own labels, and with these the
        findings and figures of the study (of the first run).
    evaluation
        Tables about models, such as `evaluate` writes: CSV or Parquet files, or
        folders of them.
    names
        Names of labels on the page: a table of label and name, or a JSON object
        of names by label. By default as the responses name them (--labels).
    images
        Folder of pictures named as the items are, or a list or Parquet file of images
        as `classify` takes: adds a picture to each item.
    pictures
        Where they are: inside the HTML file, or files in the folder NAME_files beside
        NAME.html, for many images.
    picture_size
        Pixels of the longer side of a picture.
    title
        Title of the page; by default the names of the runs.
    bootstrap
        Resamples of the items for the intervals of agreement.
    overwrite
        Replace an existing report, and its folder of pictures.
    json
        Print the result as JSON.

    Examples
    --------
    consilience report run --responses responses --out report.html
    consilience report run --images photos --pictures linked --out report.html
    """
    from consilience.posterior import load
    from consilience.reports import check_installed, check_place, gather, write
    from consilience.reports.pictures import folder_of
    from consilience.reports.record import evaluation_tables
    from consilience.responses.offers import read_names

    check_installed()
    check_place(out, pictures=pictures, overwrite=overwrite)
    tables: dict[str, pd.DataFrame] = {}
    for path in evaluation:
        tables |= evaluation_tables(path)
    called = None if names is None else read_names(names)
    show = screen(as_json=json)
    with show.status("gathering what the runs say") as status:

        def tell(step: "Progress") -> None:
            status.update(step.sentence())

        named = zip(_names(runs), runs, strict=True)
        fits = {name: load(run) for name, run in named}
        given = made = None
        if responses is not None:
            given = read_responses([responses], reading)
            made = make_study(fits[next(iter(fits))], given, options, called)
        for step in () if made is None else made.make():
            tell(step)
        page = gather(
            fits,
            responses=given,
            evaluation=tables,
            study=made,
            names=called,
            images=images,
            picture_size=picture_size,
            title=title,
            bootstrap=bootstrap,
            progress=tell,
        )
        size = write(page, out, pictures=pictures, overwrite=overwrite)
    sentence = f"written to {out} ({size / 1e6:.1f} MB); open it in a browser"
    show.print(sentence)
    if pictures == "linked" and page.pictures:
        beside = f"its pictures are in {folder_of(out)}, which goes where the page goes"
        show.print(beside, soft_wrap=True)
    if images is not None and page.images_missing:
        lacking = f"{page.images_missing:,} items have no picture in {images}"
        show.print(lacking)
    finish(show, None, "export", runs[0], "--out", out.parent / "tables")
    if json:
        items = len(page.runs[0].table("items"))
        print_json({"out": out, "bytes": size, "items": items, "runs": runs})


def _names(runs: list[Path]) -> list[str]:
    """Return the folders' names; the paths as given where names are not different."""
    short = [run.resolve().name for run in runs]
    return short if len(set(short)) == len(short) else [str(run) for run in runs]
