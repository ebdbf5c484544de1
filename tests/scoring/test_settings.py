"""Settings of a score with which none can be computed are refused."""

import pytest

import consilience as cs
from consilience.errors import OptionError


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"clip": 2.0}, "clip is 2; give the smallest probability of the truth"),
        ({"clip": 0.5}, "below 0.5"),
        ({"clip": -0.1}, "below 0.5"),
        ({"resamples": 0}, "resamples is 0; give 1 or more"),
        ({"bins": 0}, "bins is 0; give 1 or more"),
        ({"prob": 2.0}, "between 0 and 1"),
        ({"prob": 0.0}, "between 0 and 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(setting, says):
    with pytest.raises(OptionError, match=says):
        cs.scoring.ScoreOptions(**setting)


def test_no_clip_is_a_setting():
    assert cs.scoring.ScoreOptions(clip=0.0, bins=1, resamples=1).clip == 0
