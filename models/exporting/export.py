"""Export a PyTorch network to a classifier's folder, and verify the outputs.

The exported graph takes eight-bit RGB squares, so that scaling the pixels is part of
the network, and gives logits. One network exports to the same bytes each time.

`python -m models.exporting NAME --out FOLDER` builds those
whose weights are in packages of the registry; `export_network` takes any network of the
shape that torchvision's and timm's have.
"""

import hashlib
import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from consilience.classifiers.classifier import SHOWN, golden_of
from consilience.classifiers.images import decode, prepare
from consilience.classifiers.manifest import (
    Accuracy,
    LabelFile,
    Licence,
    Manifest,
    Network,
    Preprocessing,
    Source,
    Storage,
    parse_labels,
    write_manifest,
)
from consilience.errors import SourceError, UnavailableError
from consilience.whole_folder import whole_folder
from models.exporting.photographs import photograph
from models.exporting.storing import as_bytes, store, strip_traces

OPSET = 18
MAX_BATCH = 4096
MAX_DIFFERENCE = 1e-4  # of a logit, exported less original, both in single precision
# Half-precision weights move a logit by up to some .02, another processor by 1e-3; a
# wrong filter moves one by .2 and more.
TOLERANCE = 0.05
MARGIN = 1.2  # of the tolerance where weights in eight bits move a logit by more


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a manifest says of a network and the network itself does not.

    Attributes
    ----------
    name, family, preprocessing, licence, source, accuracy
        As in the manifest.
    mean, scale
        What is taken from a pixel, 0 to 255, of each colour, and what it is then
        divided by. Of torchvision's usual weights: 255 x (.485, .456, .406) and
        255 x (.229, .224, .225).
    """

    name: str
    family: str
    preprocessing: Preprocessing
    licence: Licence
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    source: Source | None = None
    accuracy: Accuracy | None = None


def export_network(
    network: Any,
    folder: str | Path,
    about: About,
    *,
    labels: bytes,
    licence: str,
    storage: Storage = "float16",
    photographs: Sequence[str] = (),
) -> Manifest:
    """Write a network as a classifier's folder.

    Parameters
    ----------
    network
        A `torch.nn.Module` that takes images x colour x row x column and gives logits.
    folder
        To write; it must not be there yet.
    about
        Entries of the manifest.
    labels
        The label file: one label per line, or a table with tabs and a header.
    licence
        Text of the licence.
    storage
        Precision in which weights are stored; see `storing.store`.
    photographs
        Names of scikit-image's photographs whose answers the manifest records.

    Raises
    ------
    UnavailableError
        torch or onnxscript is not installed.
    SourceError
        The export gives other logits than the network, or not as many as labels.
    FolderExistsError
        The folder is there already.
    """
    wrapped = _wrap(network, about)
    exported = strip_traces(_export(wrapped, about.preprocessing.size))
    squares = _squares(about.preprocessing, photographs)
    original = _answers(wrapped, squares)
    difference = _largest_difference(_run(as_bytes(exported), squares), original)
    if difference > MAX_DIFFERENCE:
        msg = (
            f"{about.name}: exported and original logits differ by {difference:.1e}, "
            f"more than {MAX_DIFFERENCE:.0e}; the network does not export as it is"
        )
        raise SourceError(msg)
    data = as_bytes(store(exported, storage))
    stored = _run(data, squares)
    listed = parse_labels(labels, "labels")
    if len(listed) != original.shape[1]:
        msg = (
            f"{about.name}: {original.shape[1]:,} outputs for {len(listed):,} labels; "
            "list one label per output"
        )
        raise SourceError(msg)
    golden = tuple(
        golden_of(row, listed.label, photograph=name, tolerance=_tolerance(row, moved))
        for name, row, moved in zip(
            photographs, original[RANDOM:], stored[RANDOM:], strict=True
        )
    )
    source = about.source or Source(package="", version="")
    manifest = Manifest(
        schema=1,
        name=about.name,
        family=about.family,
        network=Network(
            file="model.onnx",
            sha256=hashlib.sha256(data).hexdigest(),
            storage=storage,
            disable_quant_qdq=storage == "int8",
        ),
        labels=LabelFile(
            file="labels.tsv",
            sha256=hashlib.sha256(labels).hexdigest(),
            count=len(listed),
        ),
        preprocessing=about.preprocessing,
        licence=about.licence,
        source=Source(
            package=source.package,
            version=source.version,
            weights_sha256=source.weights_sha256,
            exporter=", ".join(f"{n} {version(n)}" for n in ("torch", "onnxscript")),
            worst_difference=float(f"{difference:.1e}"),
            stored_difference=float(f"{_largest_difference(stored, original):.1e}"),
        ),
        accuracy=about.accuracy,
        golden=golden,
    )
    _write(Path(folder), manifest, {"model.onnx": data, "labels.tsv": labels}, licence)
    return manifest


RANDOM = 3  # squares of noise that an export is also compared on


def _wrap(network: Any, about: About) -> Any:
    torch = _torch()

    class Wrapped(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        """Eight-bit squares in, logits out."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            for name, value in (("mean", about.mean), ("scale", about.scale)):
                row = torch.tensor(value, dtype=torch.float32).view(1, 3, 1, 1)
                self.register_buffer(name, row)

        def forward(self, image: Any) -> Any:
            pixels = image.permute(0, 3, 1, 2).to(torch.float32)
            return self.network((pixels - self.mean) / self.scale)

    return Wrapped().eval()


def _export(wrapped: Any, side: int) -> Any:
    torch = _torch()
    image = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    batch = torch.export.Dim("batch", min=1, max=MAX_BATCH)
    with redirect_stdout(io.StringIO()):
        program = torch.onnx.export(
            wrapped,
            (image,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["logits"],
            dynamic_shapes=({0: batch},),
            external_data=False,
            verbose=False,
        )
    return program.model_proto


def _squares(how: Preprocessing, photographs: Sequence[str]) -> np.ndarray:
    """Squares of noise, then the photographs."""
    shape = (RANDOM, how.size, how.size, 3)
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    shown = [prepare(decode(photograph(name)).rgb, how) for name in photographs]
    return np.stack([*noise, *shown])


def _answers(wrapped: Any, squares: np.ndarray) -> np.ndarray:
    torch = _torch()
    with torch.no_grad(), redirect_stdout(io.StringIO()):
        logits: np.ndarray = wrapped(torch.from_numpy(squares)).numpy()
    return logits


def _run(data: bytes, squares: np.ndarray) -> np.ndarray:
    import onnxruntime  # noqa: PLC0415 (an extra)

    opened = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    logits: np.ndarray = opened.run(None, {"image": squares})[0]
    return logits


def _largest_difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def _tolerance(original: np.ndarray, stored: np.ndarray) -> float:
    """Return by how much the first logits of a picture may differ."""
    first = np.argsort(-original, kind="stable")[:SHOWN]
    moved = MARGIN * _largest_difference(stored[first], original[first])
    return max(TOLERANCE, float(f"{moved:.1e}"))


def _write(
    place: Path, manifest: Manifest, files: dict[str, bytes], licence: str
) -> None:
    with whole_folder(place) as partial:
        for name, data in files.items():
            (partial / name).write_bytes(data)
        (partial / manifest.licence.file).write_text(licence, encoding="utf-8")
        write_manifest(manifest, partial)


def _torch() -> Any:
    try:
        import onnxscript  # noqa: F401, PLC0415 (an extra)
        import torch  # noqa: PLC0415
    except ImportError as error:
        msg = f"{error.name} is not installed; install requirements/export.txt"
        raise UnavailableError(msg) from None
    return torch
