"""An ONNX network as the folder of a classifier, checked against the network itself."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from consilience.classifiers.images.decoding import UnusableImageError, decode
from consilience.classifiers.running.classifier import (
    MIN_PROBABILITY,
    Labels,
    parse_labels,
)
from consilience.classifiers.running.manifest import (
    LabelFile,
    Licence,
    Manifest,
    Network,
    write_manifest,
)
from consilience.classifiers.running.preprocessing import prepare
from consilience.classifiers.running.runtime import load_runtime
from consilience.classifiers.wrapping import golden, network
from consilience.classifiers.wrapping.composing import compose, to_pixels
from consilience.classifiers.wrapping.network import Layout, Taken
from consilience.classifiers.wrapping.settings import (
    ASSUMED,
    GIVEN,
    GRAPH,
    Answers,
    Colour,
    Decision,
    Each,
    Filter,
    Mode,
    Settings,
    Settled,
    check_choices,
    normalization,
    read_preprocessor,
    settle,
)
from consilience.errors import (
    BadClassifierError,
    OptionError,
    SourceNotFoundError,
)
from consilience.whole_folder import whole_folder

NOISE = 3  # squares of noise that a network is also compared on
# Of the largest answer: by how much wrapped and original answers may differ.
MAX_DIFFERENCE = {np.dtype(np.float16): 1e-2}
MAX_DIFFERENCE_SINGLE = 1e-4
SUM_TOLERANCE = 1e-3  # of probabilities
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
UNSTATED = "NOASSERTION"  # of a licence, as SPDX has it


@dataclass(frozen=True, slots=True)
class Wrapped:
    """The folder of a classifier that has been made.

    Attributes
    ----------
    manifest : Manifest
        What was written.
    decisions : tuple of Decision
        Every setting with its value and where it comes from: given, stated by a file
        or the graph, or assumed. `str` gives each as a line.
    first : tuple of str
        The first labels of the golden picture, by the column `name` of the labels if
        they have one.
    difference : float
        The largest difference between answers of the wrapped and the original network,
        on the golden picture and on noise.
    """

    manifest: Manifest
    decisions: tuple[Decision, ...]
    first: tuple[str, ...]
    difference: float


def wrap(  # noqa: PLR0913 (each setting stands alone)
    model: str | Path,
    labels: str | Path | Sequence[str],
    out: str | Path,
    *,
    mean: Each | None = None,
    scale: Each | None = None,
    std: Each | None = None,
    layout: Layout | None = None,
    size: int | None = None,
    mode: Mode | None = None,
    resize: int | None = None,
    filter: Filter | None = None,  # noqa: A002 (its name in the manifest)
    colour: Colour | None = None,
    output: Answers | None = None,
    preprocessor: str | Path | None = None,
    name: str | None = None,
    family: str | None = None,
    licence: str | None = None,
    picture: str | Path | None = None,
    overwrite: bool = False,
) -> Wrapped:
    """Make the folder of a classifier from an ONNX network.

    The network takes a batch of floating-point images and gives one logit or
    probability per label. Scaling the pixels, the order of the axes and that of the
    colours become part of the graph, so that it takes eight-bit RGB squares. Nothing is
    written unless the wrapped and the original network agree.

    Parameters
    ----------
    model : str or Path
        ONNX file. Weights in other files beside it are taken into the folder.
    labels : str, Path or sequence of str
        Labels in the order of the outputs: a text file with one per line, a table with
        tabs and a header, or the labels themselves.
    out : str or Path
        Folder to write.
    mean, scale : float or three floats, optional
        A pixel x, 0 to 255, becomes (x - mean) * scale.
    std : float or three floats, optional
        Instead of `scale`: a pixel x, 0 to 255, becomes (x / 255 - mean) / std.
    layout : {"nchw", "nhwc"}, optional
        Order of the axes. By default read from the graph.
    size : int, optional
        Side of the square in pixels. By default read from the graph.
    mode : {"crop", "squash"}, optional
        Whether the square is cut out of the middle, or the whole image is resized to
        it.
    resize : int, optional
        What the shorter side (to squash, each side) is scaled to before a square is cut
        out.
    filter : {"bicubic", "bilinear", "lanczos"}, optional
        Resampling.
    colour : {"rgb", "bgr"}, optional
        Order of the colours that the network takes; `mean` and `scale` are in it.
    output : {"logits", "probabilities"}, optional
        What the network gives. A softmax at its end is removed.
    preprocessor : str or Path, optional
        `preprocessor_config.json` of Hugging Face or `config.json` of timm, for
        settings that are not given.
    name, family : str, optional
        Of the classifier; by default the name of the folder. Classifiers of one family
        count as one when they are pooled.
    licence : str, optional
        SPDX identifier of the licence of the weights.
    picture : str or Path, optional
        Golden picture, which is copied to the folder with the answers of the network.
        By default a pattern.
    overwrite : bool, default False
        Replace the folder of a classifier.

    Returns
    -------
    Wrapped
        The manifest, and each setting with where it comes from.

    Raises
    ------
    SourceNotFoundError
        If a file does not exist.
    BadClassifierError
        If the network is not an image classifier, contradicts a setting, has another
        number of outputs than there are labels, or answers differently when wrapped.
    OptionError
        If a setting is missing or invalid.
    FolderExistsError
        If the folder exists.
    MissingExtraError
        If ONNX Runtime is not installed.

    See Also
    --------
    classify : Classify images with it.
    check_golden : Compare the folder with its golden picture, on another machine.

    Examples
    --------
    A network that answers with the mean of each colour:

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import onnx
    >>> from consilience.classifiers import wrap
    >>> graph = onnx.parser.parse_model('''
    ...     <ir_version: 10, opset_import: ["": 18]>
    ...     mean_colour (float[n, 3, 8, 8] pixels) => (float[n, 3] logits) {
    ...         means = GlobalAveragePool (pixels)
    ...         logits = Flatten (means)
    ...     }''')
    >>> with TemporaryDirectory() as folder:
    ...     onnx.save(graph, Path(folder, "colours.onnx"))
    ...     made = wrap(
    ...         Path(folder, "colours.onnx"),
    ...         ["red", "green", "blue"],
    ...         Path(folder, "colours"),
    ...         mean=(0.485, 0.456, 0.406),
    ...         std=(0.229, 0.224, 0.225),
    ...     )
    >>> made.manifest.network.answers
    'logits'
    >>> for each in made.decisions:
    ...     print(each)
    mean: 123.675 116.28 103.53 (given)
    scale: 0.0171248 0.017507 0.0174292 (given)
    size: 8 (the graph)
    mode: crop (assumed)
    resize: 9 (assumed)
    filter: bicubic (assumed)
    colour: rgb (assumed)
    layout: nchw (the graph)
    output: logits (assumed)
    licence: NOASSERTION (assumed)
    """
    path, place = Path(model), Path(out)
    load_runtime()
    words = {"mode": mode, "filter": filter, "colour": colour, "layout": layout}
    check_choices({**words, "output": output})
    called = _name(name, place)
    listed, table = _labels(labels)
    if len(listed) < 2:
        msg = f"`labels=` lists {len(listed)} labels; expected two or more"
        raise OptionError(msg)
    given = Settings(
        **normalization(mean, scale, std),
        size=size,
        mode=mode,
        resize=resize,
        filter=filter,
        colour=colour,
        layout=layout,
    )
    stated, source = Settings(), ""
    if preprocessor is not None:
        stated, source = read_preprocessor(Path(preprocessor)), Path(preprocessor).name
    loaded, session = network.open_network(network.load_network(path), path)
    taken = network.read_input(loaded, path)
    how = settle(given, stated, source, taken, path)
    shown, kind = _picture(picture)
    squares = _squares(shown, how)
    pixels = to_pixels(squares, how, taken.kind)
    several = dict(
        zip(
            [each.name for each in session.get_outputs()],
            network.answers(session, pixels, taken, path),
            strict=True,
        )
    )
    chosen = _output(several, listed, path)
    tensor, decided = _answers(loaded, chosen, several[chosen], output, path)
    bare = network.prune(loaded, tensor)
    _, bare_session = network.open_network(bare, path)
    original = network.answers(bare_session, pixels, taken, path)[0]
    freed = loaded if taken.batch is None else network.free_batch(loaded, taken)
    whole, image, last = compose(freed, taken, how, tensor, original.shape)
    data = network.as_bytes(whole)
    original = original.reshape(len(squares), -1).astype(np.float32)
    difference = _compare(data, image, last, squares, original, taken, path)
    first = original[0]
    if decided.value == "probabilities":
        first = np.log(np.maximum(first, MIN_PROBABILITY))
    manifest = Manifest(
        schema=1,
        name=called,
        family=family or called,
        network=Network(
            file="model.onnx",
            sha256=hashlib.sha256(data).hexdigest(),
            input=image,
            output=last,
            answers="logits" if decided.value == "logits" else "probabilities",
            storage="float16" if taken.kind == np.float16 else "float32",
        ),
        labels=LabelFile(
            file="labels.tsv",
            sha256=hashlib.sha256(table).hexdigest(),
            count=len(listed),
        ),
        preprocessing=how.preprocessing,
        licence=Licence(spdx=licence or UNSTATED),
        golden=(golden.golden_of(first, listed.label, file=f"golden.{kind}"),),
    )
    files = {
        manifest.network.file: data,
        manifest.labels.file: table,
        manifest.licence.file: f"{manifest.licence.spdx}\n".encode(),
        f"golden.{kind}": shown,
    }
    with whole_folder(place, replaceable=_is_classifier if overwrite else None) as part:
        for file, content in files.items():
            (part / file).write_bytes(content)
        write_manifest(manifest, part)
        golden.check_golden(part)
    terms = Decision("licence", manifest.licence.spdx, GIVEN if licence else ASSUMED)
    names = dict(
        zip(listed.label, listed.columns.get("name", listed.label), strict=True)
    )
    shown_first = tuple(names[label] for label in manifest.golden[0].labels)
    return Wrapped(manifest, (*how.decisions, decided, terms), shown_first, difference)


def _is_classifier(folder: Path) -> bool:
    return (folder / "manifest.toml").is_file()


def _name(name: str | None, out: Path) -> str:
    called = out.resolve().name if name is None else name
    if not NAME.fullmatch(called):
        msg = (
            f"`name={called}`: expected letters, digits, dots, hyphens, underscores, "
            "a letter or digit first; give another `name=`"
        )
        raise OptionError(msg)
    return called


def _labels(labels: str | Path | Sequence[str]) -> tuple[Labels, bytes]:
    """Return the labels, and their bytes for the folder."""
    if isinstance(labels, str | Path):
        try:
            data = Path(labels).read_bytes()
        except OSError as error:
            msg = f"{labels}: cannot be read ({error.strerror}); check the path"
            raise SourceNotFoundError(msg) from None
        return parse_labels(data, str(labels)), data
    data = "".join(f"{each}\n" for each in ("label", *labels)).encode()
    return parse_labels(data, "`labels=`"), data


def _picture(picture: str | Path | None) -> tuple[bytes, str]:
    """Return the file of the golden picture, and its ending."""
    if picture is None:
        return golden.pattern(), "png"
    path = Path(picture)
    try:
        data = path.read_bytes()
        decode(data)
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror}); check the path"
        raise SourceNotFoundError(msg) from None
    except UnusableImageError as error:
        msg = f"{path}: {error}; give another golden picture"
        raise OptionError(msg) from None
    ending = path.suffix.lower().removeprefix(".")
    return data, ending if NAME.fullmatch(ending) else "image"


def _squares(picture: bytes, how: Settled) -> np.ndarray:
    """Return the square of the golden picture, then squares of noise."""
    shape = (NOISE, how.preprocessing.size, how.preprocessing.size, 3)
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return np.stack([prepare(decode(picture).rgb, how.preprocessing), *noise])


def _output(several: dict[str, np.ndarray], labels: Labels, where: Path) -> str:
    """Return the name of the output that has as many numbers as there are labels."""
    shapes = {name: each.shape[1:] for name, each in several.items()}
    fitting = [name for name, shape in shapes.items() if np.prod(shape) == len(labels)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(
        f"{name!r} with {int(np.prod(shape)):,}" for name, shape in shapes.items()
    )
    if fitting:
        msg = (
            f"{where}: has several outputs for {len(labels):,} labels ({there}); "
            "expected one: export the logits alone"
        )
    else:
        msg = (
            f"{where}: has the output {there} numbers per image for {len(labels):,} "
            "labels; expected one per label: list the labels in the order of the "
            "outputs, a background class included"
        )
    raise BadClassifierError(msg)


def _answers(
    model: Any,
    output: str,
    numbers: np.ndarray,
    given: Answers | None,
    where: Path,
) -> tuple[str, Decision]:
    """Return the tensor to answer with, and whether it has logits or probabilities."""
    node = network.last_operator(model, output)
    operator = "" if node is None else node.op_type
    shares = numbers.reshape(len(numbers), -1).astype(np.float64)
    sums = bool(
        (shares >= 0).all() and np.allclose(shares.sum(1), 1, atol=SUM_TOLERANCE)
    )
    if operator in {"Sigmoid", "HardSigmoid"}:
        msg = (
            f"{where}: ends in {operator}, a probability for each label by itself; "
            "expected logits or probabilities of labels that exclude each other"
        )
        raise BadClassifierError(msg)
    if given == "logits" and sums:
        msg = (
            f"{where}: its outputs are probabilities, which sum to one, not logits; "
            "give `output='probabilities'`"
        )
        raise BadClassifierError(msg)
    if given == "probabilities" and not sums:
        msg = (
            f"{where}: its outputs are not probabilities, which are positive and sum "
            "to one; give `output='logits'`"
        )
        raise BadClassifierError(msg)
    if operator == "Softmax" and sums:
        logits = f"{GRAPH}, without its last operator, Softmax"
        return node.input[0], Decision("output", "logits", logits)
    if sums:
        origin = given and GIVEN
        why = origin or "the outputs, which sum to one"
        return output, Decision("output", "probabilities", why)
    return output, Decision("output", "logits", GIVEN if given else ASSUMED)


def _compare(
    data: bytes,
    image: str,
    last: str,
    squares: np.ndarray,
    original: np.ndarray,
    taken: Taken,
    where: Path,
) -> float:
    """Return the largest difference from the original answers; refuse a large one."""
    remedy = "export it for inference and with a free batch"
    if taken.batch is not None:
        remedy = f"its batch is fixed at {taken.batch}: export it with a free batch"
    try:
        session = network.session_of(data)
        parts = [
            session.run([last], {image: each})[0] for each in (squares[:1], squares[1:])
        ]
        wrapped = np.concatenate(parts).astype(np.float32)
    except Exception as error:  # noqa: BLE001 (ONNX Runtime's errors share no root)
        msg = (
            f"{where}: cannot be run when wrapped ({network.one_line(error)}); {remedy}"
        )
        raise BadClassifierError(msg) from None
    if wrapped.shape != original.shape or not np.isfinite(original).all():
        msg = (
            f"{where}: gives shape {wrapped.shape} or numbers that are not finite; "
            f"expected {original.shape}: {remedy}"
        )
        raise BadClassifierError(msg)
    difference = float(np.abs(wrapped - original).max())
    allowed = MAX_DIFFERENCE.get(taken.kind, MAX_DIFFERENCE_SINGLE)
    if difference > allowed * max(1.0, float(np.abs(original).max())):
        msg = f"{where}: answers differ by {difference:.2g} when wrapped; {remedy}"
        raise BadClassifierError(msg)
    return difference
