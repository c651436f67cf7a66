"""`make bench`: what `formal` takes beside its peers on the same transition systems, and where its own time goes.

In: the command line (`--quick`, `--limit SECONDS`, `--budget SECONDS`, `--only NAME`, `--models`, `-o FOLDER`). Out: `peers.md`,
`peers.json`, and `peers.svg` in the folder (default: benchmarks), progress and a table on standard output; exit code 1 if two tools
contradict each other. With `--models`, instead, `models.md`: a row for each shipped model.
"""

from __future__ import annotations

import argparse
import os
import sys
from compileall import compile_dir
from pathlib import Path

import formal
from bench import chart, models, peers, report, within
from bench.ladders import LADDERS, QUICK


def main() -> int:
    """Measure and write. A whole run takes about as long as its budget, a quick one two minutes."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure formal beside SPIN, ABC and Z3.")
    parser.add_argument("--quick", action="store_true", help="few sizes, one round, about two minutes")
    parser.add_argument("--limit", type=float, metavar="SECONDS", help="for one command (default: 20, quick: 10)")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="after which nothing further is begun (default: 1500, quick: 110)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this ladder only (repeatable)")
    parser.add_argument("--models", action="store_true", help="instead: what each model with a record in proofs/ takes (some minutes)")
    parser.add_argument("-o", dest="folder", default="benchmarks", metavar="FOLDER", help="where to write (default: benchmarks)")
    arguments = parser.parse_args()
    ladders = [ladder for ladder in (QUICK if arguments.quick else LADDERS) if not arguments.only or ladder.name in arguments.only]
    if not ladders:
        parser.error(f"no ladder of that name; there are {', '.join(ladder.name for ladder in LADDERS)}")
    os.environ["FORMAL_CACHE"] = "off"  # it is the searches that are compared
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode
    compile_dir(Path(formal.__file__).parent, quiet=2)
    folder = Path(arguments.folder)
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.models:
        (folder / "models.md").write_text(models.as_markdown(list(models.measure(Path("proofs")))), encoding="utf-8")
        print(f"written: {folder}/models.md", flush=True)
        return 0
    missing = peers.missing()
    if missing:
        print(f"left out, not installed: {', '.join(missing)}", flush=True)
    limit = arguments.limit or (10.0 if arguments.quick else 20.0)
    budget = arguments.budget or (110.0 if arguments.quick else 1500.0)
    measured = peers.measure(ladders, limit, rounds=1 if arguments.quick else 3, budget=budget)
    (folder / "peers.json").write_text(report.as_json(measured), encoding="utf-8")
    (folder / "peers.md").write_text(report.as_markdown(measured), encoding="utf-8")
    (folder / "peers.svg").write_text(chart.draw(measured), encoding="utf-8")
    print(f"written: {folder}/peers.md, {folder}/peers.json, {folder}/peers.svg", flush=True)
    within.starting()
    if not arguments.quick:
        within.proving()
    for line in report.contradictions(measured):
        print(f"CONTRADICTION: {line}", flush=True)
    return 1 if report.contradictions(measured) else 0


if __name__ == "__main__":
    sys.exit(main())
