"""Beat's scheduler: it rings, and stops ringing where nobody empties the queue or no broker answers."""

import logging
from typing import Any

from celery.beat import PersistentScheduler
from kombu.exceptions import KombuError

logger = logging.getLogger(__name__)

FULL_QUEUE = 500


class PatientScheduler(PersistentScheduler):
    """The rows are the record: a ring that is left out loses nothing, the next one finds what waits.

    Without a worker the queue would grow for as long as beat runs; without a broker every ring would log a page of traces.
    """

    is_cut_off = False

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        failures: tuple[type[BaseException], ...] = (KombuError, OSError, *self.connection.connection_errors)
        try:
            if self.is_full(entry.options.get("queue", self.app.conf.task_default_queue)):
                return None
            sent = super().apply_async(entry, *args, **kwargs)
        except failures as error:
            if not self.is_cut_off:
                logger.warning("The broker does not answer (%s); ringing goes on when it is back.", error)
            self.is_cut_off = True
            return None
        if self.is_cut_off:
            logger.warning("The broker answers again.")
        self.is_cut_off = False
        return sent

    def is_full(self, queue: str) -> bool:
        channel: Any = self.connection.default_channel
        return channel.queue_declare(queue=queue, durable=True).message_count >= FULL_QUEUE
