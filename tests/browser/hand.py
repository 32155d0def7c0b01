"""A clerk's hand: clicks, keys and typed letters, counted by the page itself; after the start no address is typed."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

SHOTS = os.environ.get("SHOTS", "")

# Counts what a person does, not what scripts do; kept over the pages of one walk.
COUNTER = """
(() => {
  const add = (what) => {
    let count;
    try { count = JSON.parse(sessionStorage.getItem("hand") || "{}"); } catch { return; } // the sandbox of a mail
    count[what] = (count[what] || 0) + 1;
    sessionStorage.setItem("hand", JSON.stringify(count));
  };
  const takesText = (target) => target.matches?.("textarea, input:not([type=checkbox], [type=radio], [type=submit], [type=button])");
  addEventListener("pointerdown", (event) => { if (event.isTrusted) add("clicks"); }, true);
  addEventListener("keydown", (event) => {
    if (!event.isTrusted || ["Control", "Shift", "Alt", "Meta"].includes(event.key)) return;
    const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && takesText(event.target);
    add(isLetter ? "letters" : "keys");
  }, true);
})();
"""


@dataclass(frozen=True)
class Effort:
    """What a job took: clicks, keys that command, letters of texts and figures."""

    clicks: int = 0
    keys: int = 0
    letters: int = 0

    def __str__(self) -> str:
        """As the table of docs/situations.md says it."""
        parts = ((self.clicks, "clicks"), (self.keys, "keys"), (self.letters, "letters"))
        return ", ".join(f"{count} {words if count != 1 else words[:-1]}" for count, words in parts if count)

    def is_within(self, most: "Effort") -> bool:
        return self.clicks <= most.clicks and self.keys <= most.keys and self.letters <= most.letters


WALKS: dict[int, Effort] = {}  # by the number of the situation: the most that its walk may take


def walk(number: int, most: Effort) -> Callable:
    """Marks the browser test of a situation of docs/situations.md with what the job takes today."""

    def register(test: Callable) -> Callable:
        assert number not in WALKS, f"situation {number} is walked twice"
        WALKS[number] = most
        return test

    return register


class Hand:
    """Works on the page as a person does: with a pointer and a keyboard, on what is visible."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.add_init_script(COUNTER)

    def begin(self, path: str = "/admin/orders/order/") -> None:
        """The last address of the walk: from here on everything is reached by what the screen offers."""
        self.page.goto(self.page.base + path)
        self.page.evaluate("sessionStorage.removeItem('hand')")

    def click(self, target: str | Locator) -> None:
        """Press what is on the screen: a selector or a locator."""
        (self.page.locator(target) if isinstance(target, str) else target).click()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Letter by letter, into what has the focus."""
        self.page.keyboard.type(text)

    def put(self, target: str | Locator, text: str) -> None:
        """Click a field and write over what it holds."""
        self.click(target)
        self.press("Control+A")
        self.type(text)

    def tab_to(self, target: str | Locator, *, key: str = "Tab", most: int = 60) -> None:
        """Go on from field to field until this one has the focus."""
        wanted = self.page.locator(target) if isinstance(target, str) else target
        for _step in range(most):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.press(key)
        raise AssertionError(f"{target} is not reached by {most} × {key}")

    def took(self, number: int) -> None:
        """The job is done: it took no more than the walk of this number may."""
        effort = Effort(**self.page.evaluate("JSON.parse(sessionStorage.getItem('hand') || '{}')"))
        assert effort.is_within(WALKS[number]), f"{effort}, at most {WALKS[number]}"

    def shot(self, name: str) -> None:
        """A picture for whoever wants to look: SHOTS=folder."""
        if SHOTS:
            self.page.screenshot(path=f"{SHOTS}/{name}.png", full_page=self.page.locator("#panel[open]").count() == 0)
