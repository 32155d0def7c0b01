"""Wakes the worker after a commit. Best effort, never in the way: a dead broker costs the click nothing, the sweep finds the mails."""

import logging
import threading
import time

logger = logging.getLogger(__name__)

QUIET_SECONDS = 30.0


class _Bell:
    """One ring at a time, in a thread of its own: a broker that does not answer can take seconds to say so."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.quiet_until = 0.0
        self.is_ringing = False
        self.rings_again = False

    def ring(self) -> None:
        with self.lock:
            if time.monotonic() < self.quiet_until:
                return
            if self.is_ringing:
                # What was just committed may come too late for the ring in flight.
                self.rings_again = True
                return
            self.is_ringing = True
        threading.Thread(target=self._ring, name="doorbell", daemon=True).start()

    def _ring(self) -> None:
        while True:
            answered = _wake_worker()
            with self.lock:
                if not answered:
                    self.quiet_until = time.monotonic() + QUIET_SECONDS
                if not (answered and self.rings_again):
                    self.is_ringing = self.rings_again = False
                    return
                self.rings_again = False


_bell = _Bell()


def ring() -> None:
    """Ask for delivery now. Never raises and never waits; after a failure it is not tried again for half a minute."""
    _bell.ring()


def _wake_worker() -> bool:
    from notifications.tasks import deliver_due  # noqa: PLC0415 (tasks import what rings)

    try:
        deliver_due.apply_async(retry=False)
    except Exception as error:  # noqa: BLE001 (whatever the broker says, the change is committed and the sweep follows)
        logger.warning("the worker could not be woken: %s", type(error).__name__)
        return False
    return True
