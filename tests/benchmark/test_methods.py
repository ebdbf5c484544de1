import importlib
from importlib.util import find_spec

import pytest

from consilience import annotators
from consilience.benchmark import methods
from consilience.errors import UnknownModelError


def test_every_model_for_choice_the_choice_and_the_baseline_are_methods():
    names = [method.name for method in methods.choose_methods([], with_peers=False)]
    assert names[:2] == ["smoothed_shares", "auto"]
    for_choice = [
        name for name in annotators.names() if "choice" in annotators.load(name).kinds
    ]
    assert names[2:] == for_choice
    assert "contains" not in names


def test_methods_are_taken_by_name_once():
    names = ["auto", "majority", "auto"]
    result = methods.choose_methods(names, with_peers=False)
    assert [method.name for method in result] == ["auto", "majority"]


def test_a_model_without_the_engine_asked_for_takes_its_best():
    by_name = {method.name: method for method in methods.library_methods("vb")}
    assert by_name["bayesian_dawid_skene"].setting == "bayesian_dawid_skene/vb"
    assert by_name["majority"].setting == "majority/em"
    assert by_name["auto"].setting == "auto"


def test_an_unknown_method_is_refused():
    with pytest.raises(UnknownModelError, match="no method 'nonsense'"):
        methods.choose_methods(["nonsense"], with_peers=False)


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(methods, "find_spec", lambda _: None)
    result, absent = methods.peers()
    assert result == ()
    assert absent == ("crowd-kit", "peerannot", "cleanlab")
    assert methods.choose_methods(["auto"], with_peers=True)[0].name == "auto"


def test_the_peers_of_an_installed_package_are_methods(monkeypatch):
    monkeypatch.setattr(methods, "find_spec", lambda name: name == "crowdkit" or None)
    names = {method.name: method for method in methods.peers()[0]}
    assert names["crowd-kit.DawidSkene"].probabilistic
    assert not names["crowd-kit.KOS"].probabilistic
    assert names["crowd-kit.GLAD"].package == "crowd-kit"
    assert "crowd-kit.GoldMajorityVote" not in names


@pytest.mark.parametrize("package", ["crowd_kit", "peerannot", "cleanlab"])
def test_a_peers_methods_answer_where_it_is_installed(package, first):
    peer = importlib.import_module(f"consilience.benchmark.peers.{package}")
    if find_spec(peer.MODULE) is None:
        pytest.skip(f"{peer.PACKAGE} is not installed")
    for name in peer.METHODS:
        table = peer.load(name)(first.responses, 0).labels
        assert {"item", "label", "probability"} <= set(table.columns)
