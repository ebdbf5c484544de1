"""Tidy tables whose columns have misleading names: what they hold decides.

Each is read as a careful person reads it or, where the data leave that open, refused by
a question that names the columns and an option that reads it.
"""

import ast
import re
import warnings
from collections import Counter

import numpy as np
import openpyxl
import pandas as pd
import pytest
from tests.responses.exports.writers import as_json, choices, part, task, work

import consilience as cs
from consilience.errors import ConsilienceError

ANIMALS = ("cat", "dog", "owl")
GRADES = ("1", "2", "3")
PEOPLE = ("ann", "bob", "cid", "dee", "eva")
LISTS = {"annotator_columns", "exclude", "one_hot", "missing", "statuses", "extras"}
CALL = re.compile(r'(?:`[a-z_]+=(?:"[^"`]*"|[^`]*)`[ ,]*(?:and )?)+')
ARGUMENT = re.compile(r'`([a-z_]+)=("[^"`]*"|[^`]*)`')


def study(items, labels=ANIMALS, *, people=PEOPLE, each=4, right=0.8, seed=0):
    """Return answers about items, of which most are right: item, annotator, label."""
    generator = np.random.default_rng(seed)
    answers = []
    for item in items:
        truth = generator.integers(len(labels))
        for person in sorted(generator.choice(len(people), each, replace=False)):
            at = (
                truth if generator.random() < right else generator.integers(len(labels))
            )
            answers.append((item, people[person], labels[at]))
    return answers


def photos(number):
    return [f"p{k:02d}" for k in range(number)]


def crossed(first, second, number, seed=1):
    """Return some pairs, so that each of either side stands with several others."""
    pairs = [(one, other) for one in first for other in second]
    chosen = np.random.default_rng(seed).permutation(len(pairs))[:number]
    return [pairs[k] for k in sorted(chosen)]


def frame(answers, names):
    """Return answers as a table; items of several parts take several columns."""
    rows = [
        (*(item if isinstance(item, tuple) else (item,)), *rest)
        for item, *rest in answers
    ]
    return pd.DataFrame(rows, columns=names.split())


def parts(text):
    return tuple(sorted(re.findall(r"[A-Za-z0-9]+", str(text))))


def known(answers):
    """Return the answers that are to be found, each with how often it was given."""
    texts = Counter()
    for item, *rest in answers:
        key = item if isinstance(item, tuple) else (item,)
        texts[(tuple(sorted(key)), *rest)] += 1
    return texts


def found(responses):
    """Return the answers that were read, in the form of `known`."""
    names = ["annotator", "label"]
    if responses.kinds == ("contains",):
        names.append("answer")
    table = responses.table
    answered = table[names[-1]].notna()
    cells = table.loc[answered, ["item", *names]].astype(object).fillna("nobody")
    texts = cells.astype("str").to_numpy().tolist()
    counted = Counter()
    for (item, *rest), n in zip(texts, table.loc[answered, "n"], strict=True):
        counted[(parts(item), *rest)] += int(n)
    return counted


def calls(message):
    """Return the options that a message recommends, as they are passed to `read`."""
    for call in CALL.findall(message):
        options = {}
        for name, text in ARGUMENT.findall(call):
            if text and text not in {"NAME", "..."}:
                value = ast.literal_eval(text) if text[0] in "\"'[({" else text
                value = {"True": True, "False": False}.get(str(value), value)
                split = name in LISTS and isinstance(value, str)
                options[name] = value.split(",") if split else value
        if options:
            yield options


def read_or_message(source, **options):
    """Return what was read and nothing, or nothing and what was asked."""
    try:
        return cs.read(source, **options), ""
    except ConsilienceError as error:
        return None, str(error)


def read_aloud(source, **options):
    """Return the answers that were read, and the warnings or the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        responses, message = read_or_message(source, **options)
    said = [str(each.message) for each in caught]
    return responses and found(responses), " ".join([*said, message])


def check(source, answers, columns, **options):
    """Read a source, or be asked about it and read it as the question says."""
    wanted = known(answers)
    responses, message = read_or_message(source, **options)
    if responses is not None:
        assert found(responses) == wanted
        return responses
    assert [name for name in columns if repr(name) not in message] == [], message
    for call in calls(message):
        responses, _ = read_or_message(source, **options | call)
        if responses is not None and found(responses) == wanted:
            return responses
    pytest.fail(f"no option that is named reads it: {message}")


def wide(table):
    """Return a long table with a column for each annotator."""
    *lead, annotator, label = table.columns
    cells = table.set_index([*lead, annotator])[label]
    return cells.unstack().reset_index()  # noqa: PD010 - there is nothing to aggregate


def saved(path, table):
    table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


# Columns that have the name of another


@pytest.mark.parametrize(
    ("names", "item"),
    [
        ("task text annotator label", "text"),
        ("id text annotator label", "id"),
        ("task id text annotator label", "id"),
        ("row text annotator label", "text"),
    ],
)
def test_items_do_not_merge_under_a_name_they_share(names, item):
    """A task may be the same for all, texts may stand twice, an id may number rows."""
    answers = study(photos(30))
    table = frame(answers, "id annotator label")
    number = table["id"].str[1:].astype(int)
    text = "text " + (table["id"] if item == "text" else (number // 2).astype(str))
    table = table.assign(task="animals", text=text, row=np.arange(len(table)))
    table = table[names.split()].rename(columns={"row": "id"})
    if item == "text":
        answers = [(("text", photo), *rest) for photo, *rest in answers]
    check(table, answers, table.columns)


# Values


def test_ratings_of_two_files_are_the_same_with_and_without_points(tmp_path):
    """A program writes whole numbers with a point where the column has gaps."""
    answers = study(photos(30), GRADES, people=("ann", "bob"), each=2, right=0.9)
    table = frame(answers, "item annotator rating").astype({"rating": int})
    of_ann, of_bob = (rows for _, rows in table.groupby("annotator"))
    of_bob = of_bob.assign(rating=of_bob["rating"].where(of_bob["item"] > "p01"))
    files = [saved(tmp_path / "1.csv", of_ann), saved(tmp_path / "2.csv", of_bob)]
    assert "3.0" in files[1].read_text()
    answers = [each for each in answers if each[1] == "ann" or each[0] > "p01"]
    check(files, answers, table.columns)


@pytest.mark.parametrize("labels", [("-1", "0", "1"), ("-1", "0", "1", "2")])
def test_minus_one_means_the_same_in_wide_and_long_tables(labels):
    answers = study(photos(30), labels, people=PEOPLE[:3], each=3)
    table = frame(answers, "item annotator label")
    matrix = wide(table)
    read, said = zip(*map(read_aloud, (table, matrix)), strict=True)
    assert read[0] == read[1]
    # Nothing is dropped without a word.
    assert read[0] == known(answers) or all("'-1'" in each for each in said)


def test_two_questions_to_three_people_are_not_six_annotators():
    items = photos(30)
    first, second = (
        study(items, ("bad", "good"), people=PEOPLE[:3], each=3, seed=seed)
        for seed in (1, 2)
    )
    columns = {
        f"{who}_q{q}": [label for _, person, label in given if person == who]
        for who in PEOPLE[:3]
        for q, given in ((1, first), (2, second))
    }
    table = pd.DataFrame({"image": items, **columns})
    responses, message = read_or_message(table)
    asked = responses is None
    if asked:
        assert [name for name in columns if repr(name) not in message] == [], message
        options = [each for each in calls(message) if each.get("format") != "wide"]
        assert options, message
        responses = cs.read(table, **options[0])
    people = (
        responses.table["annotator"].astype("str").str.replace(r"_q\d", "", regex=True)
    )
    assert sorted(set(people)) == ["ann", "bob", "cid"]
    assert responses.num_annotators == 3
    assert responses.num_items == (30 if asked else 60)
    labels = [[label for *_, label in given] for given in (first, second)]
    wanted = labels if asked else [labels[0] + labels[1]]
    assert Counter(responses.table["label"].astype("str")) in map(Counter, wanted)


@pytest.mark.parametrize("nothing", ["-", "#N/A"])
def test_gold_without_a_majority_is_missing(nothing, tmp_path):
    labels = ("contradiction", "entailment", "neutral")
    answers = study([f"s{k}" for k in range(30)], labels)
    table = frame(answers, "pairID annotator label")
    gold = dict(table.groupby("pairID")["label"].agg(lambda each: each.mode()[0]))
    gold |= dict.fromkeys(("s3", "s17"), nothing)
    table["gold_label"] = table["pairID"].map(gold)
    responses = check(saved(tmp_path / "a.csv", table), answers, table.columns)
    assert sorted(responses.labels["label"]) == sorted(labels)
    kept = {item: label for item, label in gold.items() if label != nothing}
    read = responses.gold.astype("str")
    assert dict(zip(read["item"], read["label"], strict=True)) == kept


def test_gold_that_says_true_or_false_names_no_label(tmp_path):
    answers = study(photos(30), ("cat", "dog"))
    table = frame(answers, "item annotator label")
    table["gold"] = np.where(table["item"] < "p06", "true", "false")
    responses = check(saved(tmp_path / "a.csv", table), answers, table.columns)
    assert sorted(responses.labels["label"]) == ["cat", "dog"]
    assert responses.gold is None or not {"true", "false"} & set(
        responses.gold["label"]
    )


# Yes, maybe and no


def yes_or_no(**more):
    """Return answers of yes, maybe and no about candidates of photos."""
    pairs = crossed(photos(15), (*ANIMALS, "fox"), 50)
    return study(pairs, ("yes", "no", "maybe"), **more)


def as_contains(answers):
    return [(photo, who, name, said) for (photo, name), who, said in answers]


def test_a_pair_in_each_row_and_an_annotator_in_each_column_are_contains(tmp_path):
    people = [f"answer_{k}" for k in (1, 2, 3)]
    answers = yes_or_no(people=people, each=3)
    table = frame(answers, "image candidate annotator answer")
    matrix = wide(table)
    options = {"kind": "contains", "label": "candidate", "annotator_columns": people}
    responses = cs.read(saved(tmp_path / "a.csv", matrix), format="wide", **options)
    assert responses.kinds == ("contains",)
    assert found(responses) == known(as_contains(answers))


# Who answered


def test_a_merged_cell_names_the_annotator_of_all_its_rows(tmp_path):
    answers = sorted(study(photos(20)), key=lambda answer: answer[1])
    book = openpyxl.Workbook()
    book.active.append(["annotator", "image", "label"])
    for item, person, label in answers:
        book.active.append([person, item, label])
    rows = {}
    for row, (_, person, _) in enumerate(answers, start=2):
        rows.setdefault(person, []).append(row)
    for each in rows.values():
        book.active.merge_cells(f"A{each[0]}:A{each[-1]}")
    book.save(tmp_path / "a.xlsx")
    check(tmp_path / "a.xlsx", answers, ["annotator", "image", "label"])


def test_files_without_a_column_of_annotators_are_named_for_them(tmp_path):
    answers = study(photos(25))
    table = frame(answers, "image annotator label")
    files = [
        saved(tmp_path / f"{who}.csv", rows[["image", "label"]])
        for who, rows in table.groupby("annotator")
    ]
    check(files, answers, ["image", "label"])


def test_a_number_of_rows_beside_texts_that_come_back_is_asked_about():
    answers = study([f"The {name} is on the hill." for name in photos(30)])
    table = pd.DataFrame(answers, columns=["statement", "coder", "label"])
    lists = [f'["{label}"]' for label in table.pop("label")]
    table = table.assign(annotations=lists, entry_id=[f"e{k}" for k in range(120)])
    responses, message = read_or_message(table)
    assert responses is None or responses.num_items == 30
    assert responses is not None or '`item="statement"`' in message


def test_a_diagnosis_is_no_annotator_beside_three_people():
    people = ("Anna", "Ben", "Clara")
    answers = study(photos(40), ("benign", "malignant"), people=people, each=3)
    matrix = wide(frame(answers, "image annotator label"))
    majority = matrix[[*people]].mode(axis=1)[0]
    turned = majority.map({"benign": "malignant", "malignant": "benign"})
    right = np.random.default_rng(5).random(40) < 0.9
    matrix["Diagnosis"] = np.where(right, majority, turned)
    _, said = read_aloud(matrix)
    assert "'Diagnosis'" in said
    check(matrix, answers, matrix.columns)


# Exports of tools


def project(folder, answers, results):
    """Write an export of Label Studio with a result for each answer."""
    works = {}
    for (item, person, _), result in zip(answers, results, strict=True):
        works.setdefault(item, []).append(work(len(works), person, *result))
    tasks = [task(item, *each) for item, each in works.items()]
    return as_json(folder / "a.json", tasks)


def test_paths_of_a_taxonomy_that_end_alike_stay_apart(tmp_path):
    paths = (("Food", "Other"), ("Animal", "Other"), ("Food", "Fruit"))
    answers = study(range(1, 31), paths)
    results = [(part("kind", "taxonomy", [list(path)]),) for *_, path in answers]
    responses = cs.read(project(tmp_path, answers, results))
    labels = responses.table["label"].astype("str")
    given = Counter(path for *_, path in answers)
    assert sorted(Counter(labels).values()) == sorted(given.values())


def test_a_pairwise_question_is_listed_and_read_beside_others(tmp_path):
    answers = study(range(1, 31), ("left", "right"))
    tone, pair = choices("tone", "calm"), {"from_name": "better", "type": "pairwise"}
    results = [(tone, pair | {"value": {"selected": side}}) for *_, side in answers]
    path = project(tmp_path, answers, results)
    responses, message = read_or_message(path)
    assert "'better'" in (message or str(responses.cleaning))
    chosen = cs.read(path, question="better")
    assert Counter(chosen.table["label"]) == Counter(side for *_, side in answers)


@pytest.mark.parametrize("question", ["animal", "quality"])
def test_a_rating_in_a_list_does_not_stand_in_the_way(question, tmp_path):
    answers = study(range(1, 31), list(zip(ANIMALS, GRADES, strict=True)))
    records = [
        {
            "id": item,
            "image": f"{item}.jpg",
            "annotator": person,
            "annotation_id": 100 + k,
            "lead_time": 2.5,
            "animal": animal,
            "quality": [{"rating": int(grade)}],
        }
        for k, (item, person, (animal, grade)) in enumerate(answers)
    ]
    path = as_json(tmp_path / "a.json", records)
    responses = cs.read(path, question=question)
    place = ["animal", "quality"].index(question)
    given = Counter(label[place] for *_, label in answers)
    assert Counter(responses.table["label"].astype("str")) == given


def test_a_label_of_doccano_keeps_its_sign(tmp_path):
    labels = ("C#", "Java", "F#")
    answers = study(range(1, 31), labels)
    for person in PEOPLE:
        rows = [(i, f"Text {i}", label) for i, who, label in answers if who == person]
        table = pd.DataFrame(rows, columns=["id", "text", "label"])
        saved(tmp_path / f"{person}.csv", table)
    responses = cs.read(tmp_path)
    texts = [(str(item), *rest) for item, *rest in answers]
    assert sorted(responses.labels["label"]) == sorted(labels)
    assert found(responses) == known(texts)


@pytest.mark.parametrize("gaps", [(), (4, 9)])
def test_shards_have_the_labels_that_reading_gives(gaps, tmp_path):
    answers = study(photos(30), GRADES)
    table = frame(answers, "item annotator label").astype({"label": float})
    table.loc[list(gaps), "label"] = np.nan
    path = saved(tmp_path / "a.csv", table)
    assert "3.0" in path.read_text()
    shards = cs.shards.write(path, tmp_path / "shards", rows=40)
    responses = cs.read(path)
    assert sorted(shards.labels) == sorted(responses.labels["label"])
    read = [found(shards.responses(place)) for place in range(len(shards))]
    assert sum(read, Counter()) == found(responses)


# What is said


def counts_of_words(**more):
    numbers = np.random.default_rng(3).multinomial(7, [0.5, 0.2, 0.3], 30)
    columns = dict(zip(("yes", "maybe", "no"), numbers.T, strict=True))
    return pd.DataFrame({"image": photos(30), **more, **columns})


TABLES = {
    "counts of yes, maybe and no": counts_of_words,
    "counts of a candidate": lambda: counts_of_words(candidate="fox"),
    "odd names": lambda: frame(study(photos(30)), "aa bb cc"),
    "no item": lambda: frame(study(photos(30)), "tweet_id who target"),
    "no annotator": lambda: frame(study(photos(30)), "image bb label"),
    "numbers": lambda: counts_of_words().set_axis([*"abcd"], axis=1),
}
ASKED_ABOUT = ("candidate", "tag", "class", "animal")


@pytest.mark.parametrize("name", TABLES)
def test_each_option_that_an_error_recommends_reads_the_file(name, tmp_path):
    path = saved(tmp_path / "a.csv", TABLES[name]())
    responses, message = read_or_message(path)
    if responses is None:
        recommended = list(calls(message))
        assert recommended, message
        failed = [read_or_message(path, **call)[1] for call in recommended]
        assert [each for each in failed if each] == []
    else:
        assert responses.num_items == 30
        asked_about = "candidate" in TABLES[name]()
        assert responses.kind == ("contains" if asked_about else "choice")


@pytest.mark.parametrize("column", ASKED_ABOUT)
@pytest.mark.parametrize("option", [{}, {"kind": "contains"}, {"format": "counts"}])
def test_counts_of_yes_and_no_about_the_label_that_is_named_are_contains(
    column, option, tmp_path
):
    table = counts_of_words(**{column: np.resize(ANIMALS, 30)})
    responses = cs.read(saved(tmp_path / "a.csv", table), label=column, **option)
    assert responses.kind == "contains"
    assert sorted(responses.labels["label"]) == sorted(ANIMALS)
    given = responses.table.groupby("answer", observed=True)["n"].sum()
    assert given.to_dict() == table[["yes", "maybe", "no"]].sum().to_dict()


@pytest.mark.parametrize("above", ["# Export\n# Study 12\n", "Export of 5 May\n\n"])
@pytest.mark.parametrize("separator", [",", "\t"])
def test_lines_above_the_header_are_passed_over_or_named(above, separator, tmp_path):
    answers = study(photos(30))
    table = frame(answers, "image annotator label")
    path = tmp_path / "a.csv"
    path.write_text(above + table.to_csv(index=False, sep=separator))
    responses, message = read_or_message(path)
    if responses is None:
        assert re.search(r"(?i)\b(above|before|preamble)\b", message), message
    else:
        assert found(responses) == known(answers)


def test_commas_of_decimals_do_not_separate_labels(tmp_path):
    grades = ("1,0", "1,5", "2,0", "2,5", "3,0", "3,5")
    answers = study(photos(30), grades)
    path = tmp_path / "a.csv"
    frame(answers, "image annotator label").to_csv(path, sep=";", index=False)
    read, said = read_aloud(path)
    assert said == ""
    numbers = Counter(float(label.replace(",", ".")) for *_, label in answers)
    given = Counter()
    for (*_, label), n in read.items():
        given[float(label.replace(",", "."))] += n
    assert given == numbers


def test_a_column_that_was_not_used_is_named_once(tmp_path):
    table = frame(study(photos(30)), "image annotator label")
    skipped = np.arange(len(table)) % 9 == 0
    table["was_skipped"] = np.where(skipped, "yes", "no")
    table.loc[skipped, "label"] = ""
    cs.write(cs.read(table), tmp_path / "study")
    read, said = read_aloud(tmp_path / "study")
    assert sum(read.values()) == (~skipped).sum()
    assert "was_skipped" not in said
