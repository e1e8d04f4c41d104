// The search field with its suggestions: a combobox with a list box, as the ARIA Authoring Practices describe it.
// The focus stays in the field; the arrow keys move what is active in the list.

import { read, Refused } from "./api.js";
import { by, fill, h, marked, settled } from "./dom.js";
import { counted, money } from "./format.js";
import { picture } from "./picture.js";

const AFTER_MS = 90;

/** Wires the field. `shop` is told of what is typed, submitted and chosen. */
export function searchField(shop) {
  const field = by("q");
  const list = by("suggestions");
  let options = [];
  let active = -1;
  let asking = null;

  const close = () => {
    ask.cancel();
    asking?.abort();
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    activate(-1);
  };

  const activate = (index) => {
    options[active]?.node.setAttribute("aria-selected", "false");
    active = index;
    const option = options[index];
    if (option === undefined) return field.removeAttribute("aria-activedescendant");
    option.node.setAttribute("aria-selected", "true");
    option.node.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.node.id);
  };

  const choose = (option) => {
    close();
    option.choose();
  };

  const show = (answer) => {
    options = [];
    const groups = groupsOf(answer, shop).filter(([, found]) => found.length > 0);
    fill(
      list,
      groups.map(([title, found], place) => {
        const label = h("div", { class: "group-title", id: `group-${place}` }, title);
        const nodes = found.map((option) => {
          option.node = h(
            "div",
            {
              class: `option to-${option.kind}`,
              role: "option",
              id: `option-${options.length}`,
              "aria-selected": "false",
              onclick: () => choose(option),
            },
            option.content,
          );
          options.push(option);
          return option.node;
        });
        return h("div", { role: "group", "aria-labelledby": label.id, class: "group" }, label, nodes);
      }),
    );
    active = -1;
    field.removeAttribute("aria-activedescendant");
    list.hidden = options.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
  };

  const ask = settled(AFTER_MS, async () => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const pairs = [
        ["q", field.value.trim()],
        ["limit", "6"],
        ["highlight", "true"],
      ];
      const answer = await read(shop.state.tenant, "/v1/suggest", pairs, { signal, keep: true });
      if (!signal.aborted && document.activeElement === field) show(answer.body);
    } catch (error) {
      // Searching goes on without suggestions.
      if (error instanceof Refused) close();
      else if (error.name !== "AbortError") throw error;
    }
  });

  wire({ field, list, shop, close, choose, activate, ask, at: () => ({ options, active }) });
  return { close };
}

/** Events of the field and its form. */
function wire({ field, list, shop, close, choose, activate, ask, at }) {
  const clear = by("clear");
  field.addEventListener("input", () => {
    clear.hidden = field.value === "";
    if (field.value.trim() === "") close();
    else ask();
    shop.typed(field.value);
  });
  field.addEventListener("keydown", (event) => {
    const { options, active } = at();
    const opened = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!opened) return field.value.trim() === "" ? undefined : ask();
      // One place more than there are options: the field itself.
      const places = options.length + 1;
      activate(((active + 1 + (event.key === "ArrowDown" ? 1 : places - 1)) % places) - 1);
    } else if (event.key === "Enter" && opened && active >= 0) {
      event.preventDefault();
      choose(options[active]);
    } else if (event.key === "Escape" && opened) {
      event.preventDefault();
      close();
    }
    return undefined;
  });
  field.addEventListener("blur", close);
  // The field keeps the focus while something in the list is pressed.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  by("search").addEventListener("submit", (event) => {
    event.preventDefault();
    close();
    shop.submitted(field.value);
  });
  clear.addEventListener("click", () => {
    field.value = "";
    clear.hidden = true;
    close();
    shop.submitted("");
    field.focus();
  });
}

/** The groups of an answer with what choosing one of them does. */
function groupsOf(answer, shop) {
  const text = (entry, plain) => h("span", { class: "text" }, entry.highlight ? marked(entry.highlight) : plain);
  const amount = (count) => count !== undefined && h("span", { class: "aside" }, counted(count, "product"));
  const queries = (answer.queries ?? []).map((entry) => ({
    kind: "query",
    content: [text(entry, entry.text)],
    choose: () => shop.submitted(entry.text),
  }));
  const products = (answer.products ?? []).map((entry) => ({
    kind: "product",
    content: [
      picture(entry),
      h("span", { class: "text" }, entry.highlight ? marked(entry.highlight) : entry.title),
      price(entry),
    ],
    choose: () => shop.openProduct(entry.slug),
  }));
  const categories = (answer.categories ?? []).map((entry) => ({
    kind: "category",
    content: [text(entry, entry.name), above(entry), amount(entry.count)],
    choose: () => shop.only("category", entry.slug),
  }));
  const brands = (answer.brands ?? []).map((entry) => ({
    kind: "brand",
    content: [text(entry, entry.value), amount(entry.count)],
    choose: () => shop.only("brand", entry.value),
  }));
  return [
    ["Searches", queries],
    ["Categories", categories],
    ["Brands", brands],
    ["Products", products],
  ];
}

function above(entry) {
  const path = Array.isArray(entry.path) ? entry.path.slice(0, -1).join(" › ") : "";
  return path !== "" && h("span", { class: "path" }, `in ${path}`);
}

function price(entry) {
  const [currency, span] = Object.entries(entry.prices ?? {})[0] ?? [];
  return span !== undefined && h("span", { class: "aside" }, money(span.min, currency));
}
