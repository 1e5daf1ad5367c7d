"""Domain objects <-> JSON text of the database: the wire format of `triage.types`."""

from functools import cache
from typing import TypeVar

import orjson
from pydantic import TypeAdapter

T = TypeVar("T")


def dump(value: object) -> str:
    """JSON of a domain object."""
    return orjson.dumps(value).decode()


def load(kind: type[T], text: str) -> T:
    """The domain object that `dump` wrote."""
    return _adapter(kind).validate_json(text)


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)
