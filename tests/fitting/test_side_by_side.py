"""Pieces of work in threads: in order, and all ended where one fails."""

import time

import pytest

from consilience.fitting.comparing import side_by_side
from consilience.progress import Progress, silent


def test_what_is_found_comes_in_order():
    def work(number):
        def done(report):
            report(Progress("counting", 1, 1))
            time.sleep(0.02 * (3 - number))
            return number

        return done

    results = []
    assert side_by_side([work(number) for number in range(3)], results.append) == [
        0,
        1,
        2,
    ]
    assert len(results) == 3


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_where_one_fails_the_others_end_at_their_next_report(error):
    ended = []

    def fails(_):
        raise error

    def goes_on(report):
        for number in range(500):
            time.sleep(0.01)
            report(Progress("going on", number, 500))
        ended.append("to the end")

    started = time.monotonic()
    with pytest.raises(error):
        side_by_side([fails, goes_on, goes_on], silent)
    assert time.monotonic() - started < 4
    assert not ended
