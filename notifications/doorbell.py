"""Wakes the worker after a commit. Best effort and quick: with a dead broker clicks stay fast, the sweep finds the mails."""

import logging
import time

logger = logging.getLogger(__name__)

QUIET_SECONDS = 30.0
_quiet_until = 0.0


def ring() -> None:
    """Ask for delivery now. Never raises; after a failure it is not tried again for half a minute."""
    global _quiet_until
    if time.monotonic() < _quiet_until:
        return
    from notifications.tasks import deliver_due  # noqa: PLC0415 (tasks import what rings)

    try:
        deliver_due.apply_async(retry=False)
    except Exception as error:  # noqa: BLE001 (whatever the broker says, the change is committed and the sweep follows)
        _quiet_until = time.monotonic() + QUIET_SECONDS
        logger.warning("the worker could not be woken: %s", type(error).__name__)
