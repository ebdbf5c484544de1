"""Small products are worked on by one thread, and the others come back afterwards."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from consilience.executors import products_on_one_thread


def threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {
        each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
    }


def test_one_thread_works_while_anybody_asks_for_it():
    with threadpool_limits(2, "blas"):
        before = threads()
        with products_on_one_thread():
            with products_on_one_thread():
                assert threads() == {1}
            assert threads() == {1}
        assert threads() == before
        assert before == {2}  # the twin: without it there are two
