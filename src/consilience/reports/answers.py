"""The raw answers, as the fit saw them or as they were read."""

import numpy as np
import pandas as pd

from consilience.posterior import Fit
from consilience.posterior.results.frames import category, names
from consilience.responses import Responses, read


def kept_answers(fit: Fit) -> pd.DataFrame | None:
    """Return the answers that a fit of choice or contains keeps."""
    data = fit.data
    kind = data.attrs["kind"]
    if "observed_data" not in data.children or kind not in ("choice", "contains"):
        return None
    observed, constant = data["observed_data"], data["constant_data"]
    unit = observed["item"].to_numpy()
    who = observed["annotator"].to_numpy()
    identified = constant["annotator_identified"].to_numpy().astype(bool)
    given = category(observed["answer"].to_numpy(), names(data, "given_class"))
    label, answer = given, category(np.full(len(unit), -1), pd.Index([]))
    if kind == "contains":
        label, answer = _texts(constant["unit_label"].to_numpy(), unit), given
    return pd.DataFrame(
        {
            "item": _texts(constant["unit_item"].to_numpy(), unit),
            "annotator": category(
                np.where(identified[who], who, -1), names(data, "annotator")
            ),
            "label": label,
            "answer": answer,
            "n": observed["n"].to_numpy(),
        }
    )


def read_answers(responses: Responses) -> pd.DataFrame:
    """Return the answers as they were read, skipped questions left out."""
    table = responses.table
    given = table["answer" if responses.kind == "contains" else "label"].notna()
    table = table[given].reset_index(drop=True)
    columns = ["item", "annotator", "label", "answer", "n"]
    if responses.kind != "objects":
        return table[columns].copy()
    keys = ["item", "annotator", "response_id"]
    together = table.groupby(keys, observed=True, dropna=False, sort=False)
    return table[columns].assign(
        main=table["main"].astype("boolean").fillna(value=False).astype(bool),
        response=together.ngroup(),
    )


def as_responses(answers: pd.DataFrame, kind: str, labels: list[str]) -> Responses:
    """Make responses of a fit's answers, so that they can be described."""
    frame = answers.dropna(axis="columns", how="all")
    frame = frame.astype({name: "str" for name in frame if name != "n"})
    options = {"labels": labels} if labels else {}
    return read(frame, kind=kind, missing=(), **options)  # type: ignore[arg-type]


def _texts(names_of_units: np.ndarray, rows: np.ndarray) -> pd.Categorical:
    codes, levels = pd.factorize(names_of_units.astype(object))
    return category(codes[rows], levels)
