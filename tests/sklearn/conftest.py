import pandas as pd
import pytest

# What workers p to t say of tasks 0 to 14.
SAID = (
    *("abaab", "aaaaa", "bbabb", "aabba", "ccccb", "cccbc", "ccccc", "cbccb"),
    *("bacac", "bbbbc", "bbbbb", "ccaab", "cbccc", "acccb", "cbabb"),
)


@pytest.fixture(scope="module")
def fifteen():
    rows = [
        (task, worker, label)
        for task, said in enumerate(SAID)
        for worker, label in zip("pqrst", said, strict=True)
    ]
    return pd.DataFrame(rows, columns=["task", "worker", "label"])
