"""Labels by another of their names."""

from consilience.classifiers.pooled.predictions import Predictions
from consilience.errors import CandidatesError


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
