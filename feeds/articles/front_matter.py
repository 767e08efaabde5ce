"""The YAML front matter of a file, as nodes that know their line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

#: Deepest nesting accepted; a real article needs six levels.
MAX_DEPTH = 20
#: Most values and names; a real article has 200.
MAX_VALUES = 10_000

_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"---[ \t]*\r?(?:\n|\Z)")
#: Line breaks to YAML, but not to editors: one would shift every later line.
_STRAY_BREAKS = re.compile("[\x85\u2028\u2029]")
#: Most often it is a `: ` in a title, or what begins with a sign of YAML's.
_REMEDY = "put the text in quotes, close what is open, or indent it with spaces as its neighbours"
_resolve: Callable[..., str] = yaml.resolver.Resolver().resolve
_START = yaml.Mark("", 0, 0, 0, None, 0)


class FrontMatterError(ValueError):
    """Front matter that cannot be read: its line (from 1), and what to do."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"{line}: {problem}")
        self.line = line
        self.problem = problem


def line_of(node: Node) -> int:
    """The line on which a node begins, from 1."""
    return node.start_mark.line + 1


def empty(node: Node | None = None) -> MappingNode:
    """A map without fields, on the line of a node or on the first."""
    return MappingNode("", [], node.start_mark if node else _START)


def is_null(node: Node) -> bool:
    """Whether YAML reads a node as no value."""
    plain = isinstance(node, ScalarNode) and not node.style
    return plain and node.value in ("", "~", "null", "Null", "NULL")


def kind(node: ScalarNode) -> str:
    """The YAML 1.1 type: `str`, `int`, `float`, `bool`, `null` or `timestamp`."""
    if node.style:
        return "str"
    return _resolve(ScalarNode, node.value, (True, False)).rpartition(":")[2]


def split(text: str) -> tuple[str, str]:
    """The front matter, from its opening `---`, and the body below it."""
    if not _OPENING.match(text):
        raise FrontMatterError(1, "no front matter, begin the file with a line '---'")
    # Not by a pattern that may begin anywhere: it takes ten times as long.
    at = text.find("\n---")
    while at >= 0:
        closing = _CLOSING.match(text, at + 1)
        if closing:
            return text[: at + 1], text[closing.end() :]
        at = text.find("\n---", at + 1)
    raise FrontMatterError(1, "the front matter does not end, add a line '---' below it")


class _Loader(yaml.CSafeLoader):
    """Composes nodes without a type, which `kind` tells: a tag is one that was written."""

    values = 0

    def descend_resolver(self, node: Node | None, index: object) -> None:
        """Count a value before it is made: each takes half a kilobyte."""
        self.values += 1
        if node and self.values > MAX_VALUES:
            problem = "more values than any article has, remove some"
            raise FrontMatterError(line_of(node), problem)

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        """The tag of a node without one."""
        return ""


def read_front_matter(text: str) -> MappingNode:
    """Parse front matter (`---` line included, so that lines count from the file's first).

    Its nodes are PyYAML's, within the limits above. All keys are text, and no key stands
    twice in a map. Raises FrontMatterError, and nothing else.
    """
    text = _STRAY_BREAKS.sub(" ", text)
    try:
        loader = _Loader(text)
        node = loader.get_node() if loader.check_node() else None
        if second := loader.get_node():
            raise FrontMatterError(line_of(second), "a second document, keep only one")
    except yaml.MarkedYAMLError as error:
        mark, context = error.problem_mark, error.context_mark
        if mark and context and mark.line >= text.count("\n"):
            # What is missing at the end began further up.
            mark = context
        problem = f"bad YAML, {error.problem}: {_REMEDY}"
        raise FrontMatterError(mark.line + 1 if mark else 1, problem) from error
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes.
        line = text.encode().count(b"\n", 0, error.position) + 1
        problem = f"the character U+{error.character:04X} is not allowed, remove it"
        raise FrontMatterError(line, problem) from error
    if node is None or is_null(node):
        return empty()
    _check(node, line_of(node), 0, set())
    if not isinstance(node, MappingNode):
        problem = "the front matter is not a list of 'name: value' lines"
        raise FrontMatterError(line_of(node), problem)
    return node


def _check(node: Node, line: int, depth: int, seen: set[int]) -> None:
    """Refuse what no article needs; `line` is that of what holds the node."""
    if id(node) in seen:  # PyYAML makes one node of an anchor and its aliases
        problem = f"an alias of line {line_of(node)} is not allowed, write the value out"
        raise FrontMatterError(line, problem)
    seen.add(id(node))
    line = line_of(node)
    if node.tag:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise FrontMatterError(line, f"the tag {_shown(tag)} is not allowed, remove it")
    if isinstance(node, ScalarNode):
        return
    if depth >= MAX_DEPTH:
        raise FrontMatterError(line, f"nested deeper than {MAX_DEPTH} levels, flatten it")
    if isinstance(node, SequenceNode):
        for item in node.value:
            _check(item, line, depth + 1, seen)
    else:
        _check_pairs(node, depth + 1, seen)


def _check_pairs(node: Node, depth: int, seen: set[int]) -> None:
    lines: dict[str, int] = {}
    for key, value in node.value:
        _check(key, line_of(node), depth, seen)
        line = line_of(key)
        if not isinstance(key, ScalarNode):
            raise FrontMatterError(line, "a key must be text, not a list or a map")
        if key.value in lines:
            first = lines[key.value]
            problem = f"'{_shown(key.value)}' stands twice (first on line {first}), keep one"
            raise FrontMatterError(line, problem)
        lines[key.value] = line
        try:
            _check(value, line, depth, seen)
        except FrontMatterError as error:
            if key.value != "secured":
                raise
            # Nothing of it is told, nor is the chain of causes.
            raise FrontMatterError(error.line, "'secured' must be text in quotes") from None


def _shown(text: object) -> str:
    """A name as a fault tells it: on one line, and not without end."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text)[:80])
