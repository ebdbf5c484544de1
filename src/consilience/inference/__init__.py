"""Ways to a posterior, one per file: each `fit(model, space, key, effort, report)`."""

from consilience.inference.result import Result

ENGINES = ("nuts", "vb", "em", "svi")

__all__ = ["ENGINES", "Result"]
