"""Which scores point to wrong consensus labels: ours and cleanlab's.

    CONSILIENCE_CLEANLAB=/path/to/python python -m benchmarks label_quality

The interpreter named needs cleanlab, and may be of an environment of its own; by
default it is the one that runs. Both judge the same labels, those of a majority vote,
on public data with a known truth. cleanlab wants the predictions of a classifier: it
gets one that sees nothing (the shares of the labels), or one made up from the truth,
which both get.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

import consilience as cs
from benchmarks.report import Report

SETS = ("rte", "temp", "dog", "bird", "zc_in", "ms", "leaves")
DRAWS = 1000  # of the bootstrap over items
SHARP = 2.0  # log-odds that the made-up classifier gives the truth, noise of one

NOTES = (
    "Consensus labels are those of a majority vote, ties as cleanlab breaks them.",
    "AUC: how often a wrong label has a lower score than a right one.",
    "AP: average precision of the ranking, the lowest score first.",
    "Difference: ours less cleanlab's, ± the standard error of a bootstrap of items.",
    "Classifier made up: softmax of standard normal noise, plus two at the truth.",
)

CLEANLAB = """
import json, sys
import numpy as np, pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator
folder = sys.argv[1]
wide = pd.DataFrame(np.load(f"{folder}/labels.npy"))
for name in ("blind", "seeing"):
    np.random.seed(0)
    quality = get_label_quality_multiannotator(
        wide, np.load(f"{folder}/{name}.npy"), consensus_method="majority_vote",
        return_detailed_quality=False, return_annotator_stats=False, verbose=False,
    )["label_quality"]
    columns = ["consensus_label", "consensus_quality_score"]
    quality[columns].to_csv(f"{folder}/{name}.csv")
"""


def run(*, quick: bool = False, repeats: int = 1) -> Report:
    """Compare the scores on every set.

    Parameters
    ----------
    quick
        One set alone.
    repeats
        Ignored: nothing is timed.
    """
    del repeats
    root = Path(os.environ["CONSILIENCE_DATA"]) / "crowd"
    rows = [
        row for name in SETS[: 1 if quick else None] for row in _compared(root / name)
    ]
    return Report(
        "Wrong consensus labels: ours and cleanlab's scores",
        rows,
        NOTES,
    )


def _compared(folder):
    answers = pd.read_csv(folder / "labels.csv", dtype=str)
    answers = answers.drop_duplicates(["task", "worker"])
    truth = pd.read_csv(folder / "truth.csv", dtype=str)
    truth = truth.set_index(truth.columns[0]).iloc[:, 0]
    labels = np.unique(answers["label"])
    wide = answers.pivot_table(
        index="task", columns="worker", values="label", aggfunc="first"
    )
    codes = wide.apply(lambda column: pd.Categorical(column, labels).codes)
    codes = codes.astype(float).mask(wide.isna())
    true = truth.reindex(wide.index)
    right = true.to_numpy()[:, None] == labels
    generator = np.random.default_rng(0)
    scores = generator.normal(size=right.shape) + SHARP * right
    seeing = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    shares = answers["label"].value_counts(normalize=True).reindex(labels).to_numpy()
    blind = np.tile(shares, (len(wide), 1))
    theirs = _of_cleanlab(codes.to_numpy(), blind, seeing)
    for name, pred_probs in (("blind", None), ("seeing", seeing)):
        quality = cs.label_quality_multiannotator(codes, _frame(pred_probs, codes))
        votes = theirs[name]["consensus_label"].to_numpy().astype(int)
        ours = _of_labels(quality["detailed_label_quality"], codes, votes)
        judged = true.notna().to_numpy()
        wrong = (labels[votes] != true.to_numpy())[judged]
        both = ours[judged], theirs[name]["consensus_quality_score"].to_numpy()[judged]
        made_up = "made up" if name == "seeing" else "none"
        yield _row(folder.name, made_up, wrong, *both)


def _frame(pred_probs, codes):
    if pred_probs is None:
        return None
    return pd.DataFrame(pred_probs, codes.index, range(pred_probs.shape[1]))


def _of_labels(detailed, codes, votes):
    """Return the quality of the label of each item, which somebody gave."""
    same = codes.to_numpy() == votes[:, None]
    return detailed.to_numpy()[np.arange(len(votes)), same.argmax(1)]


def _of_cleanlab(codes, blind, seeing):
    with tempfile.TemporaryDirectory() as folder:
        for name, table in (("labels", codes), ("blind", blind), ("seeing", seeing)):
            np.save(f"{folder}/{name}.npy", table)
        python = os.environ.get("CONSILIENCE_CLEANLAB", sys.executable)
        command = [python, "-c", CLEANLAB, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        return {
            name: pd.read_csv(f"{folder}/{name}.csv") for name in ("blind", "seeing")
        }


def _row(data, classifier, wrong, ours, theirs):
    measures = {"AUC": roc_auc_score, "AP": average_precision_score}
    generator = np.random.default_rng(0)
    draws = [generator.integers(len(wrong), size=len(wrong)) for _ in range(DRAWS)]
    row = {
        "data": data,
        "classifier": classifier,
        "items": len(wrong),
        "wrong": int(wrong.sum()),
    }
    for name, measure in measures.items():
        one, other = measure(wrong, -ours), measure(wrong, -theirs)
        apart = [
            measure(wrong[each], -ours[each]) - measure(wrong[each], -theirs[each])
            for each in draws
            if 0 < wrong[each].sum() < len(each)
        ]
        row |= {
            f"{name} ours": round(one, 3),
            f"{name} cleanlab": round(other, 3),
            f"{name} difference": f"{one - other:+.3f} ± {np.std(apart):.3f}",
        }
    print(json.dumps(row), flush=True)
    return row
