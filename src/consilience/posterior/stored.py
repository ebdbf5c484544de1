"""A fit's model, draws and estimates, and the tables that it holds as they are.

Tables that nothing in the fit implies, such as those of a rule, lie in the tree under
`tables`, a group for each. Draws have one axis: chains are laid end to end, so
S = C * D draws. Bounds are equal-tailed; one draw says nothing of spread, so its bounds
are NaN, never the point itself. Columns of text are codes and names, so that each name
is held once however long.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from consilience.annotators import OwnName, find, fittable
from consilience.annotators import names as models
from consilience.errors import OptionError
from consilience.intervals import bounds, deviations, move_bound
from consilience.model import Model
from consilience.model.contract import stack_chains
from consilience.when_used import xr

_GROUP = "tables"
KEPT_PROB = "kept_prob"  # of bounds that have no draws, where others have another
JOINT_DRAWS = "joint_draws"  # the group of joint draws of objects
BY_HALVES = "halves"  # the group of what two models learned that are mixed
ALIKE = 0.9  # probability from which two annotators are one
# Quantiles sort a copy of what they are given. Blocks of this many numbers (32 MiB in
# single precision) keep that copy small beside the draws, which may be gigabytes.
_BLOCK = 2**23
_OF_ANSWERS = ("confusion", "accuracy")  # parameters that are frequencies of answers


def is_of_classes(data: xr.DataTree) -> bool:
    """Return whether a fit is of a model of classes."""
    return "posterior" in data.children and "own_label_odds" in data["posterior"]


def restored_model(data: xr.DataTree) -> Model[Any]:
    """Return the model of a fit, with the prior that it was fitted with."""
    name, settings = data.attrs["model"], json.loads(data.attrs["settings"])
    if not isinstance(name, OwnName) and name not in models():
        raise OptionError(
            f"the fit is of a model of your own, {name}, of which a saved run has the "
            "name alone; give the model (`model=`) where the run is read, or name it "
            "as an entry point of an installed package (group consilience.models)"
        )
    return fittable(name, settings["prior"])


def check_model(model: str | Model[Any], fitted: str) -> str:
    """Return the name of a model, with the model; refuse another than was fitted."""
    name = find(model)
    if name != fitted:
        raise OptionError(
            f"the run is of the model {fitted}, not of {name}; give that one"
        )
    return name


def restored_draws(
    data: xr.DataTree,
) -> dict[str, Shaped[np.ndarray, "chain draw ..."]]:
    """Return the draws of each parameter by name; none where the fit has none."""
    if "posterior" not in data.children:
        return {}
    return {
        str(name): variable.to_numpy()
        for name, variable in data["posterior"].data_vars.items()
    }


def with_tables(data: xr.DataTree, tables: Mapping[str, pd.DataFrame]) -> xr.DataTree:
    """Return the tree with tables in it."""
    changed = data.copy()
    for name, frame in tables.items():
        changed[f"{_GROUP}/{name}"] = xr.DataTree(_dataset(frame))
    return changed


def stored_names(data: xr.DataTree) -> tuple[str, ...]:
    """Return the names of the tables that the fit holds as they are."""
    return tuple(data[_GROUP].children) if _GROUP in data.children else ()


def stored(data: xr.DataTree, name: str) -> pd.DataFrame | None:
    """Return a table that the fit holds as it is; None where it holds no such."""
    if name not in stored_names(data):
        return None
    group = data[_GROUP][name]
    columns: dict[str, np.ndarray | pd.Categorical] = {}
    for column in group.attrs["columns"].split():
        values = group[column].to_numpy()
        if f"{column}_names" in group:
            columns[column] = category(values, group[f"{column}_names"].to_numpy())
        else:
            columns[column] = values
    frame, kept = pd.DataFrame(columns), data.attrs.get(KEPT_PROB)
    if kept is None or kept == data.attrs["prob"]:
        return frame
    return _moved(frame, deviations(float(data.attrs["prob"]), float(kept)))


def _moved(frame: pd.DataFrame, factor: float) -> pd.DataFrame:
    """Return bounds of probabilities further out: each side is taken for a normal's."""
    if "lower" not in frame or not np.isfinite(frame["lower"]).any():
        return frame
    value = frame.columns[list(frame.columns).index("lower") - 1]
    middle, reach = frame[value].to_numpy(), np.full(1, factor)
    sides = {
        name: move_bound(frame[name].to_numpy(), middle, middle, reach)
        for name in ("lower", "upper")
    }
    return frame.assign(**sides)


def _dataset(frame: pd.DataFrame) -> xr.Dataset:
    variables: dict[str, tuple[str, np.ndarray]] = {}
    for column in frame.columns:
        values = frame[column]
        if isinstance(values.dtype, pd.CategoricalDtype):
            names = values.cat.categories.to_numpy(dtype=object)
            variables[column] = ("row", values.cat.codes.to_numpy(dtype=np.int32))
            variables[f"{column}_names"] = (f"{column}_name", names)
        else:
            variables[column] = ("row", values.to_numpy())
    return xr.Dataset(variables, attrs={"columns": " ".join(frame.columns)})


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Posterior mean with equal-tailed bounds; NaN bounds where nothing states them."""

    mean: Float[np.ndarray, "*shape"]
    lower: Float[np.ndarray, "*shape"]
    upper: Float[np.ndarray, "*shape"]

    def of(self, rows: Int[np.ndarray, " N"]) -> Estimate:
        """Return the estimates of some rows."""
        return Estimate(*(part[rows] for part in self.parts()))

    def columns(self, name: str, prefix: str = "") -> dict[str, np.ndarray]:
        """Return the mean and its bounds as columns of a table."""
        names = (name, f"{prefix}lower", f"{prefix}upper")
        return dict(zip(names, self.parts(), strict=True))

    def parts(self) -> tuple[Float[np.ndarray, "*shape"], ...]:
        """Return the mean and its bounds."""
        return self.mean, self.lower, self.upper


def holding(
    mean: Float[np.ndarray, "*shape"],
    lower: Float[np.ndarray, "*shape"],
    upper: Float[np.ndarray, "*shape"],
) -> Estimate:
    """Return an estimate whose bounds hold the mean, as all do."""
    lower, upper = np.minimum(lower, mean), np.maximum(upper, mean)
    return Estimate(mean=mean, lower=lower, upper=upper)


def draws(
    data: xr.DataTree, name: str, dims: tuple[str, ...]
) -> Float[np.ndarray, "S ..."] | None:
    """Draws of one parameter, chains end to end.

    Of an annotator who copies, confusions and accuracy are those of all its answers.
    """
    if "posterior" not in data.children or name not in data["posterior"].data_vars:
        return None
    variable = data["posterior"][name]
    if set(variable.dims) != {"chain", "draw", *dims}:
        return None
    values = stack_chains(variable.transpose("chain", "draw", *dims).to_numpy())
    if name in _OF_ANSWERS and dims[0] == "annotator" and (pairs := copies(data)):
        values, whole = values.copy(), answers_given(data)
        place = {str(who): at for at, who in enumerate(names(data, "annotator"))}
        for pair in pairs:
            who, source = place[pair["annotator"]], place[pair["copy_of"]]
            share = pair["left_out"] / whole[who]
            values[:, who] += share * (values[:, source] - values[:, who])
    return values


def copies(data: xr.DataTree) -> list[dict[str, Any]]:
    """Return who copies whom, as `fitting.copies` found it before the fit."""
    return json.loads(data.attrs.get("copies", "[]"))


def answers_given(data: xr.DataTree) -> Int[np.ndarray, " J"]:
    """Return how many answers each annotator gave, those it copied included."""
    given = data["constant_data"]["annotator_responses"].to_numpy().copy()
    place = {str(who): at for at, who in enumerate(names(data, "annotator"))}
    for pair in copies(data):
        given[place[pair["annotator"]]] += pair["left_out"]
    return given


def estimate(values: Float[np.ndarray, "S ..."], prob: float) -> Estimate:
    """Mean and equal-tailed bounds over the draws."""
    num_draws, *shape = values.shape
    columns = values.reshape(num_draws, -1)
    lower = np.full(columns.shape[1], np.nan)
    upper = lower.copy()
    step = max(1, _BLOCK // num_draws)
    for start in range(0, columns.shape[1] if num_draws > 1 else 0, step):
        block = slice(start, start + step)
        lower[block], upper[block] = bounds(columns[:, block], prob)
    return Estimate(
        mean=values.mean(axis=0, dtype=np.float64),
        lower=lower.reshape(shape),
        upper=upper.reshape(shape),
    )


def label_values(names: Shaped[np.ndarray, " K"]) -> Float[np.ndarray, " K"]:
    """Return ordered labels as numbers: as they are, or their places from one."""
    value = pd.to_numeric(pd.Series(names), errors="coerce").to_numpy(float)
    return value if np.isfinite(value).all() else 1.0 + np.arange(len(names))


def category(codes: np.ndarray, names: np.ndarray | pd.Index) -> pd.Categorical:
    """Build a column of text."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(names, dtype="str"))


def confusion_frame(
    first: Mapping[str, pd.Categorical],
    codes: tuple[np.ndarray, np.ndarray],
    labels: tuple[np.ndarray | pd.Index, np.ndarray | pd.Index],
    shares: Sequence[np.ndarray],
) -> pd.DataFrame:
    """Return cells of true and given label, with bounds, behind the columns `first`."""
    value, lower, upper = shares
    return pd.DataFrame(
        {
            **first,
            "true_label": category(codes[0], labels[0]),
            "given_label": category(codes[1], labels[1]),
            "probability": value,
            "lower": lower,
            "upper": upper,
        }
    )


def names(data: xr.DataTree, dim: str) -> np.ndarray:
    """Return the names along a dimension: of annotators, true or given classes."""
    return np.asarray(data["constant_data"][dim].to_numpy())
