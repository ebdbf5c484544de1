"""Image classifiers: what they predict, pooled into candidates with prior log-odds.

Nothing heavy is imported before it is asked for, and JAX never: a process that
classifies holds no GPU memory that a fit would want.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
