"""Gold labels say whom to believe: where nobody can tell, and where all can."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

import consilience as cs
from consilience.errors import DataError
from consilience.fitting import gold as taught
from consilience.fitting import gold_columns as columns_of
from consilience.fitting.gold_columns import Design, Start, gold_of, names_of_columns
from consilience.posterior.tree import reported_truth
from consilience.spaces import space_of

ITEMS, MISLED, RIGHT = 240, 5, 2


def panel(seed=0):
    """Draw a panel of which most are wrong together: half of the items mislead them."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(2, size=ITEMS)
    misleading = generator.random(ITEMS) < 0.6
    rows = []
    for item in range(ITEMS):
        for who in range(MISLED + RIGHT):
            error = 0.85 if misleading[item] and who < MISLED else 0.12
            wrong = generator.random() < error
            rows.append((f"i{item:03d}", f"judge-{who}", "ab"[truth[item] ^ wrong]))
    table = pd.DataFrame(rows, columns=["item", "annotator", "label"])
    names = [f"i{item:03d}" for item in range(ITEMS)]
    return table, pd.DataFrame({"item": names, "label": ["ab"[z] for z in truth]})


def loss(fit, truth):
    """Return the log-loss and accuracy of items that are not in the gold."""
    labels = fit.labels().astype({"item": str, "label": str})
    rows = labels.merge(truth, on=["item", "label"])
    best = fit.items().astype({"item": str, "label": str}).merge(truth, on="item")
    accuracy = (best["label_x"] == best["label_y"]).mean()
    return -np.log(rows["probability"].clip(1e-3)).mean(), accuracy


@pytest.fixture(scope="module")
def misled():
    table, truth = panel()
    given, rest = truth.iloc[:40], truth.iloc[40:]
    fits = {
        name: cs.fit(table, gold=gold, model="hierarchical_dawid_skene", seed=0)
        for name, gold in {"without": None, "with": given}.items()
    }
    return fits, given, rest


def test_forty_labels_mend_a_panel_that_is_wrong_together(misled):
    fits, _, rest = misled
    (before, wrong), (after, right) = (
        loss(fits[name], rest) for name in ("without", "with")
    )
    assert wrong < 0.6  # most follow the misled
    assert right > 0.8
    assert after < before - 0.5


def test_what_gold_is_worth_is_what_it_is_worth_on_other_items(misled):
    fits, _, rest = misled
    table = fits["with"].table("gold").set_index("fit")
    for name, fit in (("without gold", "without"), ("with gold", "with")):
        row, (true_loss, accuracy) = table.loc[name], loss(fits[fit], rest)
        # Bounds hold the mean over other items but for the error of that.
        assert row["accuracy_lower"] - 0.08 < accuracy < row["accuracy_upper"] + 0.08
        assert row["log_loss_lower"] - 0.2 < true_loss < row["log_loss_upper"] + 0.2
    assert table.loc["difference", "log_loss_upper"] < 0
    sentence = fits["with"].data["gold"].attrs["sentence"]
    assert sentence.startswith("gold labels of 40 items: on gold left out, log-loss is")


def test_annotators_are_those_of_the_corrected_truth(misled):
    fits, _, _ = misled
    people = {n: fit.annotators().set_index("annotator") for n, fit in fits.items()}
    good = [f"judge-{who}" for who in range(MISLED, MISLED + RIGHT)]
    bad = [f"judge-{who}" for who in range(MISLED)]
    accuracy = people["with"]["accuracy"]
    assert accuracy[good].min() > accuracy[bad].max()
    before = people["without"]["accuracy"]
    assert before[good].min() < before[bad].max()
    # They are right .88 of the time; what is not known of the truth takes some of it.
    assert accuracy[good].between(0.75, 0.92).all()


def test_gold_labels_are_the_truth_of_their_items(misled):
    fits, given, _ = misled
    labels = fits["with"].labels().astype({"item": str, "label": str})
    known = labels.merge(given, on=["item", "label"])
    assert (known[["probability", "lower", "upper"]] == 1).all(axis=None)


def test_gold_of_a_saved_fit_corrects_what_is_predicted_of_new_items(misled, tmp_path):
    fits, _, rest = misled
    fits["with"].save(tmp_path / "run")
    again = cs.load(tmp_path / "run")
    assert again.labels().equals(fits["with"].labels())
    assert again.table("gold").equals(fits["with"].table("gold"))
    later, truth = (each.assign(item="later-" + each["item"]) for each in panel(1))
    ours, right = loss(cs.predict(again, later), truth)
    assert ours == pytest.approx(loss(again, rest)[0], abs=0.1)
    assert right > 0.8
    # The twin: without gold.
    assert loss(cs.predict(fits["without"], later), truth)[0] > ours + 0.3


def test_items_that_arrive_one_by_one_have_the_truth_that_all_have(misled):
    fits, _, _ = misled
    table, _ = panel(seed=2)
    some = table[table["item"] < "i012"]
    every = cs.predict(fits["with"], cs.read(some, labels=["a", "b"])).labels()
    stream = cs.Sequential(fits["with"])
    for _, each in some.groupby("item"):
        stream.update(cs.read(each, labels=["a", "b"]))
    one_by_one = stream.table("labels")
    names = ["item", "label"]
    both = every.astype(dict.fromkeys(names, str)).merge(
        one_by_one.astype(dict.fromkeys(names, str)), on=names
    )
    assert len(both) == len(every) == 24
    assert both["probability_x"].to_numpy() == pytest.approx(both["probability_y"])


def test_models_that_are_mixed_are_weighed_by_gold():
    table, truth = panel()
    space, fixed = spaces(60)
    right = np.array([space.states.index(name) for name in truth["label"]])
    sure = np.full((ITEMS, 2), 0.05)
    sure[np.arange(ITEMS), right] = 0.95
    sides = {"right": sure, "wrong": sure[:, ::-1]}
    fit = cs.fit(table, model="dawid_skene")._made
    before = reported_truth(fit.result, fit.tempering)
    found, losses = gold_of(space, fixed), {}
    for models in ({}, sides):
        start, generator = Start(before, models), np.random.default_rng(0)
        learned, _ = taught.learn(space, start, found, generator)
        said = learned.corrected(space, start, 0.9).probability[60:]
        losses[bool(models)] = -np.log(said[np.arange(ITEMS - 60), right[60:]]).mean()
        if models:
            weight = dict(
                zip(learned.columns, learned.weight @ learned.mode, strict=True)
            )
            assert weight["model:right"] > 0.1
            assert weight["model:wrong"] < -0.1
            assert np.abs(learned.draw[:, 2:4]).max() < 1.0
    assert losses[True] < losses[False] - 0.05


def test_gold_that_was_used_is_not_scored_as_new(misled):
    fits, given, rest = misled
    score = cs.score(fits["with"], pd.concat([given, rest]))
    assert (score.items, score.given) == (len(rest), len(given))
    with pytest.raises(DataError, match="was given the truth of all 40 rows"):
        cs.score(fits["with"], given)


def test_gold_that_says_nothing_changes_little():
    """Annotators err alone, and the model is right: there is nothing to be learned."""
    crowd = cs.simulate(items=200, annotators=12, classes=3, per_item=5, seed=0)
    truth = crowd.responses.gold.astype(str)[["item", "label"]].drop_duplicates("item")
    given, rest = truth.iloc[:30], truth.iloc[30:]
    name = "hierarchical_dawid_skene"
    before, _ = loss(cs.fit(crowd.responses, model=name), rest)
    after, _ = loss(cs.fit(crowd.responses, model=name, gold=given), rest)
    assert after < before + 0.03
    # The twin: labels at random, which the fit would follow if it believed them.
    shuffled = given["label"].sample(frac=1, random_state=0)
    wrong = given.assign(label=shuffled.to_numpy())
    fit = cs.fit(crowd.responses, model=name, gold=wrong)
    table = fit.table("gold").set_index("fit")
    assert table.loc["without gold", "accuracy"] < 0.7


def spaces(number):
    table, truth = panel()
    responses = cs.read(table, labels=["a", "b"])
    return space_of(responses), space_of(responses, gold=truth.iloc[:number])


def test_the_mode_is_that_of_a_formula_written_out():
    space, fixed = spaces(30)
    fit = cs.fit(panel()[0], model="hierarchical_dawid_skene")._made
    truth = reported_truth(fit.result, fit.tempering)
    gold = gold_of(space, fixed)
    assert gold.unit.tolist() == list(range(30))
    columns = names_of_columns(space, gold)
    rows = Design(space, Start(truth), columns).rows(gold.unit)
    study = taught.Study(rows, gold.likelihood, np.ones((30, 2), bool))
    mean = np.zeros(len(columns))
    mean[0], precision = 1.0, np.full(len(columns), 4.0)
    ours = taught.mode(study, mean, precision, mean)

    said = space.answer.reshape(ITEMS, -1)[:30]
    right = gold.likelihood.argmax(1)
    votes = np.stack([(said == k).sum(1) for k in (0, 1)], 1) + 0.5
    share = np.log(votes / votes.sum(1, keepdims=True))
    believed = np.log(np.maximum(truth.probability[:30], 1e-4))

    def objective(weight):
        scores = weight[0] * believed + weight[1] * share + weight[2:4]
        for who in range(MISLED + RIGHT):
            for k in (0, 1):
                scores[:, k] += weight[4 + who] * (said[:, who] == k)
        likely = scores[np.arange(30), right] - logsumexp(scores, axis=1)
        return -likely.sum() + 0.5 * (precision * (weight - mean) ** 2).sum()

    assert columns[4:] == [f"annotator:judge-{who}" for who in range(7)]
    found = minimize(objective, mean, method="BFGS").x
    np.testing.assert_allclose(ours, found, atol=2e-3)


def test_annotators_of_a_family_and_a_group_share_a_weight():
    space, _ = spaces(1)
    names = np.array(["gpt-1", "gpt-2", "ann", "bob", "x", "y", "z"], object)
    groups = replace(
        space.annotator_groups,
        code=np.array([0, 0, 1, 1, 1, 1, 1], np.int32),
        names=np.array(["models", "people"], object),
    )
    space = replace(space, annotators=names, annotator_groups=groups)
    weights = columns_of.names_of_annotators(space)
    assert weights[0] == ["annotator:gpt-1", "family:gpt", "group:models"]
    found = columns_of.weights_of_annotators(space, range(3))
    assert found == [
        *("annotator:gpt-1", "family:gpt", "group:models", "annotator:gpt-2"),
        *("annotator:ann", "group:people"),
    ]


def queries(seed=0):
    """Draw documents of ten queries, whose share of relevant ones judges do not see."""
    generator = np.random.default_rng(seed)
    rows, truth = [], []
    share = generator.choice([0.05, 0.95], 10)
    for query in range(10):
        for place in range(40):
            relevant = generator.random() < share[query]
            item = f"q{query}/doc-{place:02d}.txt"
            truth.append((item, "ab"[int(relevant)]))
            for who in range(4):
                wrong = generator.random() < 0.42
                rows.append((item, f"judge-{who}", "ab"[int(relevant ^ wrong)]))
    truth = pd.DataFrame(truth, columns=["item", "label"])
    order = generator.permutation(len(truth))
    return pd.DataFrame(rows, columns=["item", "annotator", "label"]), truth.iloc[order]


def test_items_of_a_family_have_a_constant(monkeypatch):
    table, truth = queries()
    given, rest = truth.iloc[:80], truth.iloc[80:]

    def fitted():
        fit = cs.fit(table, gold=given, model="hierarchical_dawid_skene", seed=0)
        return fit, loss(fit, rest)[0]

    fit, ours = fitted()
    columns = fit.data["gold"]["column"].to_numpy().tolist()
    assert {"items:0:q1/doc", "items:1:q1/doc"} & {*columns}
    # The twin: without families.
    monkeypatch.setattr(columns_of, "families", lambda _: set())
    assert ours < fitted()[1] - 0.1


def test_a_stem_of_all_names_is_no_family():
    assert columns_of.families(columns_of.stems(["a-1", "a-2", "a-3"])) == set()
    names = ["a-1", "a-2", "b-1", "c", "d", ""]
    assert columns_of.stems(names).tolist() == ["a", "a", "b", "", "", ""]
    assert columns_of.families(columns_of.stems(names)) == {"a"}


def test_ordered_labels_have_a_slope_along_the_mean_answer():
    space, fixed = spaces(20)
    three = replace(space, states=("1", "2", "3"))
    gold = gold_of(space, fixed)
    assert "order" in names_of_columns(three, gold, ordered=True)
    assert "order" not in names_of_columns(three, gold)


def test_gold_with_a_probability_is_evidence():
    table, truth = panel()
    responses = cs.read(table, labels=["a", "b", "c"])
    stated = truth.iloc[:3].assign(probability=["1.0", "0.8", "0.5"])
    space, fixed = space_of(responses), space_of(responses, gold=stated)
    likelihood = gold_of(space, fixed).likelihood
    own = [["a", "b", "c"].index(label) for label in stated["label"]]
    by_hand = np.array([[0.0] * 3, [0.1 / 0.8] * 3, [0.25 / 0.5] * 3])
    by_hand[np.arange(3), own] = 1.0
    np.testing.assert_allclose(likelihood, by_hand)
    with pytest.raises(DataError, match="give a number above 0, at most 1"):
        cs.fit(table, gold=truth.iloc[:3].assign(probability="1.5"))


def test_uncertain_gold_moves_its_items_less_and_is_not_scored(misled):
    _, given, rest = misled
    table, _ = panel()
    model = "hierarchical_dawid_skene"
    fit = cs.fit(table, gold=given.assign(probability=0.9), model=model, seed=0)
    labels = fit.labels().astype({"item": str, "label": str})
    probability = labels.merge(given, on=["item", "label"])["probability"]
    assert probability.between(0.3, 0.9999).all()
    assert loss(fit, rest)[1] > 0.8
    assert cs.score(fit, pd.concat([given, rest])).given == len(given)


def test_experts_who_disagree_are_the_share_of_each_answer():
    rows = [("i", "a", "cat", "yes"), ("j", "a", "cat", "no"), ("k", "b", "cat", "no")]
    table = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    responses = cs.read(table, kind="contains")
    answers = [("i", "yes", "x"), ("i", "yes", "y"), ("i", "no", "z"), ("j", "no", "x")]
    gold = pd.DataFrame(answers, columns=["item", "answer", "annotator"])
    gold = gold.assign(label="cat")
    prior = np.exp(space_of(responses, gold=gold).log_prior)
    np.testing.assert_allclose(prior[:2], [[1 / 3, 2 / 3], [1, 0]])
    # Without experts, gold contradicts itself.
    with pytest.raises(DataError, match="'cat' is answered both yes and no; keep one"):
        space_of(responses, gold=gold.drop(columns="annotator"))


def test_experts_of_choice_are_shares_and_labels_alone_are_alternatives():
    table, _ = panel()
    responses = cs.read(table, labels=["a", "b", "c"])
    rows = [("i000", "a", "x"), ("i000", "a", "y"), ("i000", "b", "z")]
    gold = pd.DataFrame(rows, columns=["item", "label", "annotator"])
    prior = np.exp(space_of(responses, gold=gold).log_prior[0])
    np.testing.assert_allclose(prior, [2 / 3, 1 / 3, 0])
    either = space_of(responses, gold=gold[["item", "label"]]).log_prior[0]
    assert np.exp(either).tolist() == [1, 1, 0]


def test_gold_of_pairs_teaches_what_present_means():
    generator = np.random.default_rng(0)
    rows, truth = [], []
    for item in range(150):
        present = generator.random() < 0.25
        truth.append((f"i{item:03d}", "cat", "yes" if present else "no"))
        for who in range(4):  # lenient: they say yes to two of three that are not there
            chance = expit(2.5) if present else expit(0.4)
            word = "yes" if generator.random() < chance else "no"
            rows.append((f"i{item:03d}", f"a{who}", "cat", word))
    table = pd.DataFrame(rows, columns=["item", "annotator", "label", "answer"])
    gold = pd.DataFrame(truth, columns=["item", "label", "answer"])

    def measured(given):
        labels = cs.fit(cs.read(table, kind="contains"), gold=given).labels()
        labels = labels.astype({"item": str}).set_index("item")["probability"]
        rest = gold.iloc[40:].set_index("item")["answer"] == "yes"
        p = labels.reindex(rest.index).clip(1e-3, 1 - 1e-3)
        return -np.log(np.where(rest, p, 1 - p)).mean()

    assert measured(gold.iloc[:40]) < measured(None) - 0.1
