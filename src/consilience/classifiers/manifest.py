"""The manifest of a classifier: files and hashes, preprocessing, licence.

One folder holds one classifier: the network, its labels, its licence and
`manifest.toml`, which names them. All files lie in the folder itself, under a plain
name; a manifest that points elsewhere is refused.

**The labels, in the order of the outputs.** A text table (tabs, with a header). The
column `label` is what predictions carry; it is unique. Other columns name the same
label otherwise. Of ImageNet's thousand classes the label is the index in the order of
WordNet ids, and `wnid`, `name` (made unique: two pairs of classes share a name) and
`synonyms` stand beside it.
"""

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w

from consilience.errors import SourceError
from consilience.whole_folder import whole_file

FILE = "manifest.toml"

type Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
type Plain = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")]
MAX_SIDE = 4096
type Storage = Literal["float32", "float16", "int8"]
type Side = Annotated[int, msgspec.Meta(ge=1, le=MAX_SIDE)]
type Positive = Annotated[float, msgspec.Meta(gt=0)]
type Mode = Literal["crop", "squash"]
type Filter = Literal["bicubic", "bilinear", "lanczos"]
type Colour = Literal["rgb", "bgr"]
type Layout = Literal["nchw", "nhwc"]
type Answers = Literal["logits", "probabilities"]


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a manifest: what it does not know, it refuses."""


class Network(_Record, frozen=True):
    """The file of the network.

    Attributes
    ----------
    file, sha256
        Name in the folder, and hash of all its bytes.
    input, output
        Names in the graph.
    answers
        Whether the output is logits or probabilities.
    storage
        Precision in which the weights, in `int8` the large ones, are stored. Arithmetic
        is that of the graph, which is single where weights are converted when they are
        loaded.
    disable_quant_qdq
        Whether ONNX Runtime unpacks int8 weights once, when loading: right where
        int8 serves only to store them.
    """

    file: Plain
    sha256: Sha256
    input: str = "image"
    output: str = "logits"
    answers: Answers = "logits"
    storage: Storage = "float32"
    disable_quant_qdq: bool = False


class LabelFile(_Record, frozen=True):
    """The labels, in the order of the outputs.

    Attributes
    ----------
    file, sha256
        Name in the folder, and hash of all its bytes.
    count
        K, how many.
    """

    file: Plain
    sha256: Sha256
    count: Annotated[int, msgspec.Meta(ge=2)]


class Preprocessing(_Record, frozen=True):
    """How an image becomes the square that the network takes.

    Attributes
    ----------
    size
        Side of the square in pixels.
    mode
        `crop`: the square in the middle; `squash`: the whole image, its shape changed.
    resize
        What the shorter side would be scaled to (`squash`: both sides) before a square
        of `size` is cut out; it is done in one step. To squash, by default `size`.
    filter
        Pillow's resampling. Another library's filter of the same name gives other
        pixels, and other answers.
    """

    size: Side
    mode: Mode = "crop"
    resize: Side | None = None
    filter: Filter = "bicubic"


class Pixels(_Record, frozen=True):
    """How the pixels of a square become the numbers that the network takes.

    Attributes
    ----------
    mean, scale
        A pixel x, 0 to 255, becomes (x - mean) * scale, for each of the network's
        colours in its order.
    colour
        Order of the colours.
    layout
        Order of the axes: `nchw` is image x colour x row x column.
    """

    mean: tuple[float, float, float]
    scale: tuple[Positive, Positive, Positive]
    colour: Colour = "rgb"
    layout: Layout = "nchw"


class Source(_Record, frozen=True):
    """Where the weights come from, and what exported them."""

    package: str
    version: str
    weights_sha256: Sha256 | None = None
    exporter: str = ""
    worst_difference: float | None = None
    stored_difference: float | None = None


class Licence(_Record, frozen=True):
    """Terms of the weights."""

    spdx: str
    file: Plain = "LICENSE"
    note: str = ""


class Accuracy(_Record, frozen=True):
    """What is published of the classifier; nothing here was measured by us."""

    dataset: str
    top1: Annotated[float, msgspec.Meta(ge=0, le=1)]
    published: str


class Golden(_Record, frozen=True, kw_only=True):
    """What the original network says of a picture.

    Attributes
    ----------
    photograph
        Name of its file in scikit-image, without the ending.
    file
        Name of its file in the folder, if it is none of scikit-image's.
    labels, logits
        The first of its answers, the most probable first, as the network that was
        exported gives them.
    tolerance
        By how much a logit may differ.
    """

    photograph: Plain | None = None
    file: Plain | None = None
    labels: tuple[str, ...]
    logits: tuple[float, ...]
    tolerance: float


class Manifest(_Record, frozen=True):
    """All that is known of a classifier.

    Attributes
    ----------
    name
        Name of the classifier; predictions carry it.
    family
        Classifiers of one family count as one when they are pooled.
    pixels
        Without it, the network takes the squares as they are: uint8, image x row x
        column x (red, green, blue).
    """

    schema: Literal[1]
    name: Plain
    family: str
    network: Network
    labels: LabelFile
    preprocessing: Preprocessing
    licence: Licence
    pixels: Pixels | None = None
    source: Source | None = None
    accuracy: Accuracy | None = None
    golden: tuple[Golden, ...] = ()


def read_manifest(folder: str | Path) -> Manifest:
    """Read the manifest of a classifier's folder."""
    path = Path(folder) / FILE
    if Path(folder).is_file():
        raise SourceError(
            f"{folder}: a file, not the folder of a classifier; a network becomes one "
            "by `consilience images wrap`"
        )
    if not path.is_file():
        raise SourceError(
            f"{folder}: holds no {FILE}; give the folder of a classifier, or export "
            "one as the documentation describes"
        )
    try:
        manifest = msgspec.toml.decode(path.read_bytes(), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{path}: {error}; fix it, or export the classifier again"
        ) from None
    if any((one.photograph is None) == (one.file is None) for one in manifest.golden):
        raise SourceError(
            f"{path}: a golden picture is a photograph of scikit-image or a file of "
            "the folder; name one of the two"
        )
    prep = manifest.preprocessing
    usual = prep.size if prep.mode == "squash" else 0
    if (usual if prep.resize is None else prep.resize) < prep.size:
        raise SourceError(
            f"{path}: preprocessing.resize must say what the shorter side is "
            f"scaled to, at least {prep.size}; found {prep.resize}"
        )
    return manifest


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write the manifest into a classifier's folder."""
    with whole_file(folder / FILE) as partial:
        partial.write_text(as_toml(manifest), encoding="utf-8")


def digest(data: bytes) -> str:
    """Return the hash of a file as the manifest has it."""
    return hashlib.sha256(data).hexdigest()


def checked_bytes(folder: Path, part: Network | LabelFile) -> bytes:
    """Return the bytes of a file of the folder, as the manifest's hash has them."""
    path = folder / part.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({error.strerror}), though {FILE} names it; copy "
            "the whole folder, or export the classifier again"
        ) from None
    actual = digest(data)
    if actual != part.sha256:
        raise SourceError(
            f"{path}: its SHA-256 is {actual[:12]}…, but {FILE} says "
            f"{part.sha256[:12]}…; the file is cut off or another one: copy it again, "
            "or export the classifier again"
        )
    return data


def as_toml(record: msgspec.Struct) -> str:
    """Return a record as TOML, without what is not known: TOML has no word for it."""

    def stated(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: stated(part) for k, part in value.items() if part is not None}
        return [stated(part) for part in value] if isinstance(value, tuple) else value

    return tomli_w.dumps(stated(msgspec.to_builtins(record)))


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels in the order of the outputs."""

    label: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        """K, how many."""
        return len(self.label)


def read_labels(folder: Path, part: LabelFile) -> Labels:
    """Read the labels of a classifier's folder."""
    labels = parse_labels(checked_bytes(folder, part), str(folder / part.file))
    if len(labels) != part.count:
        raise SourceError(
            f"{folder / part.file}: lists {len(labels):,} labels, the manifest says "
            f"{part.count:,}; export the classifier again"
        )
    return labels


def parse_labels(data: bytes, source: str) -> Labels:
    """Read a table of labels; without a header line, each line is a label."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(
            f"{source}: is not UTF-8 text; write one label per line"
        ) from None
    quoted = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    try:
        rows = [row for row in csv.reader(io.StringIO(text), **quoted) if row]  # type: ignore[arg-type]
    except csv.Error as error:
        raise SourceError(
            f"{source}: is not a table of tab-separated cells ({error})"
        ) from None
    header = rows[0] if rows and "label" in rows[0] else None
    names, body = (header, rows[1:]) if header else (["label"], rows)
    wrong = next((row for row in body if len(row) != len(names)), None)
    if wrong is not None:
        raise SourceError(
            f"{source}: a row has {len(wrong)} cells, not {len(names)}: {wrong[:3]}"
        )
    if len(set(names)) != len(names):
        raise SourceError(
            f"{source}: two columns have one name ({', '.join(names)}); rename one"
        )
    columns = dict(zip(names, zip(*body, strict=True), strict=True)) if body else {}
    label = columns.get("label", ())
    if len(set(label)) != len(label) or not all(label):
        raise SourceError(
            f"{source}: a label is empty or stands twice; make every label unique"
        )
    return Labels(label, columns)
