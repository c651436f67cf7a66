"""What holds for every test: proofs are searched for, not remembered. Tests of the cache name a folder of their own."""

from __future__ import annotations

import os

os.environ["FORMAL_CACHE"] = "off"
