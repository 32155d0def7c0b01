"""The outbox: every mail is a row with its exact body, from the click to the mail server's answer."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications.kinds import Kind
from orders.models import Draft, Order, OrderEvent


class OutgoingEmail(models.Model):
    """One mail to one recipient. Rendered when it is queued: later edits of texts or orders can't change it."""

    class State(models.TextChoices):
        HELD = "held", _("waits")
        QUEUED = "queued", _("ready to go")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("tried again soon")
        DEAD = "dead", _("not deliverable")
        CANCELLED = "cancelled", _("stopped")
        SUPPRESSED = "suppressed", _("not wanted")

    class Audience(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        STAFF = "staff", _("staff")

    kind = models.CharField(_("mail"), max_length=30, choices=Kind)
    text_name = models.CharField(max_length=30)
    template_version = models.PositiveIntegerField(default=0, help_text=_("0: the built-in text."))
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, blank=True, related_name="mails", verbose_name=_("order"))
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, null=True, blank=True, related_name="mails")
    event = models.ForeignKey(OrderEvent, on_delete=models.CASCADE, null=True, blank=True, related_name="mails")
    audience = models.CharField(_("to"), max_length=10, choices=Audience)
    recipient = models.CharField(_("recipient"), max_length=254)
    recipient_name = models.CharField(max_length=200, blank=True)
    reply_to = models.CharField(max_length=254, blank=True)
    language = models.CharField(_("language"), max_length=10)
    dedupe_key = models.CharField(max_length=300, unique=True)
    message_id = models.CharField(max_length=200, unique=True)
    in_reply_to = models.CharField(max_length=200, blank=True)
    unsubscribe_url = models.CharField(max_length=400, blank=True)
    subject = models.CharField(_("subject"), max_length=500)
    html = models.TextField()
    text = models.TextField()
    attachments = models.JSONField(default=list, blank=True)
    personal_word = models.TextField(blank=True)
    about = models.CharField(max_length=200, blank=True, help_text=_("What the mail names once, such as a tracking number."))
    known_before = models.JSONField(default=dict, blank=True)

    state = models.CharField(_("state"), max_length=10, choices=State)
    release_at = models.DateTimeField(_("goes at"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.CharField(max_length=36, blank=True)
    handoff_at = models.DateTimeField(null=True, blank=True)
    ambiguous = models.BooleanField(default=False)
    is_kept = models.BooleanField(default=False)
    last_code = models.PositiveSmallIntegerField(null=True, blank=True)
    last_error = models.CharField(_("answer"), max_length=500, blank=True)
    cancelled_reason = models.CharField(max_length=300, blank=True)
    cancelled_by = models.ForeignKey(OrderEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="stopped_mails")
    resend_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="resends")
    created_at = models.DateTimeField(_("written"), db_index=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mail")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("send_outgoingemail", _("Can send, stop and repeat mails"))]
        indexes = [
            models.Index(fields=["next_at", "id"], condition=Q(state__in=["queued", "failed"]), name="mail_to_send"),
            models.Index(fields=["release_at"], condition=Q(state="held"), name="mail_to_release"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="mail_being_sent"),
            models.Index(fields=["order", "recipient", "id"], name="mail_of_order"),
            models.Index(fields=["state", "-id"], name="mail_by_state"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def waits_for_document(self) -> bool:
        """Whether an attachment is not there yet; the mail goes when it is."""
        return any("document" not in row and "quote" not in row for row in self.attachments)

    @property
    def can_be_stopped(self) -> bool:
        return self.state in (self.State.HELD, self.State.QUEUED, self.State.FAILED)


class DeliveryAttempt(models.Model):
    """What the mail server answered, append-only."""

    class Result(models.TextChoices):
        SENT = "sent", _("accepted")
        KEPT = "kept", _("kept here, not sent out")
        REFUSED = "refused", _("refused")
        FAILED = "failed", _("failed")
        LOST = "lost", _("interrupted")

    mail = models.ForeignKey(OutgoingEmail, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField()
    result = models.CharField(max_length=10, choices=Result)
    code = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.get_result_display())


class DeliveryAccount(models.Model):
    """The way to the mail server. While its breaker is open nothing is tried and no mail loses an attempt."""

    name = models.CharField(primary_key=True, max_length=20, default="default")
    open_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("mail server")
        verbose_name_plural = _("mail servers")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "DeliveryAccount":
        return cls.objects.get_or_create(name="default")[0]
