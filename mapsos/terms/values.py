"""Make frozen dataclasses at a sixth of the cost, which makes the start of a CGI process 5 to 8 % shorter.

`dataclasses` compiles six functions for each frozen class, 0.6 ms; a small request loads eighty classes. Here only
``__init__`` is compiled, and the other five are shared code over the names of the fields. Behaviour is the same, and
type checkers see `dataclasses.dataclass`. See docs/architecture.md, "Decisions".
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen):
        """Return a decorator that makes a class a frozen dataclass, as `dataclasses.dataclass` does."""
        assert frozen, "what changes is a class of the standard library's"
        return _make


def _make(cls: type) -> type:
    # For a class without a docstring, `dataclasses` writes one by calling inspect.signature, which is slow.
    cls.__doc__ = cls.__doc__ or cls.__name__
    # Not ``frozen`` for `dataclasses`, whose own __setattr__ would be compiled.
    dataclasses.dataclass(init=False, repr=False, eq=False)(cls)
    fields = dataclasses.fields(cls)
    members: dict[str, Any] = {
        "__init__": _write_init(cls, fields),
        "__setattr__": _refuse_assignment,
        "__delattr__": _refuse_deletion,
        "__repr__": _write_repr(tuple(field.name for field in fields if field.repr)),
    }
    values = _read_all(tuple(field.name for field in fields if field.compare))
    hashed = _read_all(tuple(field.name for field in fields if (field.compare if field.hash is None else field.hash)))

    def equals(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def calculate_hash(self: Any) -> int:
        return hash(hashed(self))

    members |= {"__eq__": equals, "__hash__": calculate_hash}
    for name, function in members.items():
        own = cls.__dict__.get(name)
        # A class with __eq__ and no __hash__ has None there.
        if own is None:
            setattr(cls, name, function)
    return cls


def _write_init(cls: type, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    scope: dict[str, Any] = {"_set": object.__setattr__}
    parameters, keywords, body = ["self"], list[str](), list[str]()
    for field in fields:
        name, value = field.name, field.name
        parameter = name
        if field.default is not dataclasses.MISSING:
            scope[f"_default_{name}"] = field.default
            parameter = f"{name}=_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            scope |= {f"_make_{name}": field.default_factory, "_missing": dataclasses.MISSING}
            parameter = f"{name}=_missing"
            value = f"_make_{name}() if {name} is _missing else {name}"
        if field.init:
            (keywords if field.kw_only else parameters).append(parameter)
        elif field.default_factory is not dataclasses.MISSING:
            value = f"_make_{name}()"
        else:
            continue
        body.append(f" _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    listed = ", ".join([*parameters, *(("*", *keywords) if keywords else ())])
    exec(f"def __init__({listed}):\n" + ("\n".join(body) or " pass"), scope)
    init = scope["__init__"]
    init.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    init.__module__, init.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    return init


def _write_repr(names: tuple[str, ...]) -> Any:
    def represent(self: Any) -> str:
        return f"{self.__class__.__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return represent


def _read_all(names: tuple[str, ...]) -> Any:
    """Return a function that returns the values of some fields as a tuple."""
    if not names:
        return lambda _: ()
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda value: (read(value),)


def _refuse_assignment(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
