"""What one more answer costs, by how many items are held: an update beside all anew."""

import time

import numpy as np

from benchmarks.report import Report

HELD = (100, 400, 1600)
UPDATES = 20

NOTES = (
    (
        "CPU milliseconds of one update with one response about one item (median of "
        f"{UPDATES}), and of `predict` with all answers so far; programs compiled "
        "before. A fit by em of 120 simulated items; items of two to four labels, five "
        "answers each before."
    ),
    (
        "Both give the same posterior up to rounding, which a test verifies. An "
        "update finds the earlier answers of its item by name and draws for it "
        "alone."
    ),
)


def run(*, quick: bool, repeats: int) -> Report:
    """Time updates of sessions that hold more and more items."""
    del repeats
    import consilience as cs

    held = (10, 20) if quick else HELD
    made = cs.simulate(
        kind="objects",
        items=max(held) + 120,
        annotators=20,
        classes=10,
        per_item=6,
        prior={"most": 4.0},
        seed=0,
    )
    responses = made.responses
    item = responses.table["item"].str.removeprefix("item").astype(int).to_numpy()
    fit = cs.fit(responses.where(item >= max(held)), model="objects", engine="em")
    rows = []
    for number in held:
        some = responses.where(item < number)
        first = _first(some, UPDATES)
        session = cs.Sequential(fit)
        session.update(some.where(~np.isin(_responses(some), first)))
        # The first of each number of labels compiles; it is not counted.
        costs = [_timed(session, some, name) for name in first]
        before = time.process_time()
        cs.predict(fit, some)
        again = time.process_time() - before
        rows.append(
            {
                "items held": number,
                "update (ms)": round(1e3 * float(np.median(costs)), 1),
                "predict all (ms)": round(1e3 * again, 1),
            }
        )
    return Report("One more answer about objects", rows, NOTES)


def _responses(some):
    return some.table["response_id"].astype(str).to_numpy()


def _first(some, number):
    """Return the last response about each of so many items."""
    last = some.table.drop_duplicates("item", keep="last")
    return last["response_id"].astype(str).to_numpy()[:number]


def _timed(session, some, name) -> float:
    told = some.where(_responses(some) == name)
    before = time.process_time()
    session.update(told)
    return time.process_time() - before
