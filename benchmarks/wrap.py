"""Wrapped networks beside the libraries that they come from.

The code of the page on adding a classifier is run as it stands there, with weights that
are drawn at random where trained ones would be downloaded. Needs torch, torchvision,
timm and transformers, and the packages of `requirements/export.txt`.
"""

import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.measure import ROOT
from benchmarks.report import Report

PAGE = ROOT / "docs" / "how-to" / "bring-a-classifier.md"
LITE0 = ROOT / "models" / "efficientnet_lite0"
NEEDED = ("torch", "torchvision", "timm", "transformers", "efficientnet_lite_pytorch")
NOISE = 30
LEAST = 64  # pixels of a photograph's shorter side
# Classes of Hugging Face, with their defaults; those of MobileViT crop more than there
# is.
PROCESSORS = (
    "ViT",
    "Beit",
    "Siglip",
    "Pvt",
    "Flava",
    "EfficientNet",
    "DeiT",
    "ConvNext",
)
PROCESSORS += ("Bit", "CLIP", "Levit", "PoolFormer", "MobileNetV1", "MobileNetV2")
PROCESSORS += ("MobileViT",)
MOBILE = {"size": {"shortest_edge": 288}, "crop_size": {"height": 256, "width": 256}}
TIMM = {
    "input_size": (3, 224, 224),
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
}
TITLE = "Wrapping networks"

NOTES = (
    (
        "Each network is exported and wrapped by the code on the page [add a "
        "classifier](../how-to/bring-a-classifier.md), and compared with itself in "
        "torch, on the photographs that scikit-image ships and on pictures of noise. "
        "Those of the library `trained` are EfficientNet-Lite with the weights of its "
        "package. The others have random weights, because trained ones would be "
        "downloaded, with layers normalized on noise. `sd` is the standard deviation "
        "of the logits of a picture, to which differences compare."
    ),
    (
        "`network`: the same squares, resampled by consilience, are scaled by the "
        "library's mean and standard deviation and answered in torch, or answered by "
        "the wrapped graph. `whole`: the library resizes, crops and scales each "
        "photograph by its transform, beside the whole of consilience. Top-1 is the "
        "share of pictures with the same first label, top-5 the mean overlap of the "
        "first five."
    ),
    (
        "Files of preprocessing: pixels of the photographs by the settings that are "
        "read from a file, less those of the library that wrote it, before scaling. A "
        "picture that is squashed has the same pixels; one that is cropped is resized "
        "by the libraries to whole pixels first, which shifts it by up to half a pixel."
    ),
)
VIT = "google/vit-base-patch16-224"
FIXED = ((', dynamic_shapes=({0: "batch"},)', ""), ("torch.rand(2,", "torch.rand(1,"))
EARLIER = (
    (
        'dynamo=True, dynamic_shapes=({0: "batch"},)',
        'dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}}',
    ),
)
HALF = (
    ("torch.rand(2, 3, 224, 224)", "torch.rand(2, 3, 224, 224).half()"),
    ("network, (images,)", "network.half(), (images,)"),
)


@dataclass(frozen=True)
class Case:
    """A network: the recipe of a library, with some words replaced."""

    library: str
    network: str
    words: tuple[tuple[str, str], ...] = ()
    form: str = ""


def _lite(number: int, side: int, *words: tuple[str, str], form: str = "") -> Case:
    """Return EfficientNet-Lite by the recipe of torchvision."""
    name = f"efficientnet_lite{number}"
    usual = (
        "0.485 0.456 0.406 --std 0.229 0.224 0.225",
        f"{127 / 255} --std {128 / 255}",
    )
    geometry = ("--resize 256 --filter bilinear", f"--resize {side + 32}")
    size = ("224, 224", f"{side}, {side}")
    return Case("trained", name, (*words, usual, geometry, size), form)


CASES = (
    _lite(0, 224),
    _lite(0, 224, *FIXED, form="batch fixed at 1"),
    _lite(0, 224, *EARLIER, form="earlier exporter"),
    _lite(0, 224, *HALF, form="half precision"),
    _lite(1, 240),
    _lite(2, 260),
    Case("torchvision", "resnet18"),
    *(
        Case("torchvision", name, (("resnet18", name),))
        for name in ("mobilenet_v3_small", "densenet121")
    ),
    Case("timm", "mobilenetv3_small_100"),
    *(
        Case("timm", name, (("mobilenetv3_small_100", name),))
        for name in ("convnext_atto", "vit_tiny_patch16_224")
    ),
    Case("Hugging Face", VIT),
    *(
        Case("Hugging Face", name, ((VIT, name),))
        for name in ("microsoft/resnet-18", "apple/mobilevit-small")
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Export, wrap and compare each network."""
    del repeats
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        what = f"not run (without {', '.join(missing)})"
        return Report(TITLE, [{"what": what}], ())
    warnings.simplefilter("ignore")  # torch's, of its insides
    pictures = {"photographs": _photographs(), "noise": _noise(4 if quick else NOISE)}
    cases = CASES[:1] if quick else CASES
    rows = [row for case in cases for row in _compared(case, pictures)]
    names = ("torch", "torchvision", "timm", "transformers", "onnx", "onnxruntime-gpu")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    more = {"Files of preprocessing": list(_files(pictures["photographs"]))}
    return Report(TITLE, rows, (*NOTES, f"Versions: {versions}."), more=more)


def _files(pictures: list) -> Iterator[dict]:
    """Compare pixels by the files that a library writes with those of the library."""
    import numpy as np
    import timm

    from consilience.classifiers.wrapping.composing import to_pixels
    from consilience.classifiers.wrapping.network import Taken
    from consilience.classifiers.wrapping.preprocessor import read_preprocessor
    from consilience.classifiers.wrapping.settings import Settings, settle

    hf: Any = import_module("transformers")
    written = {}
    with tempfile.TemporaryDirectory() as place:
        for name in PROCESSORS:
            settings = MOBILE if name == "MobileViT" else {}
            processor = getattr(hf, f"{name}ImageProcessor")(**settings)
            processor.save_pretrained(Path(place, name))
            file = Path(place, name, "preprocessor_config.json")
            steps = partial(_processed, processor)
            written[f"Hugging Face {name}"] = (read_preprocessor(file), steps)
        for mode, share in (("center", 0.875), ("center", 0.95), ("squash", 0.9)):
            config = {**TIMM, "crop_mode": mode, "crop_pct": share}
            file = Path(place, "timm.json")
            file.write_text(json.dumps(config))
            steps = timm.data.create_transform(**config, is_training=False)
            written[f"timm {mode} {share}"] = (read_preprocessor(file), steps)
    single = np.dtype(np.float32)
    for name, (stated, steps) in written.items():
        gaps = []
        for picture in pictures:
            theirs = steps(picture).numpy()
            taken = Taken("x", single, (None, *theirs.shape))
            how = settle(Settings(), stated, name, taken, Path(name))
            ours = to_pixels(prepared(picture, how)[None], how, single)[0]
            levels = np.array(how.scale)[:, None, None]
            gaps.append(np.abs(ours - theirs) / levels)
        yield {
            "file": name,
            "made by": how.preprocessing.mode,
            "mean difference, levels of 255": float(np.mean([g.mean() for g in gaps])),
            "worst picture": float(max(g.mean() for g in gaps)),
        }


def prepared(picture, how):
    """Return the square of a picture."""
    from consilience.classifiers.running.preprocessing import prepare

    return prepare(picture, how.preprocessing)


def _processed(processor, picture):
    return processor(picture, return_tensors="pt").pixel_values[0]


def _compared(case: Case, pictures: dict) -> Iterator[dict]:
    import numpy as np
    import onnxruntime

    from consilience.classifiers import load_classifier
    from consilience.classifiers.running.preprocessing import prepare
    from consilience.classifiers.running.runtime import choose

    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        network, scaled, transform = _wrapped(case)
        classifier = load_classifier("out", choose("cpu", onnxruntime), onnxruntime)
        size = Path("out/model.onnx").stat().st_size / 1e6
    how = classifier.manifest.preprocessing
    for kind, some in pictures.items():
        squares = [prepare(each, how) for each in some]
        ours = np.concatenate([classifier.logits(each[None]) for each in squares])
        same = np.concatenate([_logits(network, scaled(each)) for each in squares])
        row = {
            "library": case.library,
            "network": f"{case.network}{', ' * bool(case.form)}{case.form}",
            "MB": size,
            "pictures": f"{len(some)} {kind}",
            "sd": float(same.std(1).mean()),
            **{f"network: {k}": v for k, v in _agreement(ours, same).items()},
        }
        if kind == "photographs":
            whole = np.concatenate([_logits(network, transform(each)) for each in some])
            row |= {f"whole: {k}": v for k, v in _agreement(ours, whole).items()}
        yield row


def _wrapped(case: Case) -> tuple:
    """Run a recipe; return the network, and how its library prepares pictures."""
    import torch

    code, command = _recipe(case)
    labels = Path("models/efficientnet_lite0/labels.tsv")
    labels.parent.mkdir(parents=True)
    shutil.copy(LITE0 / "labels.tsv", labels)
    space: dict = {}
    torch.manual_seed(0)
    with _without_downloads(case), contextlib.redirect_stdout(io.StringIO()):
        exec(code, space)  # noqa: S102 (the page's)
    words = [sys.executable, "-m", *shlex.split(command)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return space["network"], *_library(case, space)


def _recipe(case: Case) -> tuple[str, str]:
    """Return the code and the command of a library on the page, words replaced."""
    library = "torchvision" if case.library == "trained" else case.library
    section = PAGE.read_text("utf-8").partition(f"## Export from {library}\n")[2]
    blocks = re.findall(r"```(?:python)?\n(.*?)```", section, re.DOTALL)
    code, command = (_replaced(block, case.words) for block in blocks[:2])
    return code, re.sub(r"--out \S+", "--out out", command)


def _replaced(text: str, words: tuple[tuple[str, str], ...]) -> str:
    for old, new in words:
        text = text.replace(old, new)
    return text


@contextlib.contextmanager
def _without_downloads(case: Case) -> Iterator[None]:
    """Let the functions that download weights draw them, or take those of a package."""
    import timm
    import torchvision

    hf: Any = import_module("transformers")
    drawn, created = torchvision.models.get_model, timm.create_model

    def get_model(name, weights):
        del weights
        if case.library == "trained":
            from models.exporting.published import network

            return network(case.network)
        return _with_statistics(drawn(name, weights=None))

    networks = {
        VIT: (hf.ViTForImageClassification, hf.ViTConfig, hf.ViTImageProcessor()),
        "microsoft/resnet-18": (
            hf.ResNetForImageClassification,
            lambda num_labels: hf.ResNetConfig(
                num_labels=num_labels,
                layer_type="basic",
                depths=[2, 2, 2, 2],
                hidden_sizes=[64, 128, 256, 512],
            ),
            hf.ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875),
        ),
        "apple/mobilevit-small": (
            hf.MobileViTForImageClassification,
            hf.MobileViTConfig,
            hf.MobileViTImageProcessor(**MOBILE),
        ),
    }

    def from_pretrained(name):
        kind, config, _ = networks[name]
        return _with_statistics(kind(config(num_labels=1000)))

    with (
        mock.patch.object(torchvision.models, "get_model", get_model),
        mock.patch.object(
            timm, "create_model", lambda name, **_: _with_statistics(created(name))
        ),
        mock.patch.object(
            hf.AutoModelForImageClassification, "from_pretrained", from_pretrained
        ),
        mock.patch.object(
            hf.AutoImageProcessor, "from_pretrained", lambda name: networks[name][2]
        ),
    ):
        yield


def _with_statistics(network):
    """Normalize the layers of a random network by noise: its answers would vanish."""
    import torch

    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(16, 3, 224, 224))
    return network.eval()


def _library(case: Case, space: dict) -> tuple:
    """Return how a library scales a square, and how it transforms a picture."""
    import timm
    import torch
    from torchvision import transforms

    flipped, factor = False, 1 / 255
    if case.library == "trained":
        mean, std = [127 / 255] * 3, [128 / 255] * 3
        side = space["images"].shape[-1]
        steps = transforms.Compose(
            [
                transforms.Resize(side + 32, transforms.InterpolationMode.BICUBIC),
                transforms.CenterCrop(side),
                transforms.ToTensor(),
                transforms.Normalize(mean, std),
            ]
        )
    elif case.library == "torchvision":
        steps = space["weights"].transforms()
        mean, std = steps.mean, steps.std
    elif case.library == "timm":
        steps = timm.data.create_transform(**space["how"], is_training=False)
        mean, std = space["how"]["mean"], space["how"]["std"]
    else:
        processor = space["processor"]
        factor = processor.rescale_factor
        flipped = bool(getattr(processor, "do_flip_channel_order", False))
        mean, std = processor.image_mean, processor.image_std
        if not processor.do_normalize:
            mean, std = [0.0] * 3, [1.0] * 3

        steps = partial(_processed, processor)

    def scaled(square):
        pixels = torch.from_numpy(square.copy()).permute(2, 0, 1).float() * factor
        pixels = pixels.flip(0) if flipped else pixels
        return transforms.functional.normalize(pixels, mean, std)

    return scaled, steps


def _logits(network, pixels):
    import torch

    kind = next(network.parameters()).dtype
    with torch.no_grad():
        given = network(pixels[None].to(kind))
    return getattr(given, "logits", given).float().numpy()


def _agreement(ours, theirs) -> dict[str, float]:
    import numpy as np

    one, two = (
        np.argsort(-each, axis=1, kind="stable")[:, :5] for each in (ours, theirs)
    )
    overlap = [len(set(a) & set(b)) / 5 for a, b in zip(one, two, strict=True)]
    return {
        "top-1": float((one[:, 0] == two[:, 0]).mean()),
        "top-5": float(np.mean(overlap)),
        "max difference": float(np.abs(ours - theirs).max()),
    }


def _photographs() -> list:
    """Return the photographs of scikit-image that are large enough."""
    import skimage

    from consilience.classifiers.images.decoding import UnusableImageError, decode

    pictures = []
    for file in sorted(Path(skimage.__file__).parent.glob("data/*.*g")):
        with contextlib.suppress(UnusableImageError):
            pictures.append(decode(file.read_bytes()).rgb)
    return [picture for picture in pictures if min(picture.size) >= LEAST]


def _noise(number: int) -> list:
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    shape = (number, 260, 300, 3)
    return [
        Image.fromarray(each) for each in generator.integers(0, 256, shape, np.uint8)
    ]
