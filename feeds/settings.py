"""Settings of any struct, from YAML nodes to the values of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import yaml
from msgspec import Struct, inspect
from msgspec.structs import fields

#: The keys and values of a map.
Pairs = list[tuple[yaml.Node, yaml.Node]]
#: The tag of text, in quotes or not; that of `2020` or `yes` is another.
TEXT = "tag:yaml.org,2002:str"


class ConfigError(ValueError):
    """A setting that cannot be used. The message names it and says what to do."""

    def __init__(self, problem: str, mark: yaml.Mark | None = None) -> None:
        super().__init__(problem)
        #: Its place in the file.
        self.mark = mark


@contextmanager
def naming(key: yaml.Node) -> Iterator[None]:
    """Raise errors in a setting as ConfigError, with its name and its place in the file."""
    try:
        yield
    except ValueError as error:
        # That of a setting within this one has its own place.
        mark = error.mark if isinstance(error, ConfigError) else key.start_mark
        raise ConfigError(f"{key.value}: {error}", mark) from error


@contextmanager
def config_errors(source: Path | str) -> Iterator[None]:
    """Raise errors in a file or variable as ConfigError, with their place."""
    try:
        yield
    except ConfigError as error:
        line = f":{error.mark.line + 1}" if error.mark else ""
        raise ConfigError(f"{source}{line}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read, {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: not UTF-8, save the file as UTF-8") from error


def compose(written: str) -> yaml.Node | None:
    """Return the root node of YAML text; None if it is empty. Raises ConfigError."""
    try:
        return yaml.compose(written, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        problem = f"bad YAML, {error.problem}: put the text in quotes, or close what is open"
        raise ConfigError(problem, error.problem_mark) from error
    except yaml.reader.ReaderError as error:
        raise ConfigError(f"bad YAML, {error.reason}: remove them") from error


def read_pairs(node: yaml.Node | None) -> Pairs:
    """Return the keys and values of a map; none if the node is empty. Raises ConfigError."""
    if node is None or not node.value:
        return []
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError("must be a map of 'name: value' lines", node.start_mark)
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError("a name must be text, put it in quotes", key.start_mark)
    return list(node.value)


def read_fields(struct: type[Struct], pairs: Pairs) -> dict[str, Any]:
    """Return the values of a struct's fields.

    If the annotation of a field has a function, it makes the value: from the node of a map, or
    from text, or from each text of a list. Otherwise msgspec makes the value and checks its
    limits. Raises ConfigError.
    """
    known = {field.name: field.type for field in fields(struct)}
    values: dict[str, Any] = {}
    for key, node in pairs:
        with naming(key):
            if key.value not in known:
                raise ValueError(f"is not a setting, known are {', '.join(known)}")
            if key.value in values:
                raise ValueError("stands twice, keep one")
            values[key.value] = _read(known[key.value], node)
    return values


def _read(annotation: Any, node: yaml.Node) -> Any:
    base, *notes = get_args(annotation)
    make = next(filter(callable, notes), None)
    if make is None:
        return _convert(annotation, node)
    if get_origin(base) is Mapping:
        return make(node)
    if get_origin(base) is not tuple:
        return make(_text(node))
    if isinstance(node, yaml.SequenceNode):
        return tuple(make(_text(item)) for item in node.value)
    # An environment variable holds a list as text with commas.
    return tuple(make(item) for item in map(str.strip, _text(node).split(",")) if item)


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != TEXT:
        raise ValueError("must be text, put it in quotes")
    return str(node.value)


def _convert(annotation: Any, node: yaml.Node) -> Any:
    try:
        return msgspec.convert(node.value, annotation, strict=False)
    except msgspec.ValidationError as error:
        # The message of msgspec names Python types, which users do not know.
        info = inspect.type_info(annotation)
        if isinstance(info, inspect.UnionType):
            info = info.types[0]
        if isinstance(info, inspect.IntType):
            must_be = f"a whole number from {info.ge} to {info.le}"
        elif isinstance(info, inspect.LiteralType):
            must_be = f"one of {', '.join(map(str, info.values))}"
        else:
            must_be = "true or false"
        given = f"is {node.value[:80]!r}, " if isinstance(node, yaml.ScalarNode) else ""
        raise ValueError(f"{given}must be {must_be}") from error
