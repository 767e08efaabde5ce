"""The fields of a front matter, each read as the type that it should have."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from feeds.articles import clean
from feeds.articles.front_matter import empty_map, is_null, line_of, yaml_type
from feeds.text import clean_text

#: Feed readers and validators take an earlier date for a mistake.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)

#: Longest text of a field, in characters.
MAX_FIELD_LENGTH = 1 << 16

#: How much of two names must be alike, from 0 to 1, for one to be a slip of the other.
_ALIKE = 0.75

_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d{0,8})")
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ]+(\d\d:\d\d:\d\d)(?:\.\d*)? ?(Z|z|[+-]\d\d:?\d\d)?")
#: What looks like the beginning of a tag.
_TAG = re.compile(r"<[A-Za-z][\w-]{,20}")
_TYPES = {"int": "a number", "float": "a number", "bool": "true or false"}


class Fields:
    """A map of the front matter.

    A field that is at fault is read as if it were absent, and the fault is added with its line
    to `faults`, which all maps of a file share. So every fault of a file is found.
    """

    def __init__(
        self, node: MappingNode, faults: list[tuple[int, str]], outer: Fields | None = None
    ) -> None:
        self._node = node
        self._items: dict[str, Node] = {key.value: value for key, value in node.value}
        self._faults = faults
        self._known: set[str] = set()
        # All maps of the file, and the fields that were asked for in each. Fields in this list
        # would make a reference cycle, so that each file waits for the garbage collector.
        self._maps: list[tuple[MappingNode, set[str]]] = outer._maps if outer else []
        self._maps.append((node, self._known))

    def misspelled(self) -> list[tuple[int, str]]:
        """Warn of each unknown field whose name is close to that of a field that its map lacks.

        Return the line and the text of each warning. Known are the fields that were asked for so
        far. Other unknown fields are common, because other programs have fields of their own.
        """
        known = set[str]().union(*(names for _, names in self._maps))
        found = []
        for node, names in self._maps:
            lacking = frozenset(names.difference(key.value for key, _ in node.value))
            for key, _ in node.value:
                if key.value not in known and (near := _nearest(key.value, lacking)):
                    problem = f"unknown field {key.value!r}, did you mean {near!r}?"
                    found.append((line_of(key), problem))
        return found

    def node(self, name: str) -> Node | None:
        """Return the node of a field; None if it is absent, null or blank."""
        self._known.add(name)
        node = self._items.get(name)
        if isinstance(node, ScalarNode) and (is_null(node) or not node.value.strip()):
            return None
        return node

    def add_fault(self, name: str, problem: str) -> None:
        """Add a fault at the line of a field, or of the map if the field is absent."""
        self._faults.append((line_of(self._items.get(name, self._node)), problem))

    def require(self, *names: str) -> None:
        """Add a fault for each field that is absent."""
        for name in names:
            if self.node(name) is None:
                self.add_fault(name, f"no '{name}', add one")

    def text(self, name: str, cleaner: Callable[[str], str] = clean_text) -> str:
        """Return cleaned text; empty if absent."""
        node = self.node(name)
        return "" if node is None else self._as_text(name, node, cleaner)

    def _as_text(self, name: str, node: Node, cleaner: Callable[[str], str]) -> str:
        if not isinstance(node, ScalarNode):
            problem = "must be text"
        elif (found := yaml_type(node)) != "str":
            problem = f"is {_TYPES.get(found, 'a ' + found)}, put quotes around it"
        elif len(node.value) > MAX_FIELD_LENGTH:
            problem = f"is longer than {MAX_FIELD_LENGTH} characters, shorten it"
        else:
            try:
                return cleaner(node.value)
            except ValueError as error:
                problem = str(error)
        self._faults.append((line_of(node), f"'{name}' {problem}"))
        return ""

    def texts(self, name: str) -> list[str]:
        """Return the text of each item in a list, except where it is empty."""
        found = [self._as_text(name, node, clean_text) for node in self._list(name)]
        return [text for text in found if text]

    def number(self, name: str) -> int | None:
        """Return a whole number of at most nine digits; None if absent."""
        node = self.node(name)
        if node is None:
            return None
        if isinstance(node, ScalarNode) and not node.style and _NUMBER.fullmatch(node.value):
            return int(node.value)
        self.add_fault(name, f"'{name}' must be a whole number without quotes")
        return None

    def size(self, name: str) -> int | None:
        """Return the size of a picture in pixels; None if it is not a positive number."""
        node = self.node(name)
        if isinstance(node, ScalarNode) and _NUMBER.fullmatch(node.value) and int(node.value) > 0:
            return int(node.value)
        return None

    def time(self, name: str) -> datetime | None:
        """Return a time in UTC, in whole seconds; None if absent."""
        node = self.node(name)
        if node is None:
            return None
        try:
            return _moment(node.value if isinstance(node, ScalarNode) else "")
        except ValueError as error:
            self.add_fault(name, f"'{name}' {error}")
            return None

    def uri(self, name: str, cleaner: Callable[[str], str] = clean.uri) -> str | None:
        """Return the absolute http or https URI that `cleaner` makes of text; None if absent."""
        return self.text(name, cleaner) or None

    def map(self, name: str) -> Fields:
        """Return a map; an empty one if absent."""
        return self._as_map(name, self.node(name) or empty_map(self._node.start_mark))

    def maps(self, name: str) -> list[Fields]:
        """Return a list of maps; empty if absent."""
        return [self._as_map(name, node) for node in self._list(name)]

    def _as_map(self, name: str, node: Node) -> Fields:
        if not isinstance(node, MappingNode):
            self._faults.append((line_of(node), f"'{name}' must be a map of 'name: value' lines"))
            node = empty_map(node.start_mark)
        return Fields(node, self._faults, self)

    def _list(self, name: str) -> list[Node]:
        node = self.node(name)
        if isinstance(node, SequenceNode):
            return list(node.value)
        if node is not None:
            self.add_fault(name, f"'{name}' must be a list, each item on a line '- ...'")
        return []


def find_warnings(fields: Fields, summary: str) -> list[tuple[int, str]]:
    """Return what looks like a mistake in a front matter that was read, in the order of lines.

    `summary` is what became of the excerpt.
    """
    published, excerpt = fields.node("published"), fields.node("excerpt")
    fields.node("removed")  # so that it is known
    found = fields.misspelled()
    if published and yaml_type(published) != "bool":
        problem = "'published' is not true or false, so the article is not published"
        found.append((line_of(published), problem))
    tags = _TAG.findall(excerpt.value) if isinstance(excerpt, ScalarNode) else []
    if excerpt and (shown := next((tag for tag in tags if tag in summary), "")):
        problem = f"'excerpt' shows {shown!r} as words, remove it if it is markup"
        found.append((line_of(excerpt), problem))
    return sorted(found)


# All files of a collection have the same few unknown fields, and difflib takes its time.
@lru_cache(256)
def _nearest(name: str, names: frozenset[str]) -> str:
    """Return the one of some names that a name is a slip of; empty if it is of none."""
    lowered = {each.lower(): each for each in sorted(names)}
    return "".join(lowered[near] for near in get_close_matches(name.lower(), lowered, 1, _ALIKE))


def _moment(written: str) -> datetime:
    found = _TIMESTAMP.fullmatch(written.strip())
    if not found:
        raise ValueError("is not a time such as 2020-05-18T02:41:00Z, correct it")
    day, clock, offset = found.groups()
    if offset is None:
        raise ValueError("does not say its time zone, add 'Z' or an offset such as '+02:00'")
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a possible time, correct it") from error
    if moment < EARLIEST:
        raise ValueError("is before 1990, correct it")
    return moment
