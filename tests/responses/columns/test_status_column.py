import pandas as pd
import pytest

import consilience as cs


def table(*statuses):
    return pd.DataFrame(
        {
            "item": [f"i{k // 3}" for k in range(12)],
            "worker": [f"w{k % 3}" for k in range(12)],
            "label": ["a", "b", "a"] * 4,
            "status": [*statuses, *["APPROVED"] * (12 - len(statuses))],
        }
    )


@pytest.mark.parametrize(
    "status", ["REJECTED", "TIMED-OUT", "Returned", "consent_revoked", "expired"]
)
def test_work_that_was_refused_does_not_count(status):
    responses = cs.read(table(status, "AWAITING REVIEW"))
    assert responses.num_responses == 11
    note = f"rows left out by 'status' (`statuses=` keeps others): 1 {status}"
    assert note in responses.cleaning.notes
    assert cs.read(table(status), statuses=[status]).num_responses == 1


def test_a_status_that_refuses_nothing_leaves_all_rows():
    assert cs.read(table("SUBMITTED")).num_responses == 12
    named = table("rejected").rename(columns={"status": "remark"})
    assert cs.read(named).num_responses == 12


def test_a_column_of_states_that_is_the_label_is_none_of_statuses():
    states = table("expired", "expired").rename(columns={"label": "remark"})
    read = cs.read(states, label="status", kind="choice")
    assert read.num_responses == 12
