// Forms with labelled fields: what is wrong with a value stands beside its field.

import { h } from "./dom.js";

let forms = 0;

function control(id, field) {
  const shared = { id, name: field.name, "aria-describedby": `${id}-hint ${id}-wrong`, required: field.required ?? false };
  if (field.type === "checkbox") return h("input", { ...shared, type: "checkbox", checked: field.value === true });
  if (field.type === "select") {
    return h("select", { ...shared, autocomplete: field.autocomplete }, field.options.map(([value, text]) => h("option", { value, selected: value === (field.value ?? "") }, text)));
  }
  return h("input", {
    ...shared,
    type: field.type ?? "text",
    value: field.value ?? "",
    autocomplete: field.autocomplete,
    inputmode: field.inputmode,
    maxlength: field.maxlength,
    minlength: field.minlength,
    pattern: field.pattern,
    title: field.title,
    spellcheck: field.type === "password" || field.plain ? "false" : null,
    autocapitalize: field.plain ? "none" : null,
  });
}

function row(id, field) {
  const input = control(id, field);
  const hint = h("span", { class: "hint", id: `${id}-hint` }, field.hint);
  const wrong = h("span", { class: "wrong", id: `${id}-wrong` });
  const label = h("label", { for: id }, field.label, field.optional && h("span", { class: "hint" }, " (optional)"));
  const parts = field.type === "checkbox" ? [h("div", { class: "tick" }, input, label)] : [label, input];
  const whole = h("div", { class: "form-row", hidden: field.hidden ?? false, data: { field: field.name } }, parts, hint, wrong);
  return { whole, input, wrong, field };
}

/**
 * A form. `fields` are {name, label, type, value, hint, autocomplete, required, optional, hidden, pointer, codes};
 * `submit` gets their values, and its refusal is shown: beside the fields that its pointers name, beside the one that
 * has its code among its `codes`, and above the button otherwise.
 * Gives the element, its `rows` by name, and `tell`, which shows a sentence.
 */
export function form({ fields, submit, button, more = [], label, grave = false, username = null }) {
  forms += 1;
  const made = fields.map((field) => row(`form-${forms}-${field.name}`, field));
  const told = h("div", { class: "form-told", "aria-live": "assertive" });
  const yes = h("button", { class: `button ${grave ? "grave" : "primary"}`, type: "submit" }, button);
  const element = h(
    "form",
    { class: "form", "aria-label": label },
    // Password managers want to know whose password it is.
    username !== null && h("input", { class: "unseen", type: "text", autocomplete: "username", value: username, readonly: true, tabindex: "-1", "aria-hidden": "true", "aria-label": "E-mail address" }),
    made.map(({ whole }) => whole),
    told,
    h("div", { class: "form-end" }, yes, more),
  );
  const rows = Object.fromEntries(made.map((one) => [one.field.name, one]));
  const tell = (text, kind = "bad") => told.replaceChildren(...(text ? [h("p", { class: `told ${kind}` }, text)] : []));

  const clear = () => {
    tell("");
    for (const { input, wrong } of made) {
      input.removeAttribute("aria-invalid");
      wrong.textContent = "";
    }
  };
  const show = (error) => {
    const left = [];
    for (const one of error.errors ?? []) {
      const found = made.find(({ field }) => (field.pointer ?? `/${field.name}`) === one.pointer);
      if (found === undefined) left.push(one.detail);
      else {
        found.input.setAttribute("aria-invalid", "true");
        found.wrong.textContent = capital(one.detail);
      }
    }
    const meant = made.find(({ field }) => field.codes?.includes(error.code));
    if (meant !== undefined) {
      meant.input.setAttribute("aria-invalid", "true");
      meant.wrong.textContent = error.message;
    }
    const beside = meant !== undefined || (error.errors ?? []).length > left.length;
    tell(left.length > 0 ? left.map(capital).join(" ") : beside ? "" : error.message);
    (made.find(({ input }) => input.getAttribute("aria-invalid") === "true")?.input ?? yes).focus();
  };

  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (yes.getAttribute("aria-busy") === "true") return;
    clear();
    yes.setAttribute("aria-busy", "true");
    try {
      const value = ({ input, field }) => (field.type === "checkbox" ? input.checked : field.type === "password" ? input.value : input.value.trim());
      await submit(Object.fromEntries(made.filter(({ whole }) => !whole.hidden).map((one) => [one.field.name, value(one)])));
    } catch (error) {
      if (error.status === undefined) throw error;
      show(error);
    } finally {
      yes.removeAttribute("aria-busy");
    }
  });
  return { element, rows, tell };
}

function capital(text) {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

/** Shows a field that was hidden, and goes there. */
export function reveal({ whole, input }, required = true) {
  whole.hidden = false;
  input.required = required;
  input.focus();
}
