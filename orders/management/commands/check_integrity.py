"""manage.py check_integrity: stock = ledger, totals add up, nothing stuck; exit status 1 and a list when not."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import import_string


class Command(BaseCommand):
    help = "Prove that stock equals the ledger, money adds up, documents are whole and no mail is stuck."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the problems as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        problems = [problem for path in settings.INTEGRITY_CHECKS for problem in import_string(path)()]
        if options["json"]:
            self.stdout.write(json.dumps({"problems": problems}, ensure_ascii=False))
        else:
            for problem in problems:
                self.stdout.write(problem)
            self.stdout.write(f"{len(problems)} problems" if problems else "Everything adds up.")
        if problems:
            sys.exit(1)
