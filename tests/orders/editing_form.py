"""The form of the page that edits an order, as a browser without scripts would send it."""

import html
import re

NAME = re.compile(r'\bname="([^"]+)"')
VALUE = re.compile(r'\bvalue="([^"]*)"')


def form_of(response, **typed):
    """Fields of the form with id "edit" in `response`, changed by `typed` (dashes of names written as two underscores)."""
    page = response.content.decode()
    page = page[page.index('id="edit"') : page.index("</form>", page.index('id="edit"'))]
    data: dict[str, str] = {}
    for tag in re.findall(r"<input [^>]+>", page):
        name = NAME.search(tag)
        if name is None or ('type="checkbox"' in tag and " checked" not in tag):
            continue
        found = VALUE.search(tag)
        data[name[1]] = html.unescape(found[1]) if found else "on" if 'type="checkbox"' in tag else ""
    for name, content in re.findall(r'<textarea [^>]*?name="([^"]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL):
        data[name] = html.unescape(content).removeprefix("\n")
    for name, content in re.findall(r'<select [^>]*?name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', content)
        data[name] = chosen[1] if chosen else ""
    return data | {name.replace("__", "-"): value for name, value in typed.items()}
