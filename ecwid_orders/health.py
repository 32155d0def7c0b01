"""How the installation feels: database, worker, broker, disk, oldest mail. Answers `/healthz` and the note on the pages."""

import shutil
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import KombuError

HEARTBEAT = settings.VAR_DIR / "heartbeat"
PAPER_HEARTBEAT = settings.VAR_DIR / "heartbeat-paper"
HEARTBEATS = {"back-office": HEARTBEAT, "paper": PAPER_HEARTBEAT}  # by queue
SILENT_SECONDS = 45  # four missed beats
PAPER_SILENT_SECONDS = 600  # it beats between files, and a pile of them takes minutes
MAIL_MINUTES = 15
DISK_BYTES = 200 * 1024 * 1024


def note_heartbeat(heartbeat: Path) -> None:
    """Called by a worker when it starts and every ten seconds."""
    heartbeat.parent.mkdir(parents=True, exist_ok=True)
    heartbeat.touch()


def worker_is_silent() -> bool:
    """Whether no worker has given a sign of life for a while: mails and documents wait then, nothing is lost."""
    return _is_old(HEARTBEAT, SILENT_SECONDS) or _is_old(PAPER_HEARTBEAT, PAPER_SILENT_SECONDS)


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 with "ok" or "degraded" and the parts; 503 with "down" when the database does not answer."""
    parts = {"worker": "silent" if worker_is_silent() else "ok", "broker": _broker(), "disk": _disk()}
    try:
        parts["mail"] = _mail()
        parts["database"] = "ok"
    except Error:
        connection.close()  # a broken connection is not kept for the next request
        parts["database"] = "unreachable"
    down = parts["database"] != "ok"
    status = "down" if down else "ok" if all(value == "ok" for value in parts.values()) else "degraded"
    return JsonResponse({"status": status, **parts}, status=503 if down else 200)


def _is_old(heartbeat: Path, seconds: int) -> bool:
    try:
        return time.time() - heartbeat.stat().st_mtime > seconds
    except OSError:
        return True


def _mail() -> str:
    mail: Any = apps.get_model("notifications", "OutgoingEmail")
    late = timezone.now() - timedelta(minutes=MAIL_MINUTES)
    waiting = mail.objects.filter(state__in=["held", "queued", "sending", "failed"], release_at__lt=late)
    oldest = waiting.order_by("release_at").values_list("release_at", flat=True).first()
    return "ok" if oldest is None else f"oldest unsent since {oldest:%Y-%m-%d %H:%M} UTC"


def _broker() -> str:
    with current_app.connection_for_write() as broker:
        failures: tuple[type[BaseException], ...] = (KombuError, OSError, *broker.connection_errors)
        try:
            channel: Any = broker.default_channel
            channel.close()
        except failures:
            return "unreachable"
    return "ok"


def _disk() -> str:
    folder = settings.VAR_DIR if settings.VAR_DIR.exists() else settings.BASE_DIR
    return "ok" if shutil.disk_usage(folder).free > DISK_BYTES else "nearly full"
