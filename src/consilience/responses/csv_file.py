"""Comma-, semicolon- or tab-separated text files as columns of text.

Every cell is text: no number is parsed, so that ids keep their form. The work is
Arrow's; this file finds the separator and the header, and puts names to errors.
"""

import csv
import re
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from consilience.errors import NoResponsesError, UnreadableFileError
from consilience.responses.coding import encode
from consilience.responses.options import ReadOptions
from consilience.responses.text_table import TextTable, check_names, places, tidy

_SEPARATORS = ",;\t|"
_BLOCK = 1 << 22
_TEXT = pa.dictionary(pa.int32(), pa.string())


def read_csv(path: Path, options: ReadOptions) -> TextTable:
    """Read a separated text file.

    Parameters
    ----------
    path
        The file: UTF-8 with or without a byte-order mark, or UTF-16 with one.
    options
        `separator`, `header` and `missing` are used.

    Raises
    ------
    UnreadableFileError
        If the bytes are not text or a row has too many or too few cells.
    NoResponsesError
        If there is no row.
    """
    source = str(path)
    encoding = _encoding(path)
    names, separator, skip = _header(path, encoding, options)
    names = check_names(names, source)
    table = _arrow(path, names, separator, skip, encoding)
    _check_quotes(path, separator, encoding)
    if table.num_rows == 0:
        msg = f"{source}: there is a header but no row below it; export the file again"
        raise NoResponsesError(msg)
    coded = {name: encode(table.column(name)) for name in names}
    columns, notes = tidy(coded, options.missing)
    return TextTable(
        source=source,
        columns=columns,
        lists={},
        num_rows=table.num_rows,
        where=places(source, first=skip + 1),
        notes=notes,
    )


def header_names(path: Path) -> list[str]:
    """Names in the first line, for recognising a format."""
    return _header(path, _encoding(path), ReadOptions())[0]


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"


def _header(
    path: Path, encoding: str, options: ReadOptions
) -> tuple[list[str], str, int]:
    """Names, separator and how many lines stand above the first row."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            lines = [line for line in islice(file, 50) if line.strip("\r\n\0 ")]
            blank = _leading_blank(path, encoding)
    except UnicodeError:
        raise _not_text(path, encoding) from None
    if not lines:
        msg = f"{path}: the file is empty; export it again"
        raise NoResponsesError(msg)
    skip = blank
    said = re.fullmatch(r"sep=(.)", lines[0].strip("\r\n"))  # Excel's own first line
    if said:
        lines, skip = lines[1:], skip + 1
    separator = options.separator or (said and said.group(1)) or _separator(lines[0])
    rows = csv.reader(iter(lines), delimiter=separator)
    names = next(rows, [])
    if not options.header:
        return [f"column {i}" for i in range(1, len(names) + 1)], separator, skip
    return names, separator, skip + rows.line_num


def _leading_blank(path: Path, encoding: str) -> int:
    with path.open(encoding=encoding, newline="") as file:
        return next((i for i, line in enumerate(file) if line.strip("\r\n ")), 0)


def _separator(line: str) -> str:
    """Separator that cuts the first line into the most cells outside quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=bare.count)


def _arrow(
    path: Path, names: list[str], separator: str, skip: int, encoding: str
) -> pa.Table:
    try:
        return _parse(path, names, separator, skip, encoding)
    except (pa.ArrowInvalid, UnicodeError) as error:
        message = str(error)
    if "Empty CSV" in message:
        return pa.table({name: pa.array([], _TEXT) for name in names})
    if "UTF8" in message or "codec" in message:
        raise _not_text(path, encoding)
    try:  # once more on one thread, which tells the number of the bad row
        return _parse(path, names, separator, skip, encoding, threads=False)
    except pa.ArrowInvalid as error:
        raise _bad_row(path, str(error), names, skip) from None


def _parse(
    path: Path,
    names: list[str],
    separator: str,
    skip: int,
    encoding: str,
    *,
    threads: bool = True,
) -> pa.Table:
    return arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(
            column_names=names,
            skip_rows=skip,
            use_threads=threads,
            block_size=_BLOCK,
            encoding="utf-16" if encoding == "utf-16" else "utf8",
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=separator, newlines_in_values=True
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, _TEXT),
            null_values=[],
            strings_can_be_null=False,
        ),
    )


def _bad_row(
    path: Path, message: str, names: list[str], skip: int
) -> UnreadableFileError:
    row = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message)
    if row:
        number, expected, found = map(int, row.groups())
        msg = (
            f"{path}, row {number}: {found} cells where the header names "
            f"{expected} ({', '.join(names[:6])}); mend the row or give the separator"
        )
    else:
        msg = f"{path}: the rows below line {skip} cannot be told apart ({message})"
    return UnreadableFileError(msg)


def _check_quotes(path: Path, separator: str, encoding: str) -> None:
    """Refuse a quote that is opened and never closed: it would swallow all rows below.

    Only a file with an odd number of quotes can hold one, so that others cost a count.
    """
    with path.open("rb") as file:
        quotes = sum(part.count(b'"') for part in iter(lambda: file.read(_BLOCK), b""))
    if quotes % 2 == 0:
        return
    with path.open(encoding=encoding, newline="") as file:
        rows = csv.reader(file, delimiter=separator, strict=True)
        row = 1
        try:
            for row, _ in enumerate(rows, start=2):  # noqa: B007
                pass
        except csv.Error as error:
            if "unexpected end" not in str(error):
                return
            msg = (
                f"{path}, row {row}: a quote is opened and never closed; mend the row, "
                "or export the file again if it was cut off"
            )
            raise UnreadableFileError(msg) from None


def _not_text(path: Path, encoding: str) -> UnreadableFileError:
    """Find the first row that is not text."""
    codec = "utf-16" if encoding == "utf-16" else "utf-8"
    line = 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):  # noqa: B007
            try:
                raw.decode("latin-1" if codec == "utf-16" else codec)
            except UnicodeDecodeError:
                break
    msg = (
        f"{path}, row {line}: the bytes are not {codec.upper()} text; save the file "
        "again as UTF-8"
    )
    return UnreadableFileError(msg)
