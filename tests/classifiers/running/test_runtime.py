"""Where a session runs: what is asked of ONNX Runtime, and what it really does."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import onnx
import pytest

from consilience.classifiers import runtime
from consilience.classifiers.classifier import load_classifier
from consilience.classifiers.runtime import CPU, CUDA, choose, load_runtime, session
from consilience.errors import UnavailableError

from ..conftest import graph, noise

# Operators that ONNX Runtime 1.31 has CUDA kernels for, of those an image classifier
# needs: a graph of others would run in part on the CPU, with a copy at each border.
ON_CUDA = {
    *("Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Conv"),
    *("Div", "Flatten", "Gemm", "GlobalAveragePool", "HardSigmoid", "HardSwish"),
    *("Identity", "MatMul", "MaxPool", "Mul", "Pad", "ReduceMean", "Relu", "Reshape"),
    *("Sigmoid", "Softmax", "Squeeze", "Sub", "Transpose", "Unsqueeze"),
}


class Recorder:
    """ONNX Runtime as it would be with a card, or without: what is asked is kept."""

    def __init__(self, *, built_for_cuda=True, card=True):
        self.asked = []
        self.available = [CUDA, CPU] if built_for_cuda else [CPU]
        self.works = {CPU, *([CUDA] * card)}
        self.__version__ = "1.0"

    def get_available_providers(self):
        return self.available

    def preload_dlls(self, directory):
        print("Failed to load libnothing.so")  # noqa: T201 (as the real one does)
        self.asked.append(("preload", directory))

    class SessionOptions:
        def __init__(self):
            self.entries = {}

        def add_session_config_entry(self, name, value):
            self.entries[name] = value

    def InferenceSession(self, data, options, providers):  # noqa: N802 (its name)
        self.asked.append(("session", data, options, providers))
        names = [each if isinstance(each, str) else each[0] for each in providers]
        if not self.works.issuperset(names):
            print("EP Error: no libcudnn.so.9")  # noqa: T201 (as the real one does)
        names = [name for name in names if name in self.works]
        return SimpleNamespace(get_providers=lambda: names)


@pytest.mark.parametrize(
    ("device", "built", "driver", "providers", "on_gpu"),
    [
        ("cpu", {}, "", [CPU], False),
        ("auto", {}, "no NVIDIA driver was found", [CPU], False),
        ("auto", {"built_for_cuda": False}, "", [CPU], False),
        ("auto", {"card": False}, "", [CUDA, CPU], False),
        ("auto", {}, "", [CUDA, CPU], True),
        ("cuda", {}, "", [CUDA, CPU], True),
    ],
)
def test_a_card_is_asked_for_where_it_can_be_had_after_its_libraries_are_loaded(
    device, built, driver, providers, on_gpu, capsys
):
    fake = Recorder(**built)
    choice = choose(device, fake, driver=driver)
    assert choice.gpu == (providers != [CPU])
    opened = session(b"network", choice, threads=3)
    assert runtime.on_gpu(opened) == on_gpu
    *before, (_, data, options, asked) = fake.asked
    assert before == ([("preload", "")] if choice.gpu else [])
    assert data == b"network"
    assert options.intra_op_num_threads == 3
    assert options.entries["session.intra_op.allow_spinning"] == "0"
    assert [each if each == CPU else each[0] for each in asked] == providers
    settings = dict(each for each in asked if each != CPU)
    assert settings.get(CUDA, {"use_tf32": "0"})["use_tf32"] == "0"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("device", "built", "driver", "message"),
    [
        ("cuda", {}, "no NVIDIA driver was found", "driver"),
        ("cuda", {"built_for_cuda": False}, "", "has no CUDA"),
        ("cuda", {"card": False}, "", "runs on the CPU"),
    ],
)
def test_who_insists_on_a_card_gets_it_or_an_error(
    device, built, driver, message, capsys
):
    fake = Recorder(**built)
    with pytest.raises(UnavailableError, match=message):
        session(b"", choose(device, fake, driver=driver), threads=1)
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(runtime._no_driver() == "", reason="there is a card")
def test_the_real_build_falls_back_or_refuses_where_there_is_no_card():
    real = load_runtime()
    choice = choose("auto", real)
    assert not choice.gpu
    assert "driver" in choice.reason or "no CUDA" in choice.reason
    opened = session(graph().SerializeToString(), choice, threads=1)
    assert not runtime.on_gpu(opened)
    with pytest.raises(UnavailableError, match='`device="cuda"`'):
        choose("cuda", real)


def test_every_operator_of_the_kept_network_has_a_cuda_kernel(lite0_folder):
    model = onnx.load(lite0_folder / "model.onnx")
    assert {node.op_type for node in model.graph.node} <= ON_CUDA
    assert {node.domain for node in model.graph.node} == {""}


def test_two_builds_beside_each_other_or_none_at_all_are_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UnavailableError, match=r"consilience\[classifiers\]"):
        load_runtime()
    monkeypatch.setattr(runtime, "_version", lambda _: "1.0")
    with pytest.raises(UnavailableError, match="overwrite each other"):
        load_runtime()


def test_a_process_that_classifies_never_imports_jax():
    code = (
        "import sys, consilience.classifiers as c; c.classify; c.candidates;"
        "c.load_classifier; c.read_predictions;"
        "from consilience.progress import bar;"
        "print(sorted({'jax', 'torch', 'numpyro'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.gpu(of="onnxruntime")
def test_the_card_answers_as_the_cpu_does(lite0, lite0_folder):
    real = load_runtime()
    card = load_classifier(lite0_folder, choose("cuda", real))
    assert runtime.on_gpu(card.session)
    squares = noise(33, 224)
    for number in (1, 16, 33):
        there, here = card.logits(squares[:number]), lite0.logits(squares[:number])
        assert np.abs(there - here).max() < 1e-3
