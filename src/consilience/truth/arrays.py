"""The matrix of `truth.response_matrix`, multiplied without scattering.

Both products are sums over groups of rows. A group is cut into pieces of at most 16
rows, padded to one width and gathered slot by slot. First pieces stand in the order of
the groups; the others are grouped in turn, and what they sum to is added to the first.
So a group of any size costs the same per row, those of one piece are touched once,
memory is bounded by the padding, and the order of the additions is fixed, which makes
results repeatable.
On a CPU this is some six times as fast as `segment_sum`, and 1.4 times as fast as
SciPy's compressed rows; `benchmarks/results/products.md` has the figures.

**One arithmetic, of JAX or of NumPy, by what it is given.** Slopes want a program that
JAX compiles, in seconds. What is looked at once or a few times, as a posterior is,
NumPy has computed long before that.

**Frozen records that JAX can look into.** JAX rebuilds records while it transforms a
function, with placeholders or stacks where arrays belong. `register_dataclass` does so
through the constructor, where shapes are checked; here the fields are put in place
without it, so that only records that a person builds are checked.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import GetAttrKey, register_pytree_with_keys
from jaxtyping import Array, Float, Int
from scipy import special

from consilience.truth.padding import next_size

# Widths of pieces, where all groups fit into one each, where some do not, and in
# further rounds: few, so that matrices of about one size have the same. Wider pieces
# ran no faster and take longer to compile.
WHOLE = np.array([1, 2, 3, 4, 5, 6, 8, 10, 12, 16])
CUT = np.array([2, 4, 8, 16])
FURTHER = np.array([4, 16])
LEAST = 32  # steps of the numbers of further pieces, which vary most where they are few
ROUND = 2000  # cells that are gathered in the time that a further round takes to begin


def pytree[Record](*static: str) -> Callable[[type[Record]], type[Record]]:
    """Return a decorator that registers a frozen dataclass."""

    def register(record: type[Record]) -> type[Record]:
        names = [field.name for field in dataclasses.fields(record)]  # type: ignore[arg-type]
        leaves = [name for name in names if name not in static]

        def flatten(value: Record) -> tuple[list[tuple[GetAttrKey, Any]], Any]:
            keyed = [(GetAttrKey(name), getattr(value, name)) for name in leaves]
            return keyed, tuple(getattr(value, name) for name in static)

        def unflatten(fixed: Any, children: Any) -> Record:
            rebuilt = object.__new__(record)
            for name, child in zip(leaves, children, strict=True):
                object.__setattr__(rebuilt, name, child)
            for name, child in zip(static, fixed, strict=True):
                object.__setattr__(rebuilt, name, child)
            return rebuilt

        register_pytree_with_keys(record, flatten, unflatten)
        return record

    return register


@pytree()
@dataclass(frozen=True, slots=True)
class Level:
    """One round of grouped sums."""

    index: Int[Array, "width pieces"]
    weight: Float[Array, "width pieces"] | None
    into: Int[Array, " several"] | None


@pytree("shape")
@dataclass(frozen=True, slots=True)
class Incidence:
    """A sparse matrix of counts that knows its own transpose."""

    by_row: tuple[Level, ...]
    by_column: tuple[Level, ...]
    shape: tuple[int, int]

    @property
    def T(self) -> Incidence:  # noqa: N802 (the name NumPy gives it)
        """The transpose."""
        return Incidence(self.by_column, self.by_row, self.shape[::-1])

    def __matmul__(
        self, table: Float[AnyArray, "columns K"]
    ) -> Float[AnyArray, "rows K"]:
        """Return the product with a table; its gradient is the transposed product."""
        if not self.by_row:
            raise TypeError(
                "this matrix was not computed, because the model declares no need of it"
            )
        if maths(self.by_row, table) is HOST:
            return _sum_groups_on_host(self.by_row, table, self.shape[0])
        return _product(self, jnp.asarray(table))


def incidence(
    row: Int[np.ndarray, " N"],
    column: Int[np.ndarray, " N"],
    weight: Float[np.ndarray, " N"] | None,
    shape: tuple[int, int],
) -> Incidence:
    """Lay out the matrix with `weight[n]` added at `(row[n], column[n])`."""
    weights = None if weight is None else [weight]
    return incidences([row], [column], weights, shape)[0]


def no_incidence(shape: tuple[int, int]) -> Incidence:
    """Return a matrix that is not laid out and cannot be multiplied."""
    return Incidence((), (), shape)


def incidences(
    rows: Sequence[Int[np.ndarray, " _"]],
    columns: Sequence[Int[np.ndarray, " _"]],
    weights: Sequence[Float[np.ndarray, " _"]] | None,
    shape: tuple[int, int],
) -> list[Incidence]:
    """Lay out several matrices of one shape alike, so that they can be stacked.

    One compiled step then takes any of them.
    """
    by_row = _levels(rows, columns, weights, shape)
    by_column = _levels(columns, rows, weights, shape[::-1])
    return [
        Incidence(along, across, shape)
        for along, across in zip(by_row, by_column, strict=True)
    ]


@jax.custom_vjp
def _product(matrix: Incidence, table: Float[Array, "C K"]) -> Float[Array, "R K"]:
    return _batched_product(matrix, table)


@jax.custom_batching.custom_vmap
def _batched_product(
    matrix: Incidence, table: Float[Array, "C K"]
) -> Float[Array, "R K"]:
    return _sum_groups(matrix.by_row, table, matrix.shape[0])


@_batched_product.def_vmap
def _product_of_many_tables(
    size: int, batched: Any, matrix: Incidence, tables: Float[Array, "B C K"]
) -> tuple[Float[Array, "B R K"], bool]:
    # Chains side by side become columns of one table: a row is then gathered once for
    # all of them, as one straight copy.
    of_matrix, _ = batched
    if any(jax.tree.leaves(of_matrix)):
        pairs = jax.lax.map(lambda pair: _batched_product(*pair), (matrix, tables))
        return pairs, True
    wide = jnp.moveaxis(tables, 0, 1).reshape(tables.shape[1], -1)
    product = _sum_groups(matrix.by_row, wide, matrix.shape[0])
    product = product.reshape(matrix.shape[0], size, -1)
    return jnp.moveaxis(product, 1, 0), True


def _product_forward(
    matrix: Incidence, table: Float[Array, "C K"]
) -> tuple[Float[Array, "R K"], Incidence]:
    return _product(matrix, table), matrix


def _product_backward(
    matrix: Incidence, cotangent: Float[Array, "R K"]
) -> tuple[None, Float[Array, "C K"]]:
    return None, _product(matrix.T, cotangent)


_product.defvjp(_product_forward, _product_backward)


def _sum_groups(
    levels: tuple[Level, ...], rows: Float[Array, "R K"], groups: int
) -> Float[Array, "G K"]:
    first, *further = levels
    sums = _compute_once(_sum_slots(first, _compute_once(rows)))
    if first.into is None:
        return sums
    more = _sum_groups(tuple(further), sums[groups:], len(first.into))
    # Each group once, so the order of additions is fixed.
    return sums[:groups].at[first.into].add(more, mode="drop")


def _sum_groups_on_host(
    levels: tuple[Level, ...], rows: Float[np.ndarray, "R K"], groups: int
) -> Float[np.ndarray, "G K"]:
    """Return the same by NumPy, which has nothing to compile."""
    first, *further = levels
    index = np.asarray(first.index)
    rows = np.append(rows, np.zeros((1, rows.shape[1])), axis=0)
    sums: Float[np.ndarray, "G K"] = np.zeros((index.shape[1], rows.shape[1]))
    for slot, row in enumerate(index):
        weight = 1 if first.weight is None else np.asarray(first.weight)[slot][:, None]
        sums += rows[row] * weight
    if first.into is None:
        return sums
    into = np.asarray(first.into)
    more = _sum_groups_on_host(tuple(further), sums[groups:], len(into))
    sums, there = sums[:groups], into < groups
    sums[into[there]] += more[there]
    return sums


def _compute_once(rows: Float[Array, "R K"]) -> Float[Array, "R K"]:
    # Or XLA computes rows again wherever one is gathered, and sums wherever one is
    # used: with the softmax between them, a sweep took three times as long.
    once: Float[Array, "R K"] = jax.lax.optimization_barrier(rows)  # type: ignore[no-untyped-call]
    return once


def _sum_slots(level: Level, rows: Float[Array, "R K"]) -> Float[Array, "G K"]:
    # One gather a slot, added up: XLA's CPU compiler turns this into straight copies,
    # where one gather followed by a reduction ran eight times slower.
    width, groups = level.index.shape
    total = jnp.zeros((groups, rows.shape[1]), rows.dtype)
    for slot in range(width):
        index = level.index[slot]
        # Codes are never negative, and padding is cut off here and blanked below: told
        # so, XLA drops its own checks, a third of the work.
        row = rows.at[index].get(mode="clip", wrap_negative_indices=False)
        term = jnp.where((index < rows.shape[0])[:, None], row, 0)
        if level.weight is not None:
            term = term * level.weight[slot][:, None]
        total = total + term
    return total


def _levels(
    groups: Sequence[Int[np.ndarray, " _"]],
    members: Sequence[Int[np.ndarray, " _"]],
    weights: Sequence[Float[np.ndarray, " _"]] | None,
    shape: tuple[int, int],
) -> list[tuple[Level, ...]]:
    num_groups, num_members = shape
    order = [_order(group) for group in groups]
    counts = [np.bincount(group, minlength=num_groups) for group in groups]
    members = [member[at] for member, at in zip(members, order, strict=True)]
    if weights is not None:
        weights = [weight[at] for weight, at in zip(weights, order, strict=True)]
    levels: list[list[Level]] = [[] for _ in groups]
    while True:
        width = _cheapest_width(np.concatenate(counts), first=not levels[0])
        further = [np.maximum(-(-count // width) - 1, 0) for count in counts]
        # Sizes of a grid: another matrix of about this size then has the same shapes.
        pieces = max(int(more.sum()) for more in further)
        total = num_groups + next_size(pieces, LEAST)
        several = [np.flatnonzero(more) for more in further]
        most = next_size(max(map(len, several)), LEAST)
        for batch, (count, more) in enumerate(zip(counts, further, strict=True)):
            place = _places(count, more, width)
            index = np.full((width, total), num_members, np.int32)
            index[place] = members[batch]
            level_weight = into = None
            if weights is not None:
                padded = np.zeros((width, total))
                padded[place] = weights[batch]
                level_weight = jax.device_put(padded)
            if most:
                # Stacked batches are padded to the one with most.
                code = np.full(most, num_groups, np.int32)
                code[: len(several[batch])] = several[batch]
                into = jax.device_put(code)
            levels[batch].append(Level(jax.device_put(index), level_weight, into))
        if not most:
            return [tuple(level) for level in levels]
        left = [more[some] for more, some in zip(further, several, strict=True)]
        counts = [np.pad(each, (0, most - len(each))) for each in left]
        weights, num_members, num_groups = None, total - num_groups, most
        members = [np.arange(each.sum(), dtype=np.int32) for each in left]


def _order(group: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"] | slice:
    if (group[1:] >= group[:-1]).all():
        return slice(None)
    return np.argsort(group, kind="stable")


def _cheapest_width(count: Int[np.ndarray, " _"], *, first: bool) -> int:
    # Cells gathered in this round, plus a row to gather again in the next. Pieces of
    # one cell would leave as many rows as before, unless no group has more.
    longest = count.max(initial=0)
    widths = (WHOLE if longest <= WHOLE[-1] else CUT) if first else FURTHER
    if not first and len(count) * FURTHER[-1] < ROUND:
        return int(FURTHER[-1])
    widths = widths[widths > 1] if longest > 1 else widths
    lengths, times = np.unique(count, return_counts=True)
    pieces = np.maximum(-(-lengths[None, :] // widths[:, None]), 1) @ times
    rounds = widths < longest
    return int(widths[np.argmin(pieces * (widths + 1) + ROUND * rounds)])


def _places(
    count: Int[np.ndarray, " G"], further: Int[np.ndarray, " G"], width: int
) -> tuple[Int[np.ndarray, " _"], Int[np.ndarray, " _"]]:
    """Return the slot and the piece of each row, rows in order of their group."""
    group = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    piece, slot = np.divmod(np.arange(len(group)) - first[group], width)
    beyond = len(count) + np.cumsum(further) - further
    return slot, np.where(piece == 0, group, beyond[group] + piece - 1)


if TYPE_CHECKING:
    AnyArray = Any  # arithmetic gives what it is given
else:
    AnyArray = Array | np.ndarray | np.number


@dataclass(frozen=True, slots=True)
class Maths:
    """Functions of arrays."""

    xp: ModuleType
    sigmoid: Callable[[Any], Any]
    log_sigmoid: Callable[[Any], Any]
    logsumexp: Callable[..., Any]
    once: Callable[[Any], Any]


def maths(*given: Any) -> Maths:
    """Return JAX's if any array is one of its own, as in a program; else NumPy's."""
    leaves = jax.tree.leaves(given)
    return COMPILED if any(isinstance(leaf, jax.Array) for leaf in leaves) else HOST


def on_host[Tree](tree: Tree) -> Tree:
    """Return the same with all its arrays as NumPy's; no number is copied."""
    return jax.tree.map(np.asarray, tree)


HOST = Maths(
    np, special.expit, special.log_expit, special.logsumexp, lambda table: table
)
COMPILED = Maths(
    jnp,
    jax.nn.sigmoid,
    jax.nn.log_sigmoid,
    jax.nn.logsumexp,
    jax.lax.optimization_barrier,
)
