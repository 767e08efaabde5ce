"""The YAML front matter of a file, as PyYAML's nodes, which know their lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode

#: Deepest nesting of lists and maps. A real article needs six levels.
MAX_DEPTH = 20
#: Values and keys of a front matter. A real article has 200.
MAX_VALUES = 10_000

_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"\n---[ \t]*\r?(?:\n|\Z)")
#: Line breaks in YAML 1.1 but not in editors, which would count later lines differently.
_STRAY_BREAKS = re.compile("[\x85\u2028\u2029]")
#: The usual cause is a `: ` in a title, or text that begins with a character special to YAML.
_REMEDY = "put the text in quotes, close what is open, or indent it with spaces as its neighbours"
_NULL = ("", "~", "null", "Null", "NULL")
_resolve: Callable[..., str] = yaml.resolver.Resolver().resolve


class FrontMatterError(ValueError):
    """Front matter that cannot be read. The message says what to do."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"{line}: {problem}")
        #: Counts from 1.
        self.line = line
        self.problem = problem


def line_of(node: Node) -> int:
    """Return the line on which a node begins, from 1."""
    return node.start_mark.line + 1


def empty_map(mark: yaml.Mark) -> MappingNode:
    """Return a map without fields, at the place of another node."""
    return MappingNode("", [], mark)


def yaml_type(node: Node) -> str:
    """Return the type of a node in YAML 1.1, such as `str`, `int`, `bool`, `null` or `map`."""
    if isinstance(node, ScalarNode) and node.style:
        return "str"
    return _resolve(type(node), node.value, (True, False)).rpartition(":")[2]


def is_null(node: Node) -> bool:
    """Return whether a node is null in YAML 1.1."""
    return isinstance(node, ScalarNode) and not node.style and node.value in _NULL


def split(text: str) -> tuple[str, str]:
    """Return the front matter, from its opening `---`, and the body below it."""
    if not _OPENING.match(text):
        raise FrontMatterError(1, "no front matter, begin the file with a line '---'")
    if closing := _CLOSING.search(text):
        return text[: closing.start() + 1], text[closing.end() :]
    raise FrontMatterError(1, "the front matter does not end, add a line '---' below it")


class _Loader(yaml.CSafeLoader):
    """Makes nodes whose tag is empty unless the file has one. `yaml_type` returns their type."""

    values = 0

    def descend_resolver(self, node: Node | None, index: object) -> None:
        """Count a node before it is made, because each takes half a kilobyte."""
        self.values += 1
        if node and self.values > MAX_VALUES:
            problem = "more values than any article has, remove some"
            raise FrontMatterError(line_of(node), problem)

    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> str:
        """Return the tag of a node for which the file has none."""
        return ""


def read_front_matter(text: str) -> MappingNode:
    """Parse front matter, with its line `---`, so that lines count from that of the file.

    The result is within the limits above. All its keys are text, and no map has a key twice.
    Raises FrontMatterError only.
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
            # At the end of the text something is missing, which began further up.
            mark = context
        problem = f"bad YAML, {error.problem}: {_REMEDY}"
        raise FrontMatterError(mark.line + 1 if mark else 1, problem) from error
    except yaml.reader.ReaderError as error:
        # The position of libyaml counts bytes.
        line = text.encode().count(b"\n", 0, error.position) + 1
        problem = f"the character U+{error.character:04X} is not allowed, remove it"
        raise FrontMatterError(line, problem) from error
    if node is None or is_null(node):
        return empty_map(yaml.Mark("", 0, 0, 0, None, 0))
    _check(node, node, 0, set())
    if not isinstance(node, MappingNode):
        problem = "the front matter is not a list of 'name: value' lines"
        raise FrontMatterError(line_of(node), problem)
    return node


def _check(node: Node, above: Node, depth: int, seen: set[int]) -> None:
    """Refuse what no article needs. `above` is the key or the list that this node belongs to."""
    if id(node) in seen:  # PyYAML uses one node for an anchor and all its aliases
        problem = f"an alias of line {line_of(node)} is not allowed, write the value out"
        raise FrontMatterError(line_of(above), problem)
    seen.add(id(node))
    if node.tag:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise FrontMatterError(line_of(node), f"the tag {_shown(tag)} is not allowed, remove it")
    if isinstance(node, ScalarNode):
        return
    if depth >= MAX_DEPTH:
        problem = f"nested deeper than {MAX_DEPTH} levels, flatten it"
        raise FrontMatterError(line_of(node), problem)
    if isinstance(node, SequenceNode):
        for item in node.value:
            _check(item, node, depth + 1, seen)
    else:
        _check_pairs(node, depth + 1, seen)


def _check_pairs(node: Node, depth: int, seen: set[int]) -> None:
    keys: dict[str, Node] = {}
    for key, value in node.value:
        _check(key, node, depth, seen)
        if not isinstance(key, ScalarNode):
            raise FrontMatterError(line_of(key), "a key must be text, not a list or a map")
        if key.value in keys:
            first = line_of(keys[key.value])
            problem = f"'{_shown(key.value)}' stands twice (first on line {first}), keep one"
            raise FrontMatterError(line_of(key), problem)
        keys[key.value] = key
        try:
            _check(value, key, depth, seen)
        except FrontMatterError as error:
            if key.value != "secured":
                raise
            # The value is secret, so neither the message nor a cause may show it.
            raise FrontMatterError(error.line, "'secured' must be text in quotes") from None


def _shown(text: str) -> str:
    """Return a name as a message shows it, on one line and not too long."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:80])
