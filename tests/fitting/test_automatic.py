"""The model auto: which models it takes, and what of each."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

import consilience as cs
from consilience.errors import OptionError
from consilience.fitting import EngineOptions, automatic, comparing, fit
from consilience.fitting.automatic import fit_auto
from consilience.fitting.comparing import CANDIDATES
from consilience.fitting.request import Request
from consilience.progress import silent
from consilience.responses import read
from consilience.spaces import space_of

QUICK = EngineOptions(draws=0, restarts=1)
FURTHER = np.sqrt(7 * 3)  # answers beside one of four, as the design effect has them


@pytest.fixture(scope="module")
def fitted(crowd, few):
    return fit(crowd, effort=few)


def reported(fits):
    """Return the best fit with correlated rows, whose intervals hold."""
    return next(each for each in fits if each.engine == "gibbs")


def test_auto_takes_the_model_whose_intervals_hold_and_says_which_is_best(
    fitted, standing
):
    fits, table = standing
    attributes = fitted.data.attrs
    assert attributes["requested_model"] == "auto"
    assert attributes["model"] == reported(fits).name == "correlated_dawid_skene"
    assert attributes["engine"] == "gibbs"
    second = table.iloc[1]
    reason = attributes["engine_reason"]
    assert reason.startswith(f"of 4 models {fits[0].name} predicts answers best, by ")
    lead = f"{-second['difference']:.4f} ± {second['difference_se']:.4f} nats"
    assert f"{lead} an answer over {second['model']}" in reason


def test_the_truth_is_the_weighted_mixture(crowd, fitted, standing):
    fits, table = standing
    weight = table["weight"].to_numpy()
    assert weight[0] < 0.99  # else it were no mixture
    assert fitted.data["truth"].attrs["reported"] == "tempered"
    parts = [tempered_together(each, fits) for each in fits]
    probability = fitted.data["truth"]["probability"]
    assert np.allclose(probability, with_votes(parts, weight, fits, crowd), atol=1e-6)
    assert not np.allclose(probability, np.tensordot(weight, parts, 1), atol=1e-3)
    assert not np.allclose(probability, parts[0], atol=1e-3)
    alone = [each.tempering.tempered.probability for each in fits]
    assert not np.allclose(
        probability, with_votes(alone, weight, fits, crowd), atol=1e-3
    )


def with_votes(parts, weight, fits, crowd):
    """Mix by hand with votes: at most .3 over the design effect of four answers."""
    most = 0.3 / (1 + 0.15 * FURTHER)
    share = most * common_of(fits) / 0.15
    assert 0.04 < share <= most
    votes = pd.crosstab(crowd.table["item"], crowd.table["label"])
    votes = (votes + 1 / 3) / (4 + 1)
    return (1 - share) * np.tensordot(weight, parts, 1) + share * votes.to_numpy()


def common_of(fits):
    median = np.median([each.tempering.shrunk for each in fits])
    return 0.15 * np.clip((median - 0.0225) / 0.0075, 0, 1)


def tempered_together(each, fits):
    """Temper one fit by hand, by the correlation of its own or by that of them all."""
    own = 4 * (each.tempering.shrunk - 0.0075)
    power = 1 / (1 + FURTHER * max(own, common_of(fits), 0))
    raised = each.tempering.raw.probability**power
    return raised / raised.sum(1, keepdims=True)


def test_predictions_are_tempered_by_what_all_models_see(crowd, fitted):
    attributes = fitted.data["truth"].attrs
    own, common = (attributes[f"residual_{name}"] for name in ("shrunk", "common"))
    assert common > 4 * (own - 0.0075)
    effect = cs.predict(fitted, crowd).data["truth"]["design_effect"]
    assert np.allclose(effect, 1 + FURTHER * common)


def only(frame):
    return automatic._only_model(space_of(read(frame)))


@pytest.fixture(scope="module")
def frame(crowd):
    return crowd.table[["item", "annotator", "label"]].astype(str)


def test_one_model_is_taken_where_there_is_nothing_to_compare(frame, monkeypatch):
    assert only(frame) is None
    assert only(frame.drop(columns="annotator")) == "multinomial"
    assert only(frame.drop_duplicates("item")) == "hierarchical_dawid_skene"
    monkeypatch.setattr("consilience.truth.space.MAX_NUMBERS", 50)
    assert only(frame) == "structured"


def test_rows_with_effects_are_left_out_where_tables_are_large(frame, monkeypatch):
    space = space_of(read(frame))
    names = comparing.worth_comparing(space, ordered=True)
    assert names == (*CANDIDATES, "ordinal_dawid_skene")
    monkeypatch.setattr(comparing, "MAX_CELLS", 10)
    names = comparing.worth_comparing(space, ordered=True)
    assert names == ("hierarchical_dawid_skene", *CANDIDATES[1:])


def named(labels, items, people=12):
    """Answers about many labels: each item has two that are near, and three answers."""
    generator = np.random.default_rng(3)
    item = np.arange(items).repeat(3)
    who = generator.random((items, people)).argsort(1)[:, :3].ravel()
    label = (7 * item + (generator.random(len(item)) < 0.2)) % labels
    names = {"item": item, "annotator": who, "label": label}
    return pd.DataFrame(names).astype(str)


def test_structured_is_taken_where_no_confusion_can_be_learned():
    # 40 x 40 / 150 = 10.7 cells for each answer in one matrix, 128 in twelve.
    assert only(named(40, 50)) == "structured"
    assert only(named(40, 60, people=3)) == "structured"  # 8.9 and 27
    # The twins: some confusion can be learned, and four models are compared.
    assert only(named(40, 600)) is None  # .9 and 11 cells for each answer
    assert only(named(12, 40, people=3)) is None  # 1.2 and 3.6


def test_structured_alone_is_tempered_and_votes_are_mixed_in():
    answers = named(40, 50)
    single = fit(read(answers))
    attributes = single.data.attrs
    assert attributes["model"] == "structured"
    assert (
        "labels are too many to learn who confuses which"
        in (attributes["engine_reason"])
    )
    assert single.data["truth"].attrs["residual_common"] == 0.15
    assert single.comparison().empty
    # Alone it is as sure as independent annotators would be.
    named_alone = fit(read(answers), model="structured")
    ours, other = (
        each.data["truth"]["probability"].max("candidate").mean()
        for each in (single, named_alone)
    )
    assert ours < other


def test_a_model_taken_alone_is_fitted_as_if_it_were_named(frame):
    given = frame.drop(columns="annotator")
    setting = {"prevalence": 2.0}
    ours, named = (
        fit(read(given), model=name, engine="vb", effort=QUICK, prior=setting)
        for name in ("auto", "multinomial")
    )
    assert ours.data.attrs["model"] == "multinomial"
    assert ours.data.attrs["requested_model"] == "auto"
    assert ours.data.attrs["engine_reason"] == "it was requested"
    assert ours.comparison().empty
    pd.testing.assert_frame_equal(ours.labels(), named.labels())


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"prior": {"own": 6.0}}, OptionError, "auto compares several; name the model"),
        ({"effort": QUICK}, OptionError, "compared by draws, and 0 were asked for"),
    ],
)
def test_what_auto_cannot_do_is_refused_before_models_are_fitted(
    crowd, monkeypatch, wrong, error, message
):
    def stop(*_):
        pytest.fail("a model was fitted first")

    monkeypatch.setattr("consilience.fitting.single.run", stop)
    with pytest.raises(error, match=message):
        fit(crowd, **wrong)


@pytest.fixture
def refits(monkeypatch, standing):
    """Have auto compare nothing anew, and record which models it fits after that."""
    fits, table = standing
    asked = []

    def one(name, space, request, report, **more):
        del space, report, more
        asked.append((name, request.engine))
        (single,) = (each for each in fits if each.name == name)
        return replace(single, engine=request.engine, reason="it was requested")

    def on(sample, shown, space, request, report):
        del shown, space, request, report
        asked.append((sample.name, sample.engine))
        return sample

    def stand(weights):
        changed = table.assign(weight=weights)
        monkeypatch.setattr(automatic, "compare_models", lambda *_: (fits, changed))

    for room in (automatic, comparing):
        monkeypatch.setattr(room, "fit_one", one)
    monkeypatch.setattr(automatic, "fit_from_sample", on)
    stand(table["weight"])
    return asked, stand


def auto(crowd, engine="auto"):
    with jax.enable_x64(True):
        request = Request(engine=engine, effort=QUICK)
        return fit_auto(space_of(crowd), request, silent)


def test_another_engine_fits_the_best_model_alone(crowd, refits, standing):
    asked, _ = refits
    single, table = auto(crowd, engine="nuts")
    best = standing[0][0]
    assert asked == [(best.name, "nuts")]
    assert single.engine == "nuts"
    assert np.array_equal(single.result.belief, best.result.belief)
    assert single.reason.endswith("; it was requested")
    assert "mixture" not in single.reason
    assert len(table) == len(CANDIDATES)


def test_after_all_answers_were_compared_nothing_is_fitted_again(crowd, refits):
    asked, _ = refits
    auto(crowd)
    assert asked == []


def test_after_a_sample_the_models_that_matter_are_fitted_to_all(
    crowd, refits, standing, monkeypatch
):
    asked, stand = refits
    monkeypatch.setattr(comparing, "MAX_COMPARED", 100)
    names = [each.name for each in standing[0]]
    place = names.index("correlated_dawid_skene")
    first, second, third = (other for other in range(4) if other != place)
    weight = np.zeros(4)
    weight[[place, first, second, third]] = [0.02, 0.58, 0.02, 0.38]
    stand(weight)
    single, _ = auto(crowd)
    # Also the one that annotators are reported by, whatever its share.
    kept = sorted([place, first, third])
    engines = dict.fromkeys(names, "vb") | {names[place]: "gibbs"}
    # Beside each other, so in any order.
    assert sorted(asked) == sorted((names[each], engines[names[each]]) for each in kept)
    assert single.name == names[place]
    share = weight[kept] / 0.98
    beliefs = [tempered_together(standing[0][each], standing[0]) for each in kept]
    mixture = with_votes(beliefs, share, standing[0], crowd)
    assert np.allclose(single.tempering.tempered.probability, mixture)
    assert "on 25 items drawn at random" in single.reason
    shown = f"the truth is a mixture: {names[first]} 0.59, {names[third]} 0.39"
    assert shown in single.reason
