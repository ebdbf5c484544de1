"""How much classifiers confuse two labels, by hand; a similarity that models take."""

import numpy as np
import pandas as pd

from consilience.classifiers.candidate_table import co_confusion
from consilience.fitting.inputs import as_similarity, classifiers_of

TABLE = pd.DataFrame(
    [
        ("i1", "dog", 0.6),
        ("i1", "wolf", 0.3),
        ("i2", "wolf", 0.8),
        ("i2", "dog", 0.2),
        ("i2", "cup", 0.1),
        ("i3", "cup", 0.5),
    ],
    columns=["item", "label", "probability"],
).assign(score=lambda table: np.log(table["probability"]))
DOG, WOLF, CUP = [0.6, 0.2, 0], [0.3, 0.8, 0], [0, 0.1, 0.5]


def cosine(one, other):
    return np.dot(one, other) / np.sqrt(np.dot(one, one) * np.dot(other, other))


def test_it_is_the_cosine_of_two_labels_over_all_items():
    result = co_confusion(TABLE)
    assert result["label"].tolist() == ["dog", "cup", "cup"]
    assert result["other_label"].tolist() == ["wolf", "wolf", "dog"]
    by_hand = [cosine(DOG, WOLF), cosine(CUP, WOLF), cosine(CUP, DOG)]
    assert np.allclose(result["value"], by_hand)


def test_a_folder_of_candidates_is_a_similarity_and_says_whose(tmp_path):
    TABLE.to_parquet(tmp_path / "candidates.parquet")
    sources = pd.DataFrame(
        {"item": ["i1", "i1"], "label": ["dog", "cup"], "model": ["net", "people"]}
    )
    sources["rank"] = pd.array([1, None], dtype="Int16")
    sources.to_parquet(tmp_path / "sources.parquet")
    reported = as_similarity(tmp_path, TABLE["label"])
    assert np.allclose(reported["value"].astype(float), co_confusion(TABLE)["value"])
    assert classifiers_of(None, tmp_path) == ["net"]
