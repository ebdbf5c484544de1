"""The table `annotators`: which group each belongs to, and who is a sample of whom.

Several samples of one language model are not several annotators: given the truth, their
answers are nearly alike. They count as repeats of one annotator, and of its answers to
one question the most frequent counts, once (self-consistency).

References
----------
Wang et al. (2023), Self-consistency improves chain of thought reasoning in language
models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from consilience.errors import MissingColumnError, OptionError
from consilience.fitting.inputs import Table
from consilience.responses import ReadOptions, Responses
from consilience.responses.columns.names import listing
from consilience.responses.side_tables import check_filled, side_table, text_frame
from consilience.truth.space import Groups, Space

NO_GROUP = "(no group)"  # of annotators that the table does not have


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatorTable:
    """What is known of annotators."""

    group: Mapping[str, str]
    repeat_of: Mapping[str, str]

    @classmethod
    def read(cls, given: Table | None) -> "AnnotatorTable":
        """Read a table."""
        if given is None:
            return cls({}, {})
        table = side_table(given, ReadOptions(), "annotators")
        columns = [name for name in ("group", "repeat_of") if name in table.names]
        if "annotator" not in table.names or not columns:
            lacks = "annotator" if columns else "group"
            msg = (
                f"annotators: there is no column {lacks!r}; found "
                f"{listing(table.names)}; the table has the columns annotator and "
                "group, repeat_of or both"
            )
            raise MissingColumnError(msg)
        check_filled(table, {"annotator": "annotator"})
        frame = text_frame(table, {name: name for name in ("annotator", *columns)})
        twice = frame["annotator"].duplicated()
        if twice.any():
            msg = (
                f"annotators: {frame['annotator'][twice].iloc[0]!r} has several rows; "
                "give one row for each annotator"
            )
            raise OptionError(msg)
        group, repeat_of = (_named(frame, name) for name in ("group", "repeat_of"))
        repeat_of = {one: other for one, other in repeat_of.items() if one != other}
        return cls(_of_samples(group, repeat_of), repeat_of)

    def merged(self, responses: Responses) -> Responses:
        """Return responses in which samples of an annotator are that annotator."""
        who = responses.table["annotator"]
        samples = who.isin(list(self.repeat_of))
        if not samples.any():
            return responses
        old = who.cat.categories.astype("str")
        names = pd.Index([self.repeat_of.get(name, name) for name in old], dtype="str")
        new = names.unique()
        code = np.append(new.get_indexer(names), -1)[who.cat.codes.to_numpy()]
        merged = responses.table.assign(
            annotator=pd.Categorical.from_codes(code, categories=new)
        )
        number, ones = int(who[samples].nunique()), set(self.repeat_of.values())
        sentence = (
            f"annotators that count as samples of another (`repeat_of`): {number:,}"
        )
        if responses.kinds != ("objects",):
            of_ones = merged["annotator"].isin(list(ones))
            merged, repeated = _most_frequent(merged, of_ones)
            sentence += (
                f"; of several answers to one question ({repeated:,} answers), the "
                "most frequent counts, once, and of equally frequent ones the first"
            )
        assumptions = (*responses.assumptions, sentence)
        return replace(responses, table=merged, assumptions=assumptions)

    def of_space[S: Space](self, space: S) -> S:
        """Return the space with the groups of its annotators."""
        if not self.group:
            return space
        given = [
            self.group.get(str(name)) if person else None
            for name, person in zip(space.annotators, space.identified, strict=True)
        ]
        names = sorted({name for name in given if name is not None})
        if not names:
            msg = (
                "annotators: the table names none of those who answered; it has "
                f"{listing(list(self.group), 3)}, the answers have "
                f"{listing(list(map(str, space.annotators)), 3)}"
            )
            raise OptionError(msg)
        rest = sum(name is None for name in given)
        remarks = []
        if rest:
            names.append(NO_GROUP)
            remarks.append(f"{rest:,} annotators are in no group of the table")
        code = [names.index(NO_GROUP if name is None else name) for name in given]
        groups = Groups(np.array(code, np.int32), np.array(names, object))
        return replace(
            space,
            annotator_groups=groups,
            assumptions=(*space.assumptions, *remarks),
        )


def _named(frame: pd.DataFrame, column: str) -> dict[str, str]:
    if column not in frame:
        return {}
    some = frame[frame[column].notna()]
    return dict(zip(some["annotator"], some[column], strict=True))


def _of_samples(
    group: Mapping[str, str], repeat_of: Mapping[str, str]
) -> dict[str, str]:
    """Return the groups with those of annotators that only their samples name."""
    whole = {name: of for name, of in group.items() if name not in repeat_of}
    for one, other in repeat_of.items():
        if other in repeat_of:
            msg = (
                f"annotators: {one!r} is a sample of {other!r}, which is itself a "
                f"sample of {repeat_of[other]!r}; name that one in `repeat_of`"
            )
            raise OptionError(msg)
        theirs = group.get(one, whole.get(other))
        if theirs is None:
            continue
        if whole.setdefault(other, theirs) != theirs:
            msg = (
                f"annotators: {other!r} is in the groups {whole[other]!r} and "
                f"{theirs!r}, the second by its sample {one!r}; give samples of one "
                "annotator one group"
            )
            raise OptionError(msg)
    return whole


def _most_frequent(table: pd.DataFrame, some: pd.Series) -> tuple[pd.DataFrame, int]:
    """Keep one answer of some annotators to each question; say of how many."""
    question = ["kind", "item", "annotator"]
    rows = table[some]
    contains, label = rows["kind"] == "contains", rows["label"].cat.codes
    value = rows["answer"].cat.codes.where(contains, label)
    asked = label.where(contains, -1)
    coded = pd.DataFrame({name: rows[name].cat.codes for name in question}).assign(
        asked=asked, value=value, n=rows["n"]
    )
    coded = coded[(rows["kind"] != "objects") & (coded["value"] >= 0)]
    keys = [*question, "asked"]
    size = coded.groupby(keys, sort=False)["n"].transform("sum")
    votes = coded.groupby([*keys, "value"], sort=False)["n"].transform("sum")
    # A stable sort: among equals, the answer that was given first.
    order = coded.assign(votes=-votes).sort_values("votes", kind="stable")
    first = order[~order.duplicated(keys)].index
    lost = coded.index.difference(first)
    kept = table.drop(index=lost)
    kept.loc[first, "n"] = 1
    return kept.reset_index(drop=True), int(coded["n"][size > 1].sum())
