"""Items updated as their answers arrive, with fixed parameters."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from consilience.fitting.inputs import Table, as_responses
from consilience.fitting.predicting import predict
from consilience.posterior import Fit
from consilience.posterior.tables import TABLES, names_of
from consilience.responses import Responses
from consilience.responses.id_types import Types, restored
from consilience.responses.table import concatenate

_NOT_OF_ITEMS = {
    *("annotators", "confusion", "diagnostics", "comparison", "independence", "gold")
}
_MAX_PARTS = 64  # tables that are kept apart before they are put together


class Sequential:
    """Update the truth of items as their answers arrive, with fixed parameters.

    The cost of an update depends on its items alone, however many others there are.
    The posterior of an item is that of `consilience.predict` given all answers at
    once. Models other than those of objects compile a program at each update.

    Parameters
    ----------
    fit : Fit
        The earlier fit, whose parameters stay fixed.
    candidates : data frame or path, optional
        As for `consilience.predict`, of all items that may come.

    See Also
    --------
    predict : Apply an earlier fit to new items, all at once.

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> answers = study(0, num_photos=30).answers
    >>> labels = sorted(answers["animal"].unique())
    >>> columns = {"item": "photo", "label": "animal", "labels": labels}
    >>> new = answers["photo"] > "photo-025"
    >>> fit = cs.fit(cs.read(answers[~new], **columns), model="dawid_skene")
    >>> stream = cs.Sequential(fit)
    >>> for _, some in answers[new].groupby("photo"):
    ...     latest = stream.update(cs.read(some, **columns))
    >>> stream.table("items")[["item", "label", "responses"]]
            item    label  responses
    0  photo-026  samoyed          6
    1  photo-027      fox          6
    2  photo-028     wolf          6
    3  photo-029     wolf          6
    4  photo-030     wolf          6
    """

    def __init__(self, fit: Fit, *, candidates: Table | None = None) -> None:
        self._earlier = fit
        self._candidates = candidates
        self._parts: list[Responses] = []
        self._rows: dict[str, list[tuple[int, np.ndarray]]] = {}
        self._latest: dict[str, list[pd.DataFrame]] = {}
        self._types: Types | None = None

    def update(self, responses: Responses | Table) -> Fit:
        """Add answers, and update the items that they are about.

        Parameters
        ----------
        responses : Responses, data frame or path
            Answers that have not been added before, or anything that `read` accepts.

        Returns
        -------
        Fit
            A fit of those items, given all answers about them so far.

        Raises
        ------
        DataError
            If an annotator has already answered about an item. No answer is added then.
        OptionError
            As for `consilience.predict`. No answer is added then.

        See Also
        --------
        table : A table of all items so far.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> responses = study(0, num_photos=30).responses()
        >>> stream = cs.Sequential(cs.fit(responses, model="dawid_skene"))
        >>> latest = stream.update(responses)
        >>> latest.items()[["item", "label"]].head(2)
                item     label
        0  photo-001  malamute
        1  photo-002     husky
        """
        given = as_responses(responses)
        codes = given.table["item"].cat.codes.to_numpy()
        names = given.table["item"].cat.categories
        order = np.argsort(codes, kind="stable")
        place, first = np.unique(codes[order], return_index=True)
        rows = dict(zip(names[place], np.split(order, first[1:]), strict=True))
        updated = predict(
            self._earlier,
            concatenate([*self._about(rows), given]),
            candidates=self._candidates,
        )
        for item, those in rows.items():
            self._rows.setdefault(item, []).append((len(self._parts), those))
        self._parts.append(given)
        self._types = {
            role: kind
            for role, kind in updated.types.items()
            if self._types is None or self._types.get(role) == kind
        }
        for name in names_of(updated.data):
            if name not in _NOT_OF_ITEMS:
                self._put(name, TABLES[name](updated.data))
        return updated

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of all items so far, each as last updated.

        Parameters
        ----------
        name : str
            A table of items: labels, items; for kind objects also objects,
            object_counts, same_object, ambiguity, panels.

        Returns
        -------
        pandas.DataFrame
            The columns of that table of a fit, with items in order of their names.

        Raises
        ------
        KeyError
            If there is no such table, or no answer has been added yet.

        See Also
        --------
        fit : All items so far as one fit.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> responses = study(0, num_photos=30).responses()
        >>> stream = cs.Sequential(cs.fit(responses, model="dawid_skene"))
        >>> latest = stream.update(responses)
        >>> stream.table("items")["label"].head(3).tolist()
        ['malamute', 'husky', 'samoyed']
        """
        self._compact(name)
        (frame,) = self._latest[name]
        typed = restored(frame, self._types or {})
        return typed.sort_values("item", kind="stable", ignore_index=True)

    def fit(self) -> Fit:
        """Return all items so far as one fit.

        Returns
        -------
        Fit
            The result of `consilience.predict` for all answers, at the cost of all of
            them.

        See Also
        --------
        table : A table of all items, as each was last updated.

        Examples
        --------
        >>> import consilience as cs
        >>> from consilience.demo import study
        >>> responses = study(0, num_photos=30).responses()
        >>> stream = cs.Sequential(cs.fit(responses, model="dawid_skene"))
        >>> latest = stream.update(responses)
        >>> len(stream.fit().items())
        30
        """
        return predict(
            self._earlier, concatenate(self._parts), candidates=self._candidates
        )

    def _about(self, items: Iterable[str]) -> list[Responses]:
        """Return the answers so far about some items."""
        rows: dict[int, list[np.ndarray]] = {}
        for item in items:
            for part, those in self._rows.get(item, ()):
                rows.setdefault(part, []).append(those)
        return [
            self._parts[part].take(np.sort(np.concatenate(rows[part])))
            for part in sorted(rows)
        ]

    def _put(self, name: str, frame: pd.DataFrame) -> None:
        text = frame.select_dtypes("category").columns
        frames = self._latest.setdefault(name, [])
        frames.append(frame.astype(dict.fromkeys(text, "str")))
        if len(frames) > _MAX_PARTS:
            self._compact(name)

    def _compact(self, name: str) -> None:
        newer_items: set[str] = set()
        kept = []
        for frame in reversed(self._latest[name]):
            kept.append(frame[~frame["item"].isin(newer_items)])
            newer_items.update(frame["item"].unique())
        self._latest[name] = [pd.concat(kept[::-1], ignore_index=True)]
