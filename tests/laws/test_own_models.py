"""A model written outside with the program of a built-in one is that one."""

import sys
import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpyro.primitives import Messenger
from tests.laws.combinations import EXACT, SPACE, answers, probabilities, read

import consilience as cs
from consilience import annotators, programs
from consilience.cli import main
from consilience.errors import OptionError
from consilience.model import LogDirichlet, Model, confusions, sample, sample_prevalence
from consilience.model.language import interpreter, run_by
from consilience.programs import double_precision

TABLES = [
    each
    for each in EXACT
    if each.engine != "rule"
    and annotators.load(each.model).by_tables
    and annotators.load(each.model).closed(SPACE)
]


@dataclass
class Renaming:
    """Runs a program as another does, with names of its own for all parameters."""

    other: object

    def sample(self, name, distribution, dims, sizes):
        return self.other.sample(f"own_{name[::-1]}", distribution, dims, sizes)

    def deterministic(self, name, value, dims):
        self.other.deterministic(f"own_{name}", value, dims)


def outside(name, **changed):
    """Write a model of the library once more, no parameter of which has its name."""
    inside = annotators.load(name)

    def program(data, prior):
        with run_by(Renaming(interpreter())):
            return inside.program(data, prior)

    return replace(inside, name=f"own_{name}", program=program, **changed)


@pytest.mark.parametrize("exact", TABLES, ids="-".join)
def test_names_of_parameters_say_nothing(exact):
    table = answers(exact.kind)
    own = exact._replace(model=outside(exact.model))
    theirs, ours = probabilities(exact.fit(table)), probabilities(own.fit(table))
    assert np.abs(theirs - ours).max() < 1e-9


def test_the_same_test_catches_a_prevalence_that_is_not_learned():
    """The twin: what the model is told of the prevalence is not what it samples."""
    exact = TABLES[0]
    inside = annotators.load(exact.model)

    def program(data, prior):
        made = inside.program(data, prior)
        return replace(made, log_prevalence=np.zeros(data.num_states))

    own = exact._replace(model=replace(inside, name="even", program=program))
    table = answers(exact.kind).query("label != 'z' or item > 'i012'")
    gap = probabilities(exact.fit(table)) - probabilities(own.fit(table))
    assert np.abs(gap).max() > 1e-3


def test_two_models_of_one_name_know_nothing_of_each_other(tmp_path):
    responses = read(answers("choice"), "choice")
    first = outside("bayesian_dawid_skene")
    second = replace(first, prior=replace(first.prior, own=40.0))
    a = cs.fit(responses, model=first, engine="em")
    before = probabilities(cs.predict(a, responses))
    b = cs.fit(responses, model=second, engine="em")
    assert a.data.attrs["model"] == b.data.attrs["model"]
    assert before.equals(probabilities(cs.predict(a, responses)))
    assert np.abs(before - probabilities(cs.predict(b, responses))).max() > 1e-3
    a.save(tmp_path / "run")
    assert probabilities(cs.load(tmp_path / "run")).equals(probabilities(a))


def test_a_model_of_the_library_keeps_the_prior_that_it_is_given():
    responses = read(answers("choice"), "choice")
    model = annotators.load("bayesian_dawid_skene")
    strict = replace(model, prior=replace(model.prior, own=40.0))
    named = cs.fit(responses, model="bayesian_dawid_skene", prior={"own": 40.0})
    given = cs.fit(responses, model=strict)
    assert probabilities(named).equals(probabilities(given))
    usual = cs.fit(responses, model="bayesian_dawid_skene")
    assert not probabilities(usual).equals(probabilities(given))


def test_a_table_of_fixed_size_is_listed_on_the_study():
    def program(data, prior):
        log_prevalence = sample_prevalence(data, prior.prevalence)
        fixed = np.ones((3, 3)) + 3 * np.eye(3)
        dims = ("annotator", "true_class", "given_class")
        log_confusion = sample("confusion", LogDirichlet(fixed), *dims)
        return confusions(log_prevalence, log_confusion + np.zeros((3, 3)))

    inside = annotators.load("bayesian_dawid_skene")
    own = replace(inside, name="of_three", program=program)
    responses = read(answers("choice"), "choice")
    theirs = cs.fit(responses, model="bayesian_dawid_skene", engine="em")
    ours = cs.fit(responses, model=own, engine="em")
    assert np.abs(probabilities(theirs) - probabilities(ours)).max() < 1e-9


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"prior": {"own": 4.0}}, "give a frozen dataclass"),
        ({"engines": ("hmc",)}, "there is no engine 'hmc'"),
    ],
)
def test_a_model_that_cannot_be_is_refused_in_one_sentence(changed, message):
    own = Model(
        **{
            "name": "own",
            "program": annotators.load("dawid_skene").program,
            "prior": annotators.load("dawid_skene").prior,
            "engines": ("em",),
            "references": (),
            **changed,
        }
    )
    with pytest.raises(OptionError, match=message):
        cs.fit(read(answers("choice"), "choice"), model=own)


@pytest.mark.parametrize(
    ("name", "setting"),
    [("community_bcc", "communities"), ("ebcc", "subtypes"), ("glad", "nodes")],
)
@pytest.mark.parametrize("value", [0.5, 2.7])
def test_what_counts_is_whole(name, setting, value):
    with pytest.raises(OptionError, match="give a whole number"):
        annotators.load(name, {setting: value})


@pytest.mark.parametrize("spelled", ["guess", "guess:MODEL", "guess:OTHER"])
def test_a_plain_module_names_it_to_the_command_line(tmp_path, monkeypatch, spelled):
    lines = (
        "from dataclasses import replace\n"
        "from consilience.annotators import load\n"
        "MODEL = replace(load('dawid_skene'), name='my_guess', program=lambda data, "
        "prior: load('dawid_skene').program(data, prior))\nOTHER = MODEL\n"
    )
    (tmp_path / "guess.py").write_text(lines, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "guess", raising=False)
    answers("choice").to_csv("answers.csv", index=False)
    main(["fit", "answers.csv", "--model", spelled, "--out", "run"])
    fit = cs.load("run")
    assert fit.data.attrs["model"] == "my_guess"
    # What is proposed next needs the tables of the fit, not the model.
    main(["report", "run", "--out", "report.html"])
    main(["annotators", "run"])
    main(["export", "run", "--what", "check", "--out", "check.csv"])
    with pytest.raises(OptionError, match="a model of your own, my_guess"):
        cs.predict(fit, read(answers("choice"), "choice"))


def test_fits_in_two_threads_are_those_in_one(monkeypatch):
    alone_there = []  # whether the thread that enters a handler keeps others out
    enter = Messenger.__enter__

    def entered(handler):
        alone_there.append(programs._ALONE._is_owned())
        return enter(handler)

    monkeypatch.setattr(Messenger, "__enter__", entered)
    responses = read(answers("choice"), "choice")
    names = ("glad", "item_difficulty")

    def fitted(name):
        effort = cs.EngineOptions(draws=0)
        return probabilities(cs.fit(responses, model=name, effort=effort))

    alone = {name: fitted(name) for name in names}
    together, failed = {}, []

    def run(name):
        try:
            together[name] = fitted(name)
        except BaseException as error:  # noqa: BLE001 (whatever it is)
            failed.append(error)

    threads = [threading.Thread(target=run, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert alone_there
    assert all(alone_there)
    assert all(together[name].equals(alone[name]) for name in names)


def test_programs_of_numpyro_run_one_at_a_time():
    inside, most = 0, 0

    def run():
        nonlocal inside, most
        with double_precision():
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.05)
            inside -= 1

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
