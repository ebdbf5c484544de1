"""Rules for the texts of items, annotators and labels, whatever they were read from."""

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from consilience.errors import BadCellError
from consilience.responses.tables.coding import Coded, with_line_breaks

_NUL = "holds a NUL character, which is not text; remove it"


def check_texts(column: Coded, what: str, where: Callable[[int], str]) -> None:
    """Refuse texts that hold a NUL character: no file of a run could hold them."""
    for text in column.values.filter(pc.match_substring(column.values, "\0")):
        for row in _rows(column, text):
            msg = f"{where(row)}: the {what} {text.as_py()!r} {_NUL}"
            raise BadCellError(msg)


def refuse_nul(what: str, texts: Iterable[str]) -> None:
    """Refuse texts that hold a NUL character, where no row can be named."""
    for text in texts:
        if "\0" in text:
            msg = f"the {what} {text!r} {_NUL}"
            raise BadCellError(msg)


def line_break_warnings(
    column: Coded, what: str, where: Callable[[int], str]
) -> tuple[str, ...]:
    """Say which texts hold a line break: a quote may not have been closed."""
    for text in with_line_breaks(column.values):
        for row in _rows(column, text):
            count = len(with_line_breaks(column.values))
            note = (
                f"line breaks in {count:,} texts of {what} (first: "
                f"{where(row)}, {text.as_py()[:40]!r}); if that is not meant, a quote "
                "was opened and not closed, and rows may be missing"
            )
            return (note,)
    return ()


def _rows(column: Coded, text: pa.StringScalar) -> Iterator[int]:
    """First row of a text; none if no row has it."""
    code = column.values.index(text).as_py()
    yield from (int(row) for row in (column.codes == code).nonzero()[0][:1])
