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

from consilience.errors import DeviceError, MissingExtraError

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
    """Where sessions are to run.

    Attributes
    ----------
    cuda
        Whether on the GPU.
    reason
        Why, in words for people.
    required
        Whether falling back to the CPU is an error.
    """

    cuda: bool
    reason: str
    required: bool


def load_runtime() -> Any:
    """Return the module of ONNX Runtime.

    Raises
    ------
    MissingExtraError
        It is not installed, or two builds of it are, which overwrite each other.
    """
    builds = [
        name
        for name in ("onnxruntime", "onnxruntime-gpu")
        if _version(name) is not None
    ]
    if len(builds) > 1:
        msg = (
            "onnxruntime and onnxruntime-gpu are both installed and overwrite each "
            "other; uninstall both, then install consilience[classifiers]"
        )
        raise MissingExtraError(msg)
    try:
        return import_module("onnxruntime")
    except ImportError as error:
        msg = (
            f"ONNX Runtime cannot be imported ({error}); install "
            "consilience[classifiers]"
        )
        raise MissingExtraError(msg) from None


def choose(device: Device, runtime: Any, *, driver: str | None = None) -> Choice:
    """Choose the device that sessions are to run on.

    Parameters
    ----------
    device
        `auto` takes the GPU where there is one; `cuda` insists on it.
    runtime
        The module of ONNX Runtime.
    driver
        What is wrong with the driver, empty if nothing; None: it is asked.

    Raises
    ------
    DeviceError
        The GPU is insisted on, and there is none.
    """
    if device == "cpu":
        return Choice(cuda=False, reason="the CPU, as requested", required=False)
    missing = ""
    if CUDA not in runtime.get_available_providers():
        missing = f"this build of ONNX Runtime {runtime.__version__} has no CUDA"
    missing = missing or (_no_driver() if driver is None else driver)
    if not missing:
        _preload(runtime)
        return Choice(cuda=True, reason="the GPU", required=device == "cuda")
    if device == "cuda":
        msg = (
            f'`device="cuda"`: {missing}; install an NVIDIA driver for CUDA 13 and '
            'consilience[cuda], or take `device="auto"` or cpu'
        )
        raise DeviceError(msg)
    return Choice(cuda=False, reason=f"the CPU: {missing}", required=False)


def session(
    data: bytes,
    choice: Choice,
    runtime: Any,
    *,
    threads: int,
    disable_quant_qdq: bool = False,
) -> Any:
    """Open a session on the bytes of a network.

    Parameters
    ----------
    data
        The network. It comes as bytes, so that no other file is opened for it.
    choice
        The device.
    runtime
        The module of ONNX Runtime.
    threads
        Threads of arithmetic on the CPU.
    disable_quant_qdq
        See `manifest.Network`.

    Raises
    ------
    DeviceError
        The GPU is insisted on, and the session does not run there.
    """
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if disable_quant_qdq:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    wanted: list[object] = [(CUDA, dict(CUDA_OPTIONS))] if choice.cuda else []
    opened = runtime.InferenceSession(data, options, providers=[*wanted, CPU])
    if choice.required and opened.get_providers()[0] != CUDA:
        msg = (
            '`device="cuda"`: ONNX Runtime found a driver but runs on the CPU; CUDA '
            "13 or cuDNN 9 is missing: install consilience[cuda], or take "
            '`device="auto"`'
        )
        raise DeviceError(msg)
    return opened


def runs_on(opened: Any) -> str:
    """Return cuda or cpu: what a session says of itself."""
    return "cuda" if opened.get_providers()[0] == CUDA else "cpu"


def _no_driver() -> str:
    """Say what is wrong with the NVIDIA driver; nothing if nothing is."""
    try:
        library = ctypes.CDLL("nvcuda.dll" if _on_windows() else "libcuda.so.1")
        code = library.cuInit(0)
    except OSError:
        return "no NVIDIA driver was found"
    return f"the NVIDIA driver answers with error {code}" if code else ""


def _on_windows() -> bool:
    return hasattr(ctypes, "WinDLL")


def _preload(runtime: Any) -> None:
    """Load CUDA's libraries from the packages beside ONNX Runtime, if they are there.

    It prints what it lacks and never fails; the session reports the result.
    """
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(AttributeError):
        runtime.preload_dlls(directory="")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
