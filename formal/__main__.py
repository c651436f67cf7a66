"""`python -m formal`: the same as the console script `formal`."""

from __future__ import annotations

from formal.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
