"""How drawings look, light and dark.

In: nothing. Out: a style sheet. The classes are the shapes and tones of `graph`.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; }
svg { --ink: #1b1f24; --soft: #59636e; --paper: #ffffff; --box: #f6f8fa; --edge: #8c959f; --test: #fff8e1; --thread: #ddf4ff; --bh: #fbefff;
  --lock: #ffebe9; --context: #dafbe1; --other: #fff8c5; --order: #cf222e; --asks: #0969da; --helps: #1a7f37;
  --l0: #cf222e; --l1: #0969da; --l2: #1a7f37; --l3: #8250df; --l4: #bc4c00; --l5: #bf3989; background: var(--paper); }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --box: #161b22; --edge: #6e7681; --test: #2b2412; --thread: #0c2d4a;
    --bh: #2c1c47; --lock: #48191c; --context: #12331d; --other: #37300f; --order: #ff7b72; --asks: #79c0ff; --helps: #56d364;
    --l0: #ff7b72; --l1: #79c0ff; --l2: #56d364; --l3: #d2a8ff; --l4: #ffa657; --l5: #f778ba; } }
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--ink); white-space: pre; }
.title { font-size: 15px; font-weight: bold; } .soft { fill: var(--soft); font-size: 11px; } a text { fill: var(--asks); }
.label { fill: var(--soft); font-size: 11px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
rect.plain { fill: var(--box); stroke: var(--edge); } .test { fill: var(--test); stroke: var(--edge); }
rect.mark { fill: var(--paper); stroke: var(--edge); } rect.call { fill: var(--paper); stroke: var(--asks); }
rect.thread { fill: var(--thread); stroke: var(--edge); } rect.bh { fill: var(--bh); stroke: var(--edge); stroke-dasharray: 6 3; }
rect.lock { fill: var(--lock); stroke: var(--edge); } rect.context { fill: var(--context); stroke: var(--edge); }
rect.semaphore, rect.event, rect.condition { fill: var(--other); stroke: var(--edge); }
path.arrow { fill: none; stroke: var(--edge); stroke-width: 1.3; } path.back { stroke-dasharray: 5 3; }
path.asks { stroke: var(--asks); } path.helps { stroke: var(--helps); stroke-dasharray: 5 3; }
path.order { stroke: var(--order); stroke-width: 2; }
path.bar { fill: none; stroke-width: 2.5; } .head { fill: var(--edge); }
.head-asks { fill: var(--asks); } .head-helps { fill: var(--helps); } .head-order { fill: var(--order); }
""".strip()
