from .canonical_folder import read_folder, write
from .design import Description, describe
from .format_table import formats
from .offers import with_names
from .options import Columns, ReadOptions
from .quality.cleaning import Cleaning, Dropped
from .reading import read, read_with
from .table import Responses, Summary

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
