"""What closed forms load, in a process of their own: neither JAX nor NumPyro."""

import subprocess
import sys

import pytest

HEAVY = ("jax", "numpyro", "optax", "sklearn", "arviz_base", "arviz_stats", "arviz")
PROGRAM = f"""
import sys
import pandas as pd
import consilience as cs

number = range(60)
labels = ["xyz"[(n // 3 + n % 7 // 5) % 3] for n in number]
rows = [(f"i{{n // 3}}", f"a{{n % 3}}", label) for n, label in zip(number, labels)]
frame = pd.DataFrame(rows, columns=["item", "annotator", "label"])
fit = CALL
print(fit.labels().shape, *sorted(set(sys.modules) & set({HEAVY})))
"""
LOADED_BY = {
    "em": 'cs.fit(frame, model="dawid_skene", engine="em")',
    "vb": 'cs.fit(frame, model="hierarchical_dawid_skene", engine="vb")',
    "auto": "cs.fit(frame)",
    "an estimator": "cs.OneCoinDawidSkene().fit(frame).fit_",
}


def loaded(call):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("CALL", call)],
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.split()[2:]


@pytest.mark.parametrize("name", LOADED_BY)
def test_closed_forms_load_none_of_it(name):
    assert loaded(LOADED_BY[name]) == []


def test_the_same_check_sees_what_a_gradient_loads():
    assert "jax" in loaded('cs.fit(frame, model="glad", engine="em")')
