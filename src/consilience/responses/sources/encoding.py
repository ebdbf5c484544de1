# ruff: noqa: RUF001 - letters of other scripts
"""The encoding of a text file that is not UTF-8, from the words that tell it.

A table holds few words, many times over, which misleads what looks at the frequency of
letters in running text. So each different word counts once, and hypotheses are weighed:
a language written in an encoding, under which a letter of its alphabet is likely, and a
symbol or the letter of another script inside a word is not. An encoding is taken where
it is far more likely than all that would read the words differently. Languages are in
`encodings.toml`; text in no other is read.
"""

import codecs
import re
import string
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from pathlib import Path

from consilience.errors import OptionError

UTF8, UTF16 = "utf-8-sig", "utf-16"
_PART = 1 << 22
_WORDS = 500  # that are looked at
_FEWEST = 2  # words that tell anything
_FAR = 6.0  # log of the factor by which an encoding must be more likely

_DATA = tomllib.loads(Path(__file__).with_name("encodings.toml").read_text("utf-8"))
_ALPHABETS, _FREQUENT = _DATA["alphabets"], _DATA["frequent"]
_LATIN = ("latin", "central", "turkish", "baltic")
_BY_FREQUENCY = frozenset({"ru", "uk", "el", "he", "ar"})
_RARE = {"is": -5.0}
_ASCII = log(1 / 26)
_QUOTES = frozenset("’“”–")
_SIGNS = frozenset("‘„…—«»°§£€·•")


def check_encoding(given: str) -> str:
    """Return the name that Python has for an encoding."""
    try:
        name = codecs.lookup(given).name
        usable = name == UTF16 or "a,b".encode(given) == b"a,b"
    except (LookupError, UnicodeError):
        usable = False
    if not usable:
        raise OptionError(
            f"`encoding={given!r}`: expected the name of an encoding such as utf-8, "
            "cp1252, latin-1, shift_jis or utf-16"
        )
    return UTF8 if name == "utf-8" else name


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding and how some words read in it."""

    encoding: str | None
    likely: tuple[tuple[str, str], ...]


def guessed(path: Path) -> Guess:
    """Guess the encoding of a file that is not of Unicode."""
    state = path.stat()
    return _guessed(path.__fspath__(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _guessed(path: str, _time: int, _size: int) -> Guess:
    with Path(path).open("rb") as file:
        text = file.read(_PART).decode("utf-8", "replace")
    broken, strange = text.count("\ufffd"), sum(not char.isascii() for char in text)
    # Where most of what is not ASCII is UTF-8, a few bytes were lost.
    damaged = strange - broken > broken
    return guess_encoding(list(_words(Path(path))), damaged=damaged)


def _words(path: Path) -> Iterator[bytes]:
    """Yield different words that are not ASCII."""
    seen: set[bytes] = set()
    with path.open("rb") as file:
        for line in file:
            if line.isascii():
                continue
            for word in re.split(rb'[,;\t\r\n" ]+', line[:_PART]):
                if not word.isascii() and word not in seen:
                    seen.add(word)
                    yield word
                    if len(seen) == _WORDS:
                        return


def guess_encoding(words: Sequence[bytes], *, damaged: bool = False) -> Guess:
    """Weigh the encodings in which words may be written."""
    weights: dict[tuple[str, ...], tuple[float, str]] = {}
    hypotheses = [
        (encoding, prior, alphabet)
        for alphabet, each in _ALPHABETS.items()
        for encoding, prior in each["encodings"].items()
    ]
    for encoding, prior, alphabet in hypotheses:
        try:
            texts = tuple(word.decode(encoding) for word in words)
        except UnicodeDecodeError:
            continue
        best = max(
            sum(_log_likelihood(text, encoding, alphabet, name) for text in texts)
            + _RARE.get(name, 0.0)
            for name in _ALPHABETS[alphabet]["letters"]
        )
        if best + prior > weights.get(texts, (-float("inf"), ""))[0]:
            weights[texts] = best + prior, weights.get(texts, (0.0, encoding))[1]
    order = sorted(weights, key=lambda texts: -weights[texts][0])
    likely = tuple(
        (weights[texts][1], ", ".join(sorted(texts, key=len)[-3:]))
        for texts in order[:2]
    )
    count = sum(byte > 127 for word in words for byte in word)
    if damaged or len(words) < _FEWEST:
        return Guess(None, () if damaged else likely)
    values = [weights[texts][0] for texts in order[:2]]
    ascii_part = _ASCII * sum(byte < 128 for word in words for byte in word)
    if not order or values[0] < ascii_part - 9.0 * count:
        return Guess(None, likely)
    if len(order) > 1 and values[0] - values[1] < _FAR:
        return Guess(None, likely)
    return Guess(likely[0][0], likely)


def _log_likelihood(text: str, encoding: str, alphabet: str, language: str) -> float:
    """Log-likelihood of a word in a language."""
    latin, letters = alphabet in _LATIN, _ALPHABETS[alphabet]["letters"][language]
    total, before = 0.0, ""
    for char in text:
        lower = char.lower()
        if char in string.ascii_letters:
            total += _ASCII if latin else 2 * _ASCII
        elif char.isascii():
            total += _ASCII
        elif encoding in _FREQUENT:
            total += _of_two_bytes(char, encoding)
        elif lower in letters:
            total += _letter(language, letters, lower)
        elif char in _QUOTES:
            total -= 2.0
        elif char in _SIGNS:
            total -= 5.0
        else:
            total -= 9.0 if char.isalpha() else 12.0
        if char.isupper():
            total -= 4.0 if before.islower() else 1.0
        before = char
    return total


@lru_cache(maxsize=1 << 10)
def _letter(language: str, letters: str, letter: str) -> float:
    """Log-probability of a letter beyond ASCII, some of which are more frequent."""
    if language not in _BY_FREQUENCY:
        return log(0.95 / len(letters))
    weights = [exp(-place / 9) for place in range(len(letters))]
    return log(0.95 * weights[letters.index(letter)] / sum(weights))


def _of_two_bytes(char: str, encoding: str) -> float:
    """Log-probability of a character of Chinese, Japanese or Korean."""
    kana = "\u3041" <= char <= "\u30ff"
    if encoding in {"cp932", "euc_jp"} and kana:
        return log(0.5 / 180)
    if "\uff61" <= char <= "\uff9f":  # narrow kana: what other text looks like
        return -12.0
    if "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff5e":
        return -7.0
    first, last, size = _FREQUENT[encoding]
    raw = char.encode(encoding)
    if len(raw) == 2 and first <= int.from_bytes(raw) <= last:
        return log(0.5 / size)
    return -12.0 if len(raw) == 2 else -20.0
