from .canonical_folder import read_folder, write
from .draft import Cleaning, Dropped
from .label_names import with_names
from .options import Columns, ReadOptions
from .reading import formats, read, read_with
from .summary import Description, Summary, describe
from .table import Responses

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
