"""The directive `packages`: the imports between the packages of the library.

```{packages}
```
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from packages.drawing import svg
from packages.imports import import_graph, reduced
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

SOURCE = Path(__file__).parents[2] / "src" / "consilience"


class PackagesDirective(SphinxDirective):
    """A drawing of the packages, from the imports in the source."""

    def run(self) -> list[nodes.Node]:
        """Return the drawing."""
        for file in (*SOURCE.rglob("*.py"), *Path(__file__).parent.glob("*.py")):
            self.env.note_dependency(str(file))
        picture = nodes.raw("", svg(reduced(import_graph(SOURCE))), format="html")
        return [nodes.container("", picture, classes=["packages"])]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("packages", PackagesDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
