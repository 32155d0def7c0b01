// The page of an order: J and K step through the list, @ names a colleague, chosen files are named and checked before they leave.
// The page works without this file.
(() => {
  "use strict";
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const keysAreOff = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };

  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || (key !== "j" && key !== "k")) return;
    if (event.target.matches("input, textarea, select, details[open] > summary") || document.querySelector("dialog[open]") || keysAreOff()) return;
    const link = document.querySelector(`.steps [data-key="${key}"]`);
    if (link) { event.preventDefault(); link.click(); }
  });

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.closest("[data-note]")) {
      event.preventDefault();
      event.target.closest("[data-note]").requestSubmit();
    }
  });

  // A term of a sum leads to its row: the card makes way.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('.why-card a[href^="#"]');
    if (link) link.closest("[popover]").hidePopover();
  });

  // Controls that save as soon as something is chosen have no button of their own.
  $$("[data-submits]").forEach((control) => {
    control.form.querySelector("[data-replaced]")?.setAttribute("hidden", "");
    control.addEventListener("change", () => control.form.requestSubmit());
  });

  // Names after @: a list below the text, moved through by arrows, taken by Enter or Tab, closed by Escape.
  const started = (area) => /(?:^|[^\w.@])@([\w.+-]*)$/u.exec(area.value.slice(0, area.selectionStart));
  const listOf = (area) => area.parentElement.querySelector("[role=listbox]");
  const shownOf = (list) => $$("[role=option]:not([hidden])", list);
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const close = (area) => {
    listOf(area).hidden = true;
    area.setAttribute("aria-expanded", "false");
    area.removeAttribute("aria-activedescendant");
  };
  const mark = (area, option) => {
    $$("[role=option]", listOf(area)).forEach((other) => other.setAttribute("aria-selected", String(other === option)));
    area.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };
  const suggest = (area) => {
    const found = started(area);
    if (!found) { close(area); return; }
    const wanted = fold(found[1]);
    const list = listOf(area);
    $$("[role=option]", list).forEach((option) => {
      const words = [option.dataset.handle, ...option.dataset.name.split(" ")].map(fold);
      option.hidden = !words.some((word) => word.startsWith(wanted));
    });
    const shown = shownOf(list);
    if (!shown.length) { close(area); return; }
    list.hidden = false;
    area.setAttribute("aria-expanded", "true");
    mark(area, shown[0]);
  };
  const take = (area, option) => {
    const found = started(area);
    if (!found) return;
    const from = area.selectionStart - found[1].length;
    area.setRangeText(`${option.dataset.handle} `, from, area.selectionStart, "end");
    close(area);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  $$("[data-mentions]").forEach((area) => {
    const list = listOf(area);
    if (!list) return;
    area.setAttribute("role", "combobox");
    area.setAttribute("aria-haspopup", "listbox");
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", list.id);
    area.setAttribute("aria-expanded", "false");
    area.addEventListener("input", () => suggest(area));
    area.addEventListener("blur", () => setTimeout(() => close(area), 150));
    area.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      const shown = shownOf(list);
      const at = shown.findIndex((option) => option.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        mark(area, shown[(at + (event.key === "ArrowDown" ? 1 : -1) + shown.length) % shown.length]);
      } else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey && at >= 0) {
        event.preventDefault();
        take(area, shown[at]);
      } else if (event.key === "Escape") {
        event.preventDefault();
        close(area);
      }
    });
    list.addEventListener("mousedown", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) { event.preventDefault(); take(area, option); }
    });
  });

  // Chosen files by name and size; what the server would refuse is said at once, and the text stays.
  const size = (bytes) => new Intl.NumberFormat(document.documentElement.lang, bytes < 1e6
    ? { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 } : { style: "unit", unit: "megabyte", maximumFractionDigits: 1 })
    .format(Math.max(bytes / (bytes < 1e6 ? 1e3 : 1e6), bytes < 1e6 ? 1 : 0));
  $$("[data-files]").forEach((input) => input.addEventListener("change", () => {
    const files = [...input.files];
    const wrong = files.filter((file) => file.size > Number(input.dataset.mostBytes)).map((file) => `${file.name} ${input.dataset.tooLarge}`);
    if (files.length > Number(input.dataset.mostFiles)) wrong.push(input.dataset.tooMany);
    input.setCustomValidity(wrong.join(" "));
    const rows = [...files.map((file) => `${file.name}, ${size(file.size)}`), ...wrong].map((text, position) => {
      const row = document.createElement("li");
      row.textContent = text;
      row.classList.toggle("down", position >= files.length);
      return row;
    });
    input.form.querySelector("[data-chosen]").replaceChildren(...rows);
  }));
})();
