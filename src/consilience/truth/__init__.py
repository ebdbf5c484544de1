"""What can be true of an item, and the answers about it, coded for the models.

Names are loaded when first used: closed forms need no JAX, which others are laid out
for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
