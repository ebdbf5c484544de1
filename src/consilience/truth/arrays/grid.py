"""Few sizes for arrays of compiled programs: some to each power of two."""


def next_size(number: int, least: int = 1, *, each: int = 4) -> int:
    """Return the next of some sizes: by default 1, 5/4, 3/2, 7/4 times a power of two.

    It is at most a quarter larger than the number; up to eight, the number itself.

    Parameters
    ----------
    number
        How many there are.
    least
        The least step between two sizes, a power of two.
    each
        How many sizes there are to each power of two, itself one: where room is dear,
        many, and a least step that makes them few where numbers are small.

    Examples
    --------
    >>> [next_size(number) for number in (0, 7, 9, 20, 21, 411)]
    [0, 7, 10, 20, 24, 448]
    >>> [next_size(number, 32) for number in (0, 7, 33, 411)]
    [0, 32, 64, 448]
    >>> [next_size(number, 32, each=16) for number in (7, 33, 411)]
    [32, 64, 416]
    """
    step = max(1 << max((number - 1).bit_length() - each.bit_length(), 0), least)
    return -(-number // step) * step
