"""Check that the dependencies of the report are installed (extra `report`)."""

from importlib.util import find_spec

from consilience.errors import MissingExtraError

NEEDS = ("altair", "jinja2", "PIL", "vl_convert")


ADVICE = 'pip install "consilience[report]"'


def can_draw() -> bool:
    """Say whether all of the extra is there."""
    return not _absent()


def check_installed() -> None:
    """Refuse before any work is done."""
    absent = _absent()
    if absent:
        msg = (
            f"report: {', '.join(absent)} not found, which are needed to draw it; "
            f"{ADVICE}"
        )
        raise MissingExtraError(msg)


def _absent() -> list[str]:
    return [name for name in NEEDS if find_spec(name) is None]
