"""Exporting: the same logits, the same bytes, and nothing written where they differ."""

import numpy as np
import onnxruntime
import pytest
from models.exporting import About, export_network
from models.exporting.__main__ import main

from consilience.classifiers import load_classifier, read_manifest
from consilience.classifiers.running.classifier import Classifier
from consilience.classifiers.running.manifest import Licence, Preprocessing
from consilience.errors import BadClassifierError, FolderExistsError

from ..conftest import MODELS, ON_CPU

torch = pytest.importorskip("torch", reason="exporting needs torch")
pytest.importorskip("onnxscript", reason="exporting needs onnxscript")
pytestmark = pytest.mark.filterwarnings("ignore")  # torch's own, of its own insides

LABELS = b"cat\ndog\nfox\n"


def network(outputs=3):
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=2),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, outputs),
    ).eval()


def about(**more):
    settings = {
        "name": "small",
        "family": "small",
        "preprocessing": Preprocessing(size=32, resize=36),
        "licence": Licence(spdx="CC0-1.0"),
        "mean": (123.675, 116.28, 103.53),
        "scale": (58.395, 57.12, 57.375),
    }
    return About(**{**settings, **more})


def exported(folder, net=None, **more):
    settings = {"labels": LABELS, "licence": "CC0", "photographs": ["coffee"]}
    return export_network(net or network(), folder, about(), **{**settings, **more})


def test_exported_and_original_logits_agree(tmp_path):
    exported(tmp_path / "small", half=False)
    classifier = load_classifier(tmp_path / "small", ON_CPU, onnxruntime)
    assert isinstance(classifier, Classifier)
    squares = np.random.default_rng(3).integers(0, 256, (5, 32, 32, 3), np.uint8)
    pixels = torch.from_numpy(squares).permute(0, 3, 1, 2).float()
    mean, scale = (
        torch.tensor(x).view(1, 3, 1, 1) for x in (about().mean, about().scale)
    )
    with torch.no_grad():
        wanted = network()((pixels - mean) / scale).numpy()
    assert np.abs(classifier.logits(squares) - wanted).max() < 1e-4


def test_one_network_gives_the_same_bytes_each_time(tmp_path):
    one, two = (exported(tmp_path / name) for name in ("one", "two"))
    assert one == two
    data = [(tmp_path / name / "model.onnx").read_bytes() for name in ("one", "two")]
    assert data[0] == data[1]


def test_the_manifest_tells_what_the_original_answers(tmp_path):
    manifest = exported(tmp_path / "small")
    assert manifest == read_manifest(tmp_path / "small")
    assert manifest.golden[0].photograph == "coffee"
    assert set(manifest.golden[0].labels) == {"cat", "dog", "fox"}
    assert manifest.source.worst_difference < 1e-4


def test_labels_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(BadClassifierError, match="4 outputs for 3 labels"):
        exported(tmp_path / "small", network(4))
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_differs_is_refused_and_nothing_is_written(
    tmp_path, monkeypatch
):
    from models.exporting import export

    original = export._run
    monkeypatch.setattr(export, "_run", lambda *a: original(*a) + np.float32(2e-4))
    with pytest.raises(BadClassifierError, match=r"differ by 2\.\de-04"):
        exported(tmp_path / "small")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "small").mkdir()
    with pytest.raises(FolderExistsError):
        exported(tmp_path / "small")


def test_the_leaner_network_is_the_one_that_was_published():
    pytest.importorskip("efficientnet_lite_pytorch")
    from models.exporting.published import network as published

    lean = published("efficientnet_lite0")
    squares = torch.randn((2, 3, 224, 224), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (lean(squares) - lean.made(squares)).abs().max() < 1e-4


@pytest.mark.study
def test_the_network_of_the_repository_is_built_anew_from_its_package(tmp_path):
    pytest.importorskip("efficientnet_lite_pytorch")
    main(["efficientnet_lite0", "--out", str(tmp_path / "lite0")])
    kept, built = (
        read_manifest(f) for f in (MODELS / "efficientnet_lite0", tmp_path / "lite0")
    )
    if kept.source.exporter != built.source.exporter:
        pytest.skip(f"kept by {kept.source.exporter}, not {built.source.exporter}")
    assert kept == built
