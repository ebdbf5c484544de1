"""Build a published network: `python -m models.exporting NAME --out FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from consilience.classifiers.manifest import Storage
from consilience.errors import ConsilienceError
from models.exporting.published import PUBLISHED, build


def main(arguments: Sequence[str] | None = None) -> None:
    """Build a classifier whose weights are in a package of the registry."""
    parser = argparse.ArgumentParser(prog="python -m models.exporting")
    parser.add_argument("name", choices=sorted(PUBLISHED))
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--storage",
        choices=get_args(Storage.__value__),
        default="float16",
        help="precision in which weights are stored; int8 takes a quarter of the bytes",
    )
    options = parser.parse_args(arguments)
    try:
        manifest = build(options.name, options.out, storage=options.storage)
    except ConsilienceError as error:
        sys.stderr.write(f"consilience: {error}\n")
        sys.exit(2)
    source = manifest.source
    sys.stdout.write(
        f"{options.out}: {manifest.network.sha256}\n"
        f"largest difference of a logit: {source.worst_difference if source else ''} "
        f"exported, {source.stored_difference if source else ''} as stored\n"
    )


if __name__ == "__main__":
    main()
