"""Check that matplotlib is installed (extra `plots`)."""

from importlib.util import find_spec

from consilience.errors import MissingExtraError

ADVICE = 'pip install "consilience[plots]"'


def check_installed() -> None:
    """Refuse before anything is computed."""
    if find_spec("matplotlib") is None:
        msg = f"plots: matplotlib not found, which is needed to draw them; {ADVICE}"
        raise MissingExtraError(msg)
