import pytest

DEEP = b"[" * 100_000
SOUND = b"item,annotator,label\n1,a,x\n2,b,y\n"


@pytest.mark.parametrize(
    ("name", "content", "options", "said"),
    [
        ("a.csv", b'item,annotator,label\n1,a,"x\n2,b,y\n', (), "row 2: a quote is"),
        ("a.csv", SOUND + b"1,a\0,x\n", (), "row 4: the annotator"),
        ("a.csv", SOUND, ("--separator", '"'), "one ASCII character"),
        ("a.csv", SOUND.replace(b"x", b"\xff"), (), "row 2: the bytes are not"),
        ("a.json", DEEP, (), "nested too deeply"),
        ("a.parquet", b"PAR1PAR1", (), "not a whole Parquet file"),
        ("raters.npz", b"PK", ("--format", "reassessed_imagenet"), "raters.npz"),
        ("a.csv", SOUND, ("--gold", "gold.csv"), "gold.csv, row 2: a quote is opened"),
    ],
)
def test_a_damaged_source_is_one_sentence(
    run, tmp_path, capsys, name, content, options, said
):
    (tmp_path / "gold.csv").write_bytes(b'item,label\n1,"x\n')
    (tmp_path / name).write_bytes(content)
    assert run("read", name, *options, "--out", "out") == 2
    printed = capsys.readouterr()
    assert said in " ".join(printed.err.split())
    assert "Traceback" not in printed.err + printed.out
    assert not (tmp_path / "out").exists()
