/* Comforts of the shop's forms; all of them work without it. */
"use strict";
// A field's red edge goes with its error when the server's answer fills or empties the error's place.
document.addEventListener("htmx:afterSettle", () => {
  for (const place of document.querySelectorAll('[id$="-error"]')) {
    const input = document.getElementById(place.id.slice(0, -"-error".length));
    if (input) place.textContent.trim() ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
  }
});
// The tracking page of a carrier, as the address that is being written makes it for the number beside it.
const pattern = document.getElementById("id_tracking_url");
const trial = document.getElementById("try-number");
if (pattern && trial) {
  const link = document.getElementById("try-link");
  const show = () => {
    const url = pattern.value.trim().replaceAll("{number}", encodeURIComponent(trial.value.trim()));
    const works = /^https?:\/\/\S+$/.test(url) && pattern.value.includes("{number}");
    link.hidden = !works;
    if (works) { link.href = url; link.querySelector("[data-url]").textContent = url; }
  };
  for (const input of [pattern, trial]) input.addEventListener("input", show);
  trial.closest("[hidden]")?.removeAttribute("hidden");
  show();
}
// Adds a row to a set of rows from its empty form.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-row]");
  if (!button) return;
  const prefix = button.dataset.addRow;
  const total = document.getElementById(`id_${prefix}-TOTAL_FORMS`);
  const pattern = document.getElementById(`${prefix}-empty`);
  const place = document.getElementById(`${prefix}-rows`);
  if (!total || !pattern || !place) return;
  const row = pattern.content.firstElementChild.cloneNode(true);
  const number = total.value;
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const attribute of [...element.attributes]) {
      if (attribute.value.includes("__prefix__")) element.setAttribute(attribute.name, attribute.value.replaceAll("__prefix__", number));
    }
  }
  place.append(row);
  total.value = String(Number(number) + 1);
  row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
});
// Ctrl and the arrows go from part to part of a long form.
document.addEventListener("keydown", (event) => {
  const step = (event.ctrlKey || event.metaKey) && { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const form = step && event.target.closest(".manual-order");
  if (!form) return;
  const shown = (part, selector) => [...part.querySelectorAll(selector)].find((field) => field.offsetParent !== null && !field.disabled);
  const parts = [...form.querySelectorAll("section.card")].map((part) => shown(part, "input:not([type=hidden]), select, textarea") ?? shown(part, "summary, button")).filter(Boolean);
  const next = parts[parts.findIndex((field) => field.closest("section") === event.target.closest("section")) + step];
  event.preventDefault();
  next?.focus();
  next?.select?.();
});
// In a search that suggests, the arrows go through what was found.
document.addEventListener("keydown", (event) => {
  const step = !event.ctrlKey && !event.metaKey && { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const field = step && event.target.closest(".manual-order") && (event.target.matches("[aria-controls]") ? event.target : document.querySelector(`[aria-controls="${event.target.closest("[aria-live]")?.id}"]`));
  if (!field) return;
  const choices = [...document.querySelectorAll(`#${field.getAttribute("aria-controls")} button`)];
  const next = choices.indexOf(event.target) + step;
  if (!choices.length) return;
  event.preventDefault();
  (choices[next] ?? (next < 0 ? field : event.target)).focus();
});
// A click that saved nothing leads to the field that it is about.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.requestConfig?.elt?.matches(".manual-order") && document.querySelector("#edit-note, #order-note")) document.querySelector('.manual-order [aria-invalid="true"]')?.focus();
});
// Where the field that had the focus is gone from the manual order, the next thing to do is adding an item.
document.addEventListener("htmx:afterSettle", (event) => {
  if (document.activeElement === document.body && event.detail.requestConfig?.elt?.id === "new") document.getElementById("article-search")?.focus();
});
