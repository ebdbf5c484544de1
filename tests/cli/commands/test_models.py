import json

import pytest

from consilience import annotators
from consilience.cli.commands.models import entries


def test_every_model_is_listed():
    assert tuple(entry.name for entry in entries()) == annotators.names()


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_what_is_read_from_the_file_is_what_the_model_has(entry):
    model = annotators.load(entry.name)
    assert entry.engines == model.engines
    assert entry.references == model.references
    assert entry.assumes


def test_models_are_listed_in_json(run, capsys):
    assert run("models", "--json") == 0
    output = json.loads(capsys.readouterr().out)["models"]
    assert {"name", "assumes", "engines", "references"} == set(output[0])
