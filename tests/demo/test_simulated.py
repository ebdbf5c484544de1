import numpy as np

from consilience.demo import LABELS, study


def test_each_photo_is_answered_by_as_many_annotators_as_asked():
    answers = study(0, num_photos=50, per_photo=4).answers
    assert (answers.groupby("photo")["annotator"].nunique() == 4).all()
    assert study(0, num_photos=50, per_photo=4).answers.equals(answers)


def test_answers_follow_the_confusions():
    one = study(0, num_photos=4000, per_photo=25)
    rows = one.answers.merge(one.truth, on="photo", suffixes=("", "_true"))
    given = rows.groupby(["annotator", "animal_true"])["animal"].value_counts()
    for j, name in enumerate(one.annotators):
        for k, true in enumerate(LABELS):
            counts = given[name, true].reindex(LABELS, fill_value=0).to_numpy()
            p, n = one.confusion[j, k], counts.sum()
            # 625 cells: five standard errors are passed by chance once in 3,000 runs.
            width = 5 * np.sqrt(p * (1 - p) / n) + 5 / n
            assert (np.abs(counts / n - p) < width).all()


def test_one_annotator_answers_the_same_whatever_is_true():
    one = study(0)
    same = [np.allclose(square, square[0]) for square in one.confusion]
    assert sum(same) == 1
    assert one.annotators[same.index(True)] == "Sven"
