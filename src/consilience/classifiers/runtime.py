"""ONNX Runtime, and the device that a session really runs on.

What a build of ONNX Runtime lists as available says what it was compiled with, not what
the machine has; a session that cannot have the GPU runs on the CPU without a word in
Python. So the driver is asked first, and the session afterwards. Everything that is
asked of ONNX Runtime goes through the module that is handed in, so that a test can hand
in one that records.
"""

import contextlib
import ctypes
import io
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any, Literal

from consilience.errors import UnavailableError

type Device = Literal["auto", "cpu", "cuda"]
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
# One search for the fastest convolutions would be repeated for every shape of batch;
# TF32 would move logits by about a thousandth.
CUDA_OPTIONS = {
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",
    "use_tf32": "0",
}
SILENT = 4  # of ONNX Runtime's levels: only what ends the process


@dataclass(frozen=True, slots=True)
class Choice:
    """Where sessions of ONNX Runtime are to run."""

    runtime: Any  # the module
    gpu: bool
    reason: str
    required: bool


def load_runtime() -> Any:
    """Return the module of ONNX Runtime."""
    if _version("onnxruntime") and _version("onnxruntime-gpu"):
        raise UnavailableError(
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each "
            "other; uninstall both, then install consilience[classifiers]"
        )
    try:
        return import_module("onnxruntime")
    except ImportError as error:
        raise UnavailableError(
            f"ONNX Runtime cannot be imported ({error}); install "
            "consilience[classifiers]"
        ) from None


def choose(device: Device, runtime: Any = None, *, driver: str | None = None) -> Choice:
    """Choose the device that sessions are to run on."""
    runtime = load_runtime() if runtime is None else runtime
    if device == "cpu":
        return Choice(
            runtime, gpu=False, reason="the CPU, as requested", required=False
        )
    missing = _no_driver() if driver is None else driver
    if CUDA not in runtime.get_available_providers():
        missing = f"this build of ONNX Runtime {runtime.__version__} has no CUDA"
    if not missing:
        # CUDA's libraries from the packages beside ONNX Runtime, if they are there. It
        # prints what it lacks and never fails; the session reports the result.
        silent = contextlib.redirect_stdout(io.StringIO())
        with silent, contextlib.suppress(AttributeError):
            runtime.preload_dlls(directory="")
        return Choice(runtime, gpu=True, reason="the GPU", required=device == "cuda")
    if device == "cuda":
        raise UnavailableError(
            f'`device="cuda"`: {missing}; install an NVIDIA driver for CUDA 13 and '
            'consilience[cuda], or take `device="auto"` or cpu'
        )
    return Choice(runtime, gpu=False, reason=f"the CPU: {missing}", required=False)


def session(
    data: bytes, choice: Choice, *, threads: int, disable_quant_qdq: bool = False
) -> Any:
    """Open a session on the bytes of a network."""
    runtime = choice.runtime
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if disable_quant_qdq:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    providers = [(CUDA, dict(CUDA_OPTIONS)), CPU] if choice.gpu else [CPU]
    with contextlib.redirect_stdout(io.StringIO()):  # where it reports a fall back
        opened = runtime.InferenceSession(data, options, providers=providers)
    if choice.required and not on_gpu(opened):
        raise UnavailableError(
            '`device="cuda"`: ONNX Runtime found a driver but runs on the CPU; CUDA 13 '
            "or cuDNN 9 is missing: install consilience[cuda], or take "
            '`device="auto"`'
        )
    return opened


def on_gpu(opened: Any) -> bool:
    """Say whether a session runs on the GPU: what it says of itself."""
    return bool(opened.get_providers()[0] == CUDA)


def _no_driver() -> str:
    """Say what is wrong with the NVIDIA driver; nothing if nothing is."""
    try:
        library = ctypes.CDLL(
            "nvcuda.dll" if hasattr(ctypes, "WinDLL") else "libcuda.so.1"
        )
        code = library.cuInit(0)
    except OSError:
        return "no NVIDIA driver was found"
    return f"the NVIDIA driver answers with error {code}" if code else ""


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
