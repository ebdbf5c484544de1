"""Long tables of several questions, which a column tells apart."""

from collections import Counter
from dataclasses import replace

import numpy as np

from consilience.errors import MissingColumnError
from consilience.responses.columns.names import choose_question, find, listing, plain
from consilience.responses.options import ReadOptions
from consilience.responses.tables.text_table import TextTable

# In order of preference; compared without case, blanks and punctuation.
_USUAL = (
    "question",
    "questionname",
    "questionid",
    "fromname",
    "criterion",
    "dimension",
)


def one_question(table: TextTable, options: ReadOptions) -> TextTable:
    """Return the rows about one question, if there is a column of questions."""
    roles_given = options.columns
    item = find(table.names, "item", roles_given.item, table.source, table.unusable)
    roles = {item} | {getattr(roles_given, name) for name in roles_given.__slots__}
    names = [n for n in table.columns if n not in roles and plain(n) in _USUAL]
    names.sort(key=lambda name: _USUAL.index(plain(name)))
    if not names or item is None:
        if options.question is not None:
            msg = (
                f"{table.source}: no column names the question; found "
                f"{listing(table.names)}; leave out `question=`"
            )
            raise MissingColumnError(msg)
        return table
    column = table.columns[names[0]]
    number = Counter(column.codes.tolist())
    texts = column.values.to_pylist()
    given = {
        str(text): f"{number[code]:,} rows"
        for code, text in enumerate(texts)
        if number[code]
    }
    if len(given) < 2 and options.question is None:
        return table
    question = choose_question(given, options.question, table.source)
    rows = np.flatnonzero(column.codes == texts.index(question))
    note = f"rows about question {question!r}, of {len(given)}, were read"
    columns = {n: c for n, c in table.columns.items() if n != names[0]}
    return replace(table, columns=columns).taken(rows, note)
