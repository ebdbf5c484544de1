"""Logging: what is fitted and how is told to those who listen, and to nobody else."""

import logging

import pytest

import consilience as cs
from consilience.demo import study


@pytest.fixture(scope="module")
def responses():
    return cs.read(study(0, num_photos=12).answers, item="photo", label="animal")


def test_engine_time_convergence_and_checks_are_logged(responses, caplog):
    with caplog.at_level(logging.DEBUG, "consilience"):
        repr(cs.fit(responses, model="dawid_skene"))
    text = [record.getMessage() for record in caplog.records]
    assert any("dawid_skene by em" in each for each in text)
    assert any("starts converged" in each for each in text)
    assert any("checks:" in each for each in text)
    levels = {record.levelname for record in caplog.records}
    assert levels == {"INFO", "DEBUG"}  # phases are details


def test_nothing_is_printed_unless_asked_for(responses, capfd):
    cs.fit(responses, model="dawid_skene").items()
    assert capfd.readouterr() == ("", "")
    handlers = logging.getLogger("consilience").handlers
    assert any(isinstance(each, logging.NullHandler) for each in handlers)
