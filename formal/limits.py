"""Sizes beyond which a model is refused, before memory goes. Layer 0.

Every limit is far above what a protocol needs and far below what hurts; a refusal names the limit and the size that was asked for.
"""

from __future__ import annotations

from typing import Final

FILE_BYTES: Final = 1 << 20  # one file
FILES: Final = 200  # files of one model, imports included
NESTING: Final = 100  # brackets inside brackets, blocks inside blocks, operators inside operators
INTEGER: Final = 2**31 - 1  # a literal, a bound of a range, a constant
DECLARATIONS: Final = 2000  # of a whole model
CALLS: Final = 150  # blocks inside blocks, with procedures in place and recursion unrolled
THREADS: Final = 256  # of a whole model
ELEMENTS: Final = 4096  # of one array, or of one family of bottom halves
ENUM_MEMBERS: Final = 256
VALUE: Final = 2**62  # what an expression may come to stays below, on either side of zero
RANGE_VALUES: Final = 4096  # that a `for` or a quantifier runs over
STATEMENTS: Final = 100_000  # of one body with its procedures put in place and its `for`s unrolled
EXPRESSION_NODES: Final = 200_000  # of one expression with its quantifiers unrolled
CELLS: Final = 65_536  # values that one state holds
BH_NESTING: Final = 32
RECURSION: Final = 32
DIAGNOSTICS: Final = 100  # shown of one run
