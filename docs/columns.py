"""The directive `columns`: the columns of a table, as the catalogue states them.

```{columns} items
```
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from consilience import tables


class ColumnsDirective(SphinxDirective):
    """The columns of a table and what they mean."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return them as a table."""
        self.env.note_dependency(str(Path(tables.__file__).with_name("catalogue.toml")))
        lines = tables.CATALOGUE[self.arguments[0]].markdown().splitlines()
        columns = nodes.container()
        self.state.nested_parse(lines, self.content_offset, columns)
        return list(columns.children)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("columns", ColumnsDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
