"""Predictions: of a folder that `classify` wrote, of tables, and of NumPy files.

**The folder.** `predictions/part-NNNNN.parquet` has the answers,
`images/part-NNNNN.parquet` one row for each image with what became of it,
`labels.parquet` the labels, and `predictions.toml` which classifiers answered and how.

**Ranks alone.** Many published classifiers are known by their best few labels, in
order. They pool with the others; the weight of their ranks is learned where there is
gold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float, Int
from pyarrow import parquet

from consilience.classifiers.manifest import Manifest, Pixels, Preprocessing
from consilience.errors import DataError, SourceError
from consilience.notebook import shown_as
from consilience.validation_images import lists_validation_images, validation_images

FILE = "predictions.toml"
ANSWERS, IMAGES, LABELS = "predictions", "images", "labels.parquet"
KEPT = 20  # of scores for all labels: as many as `classify` keeps
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
    consilience.images.read_predictions : Read a folder of predictions.

    Examples
    --------
    >>> import pandas as pd
    >>> from consilience.classifiers.predictions import from_table
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


def read_predictions(folder: str | Path) -> Predictions:
    """Read a folder of predictions written by `classify`, or of ImageNetV2.

    Parameters
    ----------
    folder : str or Path
        The folder. That of ImageNetV2 has for each network a NumPy file of the best
        labels of ImageNet's validation images, which
        `imagenet-validation-original.json` names.

    Returns
    -------
    Predictions
        The predictions of all classifiers of the folder.

    Raises
    ------
    SourceError
        If the folder holds no predictions.
    DataError
        If a part is damaged, or there is none yet.

    See Also
    --------
    classify : Write the folder.
    candidates : Pool predictions into candidates.

    Examples
    --------
    >>> import consilience as cs
    >>> cs.images.read_predictions("predictions")  # doctest: +SKIP
    """
    place = Path(folder)
    if lists_validation_images(place):
        return _read_validation(place)
    classifiers = read_account(place).classifiers
    return Predictions(
        table=_read_pieces(place / ANSWERS, ANSWER_SCHEMA),
        images=_read_pieces(place / IMAGES, IMAGE_SCHEMA),
        labels=read_piece(place / LABELS).to_pandas(),
        families={each.name: each.family for each in classifiers},
        num_labels={each.name: each.count for each in classifiers},
    )


def _read_validation(folder: Path) -> Predictions:
    """Read the predictions of networks for the validation images of ImageNet."""
    files = sorted(folder.glob("*.npy"))
    if not files:
        raise SourceError(
            f"{folder}: lists images, and holds no NumPy file (.npy) of predictions"
        )
    images = validation_images(folder)
    classes = images.drop_duplicates("dataset_label").set_index("dataset_label")["wnid"]
    labels = [str(number) for number in range(len(classes))]
    pooled = from_arrays(files, images["item"].tolist(), labels)
    return replace(
        pooled,
        images=pooled.images.assign(dataset_label=images["dataset_label"]),
        labels=pooled.labels.assign(wnid=classes[labels].to_numpy()),
    )


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
        raise SourceError(
            f"{folder}: holds no {FILE}; give a folder that classify wrote"
        )
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Account)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: {error}; classify again into another folder"
        ) from None


def _read_pieces(folder: Path, schema: pa.Schema) -> pd.DataFrame:
    pieces = [read_piece(file) for file in sorted(folder.glob("part-*.parquet"))]
    if not pieces:
        raise DataError(f"{folder}: holds nothing yet; let classify run to its end")
    rows = pa.concat_tables(pieces).select(schema.names).unify_dictionaries()
    return rows.to_pandas()


def read_piece(file: Path) -> pa.Table:
    """Read one piece."""
    try:
        with parquet.ParquetFile(file) as opened:
            return opened.read()
    except FileNotFoundError:
        raise
    except (pa.ArrowInvalid, OSError) as error:
        why = str(error).splitlines()[0]
        raise DataError(
            f"{file}: not a whole Parquet file ({why}); run classify again to repair it"
        ) from None


def rename_labels(predictions: Predictions, column: str) -> Predictions:
    """Return predictions whose labels go by another name of theirs."""
    table = predictions.labels
    if column == "label":
        return predictions
    if column not in table:
        columns = ", ".join(map(repr, table.columns))
        raise DataError(
            f"labels have no other name {column!r}; found {columns}; choose one of them"
        )
    names = table.set_index(table["label"].astype("str"))[column]
    if names.isna().any() or names.duplicated().any():
        raise DataError(
            f"the names {column!r} of labels have gaps or stand twice; take another"
        )
    old = predictions.table["label"].astype("category").cat.remove_unused_categories()
    new = old.cat.rename_categories(names[list(old.cat.categories)].tolist())
    return replace(
        predictions,
        table=predictions.table.assign(label=new),
        labels=table.assign(label=table[column]),
    )


def from_table(
    table: pd.DataFrame, name: str, source: str, num_labels: int | None = None
) -> Predictions:
    """Take a table as predictions."""
    lacking = [column for column in ("item", "label", "rank") if column not in table]
    if lacking:
        columns = ", ".join(map(repr, table.columns))
        raise DataError(
            f"{source}: there is no column {lacking[0]!r}; found {columns}; "
            "predictions have item, label, rank, and, where there are several, model"
        )
    rank = finite_numbers(table, "rank", source)
    wrong = (rank < 1) | (rank % 1 != 0) | (rank >= 2**15)
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{source}, row {row + 1}: rank {rank[row]:g}; ranks are 1, 2, 3, …"
        )
    probability = np.full(len(table), np.nan)
    if "probability" in table:
        probability = finite_numbers(table, "probability", source)
        if not ((probability >= 0) & (probability <= 1)).all():
            raise DataError(f"{source}: a probability is not between 0 and 1")
    named = table if "model" in table else table.assign(model=name)
    frame = named[["item", "model", "label"]].astype("str").astype("category")
    frame = frame.assign(
        rank=rank.astype(np.int16), probability=probability.astype(np.float32)
    )
    twice = frame.duplicated(["item", "model", "rank"]).to_numpy()
    if twice.any():
        row = int(twice.argmax())
        first = frame.iloc[row]
        raise DataError(
            f"{source}, row {row + 1}: {first['model']} has two labels at rank "
            f"{first['rank']} for {first['item']!r}; keep one"
        )
    families = {model: model for model in frame["model"].cat.categories}
    if "family" in table:
        rows = frame.assign(family=table["family"].astype("str").to_numpy())
        families |= dict(rows.groupby("model", observed=True)["family"].first())
    number = max(num_labels or 0, len(frame["label"].cat.categories))
    return _without_logits(frame, families, number)


def from_arrays(
    files: Sequence[Path], items: Sequence[str], labels: Sequence[str] | None = None
) -> Predictions:
    """Read NumPy files of the best labels of each image, or of scores of all labels."""
    number = len(items)
    ranked = {file.stem: _ranked(file, number, labels) for file in files}
    depth = [best.shape[1] for best in ranked.values()]
    rank = [np.tile(np.arange(1, each + 1, dtype=np.int16), number) for each in depth]
    item = np.concatenate([np.repeat(np.arange(number), each) for each in depth])
    label = np.concatenate([best.ravel() for best in ranked.values()])
    model = np.repeat(np.arange(len(depth)), number * np.array(depth))
    names = [str(i) for i in range(1 + int(label.max(initial=-1)))]
    names = names if labels is None else list(labels)
    frame = pd.DataFrame(
        {
            "item": pd.Categorical.from_codes(item, pd.Index(list(items))),
            "model": pd.Categorical.from_codes(model, pd.Index(list(ranked))),
            "rank": np.concatenate(rank),
            "label": pd.Categorical.from_codes(label, pd.Index(names)),
            "probability": np.full(len(label), np.nan, np.float32),
        }
    )
    return _without_logits(frame, {name: name for name in ranked}, len(names))


def _without_logits(
    frame: pd.DataFrame, families: Mapping[str, str], num_labels: int
) -> Predictions:
    """Return predictions whose names are the categories of a table."""
    items, labels = frame["item"].cat.categories, frame["label"].cat.categories
    return Predictions(
        table=frame.assign(logit=np.float32(np.nan))[ANSWER_SCHEMA.names],
        images=pd.DataFrame({"item": items, "reason": None}),
        labels=pd.DataFrame({"label": labels.astype("str")}),
        families=families,
        num_labels=dict.fromkeys(families, num_labels),
    )


def _ranked(
    file: Path, num_items: int, labels: Sequence[str] | None
) -> Int[np.ndarray, "I R"]:
    """Read the best labels of each image, as numbers from 0."""
    try:
        ranked = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{file}: not a NumPy array ({error}); save it with numpy.save"
        ) from None
    whole = np.issubdtype(ranked.dtype, np.integer)
    if ranked.ndim != 2 or not (whole or np.issubdtype(ranked.dtype, np.floating)):
        raise DataError(
            f"{file}: holds {ranked.dtype} of shape {ranked.shape}; expected whole "
            "numbers, images x ranks, or scores, images x labels"
        )
    if len(ranked) != num_items:
        raise DataError(
            f"{file}: has {len(ranked):,} rows for {num_items:,} images; list all"
        )
    most = np.inf if labels is None else len(labels)
    if not whole:
        if most not in {np.inf, ranked.shape[1]}:
            raise DataError(
                f"{file}: has scores for {ranked.shape[1]:,} labels, and {most:,} are "
                "named; name each column"
            )
        if np.isnan(ranked).any():
            row = int(np.isnan(ranked).any(1).argmax())
            raise DataError(
                f"{file}: row {row + 1} has scores that are not numbers; leave it out"
            )
        ranked = np.argsort(-ranked, axis=1, kind="stable")[:, :KEPT]
    if ranked.min() < 0 or ranked.max() >= most:
        raise DataError(
            f"{file}: label {ranked.min() if ranked.min() < 0 else ranked.max()} is "
            f"not among the {most:,}; count from 0"
        )
    return np.asarray(ranked)


def finite_numbers(
    table: pd.DataFrame, column: str, source: str
) -> Float[np.ndarray, " N"]:
    """Return a column of numbers, all finite."""
    numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers)))
        raise DataError(
            f"{source}, row {row + 1}: {column} is {table[column].iloc[row]!r}, no "
            "number; fix or drop the row"
        )
    return numbers
