"""Answers in files of whole items, for studies that do not fit in memory."""

from consilience.responses.sources.opening import SHARDS as MARKER
from consilience.sharding.rows import as_address
from consilience.sharding.stored import Shards
from consilience.sharding.writing import check_options, write_shards, written_shards

__all__ = [
    "MARKER",
    "Shards",
    "as_address",
    "check_options",
    "write_shards",
    "written_shards",
]
