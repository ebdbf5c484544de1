"""Photographs of scikit-image, on which classifiers are verified."""

from importlib.metadata import version
from pathlib import Path

from consilience.errors import UnavailableError


def photograph(name: str) -> bytes:
    """Return the file of a photograph that scikit-image ships.

    Raises
    ------
    UnavailableError
        scikit-image, or the photograph, is not there.
    """
    try:
        import skimage  # noqa: PLC0415 (an extra)
    except ImportError:
        msg = "scikit-image is not installed, whose photographs are wanted; install it"
        raise UnavailableError(msg) from None
    folder = Path(skimage.__file__).parent / "data"
    files = sorted(folder.glob(f"{name}.*"))
    if not files:
        msg = f"scikit-image {version('scikit-image')} ships no photograph {name!r}"
        raise UnavailableError(msg)
    return files[0].read_bytes()
