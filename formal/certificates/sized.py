"""The program of one size, for who holds a certificate of all sizes to it.

In: a program, how many members there are to be. Out: the same text with so many, and what the encoding makes of it; or why nothing can be
said. It must not know how members are told or counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from formal.certificates.crowded import Unsuited
from formal.frontend import resized
from formal.interp import Sort
from formal.program import Counted, Expr, Program
from formal.smt.cfg import EncodingLimitError
from formal.smt.concrete import Concrete
from formal.smt.finite import TooManyCases

Encoded = TypeVar("Encoded", bound=Concrete)


def sized(program: Program, sizes: Mapping[str, int], extra: tuple[str, ...]) -> Program:
    """With so many members. `extra`: the --with files. Raises Unsuited."""
    found = resized(program, sizes, extra)
    if found is None:
        raise Unsuited("the model does not load with " + ", ".join(f"{name}={size}" for name, size in sizes.items()))
    return found


def encoded(make: Callable[[], Encoded]) -> Encoded:
    """What the encoding makes of one. Raises Unsuited."""
    try:
        concrete = make()
    except TooManyCases as error:
        raise Unsuited("it reckons with too many values") from error
    except EncodingLimitError as error:
        raise Unsuited(str(error)) from error
    problem = concrete.problem()
    if problem is not None:
        raise Unsuited(problem)
    return concrete


def invariants(program: Program) -> list[Expr]:
    """What is asked of states besides deadlocks."""
    return [prop.condition for prop in program.properties if prop.kind == "invariant" and prop.condition is not None]


def member_names(counted: Counted, sorts: Collection[Sort]) -> set[str]:
    """What is indexed by the members that a parameter counts."""
    families = [decl.name for sort in sorts for decl in sort.families]
    arrays = [str(getattr(array, "name", "")) for sort in sorts for array in sort.arrays]
    return {*counted.names, *families, *filter(None, arrays)}


def check_shape(one: Program, other: Program, names: str) -> None:
    """Raises Unsuited where what is to be the same for every size is not. `names`: of the parameters."""
    if _shape(one) != _shape(other):
        raise Unsuited(f"how deep bottom halves nest, or what is asked, depends on {names}")


def _shape(program: Program) -> tuple[object, ...]:
    return program.bh_nesting, program.recursion, program.assumptions, [(prop.name, prop.kind) for prop in program.properties]
