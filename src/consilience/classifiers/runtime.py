"""ONNX Runtime, and the device that a session really runs on.

What a build of ONNX Runtime lists as available says what it was compiled with, not what
the machine has; a session that cannot have the GPU runs on the CPU without a word in
Python. So the driver is asked first, and the session afterwards. Everything that is
asked of ONNX Runtime goes through the module that is handed in, so that a test can hand
in one that records.

**Networks that compute in half precision, as ONNX Runtime's converter makes them.** The
answers stay in single precision. Operators that ONNX Runtime's CPU has no kernel for in
half precision are computed in single precision there, between casts.
"""

import contextlib
import ctypes
import io
import sys
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any, Literal

from consilience.errors import UnavailableError

type Place = Literal["cpu", "cuda", "tensorrt"]
type Device = Literal["auto"] | Place
type Precision = Literal["single", "half"]
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
# What a session is opened with; TensorRT leaves operators that it lacks to CUDA.
PROVIDERS = {"cpu": (CPU,), "cuda": (CUDA, CPU), "tensorrt": (TENSORRT, CUDA, CPU)}
PLACES: dict[str, Place] = {CPU: "cpu", CUDA: "cuda", TENSORRT: "tensorrt"}
NAMES = {CUDA: "CUDA", TENSORRT: "TensorRT"}
LIBRARIES = {
    "cuda": "CUDA 13 or cuDNN 9 is missing: install consilience[cuda]",
    "tensorrt": (
        "TensorRT 10, CUDA 13 or cuDNN 9 is missing: install consilience[cuda] and "
        "tensorrt-cu13 in a version below 11"
    ),
}
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
    place: Place
    reason: str
    required: bool

    @property
    def gpu(self) -> bool:
        """Whether on the GPU."""
        return self.place != "cpu"


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
        return Choice(runtime, "cpu", "the CPU, as requested", required=False)
    required = device != "auto"
    place: Place = "cuda" if device == "auto" else device
    first = PROVIDERS[place][0]
    missing = ""
    if first not in runtime.get_available_providers():
        build = f"this build of ONNX Runtime {runtime.__version__}"
        missing = f"{build} has no {NAMES[first]}"
    missing = missing or (_no_driver() if driver is None else driver)
    if not missing:
        # CUDA's libraries from the packages beside ONNX Runtime, if they are there. It
        # prints what it lacks and never fails; the session reports the result.
        silent = contextlib.redirect_stdout(io.StringIO())
        with silent, contextlib.suppress(AttributeError):
            runtime.preload_dlls(directory="")
        if place == "tensorrt":
            with contextlib.suppress(ImportError, OSError):
                import_module("tensorrt")  # loads its libraries
        return Choice(runtime, place, "the GPU", required=required)
    if required:
        raise UnavailableError(
            f'`device="{device}"`: {missing}; install an NVIDIA driver for CUDA 13 and '
            'consilience[cuda], or take `device="auto"` or cpu'
        )
    return Choice(runtime, "cpu", f"the CPU: {missing}", required=False)


def session(
    data: bytes,
    choice: Choice,
    *,
    threads: int,
    precision: Precision = "single",
    disable_quant_qdq: bool = False,
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
    settings: dict[str, dict[str, str]] = {
        CUDA: CUDA_OPTIONS,
        TENSORRT: {"trt_fp16_enable": "1" if precision == "half" else "0"},
    }
    providers = [
        (name, dict(settings[name])) if name in settings else name
        for name in PROVIDERS[choice.place]
    ]
    with contextlib.redirect_stdout(io.StringIO()):  # where it reports a fall back
        opened = runtime.InferenceSession(data, options, providers=providers)
    if choice.required and runs_on(opened) != choice.place:
        where = {"cpu": "on the CPU"}.get(runs_on(opened), "without TensorRT")
        raise UnavailableError(
            f'`device="{choice.place}"`: ONNX Runtime found a driver but runs {where}; '
            f'{LIBRARIES[choice.place]}, or take `device="auto"`'
        )
    return opened


def runs_on(opened: Any) -> Place:
    """Return where a session runs: what it says of itself."""
    return PLACES.get(opened.get_providers()[0], "cpu")


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


def to_half_arithmetic(data: bytes) -> bytes:
    """Return a network that computes in half precision."""
    import onnx  # noqa: PLC0415 (an extra)

    path = list(sys.path)
    from onnxruntime.transformers import float16  # noqa: PLC0415 (an extra)

    sys.path[:] = path  # it appends the folder of its modules, such as `benchmark`
    blocked = [*float16.DEFAULT_OP_BLOCK_LIST, "QuantizeLinear", "DequantizeLinear"]
    converted = float16.convert_float_to_float16(
        onnx.load_from_string(data), keep_io_types=True, op_block_list=blocked
    )
    return converted.SerializeToString(deterministic=True)
