"""The faults of sending at full size: `tests/chaos` with 100,000 recipients where the size matters, and a table.

    python bench/chaos.py [--recipients 100000] [--only EXPRESSION] [--json]

Real workers are killed, servers restarted and relays closed while the sums are watched. `--only` chooses tests as
pytest's ``-k`` does (``killed``, ``"redis or postgresql"``). Exits with pytest's code: a table is printed either way.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COLUMNS = ("recipients", "accepted", "unknown", "missed", "twice", "looks", "seconds")
LEFT_OUT = {"row", *COLUMNS}


def run_tests(recipients: int, only: str, report: Path) -> int:
    environment = os.environ | {
        "MAILER_TEST_CHAOS_RECIPIENTS": str(recipients),
        "MAILER_TEST_CHAOS_REPORT": str(report),
    }
    command = [sys.executable, "-m", "pytest", "tests/chaos", "-q", *(["-k", only] if only else [])]
    # What pytest says goes beside the table and not into it.
    return subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False).returncode


def as_table(lines: list[dict[str, Any]]) -> str:
    wide = max((len(line["row"]) for line in lines), default=3)
    rows = [f"{'fault':{wide}}" + "".join(f"{name:>12}" for name in COLUMNS) + "  more"]
    for line in lines:
        figures = "".join(f"{line.get(name, 0):>12,}" for name in COLUMNS)
        more = ", ".join(f"{name} {value}" for name, value in line.items() if name not in LEFT_OUT)
        rows.append(f"{line['row']:{wide}}{figures}  {more}")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--only", default="", metavar="EXPRESSION")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailer-chaos-") as folder:
        report = Path(folder) / "report.jsonl"
        code = run_tests(arguments.recipients, arguments.only, report)
        lines = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
    print(json.dumps(lines, ensure_ascii=False, indent=2) if arguments.json else as_table(lines))
    sys.exit(code)


if __name__ == "__main__":
    main()
