"""The command `classify`: predictions of image classifiers."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from consilience.cli.options import Flag, Json
from consilience.cli.terminal import check_free, finish, screen


def classify(  # noqa: PLR0913 (each option stands alone)
    images: list[Path],
    /,
    *,
    model_dir: Annotated[list[Path], Parameter(consume_multiple=True)],
    out: Path,
    device: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto",
    precision: Literal["single", "half"] = "single",
    keep: int = 20,
    naming: Literal["path", "name", "stem"] = "path",
    item: str = "item",
    image: str = "image",
    path: str = "path",
    batch: int | None = None,
    readers: int | None = None,
    threads: int | None = None,
    overwrite: Flag = False,
    json: Json = False,
) -> None:
    """Classify images: the most probable labels of each, by several classifiers.

    Images that are done are not done again: after an interruption the same command
    continues. Images that cannot be used are listed in the table images, with the
    reason.

    Parameters
    ----------
    images
        Folders, image files, lists of paths (.txt, .csv, .tsv) or Parquet files.
    model_dir
        Folders of classifiers.
    out
        Folder of predictions to write or to continue.
    device
        Where to run; auto takes the GPU, by CUDA, where there is one.
    precision
        Precision of the arithmetic of the networks. Half moves logits by some
        hundredths; it is meant for GPUs, and slower on a CPU.
    keep
        Number of labels to keep for each image and classifier, the most probable ones.
    naming
        What names the item: the whole path, the file's name, or its name without the
        ending.
    item
        Column of a list or table that names the item.
    image
        Column of a Parquet file that holds the images.
    path
        Column of a list or table that holds paths.
    batch
        Images that a classifier takes at once; by default 16, on a GPU 128.
    readers
        Threads that read and decode images; by default one per processor.
    threads
        Threads that compute on the CPU; by default one per processor.
    overwrite
        Start over where there are predictions already; these stay until the new ones
        are complete. If interrupted before that, it starts over again.

    Examples
    --------
    consilience classify photos --model-dir models/efficientnet_lite0 --out
        predictions
    """
    from consilience.classifiers import Pace, list_images
    from consilience.classifiers import classify as run
    from consilience.classifiers.predictions import FILE
    from consilience.progress import bar

    check_free(out, marker=FILE, overwrite=True)
    listed = list_images(images, naming=naming, item=item, image=image, path=path)
    show = screen(as_json=json)
    if listed.left_aside:
        sentence = (
            "skipped, because their names are not those of images: "
            f"{listed.left_aside:,}"
        )
        show.print(sentence)
    with bar() as report:
        outcome = run(
            listed,
            model_dir,
            out,
            device=device,
            precision=precision,
            keep=keep,
            pace=Pace(batch=batch, readers=readers, threads=threads),
            report=report,
            overwrite=overwrite,
        )
    show.print(f"ran on {outcome.device}", soft_wrap=True)
    rate = outcome.classified / max(outcome.seconds, 1e-9)
    sentence = f"{outcome.classified:,} images"
    sentence += f", {rate:,.1f} a second" if outcome.classified else ""
    sentence += f"; {outcome.before:,} were done before" if outcome.before else ""
    show.print(sentence)
    if outcome.unusable:
        sentence = f"{outcome.unusable:,} could not be used: see the column reason of"
        show.print(f"{sentence} {out / 'images'}", soft_wrap=True)
    result = {"predictions": out, **asdict(outcome)}
    following = ("candidates", out, "--out", out.parent / "candidates")
    finish(show, result, *following, written=out)
