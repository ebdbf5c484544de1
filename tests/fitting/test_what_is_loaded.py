"""What closed forms load, in a process of their own: nothing that they do not use."""

import subprocess
import sys

import pytest

HEAVY = ("jax", "numpyro", "optax", "sklearn", "arviz_base", "arviz_stats", "arviz")
SLOW = ("scipy.special", "xarray")
PROGRAM = f"""
import sys
import pandas as pd
import consilience as cs

number = range(60)
labels = ["xyz"[(n // 3 + n % 7 // 5) % 3] for n in number]
rows = [(f"i{{n // 3}}", f"a{{n % 3}}", label) for n, label in zip(number, labels)]
frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
for number, call in enumerate(sys.argv[1:]):
    shape = eval(call).labels().shape
    print(number, shape[0] > 0, *sorted(set(sys.modules) & set({HEAVY + SLOW})))
"""
# In this order: what one has loaded is still there at the next.
LOADED_BY = {
    "em": 'cs.fit(frame, model="dawid_skene", engine="em")',
    "vb": 'cs.fit(frame, model="hierarchical_dawid_skene", engine="vb")',
    "auto": "cs.fit(frame)",
    "an estimator": 'cs.sklearn.OneCoinDawidSkene(engine="vb").fit(frame).fit_',
}


@pytest.fixture(scope="module")
def loaded():
    """Return what has been loaded after each fit of one process, gradients last."""
    calls = [
        *LOADED_BY.values(),
        'cs.fit(frame, model="dawid_skene", engine="em").with_(truth="raw")',
        'cs.fit(frame, model="glad", engine="em")',
    ]
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, *calls],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert [line[:2] for line in lines] == [[str(n), "True"] for n in range(len(calls))]
    return dict(
        zip([*LOADED_BY, "tree", "gradient"], (line[2:] for line in lines), strict=True)
    )


@pytest.mark.parametrize("name", LOADED_BY)
def test_closed_forms_load_none_of_it(loaded, name):
    # An estimator is one of scikit-learn's.
    its_own = {"sklearn"} if name == "an estimator" else set()
    assert {*HEAVY} & {*loaded[name]} == its_own


@pytest.mark.parametrize("name", ["em", "vb", "auto"])
def test_labels_need_no_tree(loaded, name):
    assert "xarray" not in loaded[name]


def test_the_same_check_sees_what_vb_and_a_tree_load(loaded):
    assert loaded["vb"] == ["scipy.special"]
    assert set(SLOW) <= {*loaded["tree"]}


def test_the_same_check_sees_what_a_gradient_loads(loaded):
    assert "jax" in loaded["gradient"]
