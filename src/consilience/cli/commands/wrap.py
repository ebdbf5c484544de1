"""The command `wrap`: the folder of a classifier from an ONNX network."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from consilience.cli.options import Json, Overwrite
from consilience.cli.terminal import check_free, finish, screen

Numbers = Annotated[tuple[float, ...], Parameter(show_default=False)]


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
    output: Literal["logits", "probabilities"] | None = None,
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
    output
        What the network gives; by default logits, unless its outputs sum to one.
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
    consilience wrap network.onnx --labels labels.txt --mean 0.485 0.456 0.406 --std
        0.229 0.224 0.225 --out classifier
    consilience wrap model.onnx --labels labels.txt --preprocessor
        preprocessor_config.json --out classifier
    """
    from consilience.classifiers import wrap as run

    check_free(out, marker="manifest.toml", overwrite=overwrite)
    wrapped = run(
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
        output=output,
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
    following = ("classify", "IMAGES", "--model-dir", out, "--out", "predictions")
    finish(show, result, *following, written=out)
