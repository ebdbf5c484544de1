"""How a table of answers is read: unasked where that shows, by a question elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from consilience.errors import ColumnError, ConsilienceError, SourceError
from consilience.responses.columns.annotator_columns import named_unlike
from consilience.responses.columns.cells import columns_of_counts, propose_one_hot
from consilience.responses.columns.matrix import as_matrix, matrix_of
from consilience.responses.columns.names import (
    NAMED,
    USUAL,
    argument,
    listing,
    name_prior,
    plain,
)
from consilience.responses.columns.readings import LEAST, Reading, Readings
from consilience.responses.columns.roles import APART, NEEDED, STATUS
from consilience.responses.columns.seen import Seen
from consilience.responses.draft import YES, codes_of_words, is_yes_or_no, meaning_of
from consilience.responses.options import TOGETHER, Columns, ReadOptions
from consilience.responses.text import TextTable

_CLEARLY = 1.0  # points between the best reading and the next
_BY_NAMES = 0.4  # share of that where content says next to nothing


def understand(
    table: TextTable, options: ReadOptions, assumed: list[str]
) -> tuple[str, ReadOptions]:
    """Return the format of a table and the options that read it, or ask."""
    canonical = _canonical(table, options)
    if canonical is not None:
        return "long", canonical
    counted = _pair_counts(table, options, assumed)
    if counted is not None:
        return "counts", counted
    shown = Readings(table, options)
    best = shown.best()
    flags = _one_hot(shown, best, assumed)
    if flags is not None:
        return "long", flags
    first = best[0] if best else None
    clear = first is not None and first.borne_out and not first.once
    matrix = None if clear else matrix_of(table, options)
    if matrix is not None:
        understood = as_matrix(table, options, matrix, assumed)
        if understood is not None:
            return understood
    return "long", _decided(shown, best, assumed)


def _canonical(table: TextTable, options: ReadOptions) -> ReadOptions | None:
    """Return the options of a table all of whose columns are called as their roles."""
    names, roles = set(table.names), {each.name for each in fields(Columns)}
    given = {getattr(options.columns, role) for role in roles} - {None}
    if given or options.item_columns or not {"item", "label"} <= names <= roles:
        return None
    kind = options.kind
    if kind is None and "answer" not in names and {"object", "main"} & names:
        kind = "objects"
    answers = table.columns.get("answer")
    worded = answers is None or all(map(meaning_of, answers.values.to_pylist()))
    numbered = "n" in names and Seen(table).numbers_rows("n")
    if not worded or numbered or "gold" in names:
        return None
    if names <= {"item", "label", "annotator"}:
        return None
    columns = Columns(**{name: name for name in names})
    return replace(
        options, columns=columns, kind=kind, given=options.columns, planned=True
    )


def _pair_counts(
    table: TextTable, options: ReadOptions, assumed: list[str]
) -> ReadOptions | None:
    """Return the options of a table of counts of yes, maybe and no for each pair."""
    counted = columns_of_counts(table)
    asked = {"yes", "no"} <= set(counted) or {"yes", "shown"} <= set(counted)
    if not asked or options.columns.annotator or options.columns.answer:
        return None
    rest = {n: c for n, c in table.columns.items() if n not in counted.values()}
    shown = Readings(replace(table, columns=rest, lists={}), options)
    pairs = []
    items = shown.given.get("item") or tuple(shown.items())
    for item in items:
        for asked_name in shown.given.get("label") or shown.may_be("asked"):
            both = (item, asked_name)
            if item == asked_name or shown.seen.apart(both) < APART:
                continue
            if shown.seen.follows((item,), asked_name):
                continue
            called = shown.called("item", item), shown.called("asked", asked_name)
            priors = [prior for _, prior in called]
            ahead = shown.seen.number((item,)) - shown.seen.number((asked_name,))
            roles = {"item": (called[0][0],), "asked": (called[1][0],)}
            score = sum(priors) + 0.75 * float(np.sign(ahead))
            named = sum(prior >= NAMED for prior in priors)
            pairs.append(
                Reading(
                    kind="contains", roles=roles, score=score, named=named, once=False
                )
            )
    pairs.sort(key=lambda each: -each.score)
    if not pairs:
        return None
    first = pairs[0]
    if first.named < LEAST or any(first.score - e.score < _CLEARLY for e in pairs[1:2]):
        raise _question(table, pairs[:2], '`format="counts"`')
    columns = replace(options.columns, **first.columns)  # type: ignore[arg-type]
    names = listing(list(counted.values()))
    assumed.append(
        f"Columns {names} count the answers to each {first.columns['label']!r}."
    )
    return replace(options, columns=columns)


def _one_hot(
    shown: Readings, best: Sequence[Reading], assumed: list[str]
) -> ReadOptions | None:
    """Return the options of a table with a column of yes and no for each label."""
    table, options, seen = shown.table, shown.options, shown.seen
    if (
        not best
        or options.one_hot
        or (options.kind == "choice" and shown.given.get("label"))
    ):
        return None
    item, person = best[0].roles["item"], best[0].annotator
    value = (*best[0].roles.get("answer", best[0].roles.get("label", ())), "")[0]
    named = [shown.called("item", n)[1] >= NAMED for n in item]
    if not person or not all(named) or shown.called("annotator", person)[1] < NAMED:
        return None
    flags = [
        name
        for name in table.columns
        if name not in {*item, person, *shown.taken}
        and is_yes_or_no(seen.columns[name].values.to_pylist(), both=False)
        and name_prior(name, "label") > -1
        and max(name_prior(name, role) for role in ("label", "answer")) < NAMED
        and not seen.follows((person,), name)
        and not STATUS.search(plain(name))
    ]
    of_item = [name for name in flags if seen.follows(item, name)]
    if (
        value not in flags
        or len(flags) < 3
        or of_item
        or seen.apart((*item, person)) < APART
    ):
        return None
    picked = np.zeros(seen.num_rows, int)
    for name in flags:
        column = seen.columns[name]
        meant = np.array([*codes_of_words(column.values.to_pylist()), -1])
        picked += meant[column.codes] == YES
    once = bool((picked == 1).all())
    assumed.append(
        f"Each of the columns {listing(flags, 6)} says whether a label was given"
        + (", and each row has one of them." if once else ".")
    )
    more = {"item": item[0], "annotator": person, **shown.further(best[0])}
    given = options.columns
    new = {role: name for role, name in more.items() if getattr(given, role) is None}
    columns = replace(given, **new)
    return replace(
        options,
        columns=columns,
        one_hot=tuple(flags),
        kind=options.kind or ("choice" if once else None),
        given=given,
        planned=True,
    )


def settled(table: TextTable, options: ReadOptions, assumed: list[str]) -> ReadOptions:
    """Return the options that read a table of answers, anonymous too, or ask."""
    shown = Readings(table, options)
    best = shown.best()
    named = [e for e in best if name_prior(e.annotator, "annotator") >= NAMED]
    given = "annotator" in shown.given
    nobody = [each for each in best if not each.annotator]
    return _decided(shown, best if given else named or nobody or best, assumed)


def _decided(shown: Readings, best: list[Reading], assumed: list[str]) -> ReadOptions:
    table, options = shown.table, shown.options
    if not best:
        raise _none(shown)
    first = best[0]
    if finer := shown.finer(first.roles["item"]):
        best = [first, replace(first, roles={**first.roles, "item": (finer,)})]
    if finer or not (first.borne_out and _is_ahead(shown, best)):
        raise _question(table, best[:2])
    people = {first.annotator, options.columns.response_id} - {"", None}
    asked = options.kind is None and options.split is None
    if first.kind == "objects" and asked and not people:
        label = first.roles["label"][0]
        lead = argument("item", first.columns["item"])
        raise SourceError(
            f"{table.source}: column {label!r} holds several labels per row; if each "
            f"is the answer of a person who is not named, read it with {lead} "
            f'{argument("label", label)} `kind="choice"`; if one answer names several, '
            'with `kind="objects"`'
        )
    columns = first.columns | shown.further(first)
    new = {n: c for n, c in columns.items() if getattr(options.columns, n) is None}
    unusual = {
        role: name
        for role, name in new.items()
        if isinstance(name, tuple) or plain(name) not in USUAL[role]
    }
    if unusual:
        assumed.append(_sentence(unusual))
    kind = "objects" if first.kind == "objects" else options.kind
    if first.split is not None:
        label = first.roles["label"][0]
        assumed.append(
            f"Cells of column {label!r} hold several labels, separated by "
            f"{first.split!r}."
        )
        options = replace(options, split=first.split)
    several = () if isinstance(item := columns["item"], str) else item
    if several:
        new["item"] = TOGETHER.join(several)
    named = replace(options.columns, **new)  # type: ignore[arg-type]
    return replace(
        options,
        columns=named,
        kind=kind,
        item_columns=several or options.item_columns,
        given=options.columns,
        planned=True,
    )


def _is_ahead(shown: Readings, best: Sequence[Reading]) -> bool:
    """Return whether the first reading is clearly better than the others."""
    first = best[0]
    clearly = _CLEARLY * max(_BY_NAMES, shown.weight)
    ahead = all(first.score - each.score >= clearly for each in best[1:2])
    if shown.few and first.borne_out:  # the one that leaves the fewest columns
        ahead |= all(len(e.columns) < len(first.columns) for e in best[1:2])
    if first.once:  # an id of rows may stand beside what was asked about
        others = (each for each in best[1:] if not each.once)
        again = (e for e in others if e.named + 2 * e.by_chance >= LEAST)
        ahead &= all(first.score - each.score >= 3 * clearly for each in again)
    if "answer" not in first.roles:  # a column of yes and no may be the answer
        others = (each for each in best[1:] if "answer" in each.roles)
        ahead &= all(first.score - each.score >= 3 * clearly for each in others)
    return ahead


def _sentence(roles: Mapping[str, str | tuple[str, ...]]) -> str:
    parts = [
        f"{name!r} holds the {role}"
        if isinstance(name, str)
        else f"{' and '.join(map(repr, name))} together name the {role}"
        for role, name in roles.items()
    ]
    return f"By its name and what it holds, column {', '.join(parts)}."


def _question(table: TextTable, best: Sequence[Reading], also: str = "") -> SourceError:
    """Ask for what names and content leave open, with the calls that would read it."""
    more = f" {also}" if also else ""
    calls = " or ".join(each.call + more for each in best)
    return SourceError(
        f"{table.source}: which column is which does not show from the names "
        f"{listing(table.names, 9)}; by what they hold, it may be read with {calls}"
    )


def _none(shown: Readings) -> ConsilienceError:
    """Return the error where no columns are an item and a label of it."""
    table = shown.table
    names, source = table.names, table.source
    propose_one_hot(table, [name for name in names if name not in shown.taken])
    columns = {role: next(iter(shown.may_be(role)), None) for role in ("item", "label")}
    unlike = named_unlike(names)
    if unlike and len(unlike) <= 2:
        lead = argument("item", columns["item"] or names[0])
        return SourceError(
            f"{source}: no column looks like the label; the columns "
            f"{listing(names, 6)} look like one for each annotator: if they are, read "
            f'it with `format="wide"` {lead}'
        )
    called = {r: n for r, n in columns.items() if n and name_prior(n, r) >= NAMED}
    if len(called) == 1:
        (name,), lacking = called.values(), "label" if "item" in called else "item"
        return ColumnError(
            f"{source}: there is a column {name!r} but none for {lacking} among "
            f"{listing(names)}; name it (`{lacking}=NAME`)"
        )
    free = iter(name for name in names if name not in called.values())
    roles = NEEDED if len(names) > 2 else ("item", "label")
    guess = " ".join(argument(r, called.get(r) or next(free, "NAME")) for r in roles)
    return SourceError(
        f"{source}: which column is which does not show from the names "
        f"{listing(names, 6)}; name them, such as {guess}, or read it with "
        '`format="wide"` if all columns but the item\'s are annotators'
    )
