"""Fits that were saved, and the responses that belong to a fit."""

import json
from pathlib import Path
from typing import Any

from consilience.errors import KindError, OptionError
from consilience.model import Model
from consilience.posterior import labels, store
from consilience.posterior.fit import Fit
from consilience.posterior.stored import check_model
from consilience.responses import Responses
from consilience.responses.columns.names import listing

_HOW = "give the responses that it was fitted to"
_SHOWN = 12  # digits of a SHA-256


def load(folder: str | Path, *, model: str | Model[Any] | None = None) -> Fit:
    """Read a run folder.

    Parameters
    ----------
    folder : str or Path
        A folder written by `Fit.save` or the command line.
    model : str or Model, optional
        The model of your own that was fitted, or the name of its module. A run has its
        name alone; only what runs the model again, such as `predict`, needs it.

    Returns
    -------
    Fit
        The fit, held in memory: the folder may be moved or removed afterwards.

    Raises
    ------
    SourceError
        If the folder does not exist or is not a run, or one of its files is truncated
        or damaged, or was written by a newer version.

    See Also
    --------
    Fit.save : Write the folder.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> responses = cs.read(answers, item="photo", label="animal")
    >>> fit = cs.fit(responses, model="dawid_skene")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fit.save(Path(folder) / "run")
    ...     again = cs.load(Path(folder) / "run")
    >>> again.data.attrs["model"]
    'dawid_skene'
    """
    data = store.read(folder)
    if model is not None:
        data.attrs["model"] = check_model(model, data.attrs["model"])
    return Fit(data)


def check_responses(fit: Fit, responses: Responses) -> None:
    """Refuse responses that a fit was not fitted to."""
    attributes = fit.data.attrs
    if attributes["kind"] not in responses.kinds:
        raise KindError(
            f"the responses are of kind {', '.join(responses.kinds)}, the fit of kind "
            f"{attributes['kind']}; {_HOW}"
        )
    recorded = json.loads(attributes.get("sources", "{}"))
    given = responses.sources
    other = {name: sha for name, sha in given.items() if sha not in recorded.values()}
    if recorded and other:
        raise OptionError(
            f"the responses were read from {_named(other)}, and the fit from "
            f"{_named(recorded)}: the contents differ; {_HOW}"
        )
    fitted = set(labels.items(fit.data)["item"].astype("str"))
    read = set(responses.table["item"].cat.categories.astype("str"))
    if not fitted <= read:
        raise OptionError(
            f"{len(fitted - read):,} of the {len(fitted):,} items of the fit are not "
            f"among the {len(read):,} of the responses; {_HOW}"
        )
    if attributes["kind"] == "objects":  # which leaves rare candidates out
        return
    learned = set(labels.labels(fit.data)["label"].astype("str"))
    strange = sorted(set(responses.labels["label"].astype("str")) - learned)
    if strange:
        raise OptionError(
            f"the fit does not know {listing(strange, 3)}, labels of the responses: "
            f"they were read in another way; {_HOW}, read as they were then"
        )


def _named(sources: dict[str, str]) -> str:
    name, sha = next(iter(sources.items()))
    more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
    return f"{name} (SHA-256 {sha[:_SHOWN]}…){more}"
