import json

import pandas as pd
import pytest
from tests.responses.exports.writers import choices, part, short, task, work
from tests.responses.reading_back import in_line, rows

from consilience.errors import ColumnError, DataError, OptionError
from consilience.responses import read

SAID = {"ja": "yes"}
CONFIG = """<View><Image name="img" value="$image"/>
<Choices name="objects" toName="img" choice="multiple">
<Choice value="terrier"/><Choice value="stage"/>
<Choice value="Cat" alias="cat"/></Choices>
<Choices name="main"><Choice value="stage"/><Choice value="terrier"/></Choices>
</View>"""


@pytest.fixture
def export(written):
    def write(*tasks):
        return written("a.json", json.dumps(tasks))

    return write


def test_a_pick_spelled_otherwise_is_one_that_was_offered_where_case_is_folded(export):
    path = export(
        task(1, work(10, 7, choices("q", "CAT"))),
        task(2, work(11, 7, choices("q", "cat"))),
    )
    offered = {"kind": "contains", "offered": ["Cat", "dog"]}
    with pytest.raises(DataError, match="'CAT' is not among the 2"):
        read(path, **offered)
    responses = read(path, **offered, fold_case=True)
    assert in_line(responses, "item", "label", "answer") == (
        "1.jpg Cat yes, 1.jpg dog no, 2.jpg Cat yes, 2.jpg dog no"
    )
    assert "'CAT', 'cat' as 'Cat'" in str(responses.cleaning)


def test_a_person_is_a_number_or_has_a_name_which_stands_for_the_number(export):
    path = export(
        task(
            1,
            work(10, {"id": 7, "email": "ana@x.org"}, choices("q", "a"), lead_time=6.1),
            work(11, 8, choices("q", "b")),
            work(12, {"email": "eve@x.org"}, choices("q", "a")),
        ),
        {
            "id": 2,
            "data": {"image": "2.jpg"},
            "completions": [work(13, 7, choices("q", "b"))],
        },
        task(3),
    )
    responses = read(path)
    assert in_line(responses, "item", "annotator", "label") == (
        "1.jpg ana@x.org a, 1.jpg 8 b, 1.jpg eve@x.org a, 2.jpg ana@x.org b"
    )
    assert responses.table["response_id"].tolist() == ["10", "11", "12", "13"]
    assert responses.table["seconds"].tolist()[0] == 6.1
    assert "items without an answer: 1" in str(responses.cleaning)


def test_the_skipped_are_skipped_and_ground_truth_is_gold(export):
    path = export(
        task(
            1,
            work(10, 7, choices("q", "a"), was_cancelled=True),
            work(11, 8, choices("q", "b"), ground_truth=True),
            work(12, 9, choices("q", "b")),
        )
    )
    responses = read(path)
    assert rows(responses, "annotator", "label") == [["7", None], ["9", "b"]]
    assert responses.gold.astype("str").to_numpy().tolist() == [["1.jpg", "b"]]
    assert responses.cleaning.read == 3
    assert responses.cleaning.dropped[0].example.endswith("task 1, annotation 11")


def test_several_labels_need_a_kind_and_no_needs_the_configuration(export, written):
    path = export(
        task(
            1,
            work(
                10, 7, choices("objects", "terrier", "stage"), choices("main", "stage")
            ),
        ),
        task(2, work(11, 7, choices("objects", "cat"), choices("main", "terrier"))),
    )
    config = written("config.xml", CONFIG)
    with pytest.raises(ColumnError, match=r"'objects' \(contains, 2 .*'main'"):
        read(path)
    assumed = read(path, question="objects")
    assert assumed.kind == "contains"
    assert "every label that anybody picked is taken as shown" in assumed.assumptions[0]
    assert assumed.table["answer"].tolist() == ["no", "yes", "yes", "yes", "no", "no"]
    objects = read(path, question="objects", main="main", kind="objects")
    assert in_line(objects, "label", "object", "main") == (
        "terrier 0 False, stage 1 True, cat 0 False, terrier 1 True"
    )
    asked = read(path, label="objects", kind="contains")
    assert rows(asked, "label", "answer") == rows(assumed, "label", "answer")
    contains = read(path, label="objects", kind="contains", offered=config)
    assert contains.labels["label"].tolist() == ["terrier", "stage", "cat"]
    assert contains.offer == "all"
    assert contains.table["answer"].tolist() == ["yes", "yes", "no", "no", "no", "yes"]
    with pytest.raises(DataError, match=r"annotation 11: label 'cat'"):
        read(path, label="objects", kind="contains", offered=["terrier", "stage"])
    with pytest.raises(OptionError, match=r"`answers=`.*selections.*leave it out"):
        read(path, label="objects", kind="contains", offered=config, answers=SAID)
    main = read(path, label="main", offered=config)
    assert main.labels["label"].tolist() == ["stage", "terrier"]


def test_yes_and_no_to_a_label_in_the_data_are_contains(export):
    path = export(
        task(1, work(10, 7, choices("there", "yes")), image="1.jpg", query="dog"),
        task(2, work(11, 7, choices("there", "no")), image="1.jpg", query="cat"),
    )
    responses = read(path, item="image", label="query", answer="there")
    assert rows(responses, "item", "label", "answer") == [
        ["1.jpg", "dog", "yes"],
        ["1.jpg", "cat", "no"],
    ]


def test_regions_are_objects(export):
    box, text = part("box", "rectanglelabels", ["dog"]), part("t", "textarea", ["x"])
    responses = read(export(task(1, work(10, 7, box, box, text))), kind="objects")
    assert rows(responses, "label", "object") == [["dog", 0], ["dog", 1]]


def test_ratings_and_taxonomies_are_labels(export):
    rated = work(10, 7, part("q", "rating", 4))
    sorted_in = work(11, 7, part("q", "taxonomy", [["a", "b"]]))
    path = export(task(1, rated), task(2, sorted_in))
    assert rows(read(path), "label") == [["4"], ["b"]]


def test_short_exports_are_second_best_and_say_so(written):
    records = [
        short("1.jpg", "ana", {"choices": ["a", "b"]}),
        short("1.jpg", "ben", "a", number=2),
        {"id": 2, "image": "2.jpg", "annotator": None, "annotation_id": None},
    ]
    path = written("a.json", json.dumps(records))
    responses = read(path, kind="objects")
    assert in_line(responses, "annotator", "label") == "ana a, ana b, ben a"
    assert "does not say which annotations were skipped" in responses.assumptions[0]
    assert responses.cleaning.dropped[0].count == 1
    text = (
        "id,image,annotator,annotation_id,lead_time,q\n"
        '1,1.jpg,ana,5,2.5,"{""choices"":[""a"",""b""]}"\n1,1.jpg,ben,6,1.5,a\n'
    )
    same = read(written("a.csv", text), kind="objects")
    assert rows(same, "annotator", "label") == rows(responses, "annotator", "label")
    boxes = read(written("a.csv", text))
    assert in_line(boxes, "annotator", "label", "answer") == (
        "ana a yes, ana b yes, ben a yes, ben b no"
    )


def test_a_task_without_id_and_without_a_field_of_items_is_refused(export):
    one = {"data": {"a": "x", "b": "y"}, "annotations": [work(1, 7, choices("q", "u"))]}
    with pytest.raises(
        ColumnError, match=r"does not show.*'data.a', 'data.b'.*item=NAME"
    ):
        read(export(one, one))
    assert rows(read(export(one), item="b"), "item") == [["y"]]


def test_other_questions_and_fields_are_listed_as_not_used(export):
    path = export(
        task(
            1,
            work(1, 7, choices("q", "cat"), choices("light", "dim")),
            image="1.jpg",
            place="Rome",
        )
    )
    with pytest.raises(ColumnError, match="several questions"):
        read(path)
    responses = read(path, label="q")
    assert responses.cleaning.columns == {
        "data.image": "item",
        "completed_by": "annotator",
        "q": "label",
    }
    assert responses.cleaning.unused == {
        "data.place": "",
        "id": "",
        "light": "another question: choice, 1 answer",
    }


@pytest.mark.parametrize("answer", [{"rating": 3}, [{"text": ["a"]}]])
def test_an_answer_of_json_min_that_is_no_label_is_not_taken_as_skipped(
    written, answer
):
    records = [short("a", 3, answer), short("b", 3, "x", number=2)]
    path = written("a.json", json.dumps(records))
    with pytest.raises(DataError, match=r"record 1: found .* where a label was"):
        read(path, label="q")


@pytest.mark.parametrize("empty", [{}, []])
@pytest.mark.parametrize("kind", ["choice", "contains", "objects"])
@pytest.mark.parametrize("name", ["a.json", "a.csv"])
def test_an_empty_answer_of_json_min_is_a_skip_and_is_counted(
    written, empty, kind, name
):
    full = {"choices": ["x"]} if empty == {} else ["x"]
    records = [short("a", 3, empty), short("b", 3, full, number=2)]
    if name == "a.csv":
        cells = [each | {"q": json.dumps(each["q"])} for each in records]
        text = pd.DataFrame(cells).to_csv(index=False)
    else:
        text = json.dumps(records)
    path = written(name, text)
    responses = read(path, label="q", kind=kind, offered=["x", "y"])
    asked = "answer" if kind == "contains" else "label"
    skipped = responses.table[responses.table[asked].isna()]
    assert set(skipped["item"]) == {"a"}
    said = str(responses.cleaning)
    assert "answers to 'q' that are empty ({} or []) were read as skipped: 1" in said


def test_an_answer_of_json_min_without_a_tick_says_no(written):
    records = [short(x, 3, {"choices": []}, number=k) for k, x in enumerate("ab")]
    path = written("a.json", json.dumps(records))
    responses = read(path, label="q", kind="contains", offered=["x", "y"])
    assert responses.table["answer"].tolist() == ["no"] * 4
    assert "empty" not in str(responses.cleaning)


def test_other_data_of_the_tasks_are_no_questions_in_the_short_export(written):
    records = [
        {"image": f"i{i // 2}.jpg", "id": i // 2, "source": f"https://x.org/{i}"}
        | {"batch_id": f"b{i // 2}", "annotator": i % 2, "annotation_id": i}
        | {"lead_time": 1.5, "animal": ["cat", "dog"][i % 3 == 0]}
        for i in range(12)
    ]
    path = written("a.json", json.dumps(records))
    assert set(read(path).table["label"]) == {"cat", "dog"}
    two = [record | {"mood": "calm"} for record in records]
    with pytest.raises(ColumnError, match=r"'animal' \(choice, 12 answers\), 'mood'"):
        read(written("b.json", json.dumps(two)))
