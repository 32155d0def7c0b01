"""The line to the mail server: one conversation per mail over one kept connection, and what each answer means."""

import smtplib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.core.mail.message import EmailMultiAlternatives

from notifications.messages import ascii_address, sender_address
from notifications.models import DeliveryAttempt, OutgoingEmail
from orders.models import Shop

CONNECT_SECONDS, COMMAND_SECONDS, DATA_SECONDS = 10, 30, 120
Result = DeliveryAttempt.Result


class KeepingBackend(BaseEmailBackend):
    """No mail server is set: mails stay in the outbox, readable in the back office."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        return len(email_messages)


class AccountDown(Exception):
    """The mail server can't be reached or refuses us as a sender: nobody's mail is to blame."""


@dataclass
class Answer:
    """What became of one attempt. Final: no other attempt helps. Ambiguous: nobody knows whether the server took it."""

    result: DeliveryAttempt.Result
    code: int | None = None
    text: str = ""
    is_final: bool = False
    is_ambiguous: bool = False


@dataclass
class Line:
    """One connection, opened at the first mail and kept for the round."""

    backend: BaseEmailBackend
    is_open: bool = field(default=False)

    @classmethod
    def of(cls, shop: Shop) -> "Line":
        """The line of the settings; a demo shop's mails never leave."""
        backend = KeepingBackend() if shop.is_demo else get_connection()
        if isinstance(backend, SmtpBackend):
            backend.timeout = CONNECT_SECONDS
        return cls(backend)

    def open(self) -> None:
        """Raises AccountDown where the server can't be reached or refuses the password."""
        if self.is_open:
            return
        try:
            self.backend.open()
        except (OSError, smtplib.SMTPException) as error:
            raise AccountDown(told(error)) from error
        self.is_open = True
        self._wait(COMMAND_SECONDS)

    def close(self) -> None:
        self.is_open = False
        try:
            self.backend.close()
        except (OSError, smtplib.SMTPException):
            pass  # it is gone already

    def hand_over(self, mail: OutgoingEmail, message: EmailMessage, mark: Callable[[], bool]) -> Answer | None:
        """Send one message. `mark` is called just before its content goes; where it says no, nothing is sent and None comes back.

        Raises AccountDown where the server refuses the sender.
        """
        smtp = self._smtp
        if smtp is None:
            if not mark():
                return None
            return Answer(Result.KEPT) if isinstance(self.backend, KeepingBackend) else self._through_backend(mail, message)
        try:
            refusal = _address(smtp, mail)
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            return Answer(Result.FAILED, text=told(error))
        if refusal is not None:
            return refusal
        if not mark():
            self._reset(smtp)
            return None
        return self._content(smtp, message)

    @property
    def _smtp(self) -> smtplib.SMTP | None:
        return self.backend.connection if isinstance(self.backend, SmtpBackend) else None

    def _content(self, smtp: smtplib.SMTP, message: EmailMessage) -> Answer:
        self._wait(DATA_SECONDS)
        try:
            code, answer = smtp.data(message.as_bytes())
        except smtplib.SMTPDataError as error:
            code, answer = error.smtp_code, error.smtp_error  # type: ignore[assignment]
        except (OSError, smtplib.SMTPException) as error:
            # The dot may have arrived: nobody knows whether the server took it.
            self.close()
            return Answer(Result.FAILED, text=told(error), is_ambiguous=True)
        self._wait(COMMAND_SECONDS)
        if code == 250:
            return Answer(Result.SENT, code, _text(answer))
        self._reset(smtp)
        return Answer(Result.REFUSED, code, _text(answer), is_final=code >= 500)

    def _through_backend(self, mail: OutgoingEmail, message: EmailMessage) -> Answer:
        """Backends that are no SMTP server (console, files, tests)."""
        copy = EmailMultiAlternatives(mail.subject, mail.text, str(message["From"]), [mail.recipient])
        copy.attach_alternative(mail.html, "text/html")
        copy.extra_headers = {name: str(message[name]) for name in ("Message-ID", "In-Reply-To", "Content-Language") if message[name]}
        try:
            self.backend.send_messages([copy])
        except Exception as error:  # noqa: BLE001 (backends raise what they like)
            return Answer(Result.FAILED, text=told(error), is_ambiguous=True)
        return Answer(Result.SENT)

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (OSError, smtplib.SMTPException):
            self.close()

    def _wait(self, seconds: int) -> None:
        smtp = self._smtp
        if smtp is not None and smtp.sock is not None:
            smtp.sock.settimeout(seconds)


def told(error: BaseException) -> str:
    """An error as the outbox shows it, without secrets: a server's words or the kind of failure."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}"


def _address(smtp: smtplib.SMTP, mail: OutgoingEmail) -> Answer | None:
    """MAIL and RCPT: the refusal of the recipient, or None. Raises AccountDown where the sender is refused."""
    smtp.ehlo_or_helo_if_needed()
    code, answer = smtp.mail(sender_address())
    if code != 250:
        raise AccountDown(f"{code} {_text(answer)}")
    code, answer = smtp.rcpt(ascii_address(mail.recipient))
    if code in (250, 251):
        return None
    smtp.rset()
    return Answer(Result.REFUSED, code, _text(answer), is_final=code >= 500)


def _text(answer: Any) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
