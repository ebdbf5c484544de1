"""A file that is written whole or not at all.

It is written under a hidden name beside its place and then renamed, which is one step.
"""

import secrets
from pathlib import Path

from consilience.errors import CannotWriteError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step; folders above it are made.

    Parameters
    ----------
    path
        Where. What is there is replaced.
    content
        What.

    Raises
    ------
    CannotWriteError
        The disk refuses.
    """
    place = path.expanduser().resolve()
    partial = place.with_name(f".{place.name}.{secrets.token_hex(4)}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(place)
    except OSError as error:
        msg = (
            f"{path}: cannot be written ({error.strerror or error}); free some space "
            "or choose another place"
        )
        raise CannotWriteError(msg) from error
    finally:
        partial.unlink(missing_ok=True)
