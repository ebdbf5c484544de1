"""The order in which CPython walks through a set of small integers.

A published aggregation broke ties by it. Here it is worked out from the rules of the
hash table, so that it is the same on every interpreter: an integer is its own hash; a
table of `mask + 1` slots is probed at nine neighbours and then at
5 i + 1 + (hash >> 5, again and again); when it is three fifths full it grows to the
next power of two above four times its members.

References
----------
CPython 3.7 to 3.13, Objects/setobject.c (set_add_entry, set_table_resize).
"""

from collections.abc import Iterable

_NEIGHBOURS, _SHIFT = 9, 5  # LINEAR_PROBES and PERTURB_SHIFT
_MANY = 50_000  # members beyond which a table only doubles


def hash_order(numbers: Iterable[int]) -> tuple[int, ...]:
    """Return distinct numbers in the order of a set that they were put into."""
    table: list[int | None] = [None] * 8
    used = 0
    for number in numbers:
        place = _place(table, number)
        if table[place] == number:
            continue
        table[place] = number
        used += 1
        if used * 5 >= (len(table) - 1) * 3:
            table = _grow(table, used)
    return tuple(number for number in table if number is not None)


def _grow(table: list[int | None], used: int) -> list[int | None]:
    size = 8
    while size <= used * (2 if used > _MANY else 4):
        size *= 2
    grown: list[int | None] = [None] * size
    for number in table:
        if number is not None:
            grown[_place(grown, number)] = number
    return grown


def _place(table: list[int | None], number: int) -> int:
    """Return the slot that holds the number, or the free one where it would go."""
    mask, perturb = len(table) - 1, number
    slot = number & mask
    while True:
        neighbours = _NEIGHBOURS if slot + _NEIGHBOURS <= mask else 0
        for place in range(slot, slot + neighbours + 1):
            if table[place] is None or table[place] == number:
                return place
        perturb >>= _SHIFT
        slot = (slot * 5 + 1 + perturb) & mask
