"""Networks exported to ONNX.

It needs what `requirements/export.txt` lists, and runs from the root of the repository.
"""

from models.exporting.export import About, export_network
from models.exporting.published import imagenet_labels

__all__ = ["About", "export_network", "imagenet_labels"]
