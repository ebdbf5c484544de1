# ruff: noqa: RUF001 - words of other scripts
"""Text files of other encodings: read as asked, or as their words tell."""

import pytest

from consilience.cli import main
from consilience.errors import OptionError, SourceError
from consilience.responses import read

TABLE = "item,annotator,label\n1,a,Bär\n1,b,Füchsin\n2,a,Bär\n"
SHORT = TABLE.replace("Füchsin", "Wolf")


@pytest.fixture
def windows(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_bytes(SHORT.encode("cp1252"))
    return path


def test_another_encoding_is_refused_with_a_proposal(windows):
    with pytest.raises(SourceError, match=r'row 2.*`encoding="cp1252"`'):
        read(windows)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "Latin1", "utf-16", "utf-8"])
def test_a_file_is_read_in_the_encoding_asked_for(tmp_path, encoding):
    path = tmp_path / "answers.csv"
    path.write_bytes(TABLE.encode(encoding))
    assert list(read(path, encoding=encoding).labels["label"]) == ["Bär", "Füchsin"]


def test_the_command_line_names_the_option(windows, capsys):
    with pytest.raises(SystemExit):
        main(["describe", str(windows)])
    assert "--encoding cp1252" in capsys.readouterr().err
    main(["describe", str(windows), "--encoding", "cp1252"])


def test_a_table_without_header_asks_for_its_columns(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("1,a,cat\n1,b,dog\n")
    with pytest.raises(OptionError, match='`item="column 1"`'):
        read(path, header=False)
    named = {"item": "column 1", "annotator": "column 2", "label": "column 3"}
    responses = read(path, header=False, **named)
    assert list(responses.labels["label"]) == ["cat", "dog"]


# Words of tables in other languages, and encodings that they are written in.
WORDS = {
    "cp1252 latin-1 mac_roman cp850": "Bär Füchsin Löwe Käfer weiß groß schön Mädchen",
    "cp1252 iso8859-15": "chêne forêt hêtre garçon élèves très âgés où naïve",
    "cp1252 iso8859-1": "niño año corazón pájaro mañana también",
    "cp1251 koi8-r cp866 iso8859-5": "кошка собака лиса медведь волк хорошо плохо",
    "shift_jis euc_jp": "これは とても 可愛い 走る 東京 日本 美しい 食べる 学校",
    "gb18030 gbk big5": (
        "非常 森林 北京 美 吃 水 老 生 火 他 大 中 山 工作 火車 不好 天 地 小"
    ),
    "cp949": "이것은 고양이 매우 귀여운 서울 한국 아름다운 학교 선생님 학생 신문",
    "cp1250 iso8859-2": "żółw łoś źrebię gęś ćma król świerk ładny piękny",
    "cp1254": "köpek ayı şahin ağaç güzel çok kötü büyük değil şimdi",
    "cp1253": "γάτα σκύλος αλεπού αρκούδα δάσος βουνό ποτάμι",
    "utf-16 utf-8": "Bär 猫 собака",
}
CASES = [(code, text) for codes, text in WORDS.items() for code in codes.split()]


def table(words, copies=40):
    rows = [
        f"{k},a{a},{words[(k + a) % len(words)]}\n"
        for k in range(copies)
        for a in range(3)
    ]
    return "item,annotator,label\n" + "".join(rows)


@pytest.mark.parametrize(("encoding", "text"), CASES)
def test_the_encoding_of_a_table_is_recognised_by_its_words(tmp_path, encoding, text):
    words = [word for word in text.split() if word.encode(encoding, "ignore")]
    words = [w for w in words if w.encode(encoding, "replace").decode(encoding) == w]
    path = tmp_path / "answers.csv"
    path.write_bytes(table(words).encode(encoding))
    responses = read(path)
    assert sorted(responses.labels["label"]) == sorted(words)
    assumed = [s for s in responses.assumptions if s.startswith("The encoding of")]
    assert bool(assumed) != encoding.startswith("utf")
    named = read(path, encoding=encoding)
    assert sorted(named.labels["label"]) == sorted(words)
    assert not any(s.startswith("The encoding of") for s in named.assumptions)


@pytest.mark.parametrize(("encoding", "text"), CASES)
def test_few_words_are_never_read_wrongly(tmp_path, encoding, text):
    if encoding.startswith("utf"):
        return
    right = 0
    for k, word in enumerate(text.split()):
        words = [word, text.split()[k - 1]]
        if any(w.encode(encoding, "replace").decode(encoding) != w for w in words):
            continue
        path = tmp_path / f"{k}.csv"
        path.write_bytes(table(words).encode(encoding))
        try:
            assert set(read(path).labels["label"]) == set(words)
            right += 1
        except SourceError as error:
            assert "encoding=" in str(error)  # noqa: PT017
    assert right <= len(text.split())
