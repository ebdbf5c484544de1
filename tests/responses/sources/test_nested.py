"""Records that hold annotations, and data sets of Hugging Face."""

import json
import shutil

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from tests.responses.reading_back import back

from consilience.errors import ColumnError
from consilience.responses import read

LABELS = ["neg", "so so", "pos"]
ITEMS = st.dictionaries(
    st.sampled_from([f"i{k}" for k in range(9)]),
    st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from(LABELS)),
        min_size=2,
        max_size=4,
        unique_by=lambda pair: pair[0],
    ),
    min_size=2,
    max_size=6,
)


def sorted_back(responses):
    return sorted(back(responses))


def rows(items):
    return sorted((i, who, what) for i, pairs in items.items() for who, what in pairs)


def of_records(i, pairs):
    annotations = [{"worker": who, "value": {"label": what}} for who, what in pairs]
    return {"meta": {"id": i}, "n": len(pairs), "annotations": annotations}


def of_gold(i, pairs):
    annotations = [{"annotator": who, "label": what} for who, what in pairs]
    return {"doc_id": i, "label": "pos", "votes": annotations}


def of_lists(i, pairs):
    who, what = zip(*pairs, strict=True)
    return {"id": i, "annotator_ids": list(who), "annotations": list(what)}


def of_record_of_lists(i, pairs):
    who, what = zip(*pairs, strict=True)
    return {"id": i, "annotations": {"annotator": list(who), "label": list(what)}}


def by_rounds(i, pairs):
    rounds = [[{"coder": w, "rating": x}] for w, x in pairs]
    return {"text_id": i, "rounds": [{"round": 1, "labels": each} for each in rounds]}


SHAPES = [of_records, of_gold, of_lists, of_record_of_lists, by_rounds]


@pytest.mark.parametrize("shape", SHAPES)
@given(items=ITEMS)
@settings(max_examples=8)
def test_each_annotation_is_a_row(shape, items):
    records = [shape(i, pairs) for i, pairs in items.items()]
    assert sorted_back(read(records)) == rows(items)
    other = {i: [(who, "zzz") for who, _ in pairs] for i, pairs in items.items()}
    assert sorted_back(read([shape(i, p) for i, p in other.items()])) != rows(items)


@pytest.mark.parametrize("shape", SHAPES)
def test_files_and_frames_of_records_are_taken_apart_alike(shape, tmp_path):
    items = {"p": [("a", "neg"), ("b", "pos")], "q": [("b", "pos"), ("c", "so so")]}
    records = [shape(i, pairs) for i, pairs in items.items()]
    lines = tmp_path / "a.jsonl"
    lines.write_text("\n".join(map(json.dumps, records)))
    document = tmp_path / "a.json"
    document.write_text(json.dumps(records))
    inside = tmp_path / "b.json"
    inside.write_text(json.dumps({"version": 1, "data": records}))
    table = pa.Table.from_pylist(records)
    parquet.write_table(table, tmp_path / "a.parquet")
    for source in (lines, document, inside, table, tmp_path / "a.parquet"):
        assert sorted_back(read(source)) == rows(items)
    assert sorted_back(read(pd.DataFrame(records))) == rows(items)
    assert "one row for each" in str(read(lines).cleaning)


def test_records_that_nobody_needs_change_nothing():
    records = [
        {"item": k, "worker": w, "label": "x", "boxes": [{"a": 1}, {"a": 2}]}
        for k in range(3)
        for w in "ab"
    ]
    assert read(records).num_responses == 6
    plain = [{**record, "boxes": None} for record in records]
    assert sorted_back(read(plain)) == sorted_back(read(records))


@pytest.mark.parametrize("other", ["none", 3, [1], [{"label": "x"}, 1]])
def test_annotations_of_another_shape_in_one_record_are_not_taken_apart(other):
    records = [of_gold(f"i{k}", [("a", "pos"), ("b", "neg")]) for k in range(3)]
    assert read(records).num_annotators == 2
    odd = read([*records, {"doc_id": "i9", "label": "pos", "votes": other}])
    assert odd.anonymous
    assert "votes" not in odd.cleaning.columns


FEATURES = {
    "text_id": {"dtype": "string", "_type": "Value"},
    "annotator": {"dtype": "string", "_type": "Value"},
    "label": {"names": LABELS, "_type": "ClassLabel"},
}
PLAIN = pa.table(
    {
        "text_id": [f"t{k // 3}" for k in range(12)],
        "annotator": [f"a{k % 3}" for k in range(12)],
        "label": pa.array([2 * (k % 2) for k in range(12)], pa.int64()),
    }
)
WANTED = sorted((f"t{k // 3}", f"a{k % 3}", LABELS[2 * (k % 2)]) for k in range(12))


def recorded(table, features):
    record = json.dumps({"info": {"features": features}}).encode()
    return table.replace_schema_metadata({b"huggingface": record})


def on_disk(folder):
    folder.mkdir()
    name = "data-00000-of-00001.arrow"
    with pa.ipc.new_stream(str(folder / name), PLAIN.schema) as writer:
        writer.write_table(PLAIN)
    (folder / "dataset_info.json").write_text(json.dumps({"features": FEATURES}))
    state = {"_data_files": [{"filename": name}], "_split": "train"}
    (folder / "state.json").write_text(json.dumps(state))
    return folder


def of_hub(folder, card=None):
    (folder / "data").mkdir(parents=True)
    table = PLAIN if card else recorded(PLAIN, FEATURES)
    for k in range(2):
        name = f"train-0000{k}-of-00002.parquet"
        parquet.write_table(table.slice(6 * k, 6), folder / "data" / name)
    if card:
        (folder / "README.md").write_text(card)
    return folder


CARD = """---
license: mit
dataset_info:
  features:
  - name: text_id
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '1': so so
          '2': pos
  splits:
  - name: train
    num_examples: 12
---
# A data set
"""


def test_data_sets_are_read_with_the_names_of_their_classes(tmp_path):
    saved = on_disk(tmp_path / "saved")
    for source in (saved, of_hub(tmp_path / "hub"), of_hub(tmp_path / "card", CARD)):
        responses = read(source)
        assert sorted_back(responses) == WANTED
        assert responses.labels["label"].tolist() == LABELS  # one of them nobody gave
        assert len(responses.sources) >= 2
    shard = tmp_path / "hub" / "data" / "train-00000-of-00002.parquet"
    assert read(shard).labels["label"].tolist() == LABELS
    (saved / "dataset_info.json").unlink()
    assert read(saved).labels["label"].tolist() == ["0", "2"]


def test_several_splits_are_listed(tmp_path):
    folder = tmp_path / "both"
    folder.mkdir()
    on_disk(folder / "train")
    shutil.copytree(folder / "train", folder / "test")
    (folder / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(ColumnError, match=r"several splits .'train', 'test'."):
        read(folder)
    assert sorted_back(read(folder / "test")) == WANTED


@pytest.mark.parametrize("kind", ["list", "sequence", "lists"])
def test_classes_inside_annotations_have_names(kind, tmp_path):
    fields = {"annotator": {"_type": "Value"}, "label": FEATURES["label"]}
    features = {"text": {"_type": "Value"}}
    names = ["a", "b", "c"]
    records = []
    for k in range(4):
        codes = [(k + j) % 3 for j in range(3)]
        record = {"text": f"t{k}"}
        if kind == "list":
            features["annotations"] = {"feature": fields, "_type": "List"}
            pairs = zip(names, codes, strict=True)
            record["annotations"] = [{"annotator": a, "label": c} for a, c in pairs]
        elif kind == "sequence":
            features["annotations"] = {"feature": fields, "_type": "Sequence"}
            record["annotations"] = {"annotator": names, "label": codes}
        else:
            features["labels"] = {"feature": FEATURES["label"], "_type": "Sequence"}
            record |= {"annotators": names, "labels": codes, "probs": [0.1, 0.9]}
        records.append(record)
    path = tmp_path / "a.parquet"
    parquet.write_table(recorded(pa.Table.from_pylist(records), features), path)
    responses = read(path)
    wanted = [
        (f"t{k}", names[j], LABELS[(k + j) % 3]) for k in range(4) for j in range(3)
    ]
    assert sorted_back(responses) == sorted(wanted)
    assert responses.labels["label"].tolist() == LABELS
