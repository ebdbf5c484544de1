"""How a source is read, as a record that is shown, written, and used again."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from consilience.errors import OptionError, SourceError, not_among
from consilience.responses.columns.names import listing
from consilience.responses.options import COLUMNS, ReadOptions
from consilience.responses.sources.frames import readable

_WRITTEN = (str, Path, list, tuple, type(None))
_PARTS = ("format", "columns", "reasons", "options")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """How a source is read: its format, which column is what, and why.

    Parameters
    ----------
    format : str
        Name of the format.
    columns : tuple of str
        Names of the columns that the source has; none of exports of tools.
    options : ReadOptions
        All options of `read`, as they were chosen.
    reasons : tuple of str
        What was assumed, one sentence each.

    See Also
    --------
    consilience.plan : Plan how a source is read.
    consilience.read : Read it so (`plan=`).

    Examples
    --------
    >>> import consilience as cs
    >>> from consilience.demo import study
    >>> plan = cs.plan(study(0, num_photos=30).answers, label="animal")
    >>> plan.roles()["animal"]
    'label'
    """

    format: str
    columns: tuple[str, ...]
    options: ReadOptions
    reasons: tuple[str, ...] = ()

    def roles(self) -> dict[str, str]:
        """Return what each column is; empty for those that are not used."""
        options, roles = self.options, dict.fromkeys(self.columns, "")
        used = {getattr(options.columns, name): role for role, name in COLUMNS.items()}
        used |= dict.fromkeys(options.item_columns, "item")
        used |= dict.fromkeys(options.annotator_columns, "annotator")
        used |= dict.fromkeys(options.one_hot, "label")
        used |= dict.fromkeys(options.extras, "kept with its answers")
        return roles | {name: used[name] for name in roles if name in used}

    def __str__(self) -> str:
        """Return the plan as a table of columns, and the reasons."""
        kind = self.options.kind or "as the columns say"
        lines = [f"format  {self.format}", f"kind    {kind}", ""]
        roles = self.roles()
        width = max(map(len, roles), default=0)
        lines += [f"{name:{width}}  {role or '-'}" for name, role in roles.items()]
        return "\n".join([*lines, *(f"- {reason}" for reason in self.reasons)])

    def record(self) -> dict[str, Any] | None:
        """Return the plan as a record; None if an option is a table in memory."""
        if self._in_memory():
            return None
        usual = msgspec.to_builtins(ReadOptions())
        options = msgspec.to_builtins(self.options, enc_hook=str)
        options = {key: v for key, v in options.items() if v != usual[key]}
        record = {name: getattr(self, name) for name in _PARTS}
        return {key: _stated(v) for key, v in (record | {"options": options}).items()}

    def toml(self) -> str:
        """Return the plan as TOML.

        Raises
        ------
        OptionError
            If an option is a table in memory, which no file names.
        """
        record = self.record()
        if record is None:
            raise OptionError(
                f"{', '.join(self._in_memory())}: a plan names files, and these are "
                "tables in memory; give the path of a file"
            )
        return tomli_w.dumps(record)

    def _in_memory(self) -> list[str]:
        return [
            name
            for name in ("gold", "labels", "offered", "items")
            if not isinstance(getattr(self.options, name), _WRITTEN)
        ]

    @classmethod
    def load(cls, source: str | Path) -> Plan:
        """Return the plan of a TOML file.

        Raises
        ------
        SourceError
            If the file is no plan.
        """
        path = Path(source)
        with readable(str(path), "it is no TOML", "write the plan again"):
            record = tomllib.loads(path.read_text("utf-8"))
        return cls.of(record, str(path))

    @classmethod
    def of(cls, record: Mapping[str, Any], where: str) -> Plan:
        """Return the plan that a record holds."""
        options = record.get("options", {})
        for key in record:
            if key not in _PARTS:
                raise SourceError(f"{where}: {not_among('part', key, _PARTS)}")
        names = [each.name for each in fields(ReadOptions)]
        for key in options:
            if key not in names:
                raise SourceError(f"{where}: {not_among('option', key, names)}")
        try:
            return msgspec.convert(record, cls)
        except (msgspec.ValidationError, OptionError) as error:
            raise SourceError(f"{where}: {error}; write the plan again") from None

    def check(self, names: list[str], where: str) -> None:
        """Refuse a source whose columns are not those of the plan."""
        if not self.columns:
            return
        new = [name for name in names if name not in self.columns]
        missing = [name for name in self.columns if name not in names]
        if new or missing:
            changes = [f"new are {listing(new)}"] * bool(new)
            changes += [f"missing are {listing(missing)}"] * bool(missing)
            raise SourceError(
                f"{where}: its columns are not those of the plan: "
                f"{' and '.join(changes)}; plan the reading again"
            )


def _stated(value: Any) -> Any:
    """Return a record without what is not given."""
    if isinstance(value, dict):
        return {k: _stated(part) for k, part in value.items() if part is not None}
    return list(value) if isinstance(value, tuple) else value
