"""Prepares the installation, then keeps the web process, a worker and beat running until Ctrl-C or the end of the web process."""

import argparse
import ctypes
import hashlib
import http.client
import io
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
STOP_SECONDS = 20
LONGEST_PAUSE = 60


def main() -> int:
    options = read_options()
    os.chdir(ROOT)
    write_env_file()
    if options.port:
        os.environ["PORT"] = str(options.port)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecwid_orders.settings")
    sys.path.insert(0, str(ROOT))
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        listen, port = settings.LISTEN, settings.PORT
    except (ImproperlyConfigured, ValueError) as error:
        print(error)
        return 1
    if not is_free(listen, port):
        other = next((number for number in range(port + 1, min(port + 100, 65536)) if is_free(listen, number)), 8000)
        print(f"Port {port} is taken. Stop what uses it, or choose another: script/server --port {other}")
        return 1
    if not prepare(options):
        return 1
    return run(listen, port, settings.SITE_URL)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/server")
    parser.add_argument("--port", type=int, choices=range(1, 65536), metavar="N")
    parser.add_argument("--empty", action="store_true")
    parser.add_argument("--demo", action="store_true")
    return parser.parse_args()


def write_env_file() -> None:
    env = ROOT / ".env"
    if env.exists() or os.environ.get("SECRET_KEY"):
        return
    with os.fdopen(os.open(env, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(
            f"# Written at the first start; .env.example lists everything that can stand here.\nSECRET_KEY={secrets.token_urlsafe(50)}\n"
        )


def is_free(listen: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in listen else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listen.strip("[]"), port))
        except OSError:
            return False
    return True


def prepare(options: argparse.Namespace) -> bool:
    """Bring database, static files, the owner and the demo shop to where they should be. One process: Django starts once."""
    import django
    from django.core.management import CommandError, call_command

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import DatabaseError, connection

    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        call_command("check", stdout=io.StringIO())  # what is wrong or missing goes to stderr
        print("Preparing the database", flush=True)
        call_command("migrate", interactive=False, verbosity=0)
        print("Preparing the pages", flush=True)
        collect_pages()
        from orders.models import Order, Product

        is_new = not Order.objects.exists() and not Product.objects.exists()
        wants_demo = options.demo or (connection.vendor == "sqlite" and not options.empty and not get_user_model().objects.exists())
        if is_new and wants_demo:
            print("Filling the demo shop", flush=True)
            call_command("seed_demo")
        elif options.demo:
            print("The database holds orders or products already: the demo shop was left out.")
        make_owner()
        declare_queues()
    except DatabaseError as error:
        print(f"The database does not answer: {error}".strip())
        return False
    except CommandError as error:
        print(error)
        return False
    return True


def collect_pages() -> None:
    """Collect and compress the static files. Takes ten seconds, so it is left out while no file changed."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    mark = Path(settings.VAR_DIR) / "static-made-from"
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    if manifest.exists() and mark.exists() and mark.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(digest.hexdigest())


def declare_queues() -> None:
    """Bind the queues of a broker of files before anybody reads the bindings: two workers that start together would collide."""
    from django.conf import settings

    from ecwid_orders.celery import app

    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        with app.connection_for_write() as broker:
            for name in ("back-office", "paper"):
                app.amqp.queues[name].bind(broker.default_channel).declare()


def make_owner() -> None:
    from django.contrib.auth import get_user_model

    from orders.models import Role

    user = get_user_model()
    if user.objects.filter(is_superuser=True).exists():
        return
    password = secrets.token_urlsafe(12)
    owner = user.objects.create_superuser("owner", "owner@example.com", password)
    owner.groups.add(Role.objects.get(code="owner").group)
    print(f"\n  Sign in as   owner\n  Password     {password}\n  (shown once; manage.py changepassword owner sets another)\n", flush=True)


@dataclass
class Child:
    """A process of the back office: the first is the web, the others are started again with growing pauses when they die."""

    name: str
    command: list[str]
    process: subprocess.Popen | None = None
    failures: int = 0
    next_start: float = 0.0
    started: float = field(default=0.0)

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches only the supervisor, which stops the children in order.
        self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=die_with_parent)
        self.started = time.monotonic()

    def poll(self) -> int | None:
        return self.process.poll() if self.process else None

    def plan_restart(self) -> float:
        if time.monotonic() - self.started > LONGEST_PAUSE:
            self.failures = 0
        self.failures += 1
        pause = min(2**self.failures, LONGEST_PAUSE)
        self.process, self.next_start = None, time.monotonic() + pause
        return pause


def die_with_parent() -> None:
    """Linux ends the child when the supervisor is killed outright: nothing keeps the port or sends mails behind its back."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def children(listen: str, port: int) -> list[Child]:
    celery = [PYTHON, "-m", "celery", "-q", "-A", "ecwid_orders"]
    web = [
        PYTHON, "-m", "gunicorn", "ecwid_orders.wsgi:application",
        "--bind", f"{listen}:{port}", "--workers", "2", "--threads", "4", "--timeout", "120", "--log-level", "warning",
        "--worker-tmp-dir", "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp",
    ]  # fmt: skip
    worker = [*celery, "worker", "--loglevel", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    mails = [*worker, "--queues", "back-office", "--hostname", "mails@%h", "--concurrency", "2"]
    # Every file is made in a child process of its own with limits of time and memory: no pool needed around it.
    paper = [*worker, "--queues", "paper", "--hostname", "paper@%h", "--pool", "solo"]
    beat = [*celery, "beat", "--loglevel", "warning", "--pidfile", ""]
    return [Child("web", web), Child("worker", mails), Child("worker for documents", paper), Child("clock", beat)]


def run(listen: str, port: int, address: str) -> int:
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    everyone = children(listen, port)
    web = everyone[0]
    for child in everyone:
        child.start()
    announced = False
    while not stopping:
        if web.poll() is not None:
            print(f"The web process ended with status {web.poll()}; stopping the rest.", flush=True)
            stop_all(everyone)
            return web.poll() or 1
        if not announced and answers(listen, port):
            announced = True
            print(f"\n  The back office is ready:  {address}/\n  Ctrl-C stops it.\n", flush=True)
        for child in everyone[1:]:
            if child.process is not None and child.poll() is not None:
                status = child.poll()
                print(f"The {child.name} ended with status {status}; starting it again in {child.plan_restart():.0f} s.", flush=True)
            elif child.process is None and time.monotonic() >= child.next_start:
                child.start()
        time.sleep(0.2)
    print("Stopping", flush=True)
    stop_all(everyone)
    return 0


def answers(listen: str, port: int) -> bool:
    """Whether pages are served; any answer will do, the parts that are still missing say so themselves."""
    host = {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(listen, listen.strip("[]"))
    web = http.client.HTTPConnection(host, port, timeout=0.5)
    try:
        web.request("GET", "/healthz", headers={"Host": "localhost"})
        web.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        web.close()
    return True


def stop_all(everyone: list[Child]) -> None:
    """SIGTERM to all (a worker finishes the mail in hand), SIGKILL to whoever is still there after a while."""
    for child in everyone:
        if child.process and child.poll() is None:
            child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in everyone:
        if child.process:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
