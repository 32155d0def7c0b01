// The packing table: the scanner's field keeps the focus, a wrong item shakes the device, Enter after the last piece goes on.
// The pages work without this file.
(() => {
  "use strict";
  const field = () => document.getElementById("scan");
  const isFree = () => !document.querySelector("dialog[open], [popover]:popover-open");
  const isWritten = (element) => element?.matches?.("input, textarea, select");

  // A box that came back from the server: where the packer was typing a number, the hand stays there; else the scanner is ready.
  document.addEventListener("htmx:afterSwap", () => {
    const box = document.getElementById("box");
    if (!box || !isFree()) return;
    if (box.matches("[data-stop]")) navigator.vibrate?.([200, 80, 200]);
    else if (box.matches("[data-said]")) navigator.vibrate?.(40);
    field()?.focus({ preventScroll: true });
  });

  // What a scanner types while nothing has the focus belongs to its field.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || !isFree()) return;
    if (isWritten(event.target) || event.key === " ") return;
    const target = field() ?? document.getElementById("find-order");
    if (!target) return;
    target.focus({ preventScroll: true });
    event.stopImmediatePropagation();
  }, true);

  // Enter in the empty field after the last piece: the parcel's panel opens beside the table.
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "scan-form" || field().value.trim()) return;
    const close = document.querySelector("#close-parcel.primary");
    if (close) { event.preventDefault(); event.stopImmediatePropagation(); close.click(); }
  }, true);

  document.addEventListener("close", () => field()?.focus({ preventScroll: true }), true);
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "panel") document.querySelector("#panel [name=tracking_number]")?.focus();
  });
})();
