"""What is reported of items, held against worlds that are drawn from the model."""

from statistics import NormalDist

import numpy as np
import pytest
import xarray as xr

from consilience.fitting import objects as fitting
from consilience.objects import response_panels
from consilience.objects.items import items_of
from consilience.objects.response_panels import SIZES
from consilience.objects.space import assembled
from consilience.posterior import item_posterior
from consilience.posterior.item_posterior import PANELS, TAU, TAUS
from consilience.posterior.objects import LEADING, MAIN_LABEL, MAIN_OBJECT
from consilience.posterior.stored import stored
from consilience.truth.named import Named

from .worlds import (
    PARENTS,
    accepted,
    entropy,
    enumerated,
    is_valid,
    joined,
    least_loss,
    one_hot,
    panels,
    partitions_of,
)

DRAWS = 5_000  # of each item, for each draw of the parameters
KEPT = 2_000  # worlds of each item, for the same
LEVELS = (0.2, TAU, 0.8)
WHOLE = ("judged_several", "differs")  # of all items
# Candidates, place of the data set's own label, and answers: main label, and all named.
ITEMS = (
    (3, 0, ((0, 0b011), (0, 0b001), (1, 0b010))),
    (2, 0, ((0, 0b11), (0, 0b01), (1, 0b10))),
    (3, 0, ((1, 0b010), (2, 0b100))),
    (3, 0, ((0, 0b111),)),
    (1, 0, ((0, 0b1), (0, 0b1))),
    (2, -1, ((0, 0b01), (1, 0b11))),
)
ONE = {
    "naming": np.array([0.1, -0.2]),
    "salience": np.array([0.0, 0.3]),
    "attraction": np.zeros(0),
    "objects": np.array([1.8]),
    "affinity": np.array([0.1, 0.5]),
    "high_detection": np.array([0.2, 0.6]),
    "detection": np.array([-0.9, 0.8]),
    "duplicate_name": np.array([[-1.5, 1.0], [0.4, 1.2]]),
    "synonyms": np.array([-0.8, 1.2]),
    "single_label": np.array([-0.9, 1.3]),
    "style": np.zeros(0),
}
TWO = ONE | {
    "objects": np.array([-1.0]),
    "salience": np.array([0.8, 1.2]),
    "high_detection": np.array([-1.0, 0.3]),
    "detection": np.array([-1.2, 0.5]),
    "single_label": np.array([0.2, 1.0]),
}
BOTH = (ONE, TWO)
CHANGES = {
    "naming": [-1.0, 1.0],
    "salience": [0.0, 1.0],
    "objects": [0.5],
    "affinity": [0.5, -1.0],
    "high_detection": [1.0, 0.0],
    "detection": [0.5, 0.0],
    "duplicate_name": [[0.8, 0.0], [-0.8, 0.0]],
    "synonyms": [0.8, 0.0],
    "single_label": [0.7, 0.0],
}


def space_of_items():
    sizes = np.array([labels for labels, _, _ in ITEMS])
    places, units = np.arange(sizes.max()), np.arange(len(ITEMS))
    answers = [answer for _, _, given in ITEMS for answer in given]
    named = Named(
        labels=np.array([f"l{label}" for label in places], object),
        parents=np.array(list(PARENTS), object),
        candidate=np.where(places < sizes[:, None], places, -1),
        dataset_label=np.array([own for _, own, _ in ITEMS]),
        mask=np.array([mask for _, mask in answers]),
        main=np.array([main for main, _ in answers]),
        covariates=np.zeros((len(ITEMS), len(places), 0)),
        none=np.zeros(len(ITEMS), int),
        observed=np.ones(len(ITEMS), bool),
    )
    return assembled(
        named,
        np.array([f"i{unit}" for unit in units], object),
        np.array(["(anonymous)"], object),
        np.zeros(1, bool),
        unit=np.repeat(units, [len(given) for _, _, given in ITEMS]),
        annotator=np.zeros(len(answers), int),
        n=np.ones(len(answers), int),
    )


def fit_of(values):
    """Return the tables of a fit whose parameters have these values."""
    space = space_of_items()
    items = items_of(space, pooled=False, slopes=False)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fitting, "IN_ALL", DRAWS * len(values))
        return fitting.with_item_posteriors(
            xr.DataTree(), space, items, list(values), seed=0, prob=0.9
        )


def reported(tree):
    """Return what the fit says, by item and name, and last of all items."""
    curves, joint = tree["objects"], tree["joint_draws"]
    every = []
    for unit, (labels, _, _) in enumerate(ITEMS):

        def rows(name, item=f"i{unit}"):
            frame = stored(tree, name)
            return frame[frame["item"] == item]

        level, fact = (
            joint[name].to_numpy()[..., joint["cell_item"] == unit]
            for name in ("levels", "facts")
        )
        counts = np.zeros((len(TAUS), labels + 1))
        numbers = rows("object_counts")
        at = np.searchsorted(TAUS, numbers["threshold"] - 1e-3)
        counts[at, numbers["objects"]] = numbers["probability"]
        is_main = fact & MAIN_LABEL > 0
        values = {
            "same": rows("same_object")["probability"],
            "synonyms": rows("same_object")["synonyms"],
            f"valid {TAU}": rows("labels")["probability"],
            "counts": counts,
            "naming": rows("ambiguity")["naming"],
            "salience": rows("ambiguity")["salience"],
            "several": rows("panels")["several"],
            "differs": rows("panels")["differs"],
            "main share": curves["main_share"][unit, :labels],
            "main label": is_main.mean((0, 1)),
            "highest": rows("items")["probability"],
            "leading": (fact & LEADING > 0).mean((0, 1)),
            "main object": (fact & MAIN_OBJECT > 0).mean((0, 1)),
            "valid and main": (is_main & (level >= 100 * TAU)).mean((0, 1)),
        }
        for tau in LEVELS:
            beyond = curves["beyond"].sel(share=tau, method="nearest")
            values.setdefault(f"valid {tau}", beyond[unit, :labels])
        objects = rows("objects").sort_values("label")
        values["right name"] = objects["right_name"]
        for name in ("share", "probability", "main_probability"):
            values[f"{name} in objects"] = objects[name]
        every.append({name: np.asarray(value) for name, value in values.items()})
    whole = {name: curves[name].to_numpy() for name in WHOLE}
    means = {f"{name} of all": value.mean(0) for name, value in whole.items()}
    squares = {f"{name} squared": (value**2).mean(0) for name, value in whole.items()}
    return [*every, means | squares]


def asked(worlds, item, generator):
    """Return what `reported` returns of an item, by world."""
    labels = item[0]
    first, second = np.triu_indices(labels, 1)
    same = worlds.object_of[:, first] == worlds.object_of[:, second]
    number = (worlds.frequency[..., None] > TAUS).sum(1)
    there = worlds.of_label(worlds.frequency) > TAU
    main_label = one_hot(worlds.main.argmax(1), labels)
    main_object = worlds.object_of == worlds.salience.argmax(1)[:, None]
    values = {
        "same": same,
        "synonyms": same & worlds.of_label(worlds.alike)[:, first],
        "counts": one_hot(number, labels + 1),
        "naming": entropy(worlds.share, worlds.main),
        "salience": entropy(worlds.salience, worlds.salience),
        "main share": worlds.main,
        "main label": main_label,
        "highest": main_label[:, [main_label.mean(0).argmax()]],
        "leading": worlds.share == worlds.highest,
        "main object": main_object,
        **{f"valid {tau}": is_valid(worlds, item, tau, generator) for tau in LEVELS},
        **panels(worlds, item, SIZES, PANELS, generator),
    }
    valid = values[f"valid {TAU}"]
    values["valid and main"] = valid * main_label
    # A ratio of means: each world's part in it.
    ratio = valid.mean(0) / there.mean(0)
    values["right name"] = ratio + (valid - ratio * there) / there.mean(0)
    given = worlds.which == least_loss(item, BOTH)[0]
    return values | {
        "share in objects": worlds.share[given],
        "probability in objects": there[given],
        "main_probability in objects": main_object[given],
    }


@pytest.fixture(scope="module")
def worlds():
    """Return, by item, worlds from the posterior, as many of each value."""
    generator = np.random.default_rng(0)
    return [
        joined([accepted(item, value, KEPT, generator) for value in BOTH])
        for item in ITEMS
    ]


@pytest.fixture(scope="module")
def expected(worlds):
    """Return means over worlds and their errors, by item and name, and of all."""
    generator = np.random.default_rng(1)
    every = [asked(*each, generator) for each in zip(worlds, ITEMS, strict=True)]
    labelled = np.array([own >= 0 for _, own, _ in ITEMS])
    whole = {}
    for name in WHOLE:
        items = np.array([values.pop(f"{name} of all") for values in every], float)
        share = items[labelled if name == "differs" else slice(None)].mean(0)
        whole |= {f"{name} of all": share, f"{name} squared": share**2}
    return [
        {name: (value.mean(0), error(value)) for name, value in values.items()}
        for values in (*every, whole)
    ]


def error(values):
    """Return the standard error of a mean over worlds less one over draws."""
    number = len(values)
    parts = 1 / number + 1 / (DRAWS * len(BOTH))
    return np.sqrt(values.var(0) * parts + 1 / number**2)


def apart(expected, values):
    """Return by name how far apart they are, over what chance allows of all of them."""
    count = sum(np.size(mean) for each in expected for mean, _ in each.values())
    bound = NormalDist().inv_cdf(1 - 0.005 / count)
    distance = {}
    for means, results in zip(expected, values, strict=True):
        assert means.keys() == results.keys()
        for name, (mean, deviation) in means.items():
            assert np.size(results[name]) == np.size(mean)
            result = np.reshape(results[name], np.shape(mean))
            assert np.array_equal(np.isnan(mean), np.isnan(result))
            far = np.nan_to_num(abs(result - mean) / deviation / bound)
            distance[name] = max(distance.get(name, 0.0), far.max(initial=0.0))
    return distance


def moved(name):
    """Return both values with one parameter changed."""
    return [value | {name: value[name] + np.array(CHANGES[name])} for value in BOTH]


@pytest.fixture(scope="module")
def fit():
    return fit_of(BOTH)


@pytest.fixture(scope="module")
def changed(expected):
    return {name: apart(expected, reported(fit_of(moved(name)))) for name in CHANGES}


def test_all_that_is_reported_is_as_in_worlds_drawn_from_the_model(expected, fit):
    distance = apart(expected, reported(fit))
    assert max(distance.values()) < 1, distance


@pytest.mark.parametrize("name", CHANGES)
def test_another_parameter_is_seen(changed, name):
    far = {at: each for at, each in changed[name].items() if " in objects" not in at}
    assert max(far.values()) > 1.5


def test_each_number_that_is_reported_can_be_wrong(changed):
    for name in next(iter(changed.values())):
        assert max(distance[name] for distance in changed.values()) > 1, name


@pytest.mark.parametrize(
    ("module", "constant", "value", "wrong"),
    [
        (response_panels, "OPINION", 0.0, {"valid 0.5", "right name"}),
        (response_panels, "WEIGHT", 1.0, {"valid 0.2", "valid and main"}),
        # Every draw of the parameters counts as much, whatever it says of a partition.
        (item_posterior, "TINY", np.inf, {"probability in objects"}),
    ],
)
def test_another_rule_is_seen(expected, monkeypatch, module, constant, value, wrong):
    monkeypatch.setattr(module, constant, value)
    distance = apart(expected, reported(fit_of(BOTH)))
    assert all(distance[name] > 1 for name in wrong)
    assert distance["synonyms"] < 1
    assert distance["counts"] < 1


@pytest.mark.parametrize(
    ("values", "holds"), [(BOTH, True), (moved("affinity"), False)]
)
def test_what_is_exact_is_as_enumerated(fit, values, holds):
    structure = stored(fit, "ambiguity")["structure"]
    expected = [entropy(*[enumerated(item, values)] * 2) for item in ITEMS]
    assert np.allclose(structure, expected, atol=1e-9) == holds
    expected = []
    for item in ITEMS:
        first, second = np.triu_indices(item[0], 1)
        objects = partitions_of(item[0])
        both = objects[:, first] == objects[:, second]
        expected += list(enumerated(item, values) @ both)
    same = stored(fit, "same_object")["probability"]
    assert np.allclose(same, expected, atol=1e-9) == holds


def test_worlds_hold_partitions_as_often_as_enumerated(worlds):
    for item, some in zip(ITEMS, worlds, strict=True):
        chance = enumerated(item, BOTH)
        often = one_hot(some.which, len(chance)).mean(0)
        spread = np.sqrt(chance * (1 - chance) / len(some.which))
        assert (abs(often - chance) <= 4 * spread).all()


def test_the_partition_is_that_of_least_expected_loss(fit):
    objects = stored(fit, "objects")
    expected, others = [], []
    for unit, item in enumerate(ITEMS):
        rows = objects[objects["item"] == f"i{unit}"]
        assert rows["main_probability"].is_monotonic_decreasing
        number = rows.sort_values("label")["object"].to_numpy()
        by_pairs, by_information = least_loss(item, BOTH)
        for chosen, results in ((by_pairs, expected), (by_information, others)):
            code = partitions_of(item[0])[chosen]
            same = (number[:, None] == number) == (code[:, None] == code)
            results.append(same.all())
    assert all(expected)
    assert not all(others)
