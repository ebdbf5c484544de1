"""Comparisons of systems by judges: which of two is better, and the ranking of all.

`read` takes a table of comparisons, `fit` ranks the systems. `model` states the model.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
