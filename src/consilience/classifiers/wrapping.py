"""An ONNX network as the folder of a classifier, checked against the network itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from consilience.classifiers.classifier import (
    KINDS,
    MIN_PROBABILITY,
    check_golden,
    external_weights,
    golden_of,
    load_classifier,
    one_line,
    parse_network,
    pattern,
    to_pixels,
)
from consilience.classifiers.images import UnusableImageError, decode, prepare
from consilience.classifiers.manifest import (
    FILE,
    Answers,
    Colour,
    Filter,
    LabelFile,
    Labels,
    Layout,
    Licence,
    Manifest,
    Mode,
    Network,
    digest,
    parse_labels,
    write_manifest,
)
from consilience.classifiers.runtime import Choice, choose, session
from consilience.classifiers.settings import (
    ASSUMED,
    AXES,
    GIVEN,
    Decision,
    Each,
    Settings,
    Taken,
    check_choices,
    normalization,
    read_preprocessor,
    read_source,
    settle,
)
from consilience.errors import OptionError, SourceError
from consilience.whole_folder import whole_folder

OLDEST_OPSET = 7  # whose arithmetic broadcasts as it does now
OPSET = 18  # that is recommended where ONNX Runtime rejects another
MAX_BYTES = 2**31 - 1  # of a protobuf message
NOISE = 3  # squares of noise that a network is also compared on
# Of the largest answer: by how much wrapped and original answers may differ.
MAX_DIFFERENCE, MAX_DIFFERENCE_HALF = 1e-4, 1e-2
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
        The first labels of the golden picture, by their column `name` if there is one.
    difference : float
        The largest difference between the answers of the folder and of the network,
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
    preprocessor: str | Path | None = None,
    name: str | None = None,
    family: str | None = None,
    licence: str | None = None,
    picture: str | Path | None = None,
    overwrite: bool = False,
) -> Wrapped:
    """Make the folder of a classifier from an ONNX network.

    The network takes a batch of floating-point images and gives one logit or
    probability per label. It stays as it is; how pixels are scaled, the order of the
    axes and that of the colours are written to the manifest. Nothing is written unless
    the folder gives the answers of the network.

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
    layout, size, mode, resize, filter, colour : optional
        As in `Pixels` and `Preprocessing` of the manifest; layout and size are read
        from the graph where it fixes them.
    preprocessor : str or Path, optional
        `preprocessor_config.json` of Hugging Face or `config.json` of timm, for
        settings that are not given.
    name, family, licence : str, optional
        As in the manifest; name and family are by default the name of the folder.
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
    SourceError
        If a file does not exist, or the network is not an image classifier, contradicts
        a setting, has another number of outputs than there are labels, or answers
        differently when wrapped.
    OptionError
        If a setting is missing or invalid.
    FolderExistsError
        If the folder exists.

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
    place, on_cpu = Path(out), choose("cpu")
    called = place.resolve().name if name is None else name
    if not NAME.fullmatch(called):
        raise OptionError(
            f"`name={called}`: expected letters, digits, dots, hyphens, underscores, "
            "a letter or digit first; give another `name=`"
        )
    words: dict[str, Any] = {
        "mode": mode,
        "filter": filter,
        "colour": colour,
        "layout": layout,
    }
    check_choices(words)
    if isinstance(labels, str | Path):
        table, whence = read_source(labels), str(labels)
    else:
        lines = (f"{each}\n" for each in ("label", *labels))
        table, whence = "".join(lines).encode(), "`labels=`"
    listed = parse_labels(table, whence)
    if len(listed) < 2:
        raise OptionError(f"`labels=` lists {len(listed)} labels; expected two or more")
    pixels = normalization(mean, scale, std)
    given = Settings(**pixels, **words, size=size, resize=resize)
    stated, source = Settings(), ""
    if preprocessor is not None:
        stated, source = read_preprocessor(Path(preprocessor)), Path(preprocessor).name
    network = _read_network(Path(model), on_cpu)
    taken = network.taken
    how, preprocessing, decisions = settle(given, stated, source, taken, network.path)
    shown, kind = _picture(picture)
    shape = (NOISE, preprocessing.size, preprocessing.size, 3)
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    squares = np.stack([prepare(decode(shown).rgb, preprocessing), *noise])
    several = _answers(network, to_pixels(squares, how, taken.kind))
    chosen = _output(several, listed, network)
    original = several[chosen].reshape(len(squares), -1).astype(np.float32)
    answers, origin = _kind_of_answers(network, chosen, original)
    first = original[0]
    if answers == "probabilities":
        first = np.log(np.maximum(first, MIN_PROBABILITY))
    spdx = licence or UNSTATED
    manifest = Manifest(
        schema=1,
        name=called,
        family=family or called,
        network=Network(
            file="model.onnx",
            sha256=digest(network.data),
            input=taken.name,
            output=chosen,
            answers=answers,
            storage="float16" if taken.kind == np.float16 else "float32",
        ),
        labels=LabelFile(file="labels.tsv", sha256=digest(table), count=len(listed)),
        preprocessing=preprocessing,
        pixels=how,
        licence=Licence(spdx=spdx),
        golden=(golden_of(first, listed.label, file=f"golden.{kind}"),),
    )
    files = {
        manifest.network.file: network.data,
        manifest.labels.file: table,
        manifest.licence.file: f"{spdx}\n".encode(),
        f"golden.{kind}": shown,
    }

    with whole_folder(place, replaceable=FILE if overwrite else None) as part:
        for file, content in files.items():
            (part / file).write_bytes(content)
        write_manifest(manifest, part)
        difference = _compare(part, squares, original, network)
        check_golden(part)
    names = listed.columns.get("name", listed.label)
    return Wrapped(
        manifest,
        decisions=(
            *decisions,
            Decision("output", answers, origin),
            Decision("licence", spdx, GIVEN if licence else ASSUMED),
        ),
        first=tuple(names[listed.label.index(x)] for x in manifest.golden[0].labels),
        difference=difference,
    )


@dataclass(frozen=True, slots=True)
class _Original:
    """A network as it was exported, opened on the CPU."""

    path: Path
    model: Any
    data: bytes
    session: Any
    taken: Taken

    def refusal(self, why: str) -> SourceError:
        """Return the error that names the network."""
        return SourceError(f"{self.path}: {why}")


def _read_network(path: Path, on_cpu: Choice) -> _Original:
    """Read a network, with weights that lie in files beside it."""
    import onnx  # noqa: PLC0415 (an extra)

    if not path.is_file():
        raise SourceError(
            f"{path}: there is no such file; give the ONNX file of a network"
        )
    data = path.read_bytes()
    model = parse_network(data, path)
    outside = any(external_weights(model))
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # noqa: BLE001 (of the checker, the disk, the sizes)
        raise SourceError(
            f"{path}: its weights in other files cannot be read ({one_line(error)}); "
            "keep the files of an export together in one folder"
        ) from None
    if not model.graph.node:
        raise SourceError(
            f"{path}: is not an ONNX network, or an empty one; export it again"
        )
    if model.ByteSize() > MAX_BYTES:
        raise SourceError(
            f"{path}: has {model.ByteSize() / 1e9:.1f} GB of weights; expected at most "
            "2 GB, which fit in one file: store them in half precision"
        )
    data = model.SerializeToString(deterministic=True) if outside else data
    opened = _open(model, data, on_cpu, path)
    return _Original(path, model, data, opened, _read_input(opened, path))


def _open(model: Any, data: bytes, on_cpu: Choice, where: Path) -> Any:
    """Open a network on the CPU."""
    opset = next((x.version for x in model.opset_import if not x.domain), OPSET)
    why = f"opset {opset} is older than {OLDEST_OPSET}"
    if opset >= OLDEST_OPSET:
        try:
            return session(data, on_cpu, threads=1)
        except Exception as error:  # noqa: BLE001 (its errors share no root)
            why = one_line(error)
    raise SourceError(
        f"{where}: ONNX Runtime rejects it ({why}); export it with opset {OPSET}"
    )


def _read_input(opened: Any, where: Path) -> Taken:
    """Return what a network takes."""
    inputs = opened.get_inputs()
    if len(inputs) != 1:
        several = ", ".join(repr(value.name) for value in inputs)
        raise SourceError(
            f"{where}: takes {len(inputs)} inputs ({several}); expected one: "
            "export the image classifier alone"
        )
    kind = inputs[0].type
    shape = tuple(n if isinstance(n, int) and n > 0 else None for n in inputs[0].shape)
    if kind not in KINDS:
        raise SourceError(
            f"{where}: takes {kind}; expected numbers in half, single or double "
            "precision: export the network without its own preprocessing"
        )
    if len(shape) != 4 or all(each not in {3, None} for each in shape[1:]):
        dims = ", ".join("any" if each is None else str(each) for each in shape)
        raise SourceError(
            f"{where}: takes shape [{dims}]; expected {AXES['nchw']} or "
            f"{AXES['nhwc']}, images in three colours"
        )
    return Taken(inputs[0].name, KINDS[kind], shape)


def _answers(network: _Original, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Return all outputs for images, each run alone: it fills a batch that is fixed."""
    taken, session = network.taken, network.session
    times = taken.batch or 1
    batches = np.repeat(pixels, times, axis=0).reshape(-1, times, *pixels.shape[1:])
    try:
        alone = [session.run(None, {taken.name: batch}) for batch in batches]
    except Exception as error:  # noqa: BLE001 (ONNX Runtime's errors share no root)
        why = (
            f"cannot be run on {pixels.shape[1:]} numbers per image "
            f"({one_line(error)}); check `size=` and `layout=`, or export it again"
        )
        raise network.refusal(why) from None
    outputs = zip(session.get_outputs(), zip(*alone, strict=True), strict=True)
    return {
        output.name: np.concatenate([each[:1] for each in several])
        for output, several in outputs
    }


def _picture(picture: str | Path | None) -> tuple[bytes, str]:
    """Return the file of the golden picture, and its ending."""
    if picture is None:
        return pattern(), "png"
    path, data = Path(picture), read_source(picture)
    try:
        decode(data)
    except UnusableImageError as error:
        raise OptionError(f"{path}: {error}; give another golden picture") from None
    ending = path.suffix.lower().removeprefix(".")
    return data, ending if NAME.fullmatch(ending) else "image"


def _output(several: dict[str, np.ndarray], labels: Labels, network: _Original) -> str:
    """Return the name of the output that has as many numbers as there are labels."""
    numbers = {name: each[0].size for name, each in several.items()}
    fitting = [name for name, number in numbers.items() if number == len(labels)]
    if len(fitting) == 1:
        return fitting[0]
    there = ", ".join(f"{name!r} with {number:,}" for name, number in numbers.items())
    if fitting:
        why = (
            f"has several outputs for {len(labels):,} labels ({there}); expected one: "
            "export the logits alone"
        )
    else:
        why = (
            f"has the output {there} numbers per image for {len(labels):,} labels; "
            "expected one per label: list the labels in the order of the outputs, a "
            "background class included"
        )
    raise network.refusal(why)


def _kind_of_answers(
    network: _Original, output: str, numbers: np.ndarray
) -> tuple[Answers, str]:
    """Return whether a network gives logits or probabilities, and how that is known."""
    if not np.isfinite(numbers).all():
        raise network.refusal(
            "gives numbers that are not finite; export it for inference"
        )
    made_by = {name: node for node in network.model.graph.node for name in node.output}
    node = made_by.get(output)
    while node is not None and node.op_type in {"Identity", "Cast"}:
        node = made_by.get(node.input[0])
    if node is not None and node.op_type in {"Sigmoid", "HardSigmoid"}:
        raise network.refusal(
            f"ends in {node.op_type}, a probability for each label by itself; expected "
            "logits or probabilities of labels that exclude each other"
        )
    shares = numbers.astype(np.float64)
    sums_to_one = np.allclose(shares.sum(1), 1, atol=SUM_TOLERANCE)
    if (shares >= 0).all() and sums_to_one:
        return "probabilities", "the outputs, which sum to one"
    return "logits", ASSUMED


def _compare(
    folder: Path, squares: np.ndarray, original: np.ndarray, network: _Original
) -> float:
    """Return the largest difference from the original answers; refuse a large one."""
    remedy = "export it for inference and with a free batch"
    if network.taken.batch is not None:
        fixed = f"its batch is fixed at {network.taken.batch}"
        remedy = f"{fixed}: export it with a free batch"
    wrapped = load_classifier(folder, choose("cpu"))
    try:
        parts = [wrapped.logits(each) for each in (squares[:1], squares[1:])]
    except Exception as error:  # noqa: BLE001 (ONNX Runtime's errors share no root)
        why = f"cannot be run when wrapped ({one_line(error)}); {remedy}"
        raise network.refusal(why) from None
    answers = np.concatenate(parts)
    if wrapped.manifest.network.answers == "probabilities":
        answers = np.exp(answers)
    difference = float(np.abs(answers - original).max())
    half = network.taken.kind == np.float16
    allowed = MAX_DIFFERENCE_HALF if half else MAX_DIFFERENCE
    if difference > allowed * max(1.0, float(np.abs(original).max())):
        why = f"answers differ by {difference:.2g} when wrapped; {remedy}"
        raise network.refusal(why)
    return difference
