"""Which field of an export names the item."""

from collections.abc import Mapping, Sequence

from consilience.errors import MissingColumnError
from consilience.responses.columns.names import USUAL, listing, plain

type Fields = Mapping[str, str | None]


def item_field(
    fields: Sequence[Fields],
    ids: Sequence[str],
    given: str | None,
    source: str,
    last_ids: Sequence[str] = (),
) -> str:
    """Return the field that names the item.

    An id goes first, if its values come back. Of the contents it is a field that tells
    all items apart, of a usual name if there is one.
    """
    every = list(dict.fromkeys(name for each in fields for name in each))
    if given is not None:
        short = {name.rpartition(".")[2].rpartition(":")[2]: name for name in every}
        if given in every or given in short:
            return given if given in every else short[given]
        msg = (
            f"{source}: there is no field {given!r} for the item; found "
            f"{listing(every)}; name one of these (`item=NAME`)"
        )
        raise MissingColumnError(msg)
    filled = [name for name in every if all(each.get(name) for each in fields)]
    contents = [name for name in filled if name not in (*ids, *last_ids)]
    best = _best(fields, contents)
    usable = [name for name in (*ids, best, *last_ids) if name in filled]
    if usable:
        # A value that never comes back names a work, where another field's do.
        again = [name for name in usable if _comes_back(fields, str(name))]
        return str((again or usable)[0])
    msg = (
        f"{source}: it does not show which field names the item; found "
        f"{listing(every)}; name it (`item=NAME`)"
    )
    raise MissingColumnError(msg)


def _comes_back(fields: Sequence[Fields], name: str) -> bool:
    return len({each[name] for each in fields}) < len(fields)


def _best(fields: Sequence[Fields], contents: list[str]) -> str | None:
    """Return the field of the contents that tells all of them apart."""
    whole = len({tuple(each[name] for name in contents) for each in fields})
    apart = [n for n in contents if len({each[n] for each in fields}) == whole]
    ranks = {name: i for i, name in enumerate(USUAL["item"])}
    apart.sort(key=lambda n: ranks.get(plain(_last(n)), len(ranks)))
    return next(iter(apart), None)


def _last(name: str) -> str:
    return name.rpartition(":")[2].rpartition(".")[2]
