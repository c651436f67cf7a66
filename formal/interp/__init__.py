"""The interpreter: the language's reference meaning, executed on the typed tree, and the replay of what engines find.

In: typed programs, traces. Out: states, outcomes, views, witnesses. Must not know any solver, nor how engines search.
"""

from __future__ import annotations

from formal.interp.changes import Stop
from formal.interp.companies import Change, Companies, Shown, Turn
from formal.interp.company import Kind
from formal.interp.countable import Countable, Elements, Uncountable, counts
from formal.interp.crowds import Counting, Entangled, TooFew
from formal.interp.deadlock import Deadlock, Waiting
from formal.interp.landing import Run
from formal.interp.layout import State
from formal.interp.machine import Machine, Outcome, Place
from formal.interp.quiet import Merging
from formal.interp.reach import Effects
from formal.interp.replay import ReplayError, replay
from formal.interp.sorts import Sort
from formal.interp.symmetry import Symmetry
from formal.interp.tallies import Shared, Tallies

__all__ = [
    "Change",
    "Companies",
    "Countable",
    "Counting",
    "Deadlock",
    "Effects",
    "Elements",
    "Entangled",
    "Kind",
    "Machine",
    "Merging",
    "Outcome",
    "Place",
    "ReplayError",
    "Run",
    "Shared",
    "Shown",
    "Sort",
    "State",
    "Stop",
    "Symmetry",
    "Tallies",
    "TooFew",
    "Turn",
    "Uncountable",
    "Waiting",
    "counts",
    "replay",
]
