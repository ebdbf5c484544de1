"""Which packages of the library import which, read from its source."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

UTILITIES = "utilities"
# The package's own face: modules that gather what others define.
FACE = {"__init__", "__main__", "contains", "images", "shards"}

type Graph = Mapping[str, frozenset[str]]


def import_graph(root: Path) -> Graph:
    """Return the imports between the top-level packages below a folder.

    Single modules that no package of the domain replaces are one node, `UTILITIES`.

    Parameters
    ----------
    root
        Folder of the library's root package.

    Returns
    -------
    Graph
        For each node, the nodes that it imports.
    """
    packages = {path.parent.name for path in root.glob("*/__init__.py")}
    packages |= {"demo", "spaces"}
    graph: dict[str, set[str]] = {name: set() for name in (*packages, UTILITIES)}
    for file in root.rglob("*.py"):
        top = file.relative_to(root).parts[0].removesuffix(".py")
        if top in FACE:
            continue
        importer = top if top in packages else UTILITIES
        for name in _imported(file, root.name):
            graph[importer].add(name if name in packages else UTILITIES)
    return {name: frozenset(found - {name}) for name, found in graph.items()}


def _imported(file: Path, root: str) -> Iterator[str]:
    """Yield the top-level names below `root` that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == root:
            modules = [f"{root}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module or ""]
        else:
            modules = []
        for module in modules:
            first, _, rest = module.partition(".")
            if first == root and rest:
                yield rest.split(".")[0]


def reachable(graph: Graph, start: str) -> frozenset[str]:
    """Return every node that `start` imports directly or indirectly."""
    found: set[str] = set()
    queue = list(graph[start])
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue.extend(graph[name])
    return frozenset(found)


def reduced(graph: Graph) -> Graph:
    """Remove each import that follows from others (transitive reduction)."""
    below = {name: reachable(graph, name) for name in graph}
    return {
        name: frozenset(
            target
            for target in targets
            if not any(target in below[other] for other in targets - {target})
        )
        for name, targets in graph.items()
    }


def ranks(graph: Graph) -> Mapping[str, int]:
    """Return the length of the longest chain of imports below each node.

    Raises
    ------
    ValueError
        The imports have a cycle.
    """
    found: dict[str, int] = {}
    while len(found) < len(graph):
        ready = {
            name
            for name, targets in graph.items()
            if name not in found and all(target in found for target in targets)
        }
        if not ready:
            msg = f"imports between {sorted(set(graph) - set(found))} have a cycle"
            raise ValueError(msg)
        for name in ready:
            below = [found[target] for target in graph[name]]
            found[name] = 1 + max(below, default=-1)
    return found
