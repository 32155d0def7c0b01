"""Checks every issued document: numbers, dates, hashes, sums, files."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from invoices.integrity import verify
from invoices.triggers import missing_triggers


class Command(BaseCommand):
    help = "Checks issued invoices and credit notes: no hole in a series, dates, linked hashes, sums, stored files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first day of issue, such as 2026-01-01")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day of issue")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit status 1 and a list of numbers where something is wrong."""
        problems = [f"the database trigger {name} is missing" for name in missing_triggers(connection)]
        problems += verify(options["first"], options["last"])
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} problems found")
        self.stdout.write("All documents are as they were issued.")
