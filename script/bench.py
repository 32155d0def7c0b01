"""Measures what staff wait for, each beside a floor that does the same with the least possible code. Ratios count, not times.

For each database and size a worker (benching.py) fills a database of its own and waits; then all of them measure in turn, round by
round, so that whatever else the machine does meets them alike.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

WORKER = Path(__file__).with_name("benching.py")


class Worker:
    """A process that holds one database and answers one line with one line."""

    def __init__(self, database: str, orders: int) -> None:
        self.database, self.orders = database, orders
        folder = Path(os.environ["BENCH_FOLDER"]) / f"{database}-{orders}"
        folder.mkdir(parents=True, exist_ok=True)
        values = {"DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}", "BENCH_ORDERS": str(orders), "BENCH_DATABASE": database}
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER)], env=os.environ | values, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, what: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"The measuring of {self.database} with {self.orders} orders stopped; the lines above say why.")
        return json.loads(answer)


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench", description="Speed beside a floor measured in the same run.")
    parser.add_argument("--orders", default="20000,200000", help="sizes, with commas between (default 20000,200000)")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--rounds", type=int, default=7, help="how often each page is visited (default 7)")
    parser.add_argument("--json", help="write every figure to this file")
    options = parser.parse_args()
    sizes = [int(size) for size in options.orders.split(",")]
    databases = ["sqlite", "postgres"] if options.database == "both" else [options.database]
    if "postgres" in databases and not os.environ.get("BENCH_POSTGRES_URL"):
        print("PostgreSQL is left out: it is not installed here (apt-get install postgresql).", file=sys.stderr)
        databases.remove("postgres")
    workers = [Worker(database, size) for database in databases for size in sizes]
    filled = {(worker.database, worker.orders): worker.ask("fill") for worker in workers}
    rounds: dict[tuple[str, int], list[dict[str, Any]]] = {(worker.database, worker.orders): [] for worker in workers}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        for worker in workers:
            rounds[worker.database, worker.orders].append(worker.ask("round"))
    figures = {key: together(found) for key, found in rounds.items()}
    for worker in workers:
        figures[worker.database, worker.orders] |= worker.ask("changes")
        worker.process.terminate()
    show(figures, filled, databases, sizes)
    if options.json:
        kept = [
            {"database": database, "orders": size, "filled": filled[database, size], "pages": pages}
            for (database, size), pages in figures.items()
        ]
        Path(options.json).write_text(json.dumps(kept, indent=1))
    return 0


def together(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of all rounds, per page."""
    return {
        name: {
            "queries": rounds[0][name]["queries"],
            "rows": rounds[0][name]["rows"],
            **{key: median(found[name][key] for found in rounds) for key in ("cpu", "wall", "floor")},
        }
        for name in rounds[0]
    }


def show(figures: dict[tuple[str, int], Any], filled: dict[tuple[str, int], Any], databases: list[str], sizes: list[int]) -> None:
    for database in databases:
        print(f"\n{database}: " + "; ".join(f"{size} orders filled in {filled[database, size]['seconds']:.0f} s" for size in sizes))
        print("CPU in ms of web process and database together; the floor is the same by plain SQL; growth from the first size to the last,")
        print("where the page shows as many rows at both: a page that fills up costs more because it shows more")
        head = "".join(f"{f'{size} cpu':>12}{'wall':>7}{'floor':>7}{'ratio':>7}" for size in sizes)
        print(f"{'page':34}{'rows':>9}{'queries':>8}{head}{'growth':>8}")
        for name, first in figures[database, sizes[0]].items():
            of_sizes = [figures[database, size][name] for size in sizes]
            last = of_sizes[-1]
            cells = "".join(f"{f['cpu']:12.1f}{f['wall']:7.1f}{f['floor']:7.1f}{f['cpu'] / max(f['floor'], 0.01):7.1f}" for f in of_sizes)
            is_alike = first["rows"] == last["rows"]
            rows = str(last["rows"]) if is_alike else f"{first['rows']} > {last['rows']}"
            growth = f"{last['cpu'] / max(first['cpu'], 0.01):8.2f}" if is_alike else f"{'-':>8}"
            print(f"{name:34}{rows:>9}{last['queries']:8}{cells}{growth}")


if __name__ == "__main__":
    sys.exit(main())
