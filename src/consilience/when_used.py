"""Libraries that take long to be loaded: each is loaded when it is first used."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "alt",
    "csgraph",
    "linalg",
    "optimize",
    "sparse",
    "special",
    "vl_convert",
    "xr",
]


class _WhenUsed:
    """Stands for a module until somebody asks for anything in it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Return what the module has of that name, and keep it."""
        value = getattr(import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


if TYPE_CHECKING:
    import xarray as xr
    from scipy import optimize, sparse, special
    from scipy.sparse import csgraph, linalg
else:
    xr, special = _WhenUsed("xarray"), _WhenUsed("scipy.special")
    optimize, sparse = _WhenUsed("scipy.optimize"), _WhenUsed("scipy.sparse")
    csgraph = _WhenUsed("scipy.sparse.csgraph")
    linalg = _WhenUsed("scipy.sparse.linalg")
# Of an extra, which may be absent.
alt: Any = _WhenUsed("altair")
vl_convert: Any = _WhenUsed("vl_convert")
