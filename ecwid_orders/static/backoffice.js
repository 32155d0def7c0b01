// What pages do beyond links and forms: the consequence panel, the search over everything, keys, countdowns, theme.
// Every page works without this file. No build step, nothing inline.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const panel = $("#panel");
  const palette = $("#palette");
  const keyboardMap = $("#keyboard-map");
  const stored = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode: not kept */ } };

  // The consequence panel: opens at once with a skeleton, takes the focus, gives it back, changes nothing when closed.
  let opener = null;
  const openPanel = (from) => {
    if (panel.open) return;
    opener = from?.closest?.("[popover]") ? $(`[popovertarget="${from.closest("[popover]").id}"]`) : from;
    $$("[popover]:popover-open").forEach((open) => open.hidePopover());
    panel.replaceChildren($("#panel-loading").content.cloneNode(true));
    panel.showModal();
  };
  const isPanel = (target) => panel && target === panel;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isPanel(event.detail.target)) openPanel(event.detail.elt);
  });
  // Where the work begins: the field that was refused, else the first one to fill in, else the heading.
  const placeFocus = (isAnswer) => {
    const fields = $$(".panel-asks :is(input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea)", panel).filter((field) => field.offsetParent !== null);
    const first = (isAnswer && $(".panel-asks [aria-invalid=true]", panel)) || (matchMedia("(pointer: fine)").matches && fields[0]);
    (first || $("#h-panel", panel))?.focus();
    if (first) first.select?.();
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    if (isPanel(event.detail.target)) placeFocus(event.detail.requestConfig?.verb === "post");
    prepare(event.detail.target);
  });
  panel?.addEventListener("close", () => {
    panel.replaceChildren();
    const back = opener?.id ? document.getElementById(opener.id) : opener;
    if (back?.isConnected) back.focus();
    opener = null;
  });
  $$("dialog").forEach((dialog) => dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  }));

  // The return key in a field of a change that nothing shows yet looks first; the next one applies it. In a table, and on a page
  // of its own, it only looks: there it is pressed to leave a field.
  let typed = 0, asked = 0, seen = 0;
  const isLook = (element) => element?.matches?.("#panel-form [hx-trigger$=look]");
  document.addEventListener("input", (event) => { if (event.target.closest?.("#panel-form")) typed += 1; });
  document.addEventListener("htmx:beforeRequest", (event) => { if (isLook(event.detail.elt)) asked = typed; });
  document.addEventListener("htmx:afterSwap", (event) => { seen = isLook(event.detail.requestConfig?.elt) ? asked : typed; });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const form = event.target.matches?.("input:not([type=submit], [type=button])") && event.target.closest("#panel-form");
    const look = form && $("[hx-trigger$=look]", form);
    if (!look || !(event.target.closest("table") || form.matches(".refund-page") || $("#panel-apply").disabled)) return;
    event.preventDefault();
    if (seen !== typed) window.htmx?.trigger(look, "look");
  });

  // A request that failed says so above the page; what was shown stays.
  const sayFailed = () => {
    const failed = $("#request-failed")?.content.cloneNode(true);
    if (!failed) return;
    if (panel?.open && $("header", panel)) {
      $(".note.danger[data-failed]", panel)?.remove();
      failed.firstElementChild.dataset.failed = "";
      $("header", panel).after(failed);
      $(".skeletons", panel)?.remove();
    } else $("#notices")?.replaceChildren(failed);
  };
  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, sayFailed));

  // Palette
  const openPalette = () => {
    if (!palette || palette.open) return;
    $$("[popover]:popover-open").forEach((open) => open.hidePopover());
    palette.showModal();
    $("#palette-q").select();
    window.htmx?.trigger("#palette-results", "palette-opened");
  };
  palette?.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.preventDefault(); palette.close(); return; } // a search box would only empty itself
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp" && event.key !== "Enter") return;
    const links = $$("#palette-results a");
    const at = links.indexOf(document.activeElement);
    if (event.key === "Enter") {
      if (at < 0 && links.length && $("#palette-q").value) { event.preventDefault(); links[0].click(); }
      return;
    }
    event.preventDefault();
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    (links[next] ?? $("#palette-q")).focus();
  });

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-palette], [data-close], [data-dismiss], [data-copy], [data-keys], [data-theme-choice], [data-print]");
    if (!pressed || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (pressed.matches("[data-palette]") && palette) { event.preventDefault(); openPalette(); }
    if (pressed.matches("[data-close]") && pressed.closest("dialog")) { event.preventDefault(); pressed.closest("dialog").close(); }
    if (pressed.matches("[data-dismiss]")) pressed.closest(".note").remove();
    if (pressed.matches("[data-keys]")) showKeys();
    if (pressed.matches("[data-print]")) window.print();
    if (pressed.matches("[data-theme-choice]")) chooseTheme(pressed.dataset.themeChoice);
    if (pressed.matches("[data-copy]")) copy(pressed);
  });

  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  };

  // Theme: Django admin's own mechanism, theme.js applies it before the first paint.
  const markTheme = () => $$("[data-theme-choice]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === (document.documentElement.dataset.theme || "auto")));
  });
  const chooseTheme = (mode) => {
    document.documentElement.dataset.theme = mode;
    store("theme", mode);
    markTheme();
  };

  // Countdown: <time data-countdown datetime="..."> shows the time left; its element leaves when the time is over, and
  // the bar with its last element. The server's clock counts: a device that runs ahead would take "Undo" away at once.
  const ahead = Date.now() - (Date.parse(document.body.dataset.now) || Date.now());
  const written = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const leave = (element) => {
    if (!element) return;
    element.hidden = true;
    const bar = element.closest(".undo-bar");
    if (bar && !$("[data-until]:not([hidden])", bar)) bar.hidden = true;
  };
  const tick = () => $$("[data-countdown]").forEach((clock) => {
    const left = Math.ceil((Date.parse(clock.dateTime || clock.dataset.countdown) - Date.now() + ahead) / 1000);
    if (left > 0) clock.textContent = written(left);
    else leave(clock.closest("[data-until]"));
  });

  // A form that unfolds is there to be written in. What is typed on its heading goes into it, and is no key.
  const boxOf = (details) => details.open && $("textarea", details);
  document.addEventListener("toggle", (event) => { if (event.target.matches?.("details.answering")) boxOf(event.target)?.focus(); }, true);

  // Keys. One letter keys rest while somebody types, and can be switched off.
  const isTyping = (element) => element?.matches?.("input:not([type=checkbox], [type=radio], [type=submit], [type=button]), textarea, select, [contenteditable]");
  const press = (selector) => {
    const found = $$(selector).find((element) => element.offsetParent !== null);
    if (found) found.matches("input, select, textarea") ? (found.focus(), found.select?.()) : found.click();
    const menu = found && document.getElementById(found.getAttribute("popovertarget"));
    if (menu?.matches(".menu:popover-open")) itemsOf(menu)[0]?.focus(); // a key that opens a menu leads into it
    return Boolean(found);
  };
  const itemsOf = (menu) => $$("a[href], button", menu).filter((item) => item.offsetParent !== null);
  const moveInMenu = (step) => {
    const menu = $(".menu:popover-open");
    const items = menu ? itemsOf(menu) : [];
    if (!items.length) return false;
    const at = items.indexOf(document.activeElement);
    items[at < 0 ? (step > 0 ? 0 : items.length - 1) : (at + step + items.length) % items.length].focus();
    return true;
  };
  const showKeys = () => {
    $$("[popover]:popover-open").forEach((open) => open.hidePopover());
    if (keyboardMap && !keyboardMap.open) keyboardMap.showModal();
  };
  const PRESSED = {
    "/": "main [role=search] input[type=search], #searchbar, main input[type=search]",
    f: '[data-key="f"], [popovertarget="filter-menu"]',
    p: '[data-key="p"], #payment-button',
    l: '[data-key="l"], #fulfilment-button',
    n: '[data-key="n"], #next-step',
    m: '[data-key="m"], .rail a[href$="/note/"]',
    e: '[data-key="e"]',
    z: '.undo-bar [data-key="z"], [data-key="z"]',
    ".": '[popovertarget="more-menu"], [popovertarget="list-more"]',
  };

  // Lists: J and K move the focus from line to line, Enter follows the link, X ticks.
  const LINES = ".order-table tbody tr, .inbox > li, #result_list tbody tr, .mails > li, .pick-list > li, [data-lines] > *";
  let ticked = null;
  const moveInList = (step) => {
    const lines = $$(LINES).filter((line) => line.offsetParent !== null);
    if (!lines.length) return false;
    const at = lines.indexOf(document.activeElement?.closest(LINES));
    const line = lines[Math.min(Math.max(at + step, 0), lines.length - 1)];
    lines.forEach((other) => other.classList.toggle("is-focused", other === line));
    ($("a[href]", line) ?? line).focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
    return true;
  };
  const tickLine = (isRange) => {
    const boxes = $$(`:is(${LINES}) input[type=checkbox]`);
    const box = $("input[type=checkbox]", document.activeElement?.closest(LINES) ?? document.createElement("i"));
    if (!box) return false;
    box.click();
    if (isRange && boxes.includes(ticked)) {
      const [from, to] = [boxes.indexOf(ticked), boxes.indexOf(box)].sort((a, b) => a - b);
      boxes.slice(from, to + 1).forEach((other) => { if (other.checked !== box.checked) other.click(); });
    }
    ticked = box;
    return true;
  };

  let goPressed = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && palette) { event.preventDefault(); openPalette(); return; }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const apply = $("#panel[open] .btn.primary:not(:disabled), dialog[open] .btn.primary:not(:disabled)") ?? event.target.closest("form")?.querySelector(".btn.primary") ?? $(`.btn.primary[form="${event.target.closest("form")?.id || "-"}"]`) ?? (event.target === document.body ? $("main #panel-apply:not(:disabled)") : null);
      if (apply) { event.preventDefault(); apply.click(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    const box = event.key.length === 1 && event.key !== " " && event.target.matches?.("details > summary") && boxOf(event.target.parentElement);
    if (box) { box.focus(); return; }
    if (stored("keys") === "off") return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    let done = true;
    if (Date.now() - goPressed < 1200 && $(`.nav [data-go="${CSS.escape(key)}"]`)) $(`.nav [data-go="${CSS.escape(key)}"]`).click();
    else if (key === "g") { goPressed = Date.now(); return; }
    else if (key === "?") showKeys();
    else if (key === "c" && $(".nav[data-new-order]")) location.assign($(".nav").dataset.newOrder);
    else if (key === "ArrowDown" || key === "ArrowUp") done = moveInMenu(key === "ArrowDown" ? 1 : -1);
    else if (key === "j" || key === "k") done = moveInList(key === "j" ? 1 : -1);
    else if (key === "x") done = tickLine(event.shiftKey);
    else done = key in PRESSED && press(PRESSED[key]);
    goPressed = 0;
    if (done) event.preventDefault();
  });
  const keysOff = $("[data-keys-off]");
  if (keysOff) {
    keysOff.checked = stored("keys") === "off";
    keysOff.addEventListener("change", () => store("keys", keysOff.checked ? "off" : "on"));
  }

  // Density of lists, kept on this device.
  const density = $$("input[name=density]");
  const keptDensity = density.find((choice) => choice.id === stored("density"));
  if (keptDensity) keptDensity.checked = true;
  density.forEach((choice) => choice.addEventListener("change", () => store("density", choice.id)));

  // Names that Django's own widgets leave out for screen readers.
  addEventListener("load", () => {
    $$(".help-tooltip[aria-label]").forEach((hint) => hint.setAttribute("role", "img"));
    $$("p.datetime input").forEach((input) => {
      const row = input.closest(".form-row")?.querySelector("label, legend")?.textContent ?? "";
      if (!input.labels.length) input.setAttribute("aria-label", `${row} ${input.previousSibling?.textContent ?? ""}`.trim());
    });
  });

  // What only works with this file is hidden until it runs.
  const prepare = (root) => $$("[data-dismiss][hidden], [data-keys][hidden], .theme-choice[hidden], [data-copy][hidden]", root).forEach((element) => { element.hidden = false; });
  prepare(document);
  markTheme();
  tick();
  setInterval(tick, 1000);
})();
