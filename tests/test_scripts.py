"""The two commands as somebody at a terminal meets them: what they write, say, start, start again and stop."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from importlib import util
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parent.parent
SUPERVISOR = ROOT / "script" / "supervise.py"


def server(test):
    """A test that starts the whole thing: slow, and all of them in one process, which sets the shop up once."""
    return pytest.mark.slow(pytest.mark.xdist_group("server")(test))


@pytest.fixture
def supervise():
    spec = util.spec_from_file_location("supervise", SUPERVISOR)
    module = util.module_from_spec(spec)
    sys.modules["supervise"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["supervise"]


def surroundings(tmp_path, **values):
    left_out = {"DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "SITE_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_CURRENT_TEST"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {"SECRET_KEY": "for tests only", "VAR_DIR": str(tmp_path / "var"), "PYTHONUNBUFFERED": "1"} | values


def test_the_first_start_writes_a_secret_that_only_its_owner_reads(supervise, tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "ROOT", tmp_path)
    monkeypatch.delenv("SECRET_KEY")
    supervise.write_env_file()
    written = (tmp_path / ".env").read_text()
    assert len(re.search("^SECRET_KEY=(.+)$", written, re.MULTILINE)[1]) >= 50
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    supervise.write_env_file()
    assert (tmp_path / ".env").read_text() == written


def test_no_secret_is_written_beside_one_from_the_environment(supervise, tmp_path, monkeypatch):
    monkeypatch.setattr(supervise, "ROOT", tmp_path)
    monkeypatch.setenv("SECRET_KEY", "from elsewhere")
    supervise.write_env_file()
    assert list(tmp_path.iterdir()) == []


def test_what_dies_again_and_again_is_started_with_growing_pauses(supervise):
    child = supervise.Child("worker", [])
    child.started = time.monotonic()
    assert [child.plan_restart() for _time in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    child.started = time.monotonic() - 61
    assert child.plan_restart() == 2


def test_a_taken_port_is_named_together_with_a_free_one(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, SUPERVISOR, "--port", str(port)], env=surroundings(tmp_path), capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 1
    assert re.fullmatch(rf"Port {port} is taken\. Stop what uses it, or choose another: script/server --port \d+\n", done.stdout)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SITE_URL", "office.example.com", "SITE_URL is 'office.example.com'; it must be an address that begins with http:// or https://"),
        ("DATABASE_URL", "mysql://me:secret@host/shop", "DATABASE_URL is 'mysql'; it must be postgres://user:password@host:5432/name"),
        ("CELERY_BROKER_URL", "memory://", "CELERY_BROKER_URL is 'memory'; it must be redis://host:6379/0 or filesystem://"),
        ("EMAIL_URL", "mail.example.com", "Invalid email schema"),
        ("DEBUG", "perhaps", "DEBUG is 'perhaps'; it must be 1 or 0"),
    ],
)
def test_an_odd_setting_stops_the_start_and_says_what_is_wanted(tmp_path, name, value, said):
    done = subprocess.run(
        [sys.executable, SUPERVISOR], env=surroundings(tmp_path, **{name: value}), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert said in done.stdout
    assert "secret" not in done.stdout + done.stderr


def _children_of(pid):
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                words = (folder / "cmdline").read_text().split("\0")
                # Between fork and exec a child still has its parent's words.
                found |= {role: int(folder.name) for role in ("gunicorn", "back-office", "paper", "beat") if role in words}
    return found


def _wait_for(claim, seconds=180):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := claim():
            return value
        time.sleep(0.2)
    pytest.fail(f"waited {seconds} s in vain")
    return None


@pytest.fixture(scope="module")
def first_start(tmp_path_factory):
    """An empty shop that was set up, served and stopped: what was said, and its folder."""
    home = tmp_path_factory.mktemp("shop")
    with start(home) as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 0
    return SimpleNamespace(said=server.said(), port=server.port, home=home)


@pytest.fixture
def running(first_start):
    with start(first_start.home) as server:
        yield server


@contextlib.contextmanager
def start(home):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    said = home / f"said-{port}"
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, SUPERVISOR, "--port", str(port), "--empty"], env=surroundings(home), stdout=file, stderr=subprocess.STDOUT
        )

    def health():
        web = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        web.request("GET", "/healthz")
        return json.loads(web.getresponse().read())

    _wait_for(lambda: "is ready" in said.read_text() or process.poll() is not None)
    try:
        yield SimpleNamespace(process=process, port=port, said=said.read_text, health=health, var=home / "var")
    finally:
        process.terminate()
        process.wait(60)


@server
def test_the_first_start_says_what_it_does_the_password_and_the_address(first_start):
    said = re.sub(r"(?<=Password     )\S{16}$", "(random)", first_start.said, flags=re.MULTILINE)
    assert said.split("\n")[:11] == [
        "Preparing the database",
        "Preparing the pages",
        "",
        "  Sign in as   owner",
        "  Password     (random)",
        "  (shown once; manage.py changepassword owner sets another)",
        "",
        "",
        f"  The back office is ready:  http://127.0.0.1:{first_start.port}/",
        "  Ctrl-C stops it.",
        "",
    ]


@server
def test_a_later_start_keeps_the_owner_and_stops_whole(running):
    assert "Password" not in running.said()
    children = _wait_for(lambda: len(found := _children_of(running.process.pid)) == 4 and found)
    _wait_for(lambda: running.health()["status"] == "ok")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(30) == 0
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]


@server
def test_a_killed_worker_comes_back_and_finds_its_rings_in_the_queue(running):
    first = _wait_for(lambda: _children_of(running.process.pid).get("back-office"))
    _wait_for(lambda: (running.var / "heartbeat").exists())
    os.kill(first, signal.SIGKILL)
    _wait_for(lambda: _children_of(running.process.pid).get("back-office") not in {None, first})
    assert "The worker ended with status -9; starting it again in 2 s." in running.said()
    (running.var / "heartbeat").unlink()
    # A beat, not only the worker's greeting: what the clock rings travels through the files of the queue.
    _wait_for(lambda: (running.var / "heartbeat").exists())
    then = (running.var / "heartbeat").stat().st_mtime
    _wait_for(lambda: (running.var / "heartbeat").stat().st_mtime > then)


@server
def test_when_the_web_process_dies_the_rest_stops_with_an_error(running):
    children = _wait_for(lambda: len(found := _children_of(running.process.pid)) == 4 and found)
    os.kill(children["gunicorn"], signal.SIGKILL)
    assert running.process.wait(30) != 0
    assert "The web process ended with status -9; stopping the rest." in running.said()
    assert not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()]


@server
def test_nothing_outlives_a_supervisor_that_was_killed(running):
    children = _wait_for(lambda: len(found := _children_of(running.process.pid)) == 4 and found)
    running.process.kill()
    running.process.wait()
    _wait_for(lambda: not [pid for pid in children.values() if Path(f"/proc/{pid}").exists()], 30)
