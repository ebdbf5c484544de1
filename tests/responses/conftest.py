"""What the tests of the responses share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from consilience.responses import Responses, read


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Return a function that writes a file and gives its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
        return path

    return write


@pytest.fixture(scope="session")
def multilabel(data_folder: Path) -> Responses:
    """Return the multi-label study of ImageNet, as its folder alone tells it."""
    return read(data_folder / "imagenet-multilabel")
