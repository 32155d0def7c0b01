"""Beat's scheduler: it rings, and stops ringing where nobody empties the queue."""

from typing import Any

from celery.beat import PersistentScheduler

FULL_QUEUE = 500


class PatientScheduler(PersistentScheduler):
    """Without a worker the queue would grow for as long as beat runs. The rows are the record, so a ring that is left out loses nothing."""

    def apply_async(self, entry: Any, *args: Any, **kwargs: Any) -> Any:
        if self.is_full(entry.options.get("queue", self.app.conf.task_default_queue)):
            return None
        return super().apply_async(entry, *args, **kwargs)

    def is_full(self, queue: str) -> bool:
        return self.connection.default_channel.queue_declare(queue=queue, durable=True).message_count >= FULL_QUEUE
