"""The YAML front matter of a file, as nodes that know their line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

#: Deepest nesting accepted; a real article needs six levels.
MAX_DEPTH = 20
#: Most events of the parser, some of which each value takes; a real article has 300.
MAX_EVENTS = 20_000

_OPENING = re.compile(r"---[ \t]*\r?\n")
_CLOSING = re.compile(r"---[ \t]*\r?(?:\n|\Z)")
#: Line breaks to YAML, but not to editors: one would shift every later line.
_STRAY_BREAKS = re.compile("[\x85\u2028\u2029]")
#: Most often it is a `: ` in a title, or what begins with a sign of YAML's.
_REMEDY = "put the text in quotes, close what is open, or indent it with spaces as its neighbours"
_resolve: Callable[..., str] = yaml.resolver.Resolver().resolve


class FrontMatterError(ValueError):
    """Front matter that cannot be read: its line (from 1), and what to do."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"{line}: {problem}")
        self.line = line
        self.problem = problem


class Scalar(NamedTuple):
    """A YAML scalar: its text as written, and whether it stood without quotes."""

    text: str
    plain: bool
    line: int

    @property
    def is_null(self) -> bool:
        """Whether YAML reads it as no value."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")

    @property
    def kind(self) -> str:
        """The YAML 1.1 type: `str`, `int`, `float`, `bool`, `null` or `timestamp`."""
        if not self.plain:
            return "str"
        return _resolve(yaml.ScalarNode, self.text, (True, False)).rpartition(":")[2]


class Mapping(NamedTuple):
    """A YAML mapping with text keys."""

    items: dict[str, Node]
    line: int


class Sequence(NamedTuple):
    """A YAML sequence."""

    items: list[Node]
    line: int


Node = Scalar | Mapping | Sequence


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


def read_front_matter(text: str) -> Mapping:
    """Parse front matter (`---` line included, so that lines count from the file's first).

    The C parser's events are read one by one: its composer recurses in C and
    overflows the stack on deep nesting (PyYAML 6.0), and it follows aliases.
    Raises FrontMatterError, and nothing else.
    """
    text = _STRAY_BREAKS.sub(" ", text)
    try:
        events = _counted(yaml.parse(text, Loader=yaml.CSafeLoader))
        if not any(isinstance(event, DocumentStartEvent) for event in events):
            return Mapping({}, 1)
        node = _node(next(events), events, 0)
        for event in events:
            if isinstance(event, DocumentStartEvent):
                second = _node(next(events), events, 0)
                raise FrontMatterError(second.line, "a second document, keep only one")
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
    if isinstance(node, Scalar) and node.is_null:
        return Mapping({}, 1)
    if not isinstance(node, Mapping):
        raise FrontMatterError(node.line, "the front matter is not a list of 'name: value' lines")
    return node


def _counted(events: Iterator[Any]) -> Iterator[Any]:
    for number, event in enumerate(events):
        if number > MAX_EVENTS:
            line = event.start_mark.line + 1
            raise FrontMatterError(line, "more values than any article has, remove some")
        yield event


def _node(event: Any, events: Iterator[Event], depth: int) -> Node:
    line = event.start_mark.line + 1
    if isinstance(event, AliasEvent):
        problem = f"the alias *{_shown(event.anchor)} is not allowed, write the value out"
        raise FrontMatterError(line, problem)
    if event.tag is not None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        raise FrontMatterError(line, f"the tag {_shown(tag)} is not allowed, remove it")
    if isinstance(event, ScalarEvent):
        return Scalar(event.value, not event.style, line)
    if depth >= MAX_DEPTH:
        raise FrontMatterError(line, f"nested deeper than {MAX_DEPTH} levels, flatten it")
    if isinstance(event, SequenceStartEvent):
        return _sequence(events, line, depth + 1)
    return _mapping(events, line, depth + 1)


def _shown(text: object) -> str:
    """A name as a fault tells it: on one line, and not without end."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text)[:80])


def _sequence(events: Iterator[Event], line: int, depth: int) -> Sequence:
    items: list[Node] = []
    while not isinstance(event := next(events), SequenceEndEvent):
        items.append(_node(event, events, depth))
    return Sequence(items, line)


def _mapping(events: Iterator[Event], line: int, depth: int) -> Mapping:
    items: dict[str, Node] = {}
    while not isinstance(event := next(events), MappingEndEvent):
        key = _node(event, events, depth)
        if not isinstance(key, Scalar):
            raise FrontMatterError(key.line, "a key must be text, not a list or a map")
        if key.text in items:
            first = items[key.text].line
            problem = f"'{_shown(key.text)}' stands twice (first on line {first}), keep one"
            raise FrontMatterError(key.line, problem)
        try:
            items[key.text] = _node(next(events), events, depth)
        except FrontMatterError as error:
            if key.text != "secured":
                raise
            # Nothing of it is told, nor is the chain of causes.
            raise FrontMatterError(error.line, "'secured' must be text in quotes") from None
    return Mapping(items, line)
