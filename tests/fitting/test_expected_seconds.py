from dataclasses import replace

import numpy as np
import pytest
from tests.studies import crossed

import consilience as cs
from consilience.fitting.request import expected_seconds


def study(items):
    frame = crossed(items, 20, 5)
    return cs.read(frame.assign(label=np.resize(list("abcd"), len(frame))))


USUAL = cs.EngineOptions()


def test_larger_studies_and_more_draws_take_longer():
    small, large = study(50), study(500)
    for engine in ("em", "vb", "gibbs", "nuts"):
        model = "hierarchical_dawid_skene"
        first, second = (
            expected_seconds(each, model, engine, USUAL) for each in (small, large)
        )
        assert first < second
    more = replace(USUAL, draws=4000)
    usual = expected_seconds(large, "one_coin_dawid_skene", "nuts", USUAL)
    assert expected_seconds(large, "one_coin_dawid_skene", "nuts", more) > 2 * usual


@pytest.mark.parametrize(("draws", "said"), [(5, False), (60_000, True)])
def test_the_command_says_it_before_a_long_fit(draws, said, capsys):
    from consilience.cli.commands.fit import print_expected
    from consilience.cli.terminal import screen

    effort = cs.EngineOptions(draws=draws, tune=5)
    show = screen(as_json=False)
    print_expected(show, study(50), "one_coin_dawid_skene", "nuts", effort)
    assert ("the fit takes about" in capsys.readouterr().out) is said
