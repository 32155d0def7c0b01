"""manage.py import_ecwid: orders of Ecwid from files and folders."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orders.importers.ecwid.importing import Progress, import_documents
from orders.importers.ecwid.report import Became, Report, Result

BAR = 30


class Command(BaseCommand):
    help = "Import orders in the form of Ecwid's API from files (JSON, JSON lines) and folders. Sends no mail, issues no documents."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file or a folder")
        parser.add_argument("--move-stock", action="store_true", help="let stock follow items whose SKU is exactly one of ours")
        parser.add_argument("--dry-run", action="store_true", help="tell what would happen and keep nothing")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the report as JSON")

    def handle(self, *, paths: list[Path], move_stock: bool, dry_run: bool, as_json: bool, **_options: Any) -> None:
        self.documents = 0
        self.bar = sys.stderr.isatty() and not as_json
        if as_json:
            self.stdout.write('{"documents": [', ending="")
        report = import_documents(
            paths,
            move_stock=move_stock,
            dry_run=dry_run,
            on_progress=self._show_progress if self.bar else None,
            on_result=self._print_json if as_json else self._print_line,
        )
        if as_json:
            counts = json.dumps(report.counts_as_json() | {"dry_run": dry_run})
            self.stdout.write(f"\n], {counts[1:]}")
        else:
            self._print_summary(report)
        if report.has_failures:
            sys.exit(1)

    def _print_json(self, result: Result) -> None:
        self.stdout.write(("," if self.documents else "") + "\n" + json.dumps(result.as_json(), ensure_ascii=False), ending="")
        self.documents += 1

    def _print_line(self, result: Result) -> None:
        """Failures and warnings, one line each; the rest is counted."""
        place = f"{result.source}:{result.position}" if result.position > 1 else result.source
        name = f"{place} (#{result.number})" if result.number else place
        if result.became == Became.FAILED:
            self._clear_bar()
            self.stderr.write(self.style.ERROR(f"{name}: {'; '.join(result.problems)}"))
        for warning in result.warnings:
            self._clear_bar()
            self.stdout.write(self.style.WARNING(f"{name}: {warning}"))

    def _print_summary(self, report: Report) -> None:
        self._clear_bar()
        counts = report.counts_as_json()
        self.stdout.write(", ".join(f"{count} {name}" for name, count in counts.items()))
        if report.is_dry_run:
            self.stdout.write("Nothing was kept: this was a dry run.")

    def _show_progress(self, progress: Progress) -> None:
        share = min(progress.read / progress.size, 1) if progress.size else 0
        filled = "█" * int(share * BAR)
        sys.stderr.write(f"\r{filled:░<{BAR}} {share:4.0%} {progress.documents}")
        sys.stderr.flush()

    def _clear_bar(self) -> None:
        if self.bar:
            sys.stderr.write("\r\x1b[K")
