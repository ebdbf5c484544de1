"""The folder of predictions: written in whole pieces, so that a kill loses none.

`predictions/part-NNNNN.parquet` has the answers, `images/part-NNNNN.parquet` one row
for each image with what became of it, `labels.parquet` the labels, and
`predictions.toml` which classifiers answered and how. A piece of answers is put in
place when it is whole, after its piece of images: what is in place is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from consilience.classifiers.running.manifest import Manifest, Pixels, Preprocessing
from consilience.classifiers.running.runtime import Precision
from consilience.errors import CandidatesError, PredictionsError, SourceNotFoundError
from consilience.notebook import shown_as

FILE = "predictions.toml"
ANSWERS, IMAGES, LABELS = "predictions", "images", "labels.parquet"
_TEXTS = pa.dictionary(pa.int32(), pa.string())
ANSWER_SCHEMA = pa.schema(
    {
        "item": _TEXTS,
        "model": _TEXTS,
        "rank": pa.int16(),
        "label": _TEXTS,
        "logit": pa.float32(),
        "probability": pa.float32(),
    }
)
IMAGE_SCHEMA = pa.schema(
    {
        "item": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "note": pa.string(),
        "reason": pa.string(),
    }
)


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What decides the answers of a classifier; a resumed run must have the same."""

    name: str
    family: str
    network: str
    labels: str
    count: int
    preprocessing: Preprocessing
    pixels: Pixels | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What `predictions.toml` holds."""

    schema: int = 1
    keep: int
    classifiers: tuple[Provenance, ...]
    precision: Precision = "single"
    devices: tuple[str, ...] = ()


@shown_as("table", "images", "labels", facts=("families",))
@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions of one or several classifiers.

    Attributes
    ----------
    table : pandas.DataFrame
        Columns item, model, rank (from 1), label, logit and probability; the last two
        are empty where a classifier has ranks only.
    images : pandas.DataFrame
        Columns item, width, height, note and reason (why nothing was predicted; else
        empty); and dataset_label where the source names it.
    labels : pandas.DataFrame
        Column label, and further names of it.
    families : mapping of str to str
        Family of each classifier, by its name.
    num_labels : mapping of str to int
        K of each classifier, by its name.

    See Also
    --------
    consilience.read_predictions : Read a folder of predictions.

    Examples
    --------
    >>> import pandas as pd
    >>> from consilience.classifiers.pooled.rank_lists import from_table
    >>> ranks = pd.DataFrame(
    ...     {"item": ["a", "a"], "label": ["cat", "dog"], "rank": [1, 2]}
    ... )
    >>> from_table(ranks, "net", "a list").table[["item", "model", "rank", "label"]]
      item model  rank label
    0    a   net     1   cat
    1    a   net     2   dog
    """

    table: pd.DataFrame
    images: pd.DataFrame
    labels: pd.DataFrame
    families: Mapping[str, str]
    num_labels: Mapping[str, int]

    @property
    def dataset_labels(self) -> pd.DataFrame | None:
        """The data set's label of each image: item and label; None: not known."""
        if "dataset_label" not in self.images:
            return None
        table = self.images[["item", "dataset_label"]]
        return table.rename(columns={"dataset_label": "label"})


def provenance(manifest: Manifest) -> Provenance:
    """Return what decides the answers of a classifier."""
    return Provenance(
        name=manifest.name,
        family=manifest.family,
        network=manifest.network.sha256,
        labels=manifest.labels.sha256,
        count=manifest.labels.count,
        preprocessing=manifest.preprocessing,
        pixels=manifest.pixels,
    )


def is_folder(folder: Path) -> bool:
    """Say whether a folder holds predictions."""
    return (folder / FILE).is_file()


def read_account(folder: Path) -> Account:
    """Read which classifiers answered."""
    path = folder / FILE
    if not path.is_file():
        msg = f"{folder}: holds no {FILE}; give a folder that classify wrote"
        raise SourceNotFoundError(msg)
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Account)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: {error}; classify again into another folder"
        raise PredictionsError(msg) from None


def read_folder(place: Path) -> Predictions:
    """Read a folder of predictions written by `classify`."""
    account = read_account(place)
    table = _read(place / ANSWERS, ANSWER_SCHEMA)
    images = _read(place / IMAGES, IMAGE_SCHEMA)
    return Predictions(
        table=table.to_pandas(),
        images=images.to_pandas(),
        labels=read_piece(place / LABELS).to_pandas(),
        families={
            classifier.name: classifier.family for classifier in account.classifiers
        },
        num_labels={
            classifier.name: classifier.count for classifier in account.classifiers
        },
    )


def _read(folder: Path, schema: pa.Schema) -> pa.Table:
    pieces = [read_piece(file) for file in sorted(folder.glob("part-*.parquet"))]
    if not pieces:
        msg = f"{folder}: holds nothing yet; let classify run to its end"
        raise PredictionsError(msg)
    return pa.concat_tables(pieces).select(schema.names).unify_dictionaries()


def read_piece(file: Path) -> pa.Table:
    """Read one piece."""
    try:
        with parquet.ParquetFile(file) as opened:
            return opened.read()
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        why = str(error).splitlines()[0]
        msg = (
            f"{file}: not a whole Parquet file ({why}); run classify again to repair it"
        )
        raise PredictionsError(msg) from None


def rename_labels(predictions: Predictions, column: str) -> Predictions:
    """Return predictions whose labels go by another name of theirs."""
    table = predictions.labels
    if column == "label":
        return predictions
    if column not in table:
        columns = ", ".join(map(repr, table.columns))
        msg = (
            f"labels have no other name {column!r}; found {columns}; choose one of them"
        )
        raise CandidatesError(msg)
    names = table.set_index(table["label"].astype("str"))[column]
    if names.isna().any() or names.duplicated().any():
        msg = f"the names {column!r} of labels have gaps or stand twice; take another"
        raise CandidatesError(msg)
    old = predictions.table["label"].astype("category").cat.remove_unused_categories()
    new = old.cat.rename_categories(names[list(old.cat.categories)].tolist())
    return Predictions(
        table=predictions.table.assign(label=new),
        images=predictions.images,
        labels=table.assign(label=table[column]),
        families=predictions.families,
        num_labels=predictions.num_labels,
    )
