"""The commands about classifiers: `wrap`, which makes one, and `classify`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from consilience.cli.options import LISTED, Flag, Json, Overwrite, Paths
from consilience.cli.terminal import check_free, finish, screen

Numbers = Annotated[tuple[float, ...], LISTED]


def wrap(  # noqa: PLR0913 (each option stands alone)
    model: Path,
    /,
    *,
    labels: Path,
    out: Path,
    mean: Numbers = (),
    scale: Numbers = (),
    std: Numbers = (),
    layout: Literal["nchw", "nhwc"] | None = None,
    size: int | None = None,
    mode: Literal["crop", "squash"] | None = None,
    resize: int | None = None,
    filter: Literal["bicubic", "bilinear", "lanczos"] | None = None,  # noqa: A002
    colour: Literal["rgb", "bgr"] | None = None,
    preprocessor: Path | None = None,
    name: str | None = None,
    family: str | None = None,
    licence: str | None = None,
    picture: Path | None = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Make the folder of a classifier from any floating-point ONNX network.

    The network stays as it is; how pixels are scaled, the order of the axes and that
    of the colours are written to the manifest. Each setting is printed with where it
    comes from: given, read from the graph or the file of the preprocessing, or assumed.
    Nothing is written unless the folder gives the answers of the network.

    Parameters
    ----------
    model
        ONNX file; weights in other files beside it are taken into the folder.
    labels
        Labels in the order of the outputs: one per line, or a table with tabs and a
        header.
    out
        Folder to write.
    mean
        One or three numbers: a pixel x, 0 to 255, becomes (x - mean) * scale. With
        --std, of pixels from 0 to 1.
    scale
        One or three numbers by which a pixel less the mean is multiplied.
    std
        Instead of --scale: a pixel x becomes (x / 255 - mean) / std.
    layout
        Order of the axes; by default read from the graph.
    size
        Side of the square in pixels; by default read from the graph.
    mode
        Whether a square is cut out of the middle, or the whole image is resized to it;
        by default crop.
    resize
        What the shorter side (to squash, each side) is scaled to before a square is cut
        out; by default 8/7 of the size (to squash, the size).
    filter
        Resampling; by default bicubic.
    colour
        Order of the colours that the network takes; by default rgb. Mean and scale are
        in this order.
    preprocessor
        preprocessor_config.json of Hugging Face or config.json of timm, for settings
        that are not given.
    name
        Name of the classifier; by default that of the folder.
    family
        Classifiers of one family count as one when they are pooled; by default the
        name.
    licence
        SPDX identifier of the licence of the weights.
    picture
        Golden picture, copied to the folder with the answers of the network; by default
        a pattern.

    Examples
    --------
    consilience images wrap network.onnx --labels labels.txt --mean 0.485 0.456 0.406
        --std 0.229 0.224 0.225 --out classifier
    consilience images wrap model.onnx --labels labels.txt --preprocessor
        preprocessor_config.json --out classifier
    """
    from consilience.classifiers import wrap as make

    check_free(out, marker="manifest.toml", overwrite=overwrite)
    wrapped = make(
        model,
        labels,
        out,
        mean=mean or None,
        scale=scale or None,
        std=std or None,
        layout=layout,
        size=size,
        mode=mode,
        resize=resize,
        filter=filter,
        colour=colour,
        preprocessor=preprocessor,
        name=name,
        family=family,
        licence=licence,
        picture=picture,
        overwrite=overwrite,
    )
    show = screen(as_json=json)
    for decision in wrapped.decisions:
        show.print(str(decision), soft_wrap=True)
    first = "first labels of the golden picture:"
    show.print(f"{first} {', '.join(wrapped.first)}", soft_wrap=True)
    sentence = "largest difference from the original answers:"
    show.print(f"{sentence} {wrapped.difference:.1e}", soft_wrap=True)
    result = {
        "classifier": out,
        "name": wrapped.manifest.name,
        "difference": wrapped.difference,
        "first_labels": wrapped.first,
        "decisions": wrapped.decisions,
    }
    classified = ("images", "classify", "IMAGES", "--model-dir", out)
    finish(show, result, *classified, "--out", "predictions", written=out)


def classify(  # noqa: PLR0913 (each option stands alone)
    images: list[Path],
    /,
    *,
    model_dir: Paths,
    out: Path,
    device: Literal["auto", "cpu", "cuda"] = "auto",
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
    consilience images classify photos --model-dir models/efficientnet_lite0 --out
        predictions
    """
    from consilience.classifiers import classify as run
    from consilience.classifiers import list_images
    from consilience.classifiers.predictions import FILE
    from consilience.progress import bar

    check_free(out, marker=FILE, overwrite=True)
    listed = list_images(images, naming=naming, item=item, image=image, path=path)
    show = screen(as_json=json)
    if listed.left_aside:
        sentence = "skipped, because their names are not those of images:"
        show.print(f"{sentence} {listed.left_aside:,}")
    with bar() as report:
        outcome = run(
            listed,
            model_dir,
            out,
            device=device,
            keep=keep,
            batch=batch,
            readers=readers,
            threads=threads,
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
    following = ("images", "candidates", out, "--out", out.parent / "candidates")
    finish(show, result, *following, written=out)
