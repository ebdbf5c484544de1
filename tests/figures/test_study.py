"""Every figure of a study: numbers as the analyses have them, words, and drawings."""

import copy
import re
from dataclasses import replace
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from defusedxml import ElementTree

import consilience as cs
from consilience.demo import study as simulated
from consilience.errors import KindError, OptionError
from consilience.figures import FIGURES, accuracy, labels
from consilience.figures.record import STUDIES
from consilience.responses.label_names import short_names
from consilience.tables import CATALOGUE
from consilience.tables.vega import alone, heat, model_colours, png, svg

pytest.importorskip("altair")
NAMES = [make.__name__ for make in FIGURES]
MODELS = ["weak", "middling", "strong"]


def test_all_figures_are_made_in_their_order(study):
    assert list(study.figures) == NAMES
    assert study.models == MODELS
    assert [name for name, each in study.figures.items() if each.name != name] == []


@pytest.mark.parametrize("name", NAMES)
def test_values_lie_in_their_intervals(study, name):
    table = study.figures[name].table
    value = "probability" if "probability" in table else "value"
    known = table.dropna(subset=[value, "lower", "upper"])
    slack = 1e-9
    assert len(known)
    assert (known["lower"] <= known[value] + slack).all()
    assert (known[value] <= known["upper"] + slack).all()


@pytest.mark.parametrize("name", NAMES)
def test_findings_are_sentences_with_numbers_and_names(study, name):
    finding = study.figures[name].finding
    assert re.search(r"\d", finding)
    assert finding.endswith(".")
    assert not re.search(r"[a-z]_[a-z]|nan|class\d(?<!name of class\d)", finding)


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_is_drawn_and_its_marks_are_described(study, name):
    figure, colours = study.figures[name], model_colours(MODELS)
    assert figure.charts
    drawings = [each.by_width.values() for each in study.drawings(name).values()]
    for drawing in chain.from_iterable(drawings):
        root = ElementTree.fromstring(drawing)
        for each in root.iter():  # a model has one colour in all figures
            model = (each.get("aria-label") or "").split(":")[0]
            if each.get("aria-roledescription") == "point" and model in colours:
                assert each.get("fill") == colours[model]
        described = [
            each.get("aria-label")
            for each in root.iter()
            if each.get("aria-roledescription") in ("point", "bar", "rect mark")
        ]
        assert described
        assert not [text for text in described if "undefined" in text or "null" in text]
        if figure.models:
            of_models = [text for text in described if text.split(":")[0] in MODELS]
            assert {text.split(":")[0] for text in of_models} == set(MODELS)
            written = {each.text for each in root.iter() if each.tag.endswith("text")}
            assert set(MODELS) <= written  # a picture alone names its models
        assert "var(--" in drawing
        assert "var(--" not in alone(drawing)


def test_a_picture_is_what_its_drawing_is(study):
    drawing = alone(next(iter(study.drawings("shares").values())).wide)
    assert png(drawing)[:4] == b"\x89PNG"
    assert ElementTree.fromstring(drawing)[0].get("fill") == "#ffffff"


def test_numbers_are_those_of_the_analyses(study, parts):
    fit, responses = parts["fit"], parts["responses"]
    summary = cs.analysis.study_summary(fit, responses)
    shares = study.figures["shares"].table
    pd.testing.assert_frame_equal(shares.iloc[: len(summary)], summary)
    assert shares["statistic"].iloc[-1] == "another_label_as_often"
    own = responses.items.rename(columns={"dataset_label": "label"})
    models = cs.evaluate(
        fit, parts["predictions"], dataset_labels=own[["item", "label"]], resamples=50
    ).models
    table = study.figures["main_label"].table.set_index("model")["value"]
    expected = models.query("metric == 'main_label' and subset == 'all'")
    expected = expected.set_index("model")["value"]
    assert table.to_dict() == pytest.approx(expected.to_dict())
    how = {"dataset_labels": own[["item", "label"]], "top": 1, "resamples": 50}
    evaluation = cs.evaluate(parts["contains"], parts["predictions"], **how)
    frequencies = evaluation.frequencies()
    pd.testing.assert_frame_equal(study.figures["acceptance"].table, frequencies)


def test_tables_have_the_columns_that_the_catalogue_states(study):
    evaluation, compared = study.evaluation, study.compared_confusion
    tables = {name: figure.table for name, figure in study.figures.items()} | {
        "models": evaluation.models,
        "baselines": evaluation.baselines,
        "differences": evaluation.differences,
        "model_labels": evaluation.labels,
        "frequencies": study.evaluation_by_answers.frequencies(),
        "compared_confusion": compared.table(),
        "compared_pairs": compared.pairs(),
        "within": compared.within(),
    }
    amiss = {}
    for name, table in tables.items():
        columns = CATALOGUE[name].results
        stated = {each for column in columns for each in column.names}
        amiss[name] = stated ^ ({*table.columns} - {"published", "source"})
    left = {name: columns for name, columns in amiss.items() if columns}
    assert left == {}


def test_findings_count_what_the_tables_have(study):
    acceptance = study.figures["acceptance"]
    apart = acceptance.table.query("statistic == 'less_dataset' and subset == 'all'")
    near = ((apart["lower"] <= 0) & (apart["upper"] >= 0)).sum()
    assert f"; {near} of 3 models cannot be distinguished" in acceptance.finding
    confusion = study.figures["class_confusion"]
    people = confusion.table.query("model == 'people'")
    same = people["true_label"].astype(str) == people["given_label"].astype(str)
    seldom = 6 - (people[same]["probability"] >= 0.5).sum()
    assert confusion.finding.startswith(f"{seldom} of 6 classes")


def test_what_is_lacking_is_said(parts):
    alone_ = cs.study(parts["fit"], parts["responses"], resamples=20)
    assert {"shares", "number_of_objects", "confused_labels"} <= set(alone_.figures)
    assert alone_.left_out["accuracy_lost"] == "there are no predictions of models"
    lacking = alone_.left_out["acceptance"]
    assert lacking == "there are no yes-or-no answers about one label at a time"
    nothing = replace(parts["responses"], items=None)
    without = cs.study(parts["fit"], nothing, resamples=20)
    assert without.left_out["shares"].startswith("no item has a label of the data set")
    assert "number_of_objects" in without.figures
    with pytest.raises(KindError, match="of kind objects; give one of kind contains"):
        cs.study(parts["fit"], parts["responses"], contains=parts["fit"])


def test_responses_of_another_study_are_refused_at_once(parts):
    some = parts["responses"].where(parts["responses"].table["item"] != "item0")
    other = cs.simulate(kind="contains", items=5, annotators=8, seed=0).responses
    with pytest.raises(KindError, match="of kind contains, the fit of kind objects"):
        cs.study(parts["fit"], other)
    renamed = some.table.assign(item="x" + some.table["item"].astype("str"))
    strange = cs.read(renamed[["item", "annotator", "label", "main"]], kind="objects")
    with pytest.raises(OptionError, match="60 of the 60 items of the fit are not"):
        cs.study(parts["fit"], strange)


def test_choices_have_the_figures_of_one_label():
    made = simulated(0, num_photos=60)
    truth = made.truth.set_axis(["item", "dataset_label"], axis="columns")
    responses = cs.read(made.answers, item="photo", label="animal")
    responses = replace(responses, items=truth)
    fit = cs.fit(responses, model="dawid_skene")
    own = truth.rename(columns={"dataset_label": "label"})
    guesses = own.assign(rank=1, model="copy", probability=0.9)
    figures = cs.study(fit, responses, predictions=guesses, resamples=20).figures
    there = {"shares", "confused_labels", "class_confusion", "calibration"}
    assert there <= set(figures)
    assert "number_of_objects" not in figures


def test_items_that_were_not_asked_about_count_as_one_object(parts):
    first = cs.study(parts["fit"], parts["responses"], resamples=20)
    second = cs.study(parts["fit"], parts["responses"], resamples=20, of=120)
    one, two = (
        each.figures["shares"].table.set_index("statistic") for each in (first, second)
    )
    several = [table.loc["several_objects", "value"] for table in (one, two)]
    assert several[1] == pytest.approx(several[0] / 2)
    assert two.loc["several_objects", "items"] == 120


def test_published_values_stand_beside_the_answers_they_are_of(parts):
    (sha,) = STUDIES
    public = replace(parts["responses"], sources={"answers.pkl": sha})
    table = cs.study(parts["fit"], public, resamples=20).figures["shares"].table
    known = table.set_index("statistic")["published"]
    assert known["several_objects"] == 0.2156
    assert np.isnan(known["mean_objects"])
    other = replace(parts["responses"], sources={"answers.pkl": sha[::-1]})
    table = cs.study(parts["fit"], other, resamples=20).figures["shares"].table
    assert "published" not in table


def test_labels_never_become_markup_of_a_drawing(parts):
    hostile = "\"><script>alert(1)</script> & \\ {datum.x} 'quoted'"
    labels = parts["responses"].labels
    named = labels.assign(name=[f"{hostile} {label}" for label in labels["label"]])
    responses = replace(parts["responses"], labels=named)
    predicted = parts["predictions"]
    predicted = predicted.assign(model=predicted["model"] + hostile)
    made = cs.study(parts["fit"], responses, predictions=predicted, resamples=20)
    texts = ""
    some = ("confused_labels", "class_confusion", "main_label")
    for name in (*some, "wrong_labels_repeated"):
        for drawn in made.drawings(name).values():
            root = ElementTree.fromstring(drawn.narrow or drawn.wide)
            assert {each.tag.split("}")[1] for each in root.iter()} <= {
                *(
                    "svg",
                    "g",
                    "path",
                    "text",
                    "rect",
                    "line",
                    "defs",
                    "clipPath",
                    "tspan",
                )
            }
            texts += " ".join(each.get("aria-label") or "" for each in root.iter())
    assert hostile in texts


def test_a_matrix_of_many_labels_is_drawn_whole():
    names = [f"n{number:03d}" for number in range(90)]
    rows = [(a, b, 1.0 * (a == b)) for a in names for b in names]
    table = pd.DataFrame(rows, columns=["true", "given", "probability"])
    drawing = svg(heat(table.assign(text=table["true"]), rows="true", columns="given"))
    assert drawing.count('aria-roledescription="rect mark"') == 8100


def test_names_are_as_short_as_they_can_be_told_apart():
    names = {"1": "cock, rooster", "2": "maillot", "3": "maillot, tank suit", "4": "b"}
    short = {"1": "cock", "2": "maillot", "3": "maillot, tank suit", "4": "b"}
    assert short_names(names) == short
    assert short_names({}) == {}


def test_without_labels_of_the_data_set_there_are_no_baselines(objects_study):
    responses = replace(objects_study.responses, items=None)
    fit = cs.fit(responses, model="tsipras2020")
    guesses = fit.items()[["item", "label"]].assign(rank=1, model="m")
    baselines = cs.evaluate(fit, guesses, resamples=2).baselines
    assert baselines.empty
    columns = ["baseline", "metric", "subset", "value", "lower", "upper", "items"]
    assert list(baselines.columns) == columns
    made = cs.study(fit, responses, predictions=guesses, resamples=2)
    list(made.make())
    assert "disagreement" in made.left_out


@pytest.mark.parametrize("number", [None, 0, 1])
@pytest.mark.parametrize("kind", ["objects", "choice"])
def test_two_models_and_items_without_a_label_of_the_data_set_draw_what_they_can(
    kind, number
):
    made = cs.simulate(
        kind=kind, items=16, annotators=8, classes=6, per_item=4, seed=0
    ).responses
    items = pd.DataFrame({"item": made.table["item"].cat.categories})
    items["dataset_label"] = made.labels["label"].iloc[0]
    some = items["dataset_label"].where(items.index < (number or 0))
    labelled = None if number is None else items.assign(dataset_label=some)
    made = replace(made, items=labelled)
    rows = [
        (item, label, rank, model)
        for item in items["item"]
        for model, order in (("one", 1), ("other", -1))
        for rank, label in enumerate(made.labels["label"][::order][:3], 1)
    ]
    predictions = pd.DataFrame(rows, columns=["item", "label", "rank", "model"])
    fit = cs.fit(made, model="tsipras2020" if kind == "objects" else "majority")
    study = cs.study(fit, made, predictions=predictions, resamples=20)
    for name in study.figures:
        study.drawings(name)
    for figure in study.figures.values():
        shown = figure.facts.get("shown", 0)
        assert shown <= figure.facts.get(
            "pairs", figure.facts.get("cells", len(figure.table))
        )
        assert "A point of accuracy" not in figure.finding  # a slope of two models
        assert not re.search(r"\b0 (pairs|classes)\b", figure.finding)
    if not number:
        assert {"main_label", "wrong_labels_repeated"} <= set(study.left_out)
        if kind == "objects":
            assert "no item has a label of the data set" in study.left_out["main_label"]


def ends(chart):
    """Return the ends of all axes of a chart that states them."""
    if isinstance(chart, list):
        return [end for part in chart for end in ends(part)]
    if not isinstance(chart, dict):
        return []
    numbers = [x for x in chart.get("domain", ()) if isinstance(x, float)]
    return numbers + [end for part in chart.values() for end in ends(part)]


def test_the_axes_of_a_fit_without_draws_have_ends(objects_study, objects_fit):
    """Its bounds are NaN; an axis that ends at one shows nothing."""
    study = cs.study(objects_fit, objects_study.responses, resamples=20)
    counted = study.figures["number_of_objects"]
    assert counted.table["upper"].isna().all()
    assert len(ends(counted.charts[""]().to_dict()))
    for figure in study.figures.values():
        for draw in figure.charts.values():
            assert np.isfinite(ends(draw().to_dict(validate=False))).all()


@pytest.mark.parametrize(("sign", "word"), [(1, "lose"), (-1, "gain")])
def test_a_gain_is_no_negative_loss(study, sign, word):
    costs = study.evaluation.costs
    value = sign * costs["value"].abs()
    costs = costs.assign(value=value, lower=value - 0.1, upper=value + 0.1)
    other = copy.copy(study)
    vars(other)["evaluation"] = SimpleNamespace(
        costs=costs, models=study.evaluation.models
    )
    finding = accuracy.accuracy_lost(other).finding
    assert finding.count(word) == 2
    assert not re.search(r"(lose|gain) -", finding)


@pytest.mark.parametrize(
    ("often", "first", "start"),
    [
        (0, "a / b", "No two labels are taken for each other in a fifth"),
        (1, "a / b", "1 pair of labels is taken"),
        (2, "a / b", "2 pairs of labels are taken"),
    ],
)
def test_nothing_is_not_counted(often, first, start):
    assert labels._confused_sentence(often, first).startswith(start)
