"""Studies of comparisons that are drawn from the model."""

import numpy as np
import pandas as pd
import pytest

NAMES = np.array([f"s{number}" for number in range(26)])


def drawn(
    seed,
    systems=5,
    judges=6,
    number=900,
    *,
    first_place=0.3,
    spread=0.2,
    items=0,
    score=None,
):
    """Return a table of comparisons, and the truth; items may suit a system more."""
    random = np.random.default_rng(seed)
    if score is None:
        score = random.normal(size=systems)
        score -= score.mean()
    systems = len(score)
    log_d = spread * random.normal(size=judges)
    trait = {
        "discrimination": np.exp(log_d - log_d.mean()),
        "first_place": first_place + spread * random.normal(size=judges),
        "ties": np.exp(-0.5 + spread * random.normal(size=judges)),
    }
    first = random.integers(systems, size=number)
    second = (first + random.integers(1, systems, size=number)) % systems
    judge = random.integers(judges, size=number)
    gap = score[first] - score[second]
    item = np.arange(number)
    if items:
        item = random.integers(items, size=number)
        suits = random.normal(size=(items, systems))
        gap = gap + suits[item, first] - suits[item, second]
    h = trait["discrimination"][judge] * gap + trait["first_place"][judge]
    p = np.stack([np.exp(h / 2), np.exp(-h / 2), trait["ties"][judge]], axis=1)
    p /= p.sum(1, keepdims=True)
    outcome = (random.random(number)[:, None] > p.cumsum(1)).sum(1)
    won = np.where(outcome == 0, NAMES[first], NAMES[second])
    table = pd.DataFrame(
        {
            "item": item,
            "judge": np.char.add("j", judge.astype(str)),
            "first": NAMES[first],
            "second": NAMES[second],
            "winner": np.where(outcome == 2, "tie", won),
        }
    )
    return table, {"score": score, **trait}


@pytest.fixture(scope="session")
def draw():
    return drawn
