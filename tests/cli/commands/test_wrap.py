"""From an ONNX network to predictions, through the command line."""

import json

import onnx
import pandas as pd
import pytest
from models.exporting.photographs import photograph

NET = """<ir_version: 10, opset_import: ["": 18]>
colours (float[n, 3, 8, 8] x) => (float[n, 3] y)
{ m = GlobalAveragePool (x) y = Flatten (m) }"""
USUAL = ("--mean", "0.485", "0.456", "0.406", "--std", "0.229,0.224,0.225")


@pytest.fixture
def network(tmp_path):
    onnx.save(onnx.parser.parse_model(NET), tmp_path / "net.onnx")
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    return ("net.onnx", "--labels", "labels.txt")


def test_a_network_becomes_predictions(run, network, tmp_path, capsys):
    assert run("images", "wrap", *network, *USUAL, "--out", "colours") == 0
    shown = capsys.readouterr().out
    assert "mean: 123.675 116.28 103.53 (given)" in shown
    assert "size: 8 (the graph)" in shown
    assert "colour: rgb (assumed)" in shown
    assert "largest difference from the original answers: 0.0e+00" in shown
    (tmp_path / "coffee.png").write_bytes(photograph("coffee"))
    models = ("--model-dir", "colours", "--device", "cpu")
    assert run("images", "classify", "coffee.png", *models, "--out", "p") == 0
    assert run("images", "candidates", "p", "--out", "c") == 0
    table = pd.read_parquet(tmp_path / "c" / "candidates.parquet")
    assert set(table["label"]) == {"red", "green", "blue"}


def test_the_result_can_be_had_as_json_and_is_replaced_only_on_demand(
    run, network, tmp_path, capsys
):
    config = {"do_normalize": False, "size": {"height": 8, "width": 8}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    stated = ("--preprocessor", "preprocessor_config.json", "--name", "mine")
    assert run("images", "wrap", *network, *stated, "--out", "m", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["name"] == "mine"
    origins = {each["name"]: each["origin"] for each in result["decisions"]}
    assert origins["mode"] == "preprocessor_config.json"
    assert sorted(result["first_labels"]) == ["blue", "green", "red"]
    assert run("images", "wrap", *network, *USUAL, "--out", "m") == 2
    assert run("images", "wrap", *network, *USUAL, "--out", "m", "--overwrite") == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "how its pixels are scaled"),
        (("--scale", "1", "--size", "9"), "give --size 8"),
        (("--scale", "1", "--layout", "nhwc"), "give --layout nchw"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(
    run, network, tmp_path, capsys, more, message
):
    assert run("images", "wrap", *network, "--out", "m", *more) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("consilience: ")
    assert shown.count("\n") == 1
    assert message in shown
    assert "=`" not in shown
    assert not (tmp_path / "m").exists()
