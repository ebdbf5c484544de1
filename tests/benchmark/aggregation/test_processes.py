import pytest
from benchmarks.aggregation.processes import Limits, in_a_process

LIMITS = Limits(60.0)


def test_a_method_in_its_own_process_gives_labels_and_figures(first, fake):
    outcome, table = in_a_process(LIMITS)(first, fake("without_gold"), 0)
    assert set(table["variant"]) == {"", "even"}
    assert outcome["seconds"] > 0
    assert outcome["peak_mib"] > 20
    assert outcome["version"] == "unknown"


@pytest.mark.parametrize(
    ("setting", "status", "reason"),
    [
        ("fail", "error", "ValueError: no such luck"),
        ("crash", "error", "exit code 3: last words"),
        ("killed", "memory", "ended by the system (signal 9)"),
    ],
)
def test_a_failure_is_a_result_with_its_reason(setting, status, reason, first, fake):
    outcome, table = in_a_process(LIMITS)(first, fake(setting), 0)
    assert table is None
    assert outcome["status"] == status
    assert reason in outcome["reason"]


def test_one_that_takes_too_long_or_too_much_is_given_up(first, fake):
    slow, _ = in_a_process(Limits(2.0))(first, fake("sleep"), 0)
    assert (slow["status"], slow["reason"]) == ("timeout", "not done after 2 s")
    greedy, _ = in_a_process(Limits(100.0, gib=0.7))(first, fake("greedy"), 0)
    assert (greedy["status"], greedy["reason"]) == (
        "memory",
        "held more than 0.7 GiB",
    )
