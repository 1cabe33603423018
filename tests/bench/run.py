"""Figures: what the tool costs, next to the least that the same could cost.

    .venv/bin/python tests/bench/run.py [--only NAME] [--quick]

Every ratio is taken in one run on one machine against one server, so it says
something where seconds would not. Nothing is judged by its exit code: figures
are for people.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from tests.bench.bench import main

    main()
