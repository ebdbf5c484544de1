import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from consilience.tables.terminal import bar, drawn_table, interval

NUMBERS = ("1,234", "0.123 to 0.456")


def shown(table, width):
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=False).print(table)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def example(names):
    table = drawn_table("annotator", "answers", "90% interval", scale=True)
    for name in names:
        table.add_row(name, *NUMBERS, line=interval(0.3, 0.1, 0.5))
    return table


@given(
    st.lists(st.text("abc def_-", min_size=1, max_size=40), min_size=1, max_size=4),
    st.integers(45, 200),
)
def test_no_number_is_cut_and_no_line_too_long_at_any_width(names, width):
    lines = shown(example(names), width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for number in NUMBERS:
        assert text.count(number) == len(names)
    letters = "".join(text.split())
    for name in names:
        for word in name.split():
            assert all(part in letters for part in word.split())
    assert "…" not in text


def test_an_interval_is_drawn_to_scale():
    line = interval(0.5, 0.25, 0.75, 1.0)(21).plain
    assert (line.index("━"), line.index("●"), line.rindex("━")) == (5, 10, 15)
    assert line.index("◆") == 20
    assert interval(-0.2, -0.5, 0.1)(21).plain[0] == "◀"
    assert interval(float("nan"), 0.0, 1.0)(21).plain == ""
    assert bar(0.25, rest=True)(8).plain == "██░░░░░░"
