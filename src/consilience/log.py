"""The logger of the package: silent, unless the caller lets it speak.

What is fitted by which engine and how long it took is logged at the level INFO; phases
and convergence at DEBUG. `logging.basicConfig(level="INFO")` shows it.
"""

import logging

logger = logging.getLogger("consilience")
logger.addHandler(logging.NullHandler())
