"""A folder that is written whole or not at all: see `consilience.whole_folder`."""

from consilience.whole_folder import whole_folder

__all__ = ["whole_folder"]
