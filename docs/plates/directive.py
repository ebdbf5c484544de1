"""The directive `plate`: a model in words, and its plate diagram.

```{plate} dawid_skene
```
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from plates.drawing import svg
from plates.plate import read
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

HERE = Path(__file__).parent


class PlateDirective(SphinxDirective):
    """A model in words, and its plate diagram."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the words and the picture."""
        source = HERE / f"{self.arguments[0]}.toml"
        for each in (source, HERE / "drawing.py", HERE / "plate.py"):
            self.env.note_dependency(str(each))
        diagram = read(source)
        words = nodes.paragraph()
        self.state.nested_parse([diagram.words], self.content_offset, words)
        picture = nodes.raw("", svg(diagram), format="html")
        return [*words.children, nodes.container("", picture, classes=["plate"])]


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directive known."""
    app.add_directive("plate", PlateDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
