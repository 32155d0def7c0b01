"""A real mail server for tests: accepts, refuses or goes silent as told, and keeps what it took."""

import asyncio
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class Mailbox:
    """Answers per recipient: "250 OK", "451 ...", "550 ..."; `drop` closes the connection after the dot."""

    def __init__(self):
        self.answers, self.data_answers, self.drop, self.taken = {}, {}, set(), []
        self.connections = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        (address,) = envelope.rcpt_tos
        if address in self.data_answers:
            return self.data_answers[address]
        self.taken.append((address, envelope.original_content))
        if address in self.drop:
            server.transport.abort()
            await asyncio.sleep(0)
        return "250 taken"

    @property
    def messages(self):
        return [message_from_bytes(content, policy=policy.default) for _address, content in self.taken]


class Server(Controller):
    def factory(self):
        return SMTP(self.handler, enable_SMTPUTF8=False)


def start_server():
    """A server on a free port with its mailbox."""
    mailbox = Mailbox()
    server = Server(mailbox, hostname="127.0.0.1", port=free_port())
    server.start()
    return server, mailbox


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
