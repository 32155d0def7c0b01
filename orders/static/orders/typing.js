/* Typing while the server answers: nothing that was typed after a request left is written over by its answer. */
"use strict";
(() => {
  const isForm = (element) => element?.matches?.("form.manual-order");
  const isTick = (field) => field.type === "checkbox" || field.type === "radio";
  const keyOf = (field) => (isTick(field) ? `${field.name}=${field.value}` : field.name);
  // What a person pressed can be pressed again for them where it only adds something to the form; all else they must see first.
  const AGAIN = /^(typed$|article:|custom$|row:)/;

  // Every change gets the next number, and every request the number of the last change that it carries.
  let changes = 0;
  const touched = new Map();
  const sent = new WeakMap();
  const pressed = new Set();
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => { if (event.target.name && isForm(event.target.form)) touched.set(keyOf(event.target), (changes += 1)); }, true);
  }
  document.addEventListener("submit", (event) => { if (isForm(event.target)) pressed.add(event); }, true);

  // A request carries the button that was pressed for it. Left alone it carries the one that has the focus by now: leaving a
  // field with the tabulator would press the button after it.
  document.addEventListener("htmx:configRequest", (event) => {
    const { elt, parameters, triggeringEvent } = event.detail;
    if (!isForm(elt)) return;
    const button = triggeringEvent?.type === "submit" ? triggeringEvent.submitter : null;
    delete parameters.do;
    if (button?.name) parameters[button.name] = button.value;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, triggeringEvent } = event.detail.requestConfig;
    if (!isForm(elt)) return;
    sent.set(event.detail.xhr, changes);
    pressed.delete(triggeringEvent);
  });

  // Where a row went when the answer's button took a row above it away; nothing where it is that row.
  const nameAfter = (name, button) => {
    const gone = /^(?:remove|drop):(\d+)$/.exec(button ?? "");
    const row = /^items-(\d+)-(.+)$/.exec(name);
    if (!gone || !row || Number(row[1]) < Number(gone[1])) return name;
    return Number(row[1]) === Number(gone[1]) ? "" : `items-${Number(row[1]) - 1}-${row[2]}`;
  };
  let typed = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, parameters } = event.detail.requestConfig ?? {};
    if (!isForm(elt)) return;
    const isNew = event.detail.xhr.getResponseHeader("HX-Retarget") !== null;
    const newer = [...elt.elements].filter((field) => field.name && (touched.get(keyOf(field)) ?? 0) > (sent.get(event.detail.xhr) ?? 0));
    typed = newer.map((field) => {
      const caret = field === document.activeElement && field.matches("textarea, input[type=text], input[type=search]") ? [field.selectionStart, field.selectionEnd] : null;
      // In the edit a row's button names the item and no place, so no other row moves.
      const name = isNew && (elt.id === "new" || parameters.do?.startsWith("drop:")) ? nameAfter(field.name, parameters.do) : field.name;
      return { name, value: field.value, tick: isTick(field), checked: field.checked, caret };
    });
  });
  const fieldOf = (form, { name, value, tick }) => [...form.elements].find((field) => field.name === name && isTick(field) === tick && (!tick || field.value === value));
  const putBack = (form, one) => {
    const field = fieldOf(form, one);
    const isSame = !field || (one.tick ? field.checked === one.checked : field.value === one.value);
    const isChoice = field?.matches("select") && ![...field.options].some((option) => option.value === one.value);
    if (isSame || isChoice) return null;
    if (one.tick) field.checked = one.checked;
    else field.value = one.value;
    if (one.caret) field.setSelectionRange(...one.caret);
    return field;
  };
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt } = event.detail.requestConfig;
    if (!isForm(elt)) return;
    const form = document.getElementById(elt.id);
    const fields = form ? typed.map((one) => putBack(form, one)).filter(Boolean) : [];
    typed = [];
    if (!form || form === elt) return;
    // The form is a new one: what waited on the old one will never be sent.
    for (const field of fields) field.dispatchEvent(new Event("input", { bubbles: true }));
    const lost = [...pressed].filter((press) => press.target === elt).map((press) => press.submitter);
    pressed.clear();
    const early = lost.some((button) => button && !AGAIN.test(button.value)) && document.getElementById("pressed-early");
    if (early) {
      early.hidden = false;
      early.scrollIntoView({ block: "center" });
      return;
    }
    for (const button of lost) {
      const again = button && [...document.querySelectorAll("button[name=do]")].find((other) => other.form === form && other.value === button.value);
      if (again) form.requestSubmit(again);
    }
  });
})();
