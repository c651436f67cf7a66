"""How drawings name the objects that statements are about.

In: references, and what `ref` parameters stand for. Out: names: `BQL`, and `fork[*]` for any element of an array. Must not evaluate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from formal.program import Direct, Expr, LocalPlace, Place, ProcDecl, RefParam, ThreadLocalPlace, ViaParam

Names: TypeAlias = Mapping[RefParam, str]


def name_of(place: Place, names: Names) -> str:
    """The object's name. A `ref` parameter that nothing is known of is named by itself."""
    match place:
        case Direct(decl=decl, index=index):
            return decl.name if index is None and decl.size is None else f"{decl.name}[*]"
        case ViaParam(param=param):
            return names.get(param, param.name)
        case LocalPlace(decl=decl):
            return decl.name
        case ThreadLocalPlace(decl=local):
            return local.name


def passed(proc: ProcDecl, arguments: tuple[Expr | Place, ...], names: Names) -> dict[RefParam, str]:
    """What the `ref` parameters of a procedure stand for in a call."""
    found = {}
    for param, argument in zip(proc.params, arguments, strict=True):
        if isinstance(param, RefParam) and isinstance(argument, Direct | ViaParam | LocalPlace | ThreadLocalPlace):
            found[param] = name_of(argument, names)
    return found
