"""A classifier that is loaded: checked against its manifest, and ready to answer.

**The labels of a classifier, in the order of its outputs.** A text table (tabs, with a
header). The column `label` is what predictions carry; it is unique. Other columns name
the same label otherwise. Of ImageNet's thousand classes the label is the index in the
order of WordNet ids, and `wnid`, `name` (made unique: two pairs of classes share a
name) and `synonyms` stand beside it.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from consilience.classifiers.running.manifest import (
    LabelFile,
    Manifest,
    checked_bytes,
    read_manifest,
)
from consilience.classifiers.running.runtime import (
    Choice,
    Place,
    Precision,
    runs_on,
    session,
    to_half_arithmetic,
)
from consilience.errors import BadClassifierError, ConsilienceError

MIN_PROBABILITY = 1e-30  # before its logarithm is taken


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels in the order of the outputs."""

    label: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        """K, how many."""
        return len(self.label)


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A network with its labels, in a session."""

    manifest: Manifest
    labels: Labels
    session: Any

    @property
    def name(self) -> str:
        """Name of the classifier."""
        return self.manifest.name

    @property
    def device(self) -> Place:
        """Where it runs."""
        return runs_on(self.session)

    def logits(
        self, squares: UInt8[np.ndarray, "B S S 3"]
    ) -> Float32[np.ndarray, "B K"]:
        """Return the logits of a batch of squares.

        The arrays are bound, so that the device takes and gives them without a copy
        more than it needs; on a CPU the same code runs.
        """
        network = self.manifest.network
        bound = self.session.io_binding()
        bound.bind_cpu_input(network.input, np.ascontiguousarray(squares))
        bound.bind_output(network.output)
        self.session.run_with_iobinding(bound)
        logits: np.ndarray = bound.copy_outputs_to_cpu()[0].astype(np.float32)
        if network.answers == "probabilities":
            logits = np.log(np.maximum(logits, MIN_PROBABILITY), dtype=np.float32)
        return logits


def load_classifier(
    folder: str | Path,
    choice: Choice,
    runtime: Any,
    *,
    threads: int = 1,
    precision: Precision = "single",
) -> Classifier:
    """Load a classifier from its folder, or refuse it.

    Parameters
    ----------
    folder
        Holds `manifest.toml` and the files that it names.
    choice
        The device.
    runtime
        The module of ONNX Runtime.
    threads
        Threads of arithmetic on the CPU.
    precision
        Precision of arithmetic; `half` is meant for GPUs, and slower on a CPU.

    Raises
    ------
    SourceNotFoundError
        There is no such folder.
    BadClassifierError
        A file is missing, cut off or another; the network keeps weights elsewhere, is
        none, or does not take and give what the manifest says.
    DeviceError
        The GPU is insisted on, and the session does not run there.
    """
    place = Path(folder)
    manifest = read_manifest(place)
    labels = read_labels(place, manifest.labels)
    network = manifest.network
    where = place / network.file
    data = checked_bytes(place, network)
    _check_self_contained(data, where)
    try:
        opened = session(
            data if precision == "single" else to_half_arithmetic(data),
            choice,
            runtime,
            threads=threads,
            precision=precision,
            disable_quant_qdq=network.disable_quant_qdq,
        )
    except ConsilienceError:
        raise
    except Exception as error:  # noqa: BLE001 (ONNX Runtime's errors share no root)
        raise _bad_classifier(
            where, f"ONNX Runtime rejects it: {_one_line(error)}"
        ) from None
    _check_shapes(manifest, opened, where)
    return Classifier(manifest, labels, opened)


def _check_self_contained(data: bytes, where: Path) -> None:
    """Reject what is not a network, and one that would open other files."""
    import onnx  # noqa: PLC0415 (an extra)
    from google.protobuf.message import DecodeError  # noqa: PLC0415

    try:
        model = onnx.load_from_string(data)
    except DecodeError:
        raise _bad_classifier(
            where, "it is not an ONNX network, or is truncated"
        ) from None
    outside = next(_external_weights(model), None)
    if outside is not None:
        why = f"its weights {outside!r} lie in another file; store them inside"
        raise _bad_classifier(where, why)


def _external_weights(message: Any) -> Iterator[str]:
    """Give the names of weights that are not in the file, however deep they sit."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        several = [value] if hasattr(value, "ListFields") else list(value)
        if field.name == "external_data" and several:
            yield message.name
        for part in several:
            if hasattr(part, "ListFields"):
                yield from _external_weights(part)


def _check_shapes(manifest: Manifest, opened: Any, where: Path) -> None:
    network, side = manifest.network, manifest.preprocessing.size
    inputs = {tensor.name: tensor for tensor in opened.get_inputs()}
    outputs = {tensor.name: tensor for tensor in opened.get_outputs()}
    for name, there in ((network.input, inputs), (network.output, outputs)):
        if name not in there:
            why = f"it has no {name!r} but {', '.join(map(repr, there))}"
            raise _bad_classifier(where, why)
    taken, given = inputs[network.input], outputs[network.output]
    if len(inputs) > 1:
        raise _bad_classifier(
            where, f"it takes {len(inputs)} inputs, not the image alone"
        )
    square = [side, side, 3]
    if taken.type != "tensor(uint8)" or list(taken.shape[1:]) != square:
        why = (
            f"it takes {taken.type} of shape {list(taken.shape)}; expected uint8 of "
            f"shape [batch, {side}, {side}, 3]"
        )
        raise _bad_classifier(where, why)
    if isinstance(taken.shape[0], int):
        raise _bad_classifier(
            where, f"its batch is fixed at {taken.shape[0]}, not free"
        )
    if len(given.shape) != 2 or given.shape[1] != manifest.labels.count:
        why = (
            f"it gives shape {list(given.shape)} for {manifest.labels.count:,} labels; "
            f"expected [batch, {manifest.labels.count}]"
        )
        raise _bad_classifier(where, why)


def _bad_classifier(where: Path, why: str) -> BadClassifierError:
    return BadClassifierError(f"{where}: {why}; export the classifier again")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def read_labels(folder: Path, part: LabelFile) -> Labels:
    """Read the labels of a classifier's folder."""
    labels = parse_labels(checked_bytes(folder, part), str(folder / part.file))
    if len(labels) != part.count:
        msg = (
            f"{folder / part.file}: lists {len(labels):,} labels, the manifest says "
            f"{part.count:,}; export the classifier again"
        )
        raise BadClassifierError(msg)
    return labels


def parse_labels(data: bytes, source: str) -> Labels:
    """Read a table of labels; without a header line, each line is a label."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = f"{source}: is not UTF-8 text; write one label per line"
        raise BadClassifierError(msg) from None
    quoted = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    try:
        rows = [row for row in csv.reader(io.StringIO(text), **quoted) if row]  # type: ignore[arg-type]
    except csv.Error as error:
        msg = f"{source}: is not a table of tab-separated cells ({error})"
        raise BadClassifierError(msg) from None
    header = rows[0] if rows and "label" in rows[0] else None
    names, body = (header, rows[1:]) if header else (["label"], rows)
    wrong = next((row for row in body if len(row) != len(names)), None)
    if wrong is not None:
        msg = f"{source}: a row has {len(wrong)} cells, not {len(names)}: {wrong[:3]}"
        raise BadClassifierError(msg)
    if len(set(names)) != len(names):
        msg = f"{source}: two columns have one name ({', '.join(names)}); rename one"
        raise BadClassifierError(msg)
    columns = dict(zip(names, zip(*body, strict=True), strict=True)) if body else {}
    label = columns.get("label", ())
    if len(set(label)) != len(label) or not all(label):
        msg = f"{source}: a label is empty or stands twice; make every label unique"
        raise BadClassifierError(msg)
    return Labels(label, columns)
