"""The command `study`: every figure of a study, as tables, pictures and a page."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from consilience.cli.options import READ_AS_IT_IS, Flag, Reading, read_responses
from consilience.cli.study_options import USUAL, StudyOptions, make_study
from consilience.cli.terminal import check_free, finish, print_json, screen

if TYPE_CHECKING:
    from consilience.progress import Progress


def study(  # noqa: PLR0913 (each option stands alone)
    run: Path,
    /,
    *,
    responses: Path,
    out: Path,
    options: StudyOptions = USUAL,
    names: Path | None = None,
    images: Path | None = None,
    pictures: Literal["embedded", "linked"] = "embedded",
    picture_size: int = 320,
    title: str | None = None,
    reading: Reading = READ_AS_IT_IS,
    overwrite: Flag = False,
    json: Flag = False,
) -> None:
    """Write every figure of a study as tables, pictures and a page.

    Needs consilience[report].

    Parameters
    ----------
    run
        Folder of the run.
    responses
        What the run was fitted to (a folder of responses or any readable file), with
        the data set's own labels.
    out
        Folder to write: index.html, the page; tables, each figure as CSV and Parquet;
        figures, each as SVG and PNG.
    names
        Names of labels: a table of label and name, or a JSON object of names by label.
        By default as the responses name them (--labels).
    images
        Folder of pictures named as the items are, or a list or Parquet file of images
        as `classify` takes: adds a picture to each item.
    pictures
        Where they are: inside the page, or files in a folder beside it, for many
        images.
    picture_size
        Pixels of the longer side of a picture.
    title
        Title of the page; by default the name of the run.
    overwrite
        Replace an existing study.
    json
        Print the result as JSON.

    Examples
    --------
    consilience study run --responses responses --predictions predictions --out
        study
    """
    from consilience.posterior import load
    from consilience.reports import PAGE, check_installed, gather, write_study
    from consilience.responses.offers import read_names

    check_installed()
    check_free(out, marker=PAGE, overwrite=overwrite)
    called = None if names is None else read_names(names)
    show = screen(as_json=json)
    with show.status("reading") as status:

        def tell(progress: "Progress") -> None:
            status.update(progress.sentence())

        fitted = load(run)
        given = read_responses([responses], reading)
        made = make_study(fitted, given, options, called)
        for step in made.make():
            tell(step)
        contents = gather(
            {run.resolve().name: fitted},
            responses=given,
            study=made,
            images=images,
            picture_size=picture_size,
            title=title,
            progress=tell,
        )
        page = write_study(
            contents, out, pictures=pictures, overwrite=overwrite, progress=tell
        )
    for figure in made.figures.values():
        if figure.leads:
            show.print(figure.finding)
    for why, figures in made.lacking.items():
        show.print(f"not drawn: {', '.join(figures)}: {why}", soft_wrap=True)
    number = len(made.figures)
    show.print(
        f"{number} figures written to {out}; open {page} in a browser", soft_wrap=True
    )
    finish(show, None, "export", run, "--out", out.parent / "tables")
    if json:
        findings = {name: each.finding for name, each in made.figures.items()}
        print_json({"out": out, "findings": findings, "left_out": made.left_out})
