import numpy as np

from consilience.ragged import places_within


def test_places_start_anew_in_each_row():
    assert places_within(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
