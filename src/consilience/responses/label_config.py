"""The labels on screen, from the XML of a Label Studio configuration."""

from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from consilience.errors import SourceNotFoundError, UnreadableFileError

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
        msg = f"{path}: there is no such file; mend the path"
        raise SourceNotFoundError(msg)
    try:
        root = parse(path, forbid_dtd=True).getroot()
    except (ParseError, DefusedXmlException) as error:
        msg = (
            f"{path}: not a plain labelling configuration ({error!r}); save the "
            "configuration from the project's settings again, without a DTD"
        )
        raise UnreadableFileError(msg) from None
    tags = [] if root is None else list(root.iter())
    tops = [tag for tag in tags if question in {None, tag.get("name")}]
    found = [
        choice.get("alias") or choice.get("value") or ""  # exports write the alias
        for top in tops
        for choice in top.iter()
        if choice.tag in _TAGS
    ]
    labels = [label for label in dict.fromkeys(found) if label]
    if not labels:
        msg = f"{path}: names no <Choice value=...>; expected a labelling configuration"
        raise UnreadableFileError(msg)
    return labels
