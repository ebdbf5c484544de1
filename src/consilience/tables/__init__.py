"""One description of every table, and all that draws it.

`catalogue.toml` states once what each table and each of its columns is called, means
and how it is written. Terminal, page, plots, files and documentation draw from it.
"""

from consilience.tables.catalogue import (
    CATALOGUE,
    Cell,
    Column,
    Schema,
    Table,
    estimate,
    schema_of,
)

__all__ = ["CATALOGUE", "Cell", "Column", "Schema", "Table", "estimate", "schema_of"]
