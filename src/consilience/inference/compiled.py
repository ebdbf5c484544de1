"""How closed forms are compiled: sooner, for the same speed.

At level 1 LLVM leaves out passes that took a third of the compiling time. On the public
set zc_us fits then took as long as before, within 5%; at level 0 three to five times as
long.
"""

from functools import partial

import jax

LEVEL = 1

compiled = partial(jax.jit, compiler_options={"xla_backend_optimization_level": LEVEL})
