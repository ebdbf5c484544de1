"""Exporting: the same logits, the same bytes, and nothing written where they differ."""

import numpy as np
import pytest
from models.exporting import About, export_network

from consilience.classifiers import read_manifest
from consilience.classifiers.classifier import Classifier
from consilience.classifiers.manifest import Licence, Preprocessing
from consilience.errors import FolderExistsError, SourceError

from ..conftest import loaded, noise

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
    exported(tmp_path / "small", storage="float32")
    classifier = loaded(tmp_path / "small")
    assert isinstance(classifier, Classifier)
    squares = noise(5, 32)
    pixels = torch.from_numpy(squares).permute(0, 3, 1, 2).float()
    mean, scale = (
        torch.tensor(x).view(1, 3, 1, 1) for x in (about().mean, about().scale)
    )
    with torch.no_grad():
        wanted = network()((pixels - mean) / scale).numpy()
    assert np.abs(classifier.logits(squares) - wanted).max() < 1e-4


def test_one_network_gives_the_same_bytes_each_time_and_its_answers(tmp_path):
    one, two = (exported(tmp_path / name) for name in ("one", "two"))
    data = [(tmp_path / name / "model.onnx").read_bytes() for name in ("one", "two")]
    assert data[0] == data[1]
    assert one == two == read_manifest(tmp_path / "one")
    assert one.golden[0].photograph == "coffee"
    assert set(one.golden[0].labels) == {"cat", "dog", "fox"}
    assert one.source.worst_difference < 1e-4


def test_an_export_that_does_not_fit_or_differs_is_refused_and_nothing_is_written(
    tmp_path, monkeypatch
):
    from models.exporting import export

    with pytest.raises(SourceError, match="4 outputs for 3 labels"):
        exported(tmp_path / "small", network(4))
    original = export._run
    monkeypatch.setattr(export, "_run", lambda *a: original(*a) + np.float32(2e-4))
    with pytest.raises(SourceError, match=r"differ by 2\.\de-04"):
        exported(tmp_path / "small")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "small").mkdir()
    with pytest.raises(FolderExistsError):
        exported(tmp_path / "small")
