"""Long tables: one row per answer, in CSV, TSV, Parquet, JSON lines or a data frame."""

from collections.abc import Sequence

from consilience.responses.assemble import assemble
from consilience.responses.columns.long_table import (
    long_draft,
    one_question,
    without_refused,
)
from consilience.responses.columns.names import plain, usual
from consilience.responses.draft import Reader
from consilience.responses.options import ReadOptions
from consilience.responses.sources.load import Probe, Source, fingerprints, load_tables
from consilience.responses.table import Responses


def read_long(sources: Sequence[Source], options: ReadOptions) -> Responses:
    """Read one or more long tables."""
    table = load_tables(sources, options, unnested=True)
    table = one_question(without_refused(table, options), options)
    return assemble(long_draft(table, options, fingerprints(sources)), options)


def _sniff(probe: Probe) -> int:
    if probe.is_folder or not probe.names:
        return 0
    names = {plain(name) for name in probe.names}
    has = {
        role: getattr(probe.columns, role) in probe.names
        or bool(usual(list(probe.names), role))
        for role in ("item", "annotator", "label", "answer", "n")
    }
    if not has["item"] or not (has["label"] or has["answer"]):
        return 0
    return 2 if has["annotator"] or "task" in names or has["n"] else 1


READER = Reader(
    name="long",
    what="one row per answer (CSV, TSV, Parquet, JSON lines, data frame), any names",
    sniff=_sniff,
    read=read_long,
    questions=True,
)
