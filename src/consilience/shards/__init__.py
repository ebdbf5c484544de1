"""Answers in files of whole items, for studies that do not fit in memory."""

from consilience.shards.stored import MARKER, Shards
from consilience.shards.writing import check_options, write_shards, written_shards

__all__ = ["MARKER", "Shards", "check_options", "write_shards", "written_shards"]
