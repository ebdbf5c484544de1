"""crowd-kit's methods of categorical aggregation, with their own defaults.

`GoldMajorityVote` is left out: it is given the truth, which no method here is.

Wawa and ZeroBasedSkill ask scikit-learn whether they are fitted, which recent versions
answer with an error; the adapter weighs crowd-kit's MajorityVote by the skills that
they found, as their own code does after that question.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from benchmarks.aggregation.peers import answers_table
from consilience.benchmark.runs import Prediction
from consilience.responses import Responses

PACKAGE = "crowd-kit"
MODULE = "crowdkit"
METHODS: Mapping[str, bool] = {
    "MajorityVote": True,
    "Wawa": True,
    "ZeroBasedSkill": True,
    "DawidSkene": True,
    "OneCoinDawidSkene": True,
    "GLAD": True,
    "MACE": True,
    "MMSR": False,
    "KOS": False,
}
_WEIGHTED = ("Wawa", "ZeroBasedSkill")
_RANDOM = ("MACE", "MMSR", "KOS")


def load(name: str) -> Callable[[Responses, int], Prediction]:
    """Import crowd-kit and return the method.

    Parameters
    ----------
    name
        One of `METHODS`.
    """
    from crowdkit import aggregation

    make: Any = getattr(aggregation, name)

    def predict(responses: Responses, seed: int) -> Prediction:
        answers = answers_table(responses)
        method = make(random_state=seed) if name in _RANDOM else make()
        if not METHODS[name]:
            return Prediction(_hard(method.fit_predict(answers)))
        if name in _WEIGHTED:
            skills = method.fit(answers).skills_
            votes = aggregation.MajorityVote()
            return Prediction(_long(votes.fit_predict_proba(answers, skills=skills)))
        return Prediction(_long(method.fit_predict_proba(answers)))

    return predict


def _long(probabilities: pd.DataFrame) -> pd.DataFrame:
    table = probabilities.rename_axis(index="item", columns="label")
    return table.reset_index().melt(id_vars="item", value_name="probability")


def _hard(chosen: "pd.Series[Any]") -> pd.DataFrame:
    items, labels = chosen.index.astype("str"), chosen.to_numpy(str)
    return pd.DataFrame({"item": items, "label": labels, "probability": 1.0})
