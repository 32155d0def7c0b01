"""manage.py seed_demo: fills an empty shop with a believable one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders.errors import OrderError
from orders.seeding.planting import seed_demo


class Command(BaseCommand):
    help = (
        "Fill an empty shop with a demo: articles, customers, orders of 60 days (more than 1000: of three years)."
        " Its mails are kept, its invoices are tests."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--orders", type=int, default=60, help="how many orders (default 60)")
        parser.add_argument("--seed", type=int, default=1, help="another seed gives another shop (default 1)")

    def handle(self, *, orders: int, seed: int, **_options: Any) -> None:
        if not 1 <= orders <= 2_000_000:
            raise CommandError("--orders takes 1 to 2000000.")
        try:
            planted = seed_demo(orders=orders, seed=seed)
        except OrderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{planted.orders} orders, {planted.changes} later changes, {planted.drafts} drafts and carts.")
