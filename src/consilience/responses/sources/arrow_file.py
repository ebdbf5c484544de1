"""Files of Arrow: Feather, and Arrow's own file and stream."""

from pathlib import Path

import pyarrow as pa
from pyarrow import feather, ipc

from consilience.errors import UnreadableFileError
from consilience.responses.sources.library_errors import readable

_FILE, _STREAM, _FIRST = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"
NOT_WHOLE = "not a whole Arrow file"


def read_arrow_file(path: Path) -> pa.Table:
    """Read a table from a file of Arrow, whichever of the forms it has."""
    with path.open("rb") as file:
        start = file.read(6)
    with readable(str(path), NOT_WHOLE):
        if start.startswith(_FIRST):
            table = feather.read_table(path.__fspath__(), memory_map=False)
        elif start == _FILE:
            table = ipc.open_file(pa.OSFile(path.__fspath__())).read_all()
        elif start.startswith(_STREAM):
            table = ipc.open_stream(pa.OSFile(path.__fspath__())).read_all()
        else:
            msg = f"{path}: {NOT_WHOLE}; copy or export it again"
            raise UnreadableFileError(msg)
        table.validate(full=True)
    return table
