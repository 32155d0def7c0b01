"""System checks: what would only show later, said at the start."""

import ctypes.util
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

PANGO_LINE = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"


@register()
def check_paths(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Every planner, check and seeder that the settings name can be imported."""
    found: list[CheckMessage] = []
    for name in ("CONSEQUENCE_PLANNERS", "STOCK_WATCHERS", "INTEGRITY_CHECKS", "DEMO_SEEDERS", "DEMO_SWEEPS"):
        for path in getattr(settings, name):
            try:
                import_string(path)
            except ImportError as error:
                found.append(Error(f"{name} names {path}, which can't be imported: {error}", id="backoffice.E001"))
    return found


@register()
def check_pango(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """PDF needs Pango; everything else works without."""
    if ctypes.util.find_library("pango-1.0") and ctypes.util.find_library("pangoft2-1.0"):
        return []
    return [Warning("PDF documents can't be made: Pango is missing.", hint=PANGO_LINE, id="backoffice.W001")]
