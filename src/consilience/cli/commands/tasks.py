"""The command `tasks`: candidates as task files of a labelling tool."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from consilience.cli.options import Flag, Json, Overwrite
from consilience.cli.terminal import check_free, finish, screen


def tasks(  # noqa: PLR0913 (each option stands alone)
    candidates: Path,
    /,
    *,
    tool: Annotated[
        Literal["label-studio", "mturk", "zooniverse"], Parameter(name="--for")
    ],
    out: Path,
    kind: Literal["choice", "contains", "objects"] = "choice",
    images: Path | None = None,
    image_prefix: str | None = None,
    question: str | None = None,
    top: int | None = None,
    no_none: Flag = False,
    seed: int = 0,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Write the tasks of a labelling tool: images with their candidates.

    `read` reads what the tool exports, with the labels that were on screen. The folder
    has a README.txt that says how to import the tasks.

    Parameters
    ----------
    candidates
        Folder that `candidates` wrote, or a table of item and label, and name where
        labels are codes.
    tool
        The labelling tool.
    out
        Folder of tasks to write.
    kind
        Kind of question: which label is it (choice), which labels are present
        (contains), or a label for each object and the main one (objects).
    images
        Folder of the images; items are named after the path of their image in it, its
        name, or its name without ending.
    image_prefix
        Beginning of the images' addresses, which mturk needs; by default label-studio
        serves images from its own machine, and zooniverse uploads them.
    question
        The question; by default a usual one.
    top
        Number of candidates of each item, the first ones; by default all.
    no_none
        Do not offer "none of these".
    seed
        Seed of the order in which the candidates of an item are shown.

    Examples
    --------
    consilience tasks candidates --for label-studio --images photos --out tasks
    """
    import pandas as pd

    from consilience.tasks import write_tasks
    from consilience.tasks.writing import OFFERED, README

    check_free(out, marker=OFFERED, overwrite=overwrite)
    write_tasks(
        candidates,
        out,
        tool=tool,
        kind=kind,
        images=images,
        image_prefix=image_prefix,
        question=question,
        top=top,
        none=not no_none,
        seed=seed,
        overwrite=overwrite,
    )
    offered = pd.read_parquet(out / OFFERED)
    number = offered.groupby("item").size()
    few, many = int(number.min()), int(number.max())
    show = screen(as_json=json)
    show.print(
        f"{len(number):,} tasks, each with {few:,}{f' to {many:,}' * (few < many)} "
        f"answers to choose from; their order is drawn for each item (seed {seed})",
        soft_wrap=True,
    )
    show.print(f"how to import them: {out / README}", soft_wrap=True)
    result = {"out": out, "tasks": len(number), "answers": len(offered)}
    following = ("read", "EXPORT", "--out", out.parent / "responses")
    finish(show, result, *following, written=out)
