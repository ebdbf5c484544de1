"""The labels on screen, from the XML of a Label Studio configuration."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from consilience.errors import SourceNotFoundError, UnreadableFileError
from consilience.responses.tables.library_errors import readable

_TAGS = ("Choice", "Label")


def read_label_config(path: Path, question: str | None = None) -> list[str]:
    """Labels of the choices in a labelling configuration, in their order.

    Parameters
    ----------
    path
        The XML file. Declared entities and document types are refused.
    question
        Name of the one question (`name` of its tag); None: the choices of all.

    Raises
    ------
    UnreadableFileError
        If the file is not such a configuration.
    """
    if not path.exists():
        msg = f"{path}: there is no such file; check the path"
        raise SourceNotFoundError(msg)
    with readable(
        str(path),
        "not a plain labelling configuration",
        "save the configuration from the project's settings again, without a DTD",
    ):
        root = parse(path, forbid_dtd=True).getroot()
    texts = [
        choice.get("alias") or choice.get("value") or ""  # exports write the alias
        for choice in _choices(root, question)
    ]
    labels = [label for label in dict.fromkeys(texts) if label]
    if not labels:
        msg = f"{path}: names no <Choice value=...>; expected a labelling configuration"
        raise UnreadableFileError(msg)
    return labels


def _choices(root: Element | None, question: str | None) -> Iterator[Element]:
    """Tags of choices in the tags of one question, each looked at once."""
    left = [] if root is None else [(root, question is None)]
    while left:
        tag, inside = left.pop()
        inside = inside or tag.get("name") == question
        if inside and tag.tag in _TAGS:
            yield tag
        left += [(inner, inside) for inner in reversed(tag)]
