"""Names of the covariates of objects."""

from dataclasses import dataclass, field

from consilience.objects.layout.pair_covariates import Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What each column is called; part of the program, so it has a hash.

    Those of `endorsement` are what makes annotators say yes when they are asked; none
    where nobody was asked. `pairs` are the codes of the labels of those pairs that have
    an affinity of their own; which they are is no part of the program.
    """

    label: tuple[str, ...]
    slope: tuple[str, ...]
    block: tuple[str, ...]
    pair: tuple[str, ...]
    item: tuple[str, ...]
    endorsement: tuple[str, ...] = ()
    pairs: Pairs = field(default=(), compare=False)
