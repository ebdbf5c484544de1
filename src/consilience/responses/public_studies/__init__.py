"""The original files of two public studies of ImageNet."""

from collections.abc import Sequence
from pathlib import Path

from consilience.errors import OptionError
from consilience.responses.sources.frames import Source
from consilience.validation_images import FILE, lists_validation_images


def study_folder(sources: Sequence[Source], name: str) -> tuple[Path, list[Path]]:
    """Return the folder of a study, and the file that lists the validation images."""
    folder, *more = sources
    lists = [
        each / FILE
        for each in more
        if isinstance(each, Path) and lists_validation_images(each)
    ]
    if not isinstance(folder, Path) or len(more) > 1 or len(lists) < len(more):
        given = ", ".join(
            str(each) if isinstance(each, Path) else each.name for each in sources
        )
        msg = (
            f"format {name!r} reads one folder, and after it the folder of ImageNetV2 "
            f"({FILE}), which names the classes of images; given: {given}"
        )
        raise OptionError(msg)
    return folder, lists
