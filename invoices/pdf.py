"""HTML to PDF. The only module that knows WeasyPrint, imported on first use; knows nothing of Django, so that the child starts fast.

Built as PDF/A-3b, tagged. Nothing is fetched but what the caller hands over: fonts of ours, the logo's bytes, small data images.
"""

import atexit
import base64
import gc
import json
import logging
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoices.errors import PdfUnavailable, RenderFailed

HERE = Path(__file__).parent
MEMORY = 512 * 1024 * 1024
SECONDS = 60
LARGEST_DATA = 700_000
HOW_TO_GET_PANGO = "apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_NO_PANGO = 3  # exit status of the child
_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|svg\+xml)[;,]")
_one_at_a_time = threading.Lock()  # FontConfiguration and the parsed style are shared by the threads of a process


@dataclass(frozen=True)
class Job:
    """A page to be printed. `assets` maps the name after "asset:" to (media type, bytes)."""

    html: str
    is_letter: bool = False
    identifier: str = ""  # fixed: the same page gives the same bytes
    assets: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)

    def as_json(self) -> bytes:
        assets = {name: [kind, base64.b64encode(content).decode()] for name, (kind, content) in self.assets.items()}
        return json.dumps({"html": self.html, "is_letter": self.is_letter, "identifier": self.identifier, "assets": assets}).encode()

    @classmethod
    def from_json(cls, body: bytes) -> "Job":
        values = json.loads(body)
        assets = {name: (kind, base64.b64decode(content)) for name, (kind, content) in values.pop("assets").items()}
        return cls(assets=assets, **values)


def is_available() -> bool:
    """Whether PDF can be made here."""
    try:
        _weasyprint()
    except PdfUnavailable:
        return False
    return True


def print_here(job: Job) -> bytes:
    """Lay out in this process: for pages made on demand. Raises PdfUnavailable, RenderFailed."""
    weasyprint = _weasyprint()
    with _one_at_a_time:
        fonts, styles = _fonts_and_styles(job.is_letter)
        fetcher = _fetcher(job.assets)
        collecting = gc.isenabled()
        gc.disable()  # a fifth of the time otherwise
        try:
            pdf = weasyprint.HTML(string=job.html, base_url="asset:", url_fetcher=fetcher).write_pdf(
                stylesheets=styles,
                font_config=fonts,
                pdf_variant="pdf/a-3b",
                pdf_tags=True,
                pdf_identifier=job.identifier.encode() or None,
            )
        except Exception as error:
            raise RenderFailed(f"{type(error).__name__}: {error}") from error
        finally:
            if collecting:
                gc.enable()
    assert pdf is not None
    return pdf


def print_apart(job: Job) -> bytes:
    """Lay out in a child process that may take 60 s and 512 MB: for what is stored, and for long pages.

    Raises PdfUnavailable, RenderFailed.
    """
    printed = _in_child([], job.as_json())
    if not printed.startswith(b"%PDF"):
        raise RenderFailed("the printing process gave no PDF")
    return printed


def print_all_apart(jobs: Sequence[Job]) -> list[bytes | str]:
    """Lay out a handful of pages in one child process with the same limits; a page that fails gives its reason instead of bytes.

    Raises PdfUnavailable, and RenderFailed where the child as a whole failed.
    """
    body = json.dumps([job.as_json().decode() for job in jobs]).encode()
    printed = json.loads(_in_child(["--several"], body))
    return [base64.b64decode(page["pdf"]) if "pdf" in page else str(page["error"]) for page in printed]


def _in_child(options: list[str], body: bytes) -> bytes:
    try:
        child = subprocess.run(  # noqa: S603 (our own module, with options of ours)
            [sys.executable, "-m", "invoices.pdf", *options],
            input=body,
            capture_output=True,
            timeout=SECONDS + 10,
            cwd=HERE.parent,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderFailed(f"took longer than {SECONDS} s") from error
    if child.returncode == _NO_PANGO:
        raise PdfUnavailable(HOW_TO_GET_PANGO)
    if child.returncode or not child.stdout:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        raise RenderFailed(said[-1] if said else f"the printing process ended with status {child.returncode}")
    return child.stdout


def _weasyprint() -> Any:
    for chatty in ("weasyprint.progress", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        import weasyprint  # noqa: PLC0415 (half a second, and fails where Pango is missing)
    except OSError as error:
        raise PdfUnavailable(HOW_TO_GET_PANGO) from error
    return weasyprint


_kept: dict[bool, tuple[Any, list[Any]]] = {}
atexit.register(_kept.clear)  # fonts remove their temporary files, which needs a living interpreter


def _fonts_and_styles(is_letter: bool) -> tuple[Any, list[Any]]:
    """Fonts and parsed styles, kept per process: two thirds of the time of a page otherwise."""
    if is_letter not in _kept:
        weasyprint = _weasyprint()
        from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415 (as above)

        fonts = FontConfiguration()
        names = ["print.css", "print-letter.css"] if is_letter else ["print.css"]
        fetcher = _fetcher({})
        styles = [
            weasyprint.CSS(string=(HERE / name).read_text(), base_url="asset:", url_fetcher=fetcher, font_config=fonts) for name in names
        ]
        _kept[is_letter] = (fonts, styles)
    return _kept[is_letter]


def _fetcher(assets: Mapping[str, tuple[str, bytes]]) -> Any:
    """Hands out the assets of one page and the fonts; refuses every other address."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415 (as above)

    class AssetFetcher(URLFetcher):
        def fetch(self, url: str, headers: Any = None) -> Any:
            if _DATA_IMAGE.match(url) and len(url) <= LARGEST_DATA:
                return super().fetch(url, headers)
            name = url.removeprefix("asset:") if url.startswith("asset:") else ""
            if name in assets:
                kind, content = assets[name]
                return URLFetcherResponse(url, content, {"Content-Type": kind})
            font = HERE / "fonts" / name.removeprefix("fonts/")
            if re.fullmatch(r"fonts/[A-Za-z-]+\.woff2", name) and font.is_file():
                return URLFetcherResponse(url, font.read_bytes(), {"Content-Type": "font/woff2"})
            raise ValueError(f"not fetched: {url[:80]}")

    return AssetFetcher(allowed_protocols=("asset", "data"), allow_redirects=False)


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    body = sys.stdin.buffer.read()
    try:
        pdf = json.dumps([_page_or_reason(page) for page in json.loads(body)]).encode() if "--several" in sys.argv else _print(body)
    except PdfUnavailable:
        return _NO_PANGO
    except RenderFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(pdf)
    return 0


def _print(body: bytes | str) -> bytes:
    return print_here(Job.from_json(body if isinstance(body, bytes) else body.encode()))


def _page_or_reason(page: str) -> dict[str, str]:
    try:
        return {"pdf": base64.b64encode(_print(page)).decode()}
    except RenderFailed as error:
        return {"error": str(error)}


if __name__ == "__main__":
    sys.exit(_main())
