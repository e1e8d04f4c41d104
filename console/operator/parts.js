// Pieces that several parts of the console are made of.

import { by, fill, h } from "/storefront/dom.js";
import { Refused } from "/console/api.js";
import { word } from "/console/format.js";

const KINDS = {
  ok: "good", idle: "good", active: "good", live: "good", found: "good", ready: "ready", retried: "good",
  warning: "warn", growing: "warn", catching_up: "busy", building: "busy", verifying: "busy", retrying: "busy", draining: "busy",
  steady: "busy", late: "warn", queued: "soft", planned: "soft", retired: "soft", cancelled: "soft", paused: "warn", held: "soft", discarded: "soft",
  stall: "bad", stop: "bad", stalled: "bad", failed: "bad", rolled_back: "warn", parked: "bad",
};

/** A word of a state, in its colour. */
export function pill(state, text = word(state)) {
  return h("span", { class: `pill ${KINDS[state] ?? "soft"}` }, text);
}

/** A table: `columns` [{name, of, class}], `rows`; each cell says its column on a phone. */
export function table(caption, columns, rows, empty) {
  if (rows.length === 0) return h("p", { class: "empty" }, empty);
  return h(
    "div",
    { class: "table-frame", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { class: "rows" },
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: column.class }, column.name)))),
      h(
        "tbody",
        {},
        rows.map((row) => h("tr", {}, columns.map((column) => h("td", { class: column.class, data: { name: column.name } }, column.of(row))))),
      ),
    ),
  );
}

/** A box with a heading. */
export function panel(title, ...content) {
  return h("section", { class: "panel" }, h("h2", {}, title), content);
}

/** Names and values. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** JSON, laid out. */
export function json(value, label) {
  return h("pre", { class: "json", tabindex: "0", role: "region", "aria-label": label }, typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

/** A refusal as a box. */
export function problem(error) {
  const findings = error instanceof Refused ? error.findings : [];
  return h("div", { class: "problem", role: "alert" }, h("p", {}, error.message), findings.length > 0 && h("ul", {}, findings.map((one) => h("li", {}, one))));
}

/** A field of a form. */
export function field(label, input, hint) {
  return h("label", { class: "field" }, h("span", {}, label), input, hint && h("span", { class: "hint" }, hint));
}

/**
 * Asks before something is done: what will happen, and what more it takes. `run` gets the form's values; while it
 * runs the dialog stays, and a refusal is shown in it. Gives what `run` gave, or nothing if it was left.
 */
export function ask({ title, body, yes, grave = false, run }) {
  const dialog = by("ask");
  const form = by("ask-form");
  const button = by("ask-yes");
  by("ask-title").textContent = title;
  fill(by("ask-body"), body);
  by("ask-problem").hidden = true;
  button.textContent = yes;
  button.classList.toggle("grave", grave);
  button.disabled = false;
  dialog.showModal();
  return new Promise((resolve) => {
    let outcome;
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      button.setAttribute("aria-busy", "true");
      by("ask-problem").hidden = true;
      try {
        outcome = await run(Object.fromEntries(new FormData(form)));
        dialog.close();
      } catch (error) {
        fill(by("ask-problem"), [error.message, ...(error.findings ?? [])].map((text) => h("span", {}, text)));
        by("ask-problem").hidden = false;
      } finally {
        button.disabled = false;
        button.removeAttribute("aria-busy");
      }
    };
    const leave = () => dialog.close();
    const closed = () => {
      form.removeEventListener("submit", submit);
      by("ask-no").removeEventListener("click", leave);
      dialog.removeEventListener("close", closed);
      resolve(outcome);
    };
    form.addEventListener("submit", submit);
    by("ask-no").addEventListener("click", leave);
    dialog.addEventListener("close", closed);
  });
}
