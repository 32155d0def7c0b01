"""How the installation feels: database, worker, broker, disk, oldest mail. Answers `/healthz` and the note on the pages."""

import shutil
import time
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

HEARTBEAT = settings.VAR_DIR / "heartbeat"
SILENT_SECONDS = 45  # four missed beats
MAIL_MINUTES = 15
DISK_BYTES = 200 * 1024 * 1024


def note_heartbeat() -> None:
    """Called by the worker every ten seconds."""
    HEARTBEAT.parent.mkdir(parents=True, exist_ok=True)
    HEARTBEAT.touch()


def worker_is_silent() -> bool:
    """Whether no worker has given a sign of life for a while: mails and documents wait then, nothing is lost."""
    try:
        return time.time() - HEARTBEAT.stat().st_mtime > SILENT_SECONDS
    except OSError:
        return True


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 with "ok" or "degraded" and the parts; 503 with "down" when the database does not answer."""
    parts = {"database": _database(), "worker": "silent" if worker_is_silent() else "ok", "disk": _disk()}
    if parts["database"] == "ok":
        parts["mail"] = _mail()
    down = parts["database"] != "ok"
    status = "down" if down else "ok" if all(value == "ok" for value in parts.values()) else "degraded"
    return JsonResponse({"status": status, **parts}, status=503 if down else 200)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _mail() -> str:
    mail: Any = apps.get_model("notifications", "OutgoingEmail")
    late = timezone.now() - timedelta(minutes=MAIL_MINUTES)
    oldest = mail.objects.filter(state__in=["queued", "failed"], created_at__lt=late).order_by("created_at").first()
    return "ok" if oldest is None else f"oldest unsent since {oldest.created_at:%Y-%m-%d %H:%M} UTC"


def _disk() -> str:
    return (
        "ok" if shutil.disk_usage(settings.VAR_DIR if settings.VAR_DIR.exists() else settings.BASE_DIR).free > DISK_BYTES else "nearly full"
    )
