// Comforts of the orders list: ticking a page at once, counting ticks, the peek card, new orders in the window's title.
// The list works without this file.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Ticks
  const boxes = () => $$("#order-rows .row-check");
  const countTicks = () => {
    const ticked = boxes().filter((box) => box.checked).length;
    const words = $("[data-ticked]");
    if (words && ticked) words.textContent = ticked === 1 ? words.dataset.one : words.dataset.many.replace("{number}", ticked);
    const page = $("[data-tick-page]");
    if (!page) return;
    page.hidden = false;
    page.checked = ticked > 0 && ticked === boxes().length;
    page.indeterminate = ticked > 0 && ticked < boxes().length;
    const all = $(".all-results");
    if (all && ticked < boxes().length) all.checked = false; // "all" with one unticked would not be all
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-page]")) boxes().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches(".all-results") && event.target.checked) boxes().forEach((box) => { box.checked = true; });
    countTicks();
  });
  document.addEventListener("reset", () => setTimeout(countTicks));

  // On the phone ticks come with a button or a long press; a tap on a card then ticks it.
  const list = () => $(".order-list");
  const tickCards = (on) => {
    list()?.classList.toggle("is-ticking", on);
    $$("[data-ticking]").forEach((button) => button.setAttribute("aria-pressed", String(on)));
    if (!on) { boxes().forEach((box) => { box.checked = false; }); countTicks(); }
  };
  const offerTicks = () => $$("[data-ticking]").forEach((button) => { button.hidden = false; });
  offerTicks();
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-ticking]");
    if (pressed) { tickCards(pressed.getAttribute("aria-pressed") !== "true"); return; }
    const card = list()?.classList.contains("is-ticking") && event.target.closest("#order-rows tr");
    if (!card || event.target.matches(".row-check")) return;
    event.preventDefault();
    $(".row-check", card).click();
  });
  let pressing = 0;
  document.addEventListener("touchstart", (event) => {
    const card = event.target.closest("#order-rows tr");
    if (!card || list().classList.contains("is-ticking") || !$(".row-check", card)) return;
    pressing = setTimeout(() => { tickCards(true); $(".row-check", card).click(); pressing = -1; }, 550);
  }, { passive: true });
  ["touchmove", "touchcancel", "touchend"].forEach((name) => document.addEventListener(name, (event) => {
    if (pressing === -1 && name === "touchend") event.preventDefault(); // the long press was the click
    clearTimeout(pressing);
    pressing = 0;
  }, { passive: false }));
  document.addEventListener("contextmenu", (event) => { if (pressing === -1) event.preventDefault(); });

  // The peek card: Space opens it beside the list, J and K change its order, Escape closes it.
  const peek = $("#peek");
  let from = null;
  const rowOf = (element) => element?.closest?.("#order-rows tr");
  const lookAt = (row) => { const link = $(".peek", row ?? document.createElement("i")); if (link) { from = row; link.click(); } return Boolean(link); };
  const closePeek = () => {
    if (!peek?.matches(":popover-open")) return false;
    peek.hidePopover();
    peek.replaceChildren();
    $$("#order-rows tr[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    $("a.row-link", from ?? document.createElement("i"))?.focus({ preventScroll: true });
    return true;
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== peek) return;
    if (!peek.matches(":popover-open")) peek.showPopover();
    from = rowOf(event.detail.requestConfig?.elt) ?? from;
    $$("#order-rows tr[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    from?.setAttribute("aria-current", "true");
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-close-peek]")) closePeek(); });
  const isTyping = (element) => element?.matches?.("input:not([type=checkbox]), textarea, select");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || $("dialog[open]")) return;
    if (event.key === "Escape" && closePeek()) event.preventDefault();
    let keysOff = false;
    try { keysOff = localStorage.getItem("keys") === "off"; } catch { /* private mode */ }
    if (keysOff) return;
    if (event.key === " " && rowOf(document.activeElement) && !document.activeElement.matches("input, button")) {
      event.preventDefault();
      if (peek?.matches(":popover-open") && from === rowOf(document.activeElement)) closePeek();
      else lookAt(rowOf(document.activeElement));
    }
  });
  // J and K move the focus first (backoffice.js); an open card follows it.
  document.addEventListener("focusin", (event) => {
    const row = rowOf(event.target);
    if (row && row !== from && peek?.matches(":popover-open") && event.target.matches(".row-link")) lookAt(row);
  });

  // New orders: rows slide in by themselves; the window's title counts them until somebody looks.
  const title = document.title;
  let unseen = 0;
  const say = () => { document.title = unseen ? `(${unseen}) ${title}` : title; };
  document.addEventListener("htmx:load", (event) => {
    const fresh = event.detail.elt;
    if (fresh.id !== "fresh") return;
    unseen += document.visibilityState === "visible" && document.hasFocus() ? 0 : Number(fresh.dataset.new || 0);
    say();
    countTicks();
  });
  let lastLook = Date.now();
  const look = () => {
    unseen = 0;
    say();
    if (Date.now() - lastLook > 5000 && $("#fresh")) { lastLook = Date.now(); window.htmx?.trigger("#fresh", "looked-again"); }
  };
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") look(); });
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target?.id === "results") { countTicks(); offerTicks(); } });
  countTicks();
})();
