"""Who may work on a job: one worker at a time, by a lease with a token. A worker that lost its lease writes nothing."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from orders.models import BulkItem, BulkJob

State = BulkJob.State
LEASE = timedelta(seconds=60)  # far longer than a chunk takes; a killed worker's job goes on after it
MOST_ATTEMPTS = 5  # turns in a row that got nowhere


class LeaseLost(Exception):
    """Another worker has the job: whatever this one was about to write must not be written."""


class Refused(Exception):
    """The job as a whole can't be done; the text says why, safe to show."""


@dataclass
class Claim:
    """The right to work on a job for a while."""

    job: BulkJob
    token: str

    def look(self) -> BulkJob:
        """The job as it is now. Raises LeaseLost."""
        job = BulkJob.objects.select_related("actor", "undoes").filter(pk=self.job.pk, state=State.RUNNING, lease_token=self.token).first()
        if job is None:
            raise LeaseLost
        self.job = job
        return job

    def extend(self, done: int) -> None:
        """Within the transaction that writes: `done` more orders are dealt with, the lease goes on. Raises LeaseLost, so rolls back."""
        self._write(done=F("done") + done, lease_until=timezone.now() + LEASE, attempts=0)

    def show(self, done: int, *, lease: timedelta = LEASE) -> None:
        """How far a file is that would begin anew if this worker died: the lease goes on, the attempt counts. Raises LeaseLost."""
        self._write(done=done, lease_until=timezone.now() + lease)

    def give_back(self) -> None:
        """The turn is over, the job is not."""
        self._write(lease_until=timezone.now() - timedelta(seconds=1))

    def end(self, state: str, *, error: str = "", **values: object) -> None:
        """The job is over. Raises LeaseLost."""
        self._write(state=state, error=error[:400], finished_at=timezone.now(), lease_until=None, lease_token="", **values)

    def refuse(self, reason: str) -> None:
        """The job can't be done: every order that waits is left out with the reason."""
        self.job.items.filter(state=BulkItem.State.WAITING).update(state=BulkItem.State.REFUSED, message=reason[:400])
        self.end(State.FAILED, error=reason)

    def _write(self, **values: object) -> None:
        mine = BulkJob.objects.filter(pk=self.job.pk, state=State.RUNNING, lease_token=self.token)
        if not mine.update(**values):
            raise LeaseLost


def claim_job(job_id: int, now: datetime | None = None) -> Claim | None:
    """Take the job, if it waits for somebody. One that got nowhere several times in a row is given up, with its reason."""
    now = now or timezone.now()
    token = uuid.uuid4().hex
    free = BulkJob.objects.filter(Q(state=State.QUEUED) | Q(state=State.RUNNING, lease_until__lt=now), pk=job_id)
    if not free.update(
        state=State.RUNNING,
        lease_token=token,
        lease_until=now + LEASE,
        started_at=Coalesce(F("started_at"), now),
        attempts=F("attempts") + 1,
    ):
        return None
    claim = Claim(BulkJob.objects.select_related("actor", "undoes").get(pk=job_id), token)
    if claim.job.attempts > MOST_ATTEMPTS:
        with override(claim.job.language or None):
            claim.refuse(
                _("The work was cut off %(count)d times without getting further. Tell whoever runs the server.") % {"count": MOST_ATTEMPTS}
            )
        return None
    return claim
