"""Long tables whose rows have a status: rejected work is left out."""

from collections import Counter

import numpy as np

from consilience.responses.columns.names import plain
from consilience.responses.options import ReadOptions
from consilience.responses.tables.text_table import TextTable

_USUAL = {
    "status",
    "state",
    "approvalstatus",
    "assignmentstatus",
    "responsestatus",
    "reviewstatus",
    "submissionstatus",
    "taskstatus",
}
_REFUSED = {
    "abandoned",
    "aborted",
    "canceled",
    "cancelled",
    "consentrevoked",
    "deleted",
    "discarded",
    "draft",
    "expired",
    "invalid",
    "rejected",
    "returned",
    "revoked",
    "skipped",
    "timedout",
}


def without_refused(table: TextTable, options: ReadOptions) -> TextTable:
    """Leave out the rows whose status says that the work does not count."""
    columns = options.columns
    roles = {getattr(columns, name) for name in columns.__slots__}
    names = [n for n in table.columns if n not in roles and plain(n) in _USUAL]
    if len(names) != 1:
        return table
    column = table.columns[names[0]]
    texts = column.values.to_pylist()
    if options.statuses is None:
        counts = [plain(text or "") not in _REFUSED for text in texts]
    else:
        counts = [text in options.statuses for text in texts]
    kept = np.array([*counts, options.statuses is None])[column.codes]
    if kept.all():
        return table
    number = Counter(column.codes[~kept].tolist())
    left = ", ".join(
        f"{count:,} {texts[code] if code >= 0 else 'empty'}"
        for code, count in number.items()
    )
    note = f"rows left out by {names[0]!r} (`statuses=` keeps others): {left}"
    return table.taken(np.flatnonzero(kept), note)
