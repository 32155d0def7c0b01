#!/usr/bin/env python
"""Run administrative commands of the order back office."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecwid_orders.settings")
    execute_from_command_line(sys.argv)
