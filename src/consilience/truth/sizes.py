"""Few sizes for arrays of compiled programs: four to each power of two."""


def next_size(number: int, least: int = 1) -> int:
    """Return the next of the sizes 1, 5/4, 3/2, 7/4 times a power of two.

    It is at most a quarter larger than the number, or by the least step; up to eight,
    the number itself.

    Parameters
    ----------
    number
        How many there are.
    least
        The least step between two sizes, a power of two.

    Examples
    --------
    >>> [next_size(number) for number in (0, 7, 9, 20, 21, 411)]
    [0, 7, 10, 20, 24, 448]
    >>> [next_size(number, 32) for number in (0, 7, 33, 411)]
    [0, 32, 64, 448]
    """
    step = max(1 << max((number - 1).bit_length() - 3, 0), least)
    return -(-number // step) * step
