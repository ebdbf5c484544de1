"""The methods that can be compared: ours, a baseline, and installed peers."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from consilience import annotators
from consilience.benchmark.peers import cleanlab, crowd_kit, peerannot
from consilience.errors import UnknownModelError

KIND = "choice"  # of the data sets that methods are compared on
_PEERS = (crowd_kit, peerannot, cleanlab)


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes
    ----------
    name
        Unique, and fit for a file's name.
    module
        Of which `load(setting)` gives a function from responses and a seed to a
        `Prediction`; imported only in the process that runs the method.
    setting
        What `load` is given.
    package
        The package it comes from, whose version is kept with the result.
    probabilistic
        Whether it states probabilities; else accuracy alone is measured.
    """

    name: str
    module: str
    setting: str
    package: str = "consilience"
    probabilistic: bool = True


def library_methods(engine: str = "auto") -> tuple[Method, ...]:
    """Every model for choice, the choice made by the data, and a baseline.

    Parameters
    ----------
    engine
        Engine of the models that have it; the others take their best. auto: as
        `consilience fit` chooses.
    """
    room = "consilience.benchmark"
    takes = [name for name in annotators.names() if KIND in annotators.load(name).kinds]
    models = tuple(
        Method(name, f"{room}.ours", _with_engine(name, engine))
        for name in ("auto", *takes)
    )
    return (Method("smoothed_shares", "consilience.scoring.shares", ""), *models)


def peers() -> tuple[tuple[Method, ...], tuple[str, ...]]:
    """Return the methods of the peers that are installed, and the absent packages."""
    there = [peer for peer in _PEERS if find_spec(peer.MODULE) is not None]
    methods = tuple(
        Method(f"{peer.PACKAGE}.{name}", peer.__name__, name, peer.PACKAGE, states)
        for peer in there
        for name, states in peer.METHODS.items()
    )
    return methods, tuple(peer.PACKAGE for peer in _PEERS if peer not in there)


def choose_methods(
    names: Sequence[str], *, with_peers: bool, engine: str = "auto"
) -> tuple[Method, ...]:
    """Return the methods asked for.

    Parameters
    ----------
    names
        Names of methods, of peers too; none: all of ours.
    with_peers
        Add every installed peer.
    engine
        See `library_methods`.

    Raises
    ------
    UnknownModelError
        There is no such method.
    """
    ours, (theirs, _) = library_methods(engine), peers()
    methods = {method.name: method for method in (*ours, *theirs)}
    for name in names:
        if name not in methods:
            msg = (
                f"there is no method {name!r} here; choose among "
                f"{', '.join(methods)}, or install the package it comes from"
            )
            raise UnknownModelError(msg)
    wanted = [methods[name] for name in names] or list(ours)
    return tuple(dict.fromkeys([*wanted, *(theirs if with_peers else ())]))


def _with_engine(name: str, engine: str) -> str:
    if engine == "auto" or name == "auto":
        return name
    has = annotators.load(name).engines
    return f"{name}/{engine if engine in has else has[0]}"
