import pytest
from tests.responses.reading_back import in_line, rows

from consilience.errors import ColumnError, DataError, SourceError
from consilience.responses import read

FIXED = "HITId,AssignmentId,WorkerId,AssignmentStatus,WorkTimeInSeconds"


def batch(inputs, *rows):
    """Return a batch whose rows are: worker, status, then inputs and answers."""
    lines = [f"{FIXED},{inputs}"]
    for k, (worker, status, *cells) in enumerate(rows):
        quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
        lines.append(f"h,a{k},{worker},{status},21,{quoted}")
    return "\n".join(lines) + "\n"


def test_a_question_about_a_label_is_contains_and_the_rejected_go(written):
    text = batch(
        "Input.image_url,Input.query,Answer.category.label,Approve,Reject",
        ("w1", "Approved", "1.jpg", "terrier&#44; Norwich", "Yes", "", ""),
        ("w2", "Submitted", "1.jpg", "terrier&#44; Norwich", "No", "", ""),
        ("w3", "Rejected", "1.jpg", "terrier&#44; Norwich", "Nonsense", "", ""),
        ("w4", "Approved", "1.jpg", "terrier&#44; Norwich", "Unclear", "", ""),
    )
    responses = read(written("a.csv", text))
    assert responses.kind == "contains"
    assert rows(responses, "annotator", "label", "answer") == [
        ["w1", "terrier, Norwich", "yes"],
        ["w2", "terrier, Norwich", "no"],
        ["w4", "terrier, Norwich", None],
    ]
    assert responses.table["seconds"].tolist() == [21.0] * 3
    (dropped,) = responses.cleaning.dropped
    assert (dropped.reason, dropped.count) == ("the assignment is Rejected", 1)
    assert dropped.example.endswith("row 4")
    only = read(written("a.csv", text), statuses=["Approved"])
    assert sum(part.count for part in only.cleaning.dropped) == 2


def test_radio_buttons_in_every_form_are_a_choice(written):
    flat = batch("Input.image,Answer.q", ("w1", "Approved", "1.jpg", "dog"))
    buttons = batch(
        "Input.image,Answer.q.cat,Answer.q.dog",
        ("w1", "Approved", "1.jpg", "false", "true"),
    )
    inside = [
        '[{"q":{"cat":false,"dog":true}}]',
        '[{"q":"dog"}]',
        '{"q":"dog"}',
        '[{"q":{"label":"dog"}}]',
    ]
    texts = [flat, buttons]
    texts += [
        batch("Input.image,Answer.taskAnswers", ("w1", "Approved", "1.jpg", cell))
        for cell in inside
    ]
    for text in texts:
        responses = read(written("a.csv", text))
        assert responses.kind == "choice"
        assert rows(responses, "item", "annotator", "label") == [["1.jpg", "w1", "dog"]]


def test_a_single_tick_box_answers_yes_or_no(written):
    text = batch(
        "Input.image,Input.label,Answer.taskAnswers",
        ("w1", "Approved", "1.jpg", "dog", '[{"there":{"on":true}}]'),
        ("w2", "Approved", "1.jpg", "dog", '[{"there":{"on":false}}]'),
    )
    assert read(written("a.csv", text)).table["answer"].tolist() == ["yes", "no"]


def test_several_labels_are_boxes_that_were_ticked(written):
    text = batch(
        "Input.image,Answer.q",
        ("w1", "Approved", "1.jpg", "dog|cat"),
        ("w2", "Approved", "1.jpg", ""),
    )
    path = written("a.csv", text)
    ticked = read(path)
    assert ticked.kind == "contains"
    assert in_line(ticked, "label", "answer") == "cat yes, dog yes, cat -, dog -"
    assert "does not say which labels were on screen" in ticked.assumptions[0]
    listed = batch(
        "Input.image,Answer.taskAnswers",
        ("w1", "Approved", "1.jpg", '[{"q":{"labels":["dog"]}}]'),
    )
    assert read(written("b.csv", listed)).kind == "contains"
    assert rows(read(path, kind="choice"), "label") == [["dog|cat"], [None]]
    objects = read(path, kind="objects")
    assert rows(objects, "label", "object") == [["dog", 0], ["cat", 1], [None, None]]
    assert objects.offer == "unknown"
    contains = read(path, kind="contains", offered=["dog", "cat", "cow"])
    assert in_line(contains, "label", "answer") == (
        "dog yes, cat yes, cow no, dog -, cat -, cow -"
    )


@pytest.mark.parametrize(
    "cell", ["1|3", "[1,3]", '["img1","img3"]', '{"1":true,"3":true}', "p1|p3", "1, 3"]
)
def test_what_was_not_selected_in_a_grid_is_a_no(written, cell):
    text = batch(
        "Input.query,Input.img1,Input.img2,Input.img3,Answer.selected",
        ("w1", "Approved", "dog", "p1", "p2", "p3", cell),
        ("w2", "Approved", "dog", "p1", "p2", "", ""),
    )
    responses = read(
        written("a.csv", text),
        item="Input.img{i}",
        label="Input.query",
        selected="Answer.selected",
    )
    assert in_line(responses, "item", "answer") == "p1 yes, p2 no, p3 yes, p1 no, p2 no"
    assert responses.offer == "listed"
    assert "not selected is taken as a no" in responses.assumptions[0]


def test_a_grid_cannot_select_what_was_not_shown(written):
    text = batch(
        "Input.query,Input.img1,Input.img2,Answer.selected",
        ("w1", "Approved", "dog", "p1", "p2", "7"),
    )
    with pytest.raises(DataError, match=r"row 2: '7' was selected, .* 1 to 2"):
        read(
            written("a.csv", text),
            item="Input.img{i}",
            label="Input.query",
            selected="Answer.selected",
        )


def test_a_grid_may_have_an_answer_for_each_item(written):
    text = batch(
        "Input.img1,Input.img2,Input.label1,Input.label2,Answer.q1,Answer.q2",
        ("w1", "Approved", "p1", "p2", "dog", "cat", "yes", "no"),
    )
    path = written("a.csv", text)
    asked = read(
        path, item="Input.img{i}", label="Input.label{i}", answer="Answer.q{i}"
    )
    assert rows(asked, "item", "label", "answer") == [
        ["p1", "dog", "yes"],
        ["p2", "cat", "no"],
    ]
    chosen = read(path, item="Input.img{i}", answer="Answer.q{i}")
    assert rows(chosen, "item", "label") == [["p1", "yes"], ["p2", "no"]]


def test_what_cannot_be_seen_is_asked_for(written):
    two = batch("Input.a,Input.b,Answer.q", ("w1", "Approved", "1", "2", "x"))
    with pytest.raises(ColumnError, match=r"'Input\.a', 'Input\.b'; name it"):
        read(written("a.csv", two))
    many = batch("Input.image,Answer.p,Answer.q", ("w1", "Approved", "1", "x", "y"))
    with pytest.raises(
        ColumnError, match=r"'Answer.p' \(choice, 1 answer\), 'Answer.q'"
    ):
        read(written("b.csv", many))
    for chosen in ({"label": "Answer.q"}, {"question": "q"}):
        assert rows(read(written("b.csv", many), **chosen), "label") == [["y"]]


def test_a_header_may_be_shorter_than_its_rows_but_a_row_not(written):
    text = batch("Input.image,Answer.q", ("w1", "Approved", "1", "x", "", ""))
    assert rows(read(written("a.csv", text)), "label") == [["x"]]
    whole = batch("Input.image,Answer.q,Approve,Reject", ("w1", "Approved", "1", "x"))
    assert rows(read(written("b.csv", whole)), "label") == [["x"]]
    cut = batch("Input.image,Answer.q", ("w1", "Approved", "1"))
    with pytest.raises(SourceError, match=r"c\.csv, row 2: 6 cells .* cut off"):
        read(written("c.csv", cut))
    with pytest.raises(SourceError, match="no assignment"):
        read(written("d.csv", batch("Input.image,Answer.q")))


def test_buttons_that_were_not_pressed_were_on_screen(written):
    text = batch(
        "Input.image,Answer.taskAnswers",
        ("w1", "Approved", "1", '[{"q":{"cow":false,"dog":true,"cat":false}}]'),
        ("w2", "Approved", "1", '[{"q":{"cow":false,"dog":true,"cat":true}}]'),
    )
    path = written("a.csv", text)
    contains = read(path, kind="contains")
    assert contains.labels["label"].tolist() == ["cow", "dog", "cat"]
    assert contains.offer == "all"
    assert contains.table["answer"].tolist() == ["no", "yes", "no", "no", "yes", "yes"]
    only = read(written("b.csv", "\n".join(text.split("\n")[:2])))
    assert only.offer == "all"
    assert only.assumptions == ()
    assert only.num_labels == 3
