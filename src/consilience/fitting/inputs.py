"""Check and convert the arguments of the public functions."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from consilience.errors import OptionError, not_a
from consilience.inference import EngineOptions as EngineOptions  # noqa: PLC0414 (`fitting` exports it)
from consilience.posterior import Fit
from consilience.responses import ReadOptions, Responses, read
from consilience.responses.columns.names import listing
from consilience.responses.id_types import Types, settled
from consilience.responses.side_columns import Named, named_in, roles_in, spelled
from consilience.responses.side_tables import (
    check_filled,
    naming_column,
    side_table,
    text_frame,
)
from consilience.responses.sources.frames import as_frame, is_sources, readable
from consilience.responses.text import text_array
from consilience.sharding import Shards
from consilience.truth import ContainsSpace, ObjectsSpace, Space

CANDIDATES, SOURCES = "candidates.parquet", "sources.parquet"
LABELS = "labels.parquet"

# A path, or a table of any library: see `as_frame`.
type Table = object


def as_responses(given: Responses | Table) -> Responses:
    """Return responses, reading them where they are not read yet."""
    return given if isinstance(given, Responses) else read(given)


def with_order(
    given: Responses | Table, contains: Responses | Table | None
) -> tuple[Responses, Responses | None, bool]:
    """Return responses as `both_tasks` does, and whether their labels have an order."""
    if isinstance(given, Shards):
        raise OptionError("shards are fitted by `shards.fit`, not by `fit`; call that")
    if isinstance(given, (Responses, str, Path)) or is_sources(given):
        return *both_tasks(given, contains), False
    frame = as_frame(given)
    responses, beside = both_tasks(frame, contains)
    label = next(
        (n for n, role in responses.cleaning.columns.items() if role == "label"), None
    )
    return responses, beside, responses.kind == "choice" and frame.is_ordered(label)


def check_order(responses: Responses) -> None:
    """Refuse responses whose labels have no order that is known."""
    if responses.kind != "choice":
        raise OptionError(
            f"the responses are of kind {responses.kind!r}; ordered labels are for "
            'kind "choice": leave out `ordered=True`'
        )
    if not responses.in_order:
        shown = listing(responses.labels["label"].tolist(), 6)
        raise OptionError(
            f"the order of the labels {shown} is not known: they are neither numbers "
            "nor words of a known scale; read the answers with the labels from the "
            "lowest to the highest (`labels=`), or fit without an order: shares of a "
            "label such as pass are what consilience.rate gives"
        )


def both_tasks(
    responses: Responses | Table, contains: Responses | Table | None
) -> tuple[Responses, Responses | None]:
    """Return responses of one kind, and those of kind contains beside them."""
    given = as_responses(responses)
    if set(given.kinds) == {"contains", "objects"}:
        if contains is not None:
            raise OptionError(
                "the responses hold answers of kind contains, and more were given "
                "beside them; give them once"
            )
        return given.of_kind("objects"), given.of_kind("contains")
    if contains is None:
        return given, None
    if given.kind != "objects":
        raise OptionError(
            f"answers of kind contains are taken beside those of kind objects; the "
            f"responses are of kind {given.kind}: fit them by themselves"
        )
    return given, as_responses(contains)


def as_table(
    given: Table | None, what: str, named: Named | None = None
) -> pd.DataFrame | None:
    """Return a side table as text, of what answers name; a file is read."""
    if given is None:
        return None
    if what == "candidates" and isinstance(given, (str, Path)) and Path(given).is_dir():
        given = Path(given) / CANDIDATES  # the folder that `candidates` writes
    table = side_table(given, ReadOptions(), what)
    names = {} if what == "similarity" else roles_in(table, named or {})
    check_filled(table, names)
    others = {name: name for name in table.columns if name not in names.values()}
    frame = text_frame(table, others | names)
    if "label" in names:
        frame["label"] = spelled(frame["label"], named or {})
    return frame


def as_candidates(given: Table | None, responses: Responses) -> pd.DataFrame | None:
    """Return the table of candidates.

    Of a folder, labels of choice that are candidates only because annotators gave them
    are left out, unless they have log-odds: on the list they are in any case, and as
    what they are, for their columns say nothing of having been answered. Labels of a
    folder are called as the responses call them.
    """
    table = as_table(given, "candidates", named_in(responses.table))
    if table is None or not isinstance(given, (str, Path)):
        return table
    listed = (Path(given) / SOURCES).is_file()
    if responses.kind == "choice" and "log_odds" not in table and listed:
        table = _proposed(table, Path(given))
    names = names_in(given, responses.labels["label"])[1]
    return table.assign(label=table["label"].replace(names)) if names else table


def names_in(
    given: Table | None, labels: Iterable[object]
) -> tuple[str, dict[str, str]]:
    """Return what the answers call the labels of a folder of candidates."""
    path = Path(given) / LABELS if isinstance(given, (str, Path)) else None
    if path is None or not path.is_file():
        return "label", {}
    with readable(str(path)):
        table = pd.read_parquet(path).astype("str")
    column = naming_column(table, map(str, labels))
    if column == "label":
        return column, {}
    return column, dict(zip(table["label"], table[column], strict=True))


def on_names(candidates: Table | None, responses: Responses) -> list[str]:
    """Say by which names a folder's candidates were found among the answers."""
    column, names = names_in(candidates, responses.labels["label"])
    sentence = f"labels of candidates are called by their column {column!r}"
    return [sentence] if names else []


def _proposed(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    # Of folders alone: what pools classifiers takes a while to load.
    from consilience.classifiers.pooling import ANNOTATORS  # noqa: PLC0415

    with readable(str(folder / SOURCES)):
        sources = pd.read_parquet(folder / SOURCES, columns=["item", "label", "model"])
        sources = sources.astype("str")
    proposed = sources.loc[sources["model"] != ANNOTATORS, ["item", "label"]]
    return table.merge(proposed.drop_duplicates())


def as_similarity(given: Table | None, labels: Iterable[object]) -> pd.DataFrame | None:
    """Return how alike labels are; of a folder of candidates, co-confusion."""
    if isinstance(given, (str, Path)) and Path(given).is_dir():
        names = names_in(given, labels)[1]
        from consilience.classifiers.candidate_table import co_confusion  # noqa: PLC0415

        table = co_confusion(given)
        pair = {side: table[side].replace(names) for side in ("label", "other_label")}
        given = table.assign(**pair) if names else table
    return as_table(given, "similarity")


def classifiers_of(*given: Table | None) -> list[str]:
    """Return whose predictions are in folders of candidates, as far as these say."""
    names = set[str]()
    for each in given:
        if isinstance(each, (str, Path)) and (Path(each) / SOURCES).is_file():
            with readable(str(Path(each) / SOURCES)):
                rows = pd.read_parquet(Path(each) / SOURCES, columns=["model", "rank"])
            names.update(rows["model"][rows["rank"].notna()].astype("str"))
    return sorted(names)


def types_in(space: Space, types: Types) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the types that all items, annotators and labels of a space can have."""
    labels: Sequence[str] | Shaped[np.ndarray, " _"] = space.states
    if isinstance(space, ContainsSpace):
        labels = space.unit_label
    elif isinstance(space, ObjectsSpace):
        labels = space.named.labels
    names = {
        "item": space.unit_item,
        "annotator": space.annotators[space.identified],
        "label": labels,
    }
    return settled(types, {role: text_array(names[role]) for role in types})


def check_fit(fit: object, what: str = "fit") -> None:
    """Reject what is not a fit."""
    if not isinstance(fit, Fit):
        expected = "what consilience.fit or consilience.load returns"
        raise OptionError(not_a(what, fit, expected))
