"""What an annotator model is, and what follows from it for every model.

A model says how parameters are drawn and, given them, what each answer looks like under
each state of the truth: the *emission*. From it comes the **score**: for each unit and
each state listed for it, log p(state, the unit's answers | parameters). From the score
follow, here and once, the likelihood with the truth summed out, the posterior of the
truth, exact leave-one-answer-out, expected counts, and simulation.

A model that integrates something out (item difficulty on quadrature nodes, partitions
of names into objects) gives the score itself, and its own simulation.

Parameters are passed on by name. Those with a Dirichlet prior are passed as logarithms
of probabilities, which is what makes closed forms fall out: the gradient of the log
likelihood in log p is the expected count of the event that has probability p. So one
function serves sampling (log of a draw), EM (log of an estimate) and variational Bayes
(expected log), and an M-step is a gradient.

Names are loaded when first used: closed forms need neither JAX nor NumPyro.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
