"""The labels of a classifier, in the order of its outputs.

A text table (tabs, with a header). The column `label` is what predictions carry; it is
unique. Other columns name the same label otherwise. Of ImageNet's thousand classes the
label is the index in the order of WordNet ids, and `wnid`, `name` (made unique: two
pairs of classes share a name) and `synonyms` stand beside it.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from consilience.classifiers.running.manifest import LabelFile, checked_bytes
from consilience.errors import BadClassifierError


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels in the order of the outputs."""

    label: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]

    def __len__(self) -> int:
        """K, how many."""
        return len(self.label)


def read_labels(folder: Path, part: LabelFile) -> Labels:
    """Read the labels of a classifier's folder."""
    labels = parse_labels(checked_bytes(folder, part), str(folder / part.file))
    if len(labels) != part.count:
        msg = (
            f"{folder / part.file}: lists {len(labels):,} labels, the manifest says "
            f"{part.count:,}; export the classifier again"
        )
        raise BadClassifierError(msg)
    return labels


def parse_labels(data: bytes, source: str) -> Labels:
    """Read a table of labels; without a header line, each line is a label."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        msg = f"{source}: is not UTF-8 text; write one label per line"
        raise BadClassifierError(msg) from None
    quoted = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}
    try:
        rows = [row for row in csv.reader(io.StringIO(text), **quoted) if row]  # type: ignore[arg-type]
    except csv.Error as error:
        msg = f"{source}: is not a table of tab-separated cells ({error})"
        raise BadClassifierError(msg) from None
    header = rows[0] if rows and "label" in rows[0] else None
    names, body = (header, rows[1:]) if header else (["label"], rows)
    wrong = next((row for row in body if len(row) != len(names)), None)
    if wrong is not None:
        msg = f"{source}: a row has {len(wrong)} cells, not {len(names)}: {wrong[:3]}"
        raise BadClassifierError(msg)
    if len(set(names)) != len(names):
        msg = f"{source}: two columns have one name ({', '.join(names)}); rename one"
        raise BadClassifierError(msg)
    columns = dict(zip(names, zip(*body, strict=True), strict=True)) if body else {}
    label = columns.get("label", ())
    if len(set(label)) != len(label) or not all(label):
        msg = f"{source}: a label is empty or stands twice; make every label unique"
        raise BadClassifierError(msg)
    return Labels(label, columns)
