"""Analyses of responses without a model, and of decisions given a fit.

Names are loaded when first used: agreement needs no model.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
