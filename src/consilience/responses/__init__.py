"""Responses of a crowd: the canonical tables and a reader for each format.

Nothing heavy is imported before it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consilience.responses.design import Description, describe
    from consilience.responses.folder import read_folder, write
    from consilience.responses.options import Columns, ReadOptions
    from consilience.responses.quality.cleaning import Cleaning, Dropped
    from consilience.responses.reading import formats, read, read_with
    from consilience.responses.summary import Summary
    from consilience.responses.table import Responses

_HOMES = {
    "Cleaning": "quality.cleaning",
    "Columns": "options",
    "Description": "design",
    "Dropped": "quality.cleaning",
    "ReadOptions": "options",
    "Responses": "table",
    "Summary": "summary",
    "describe": "design",
    "formats": "reading",
    "read": "reading",
    "read_folder": "folder",
    "read_with": "reading",
    "with_names": "label_names",
    "write": "folder",
}

__all__ = [
    "Cleaning",
    "Columns",
    "Description",
    "Dropped",
    "ReadOptions",
    "Responses",
    "Summary",
    "describe",
    "formats",
    "read",
    "read_folder",
    "read_with",
    "with_names",
    "write",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - nothing before it is asked

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
