// The filters beside the hits: brand, category, price, availability, and those attributes that the hits have.

import { read, Refused, scope } from "./api.js";
import { fill, h, settled } from "./dom.js";
import { counted, fieldLabel, fieldValue, number } from "./format.js";
import { rangeFacet } from "./ranges.js";
import { chosen, filterTexts } from "./state.js";

/** Values a list shows before it is opened. */
const FIRST = 7;
/** Values from which on a list can be searched. */
const FINDABLE = 10;
/** Values of a list that is opened, the most the API gives. */
const MOST = "100";

/** The facets that suit a state, as the API chooses them; one that is filtered by is always among them. */
export async function facetsOf(state, typing, signal) {
  const parameters = scope(state, filterTexts(state));
  const { body } = await read(
    state.tenant,
    "/v1/search",
    [...parameters, ["limit", "0"], ["facets", "*"], ["typing", typing ? "true" : null]],
    { signal, keep: true },
  );
  const known = new Set(body.facets.map((facet) => facet.field));
  const missing = [...state.filters.keys()].filter((field) => !known.has(field));
  const more = await Promise.all(missing.map((field) => one(state, field, [], { signal, keep: true })));
  return { total: body.total, facets: [...body.facets, ...more.filter(Boolean)], display: body.facet_display ?? [] };
}

/** One facet; none if the shop has no such attribute. */
async function one(state, field, pairs, options) {
  try {
    const { body } = await read(
      state.tenant,
      `/v1/facets/${encodeURIComponent(field)}`,
      [...pairs, ...scope(state, filterTexts(state))],
      options,
    );
    return body;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

/** The panel of filters. */
export function facetPanel(shop, node) {
  /** What the shopper opened with all of its values, searched in, and closed, by field. */
  const opened = new Map();
  const sought = new Map();
  const closed = new Set();
  let shown = { total: 0, facets: [], display: [] };

  const draw = () => {
    fill(
      node,
      shown.facets.filter((facet) => filtered(facet) || tells(facet)).map((facet) => section(facet)),
    );
  };

  const filtered = (facet) => shop.state.filters.has(facet.field);

  const section = (facet) => {
    const label = shown.display.find((entry) => entry.field === facet.field)?.label ?? fieldLabel(facet.field);
    const filter = shop.state.filters.get(facet.field);
    const body = isRange(facet, filter) ? rangeFacet(shop, facet, filter, label) : listed(facet, label);
    const details = h(
      "details",
      { class: "facet", open: !closed.has(facet.field), data: { field: facet.field } },
      h("summary", { "data-key": `facet ${facet.field}` }, label),
      body,
    );
    details.addEventListener("toggle", () => (details.open ? closed.delete(facet.field) : closed.add(facet.field)));
    return details;
  };

  const listed = (facet, label) => {
    const tree = facet.field === "category";
    const found = sought.get(facet.field);
    const all = tree || opened.has(facet.field) || found !== undefined;
    const values = found?.values ?? withChosen(shop.state, opened.get(facet.field) ?? facet);
    const rows = (all ? values : values.slice(0, FIRST)).map((value) => row(shop, facet.field, value, shown.total));
    const long = !tree && (facet.others > 0 || values.length > FINDABLE || found !== undefined);
    return h(
      "div",
      { class: "facet-body" },
      long && finder(facet, label),
      h("ul", { class: "values", "aria-label": label }, rows),
      rows.length === 0 && h("p", { class: "hint" }, "Nothing of that name."),
      !tree && found === undefined && (values.length > FIRST || facet.others > 0) && opener(facet, all),
    );
  };

  /** Shows what there is of a facet's values, and asks for the rest. */
  const openAll = async (facet) => {
    opened.set(facet.field, facet);
    if (facet.others === 0) return;
    const whole = await one(shop.state, facet.field, [["facet_limit", MOST]], { keep: true });
    if (whole === null || !opened.has(facet.field)) return;
    opened.set(facet.field, whole);
    draw();
  };

  const opener = (facet, all) =>
    h(
      "button",
      {
        class: "link",
        type: "button",
        "data-key": `open ${facet.field}`,
        "aria-expanded": String(all),
        onclick: () => {
          if (all) opened.delete(facet.field);
          else openAll(facet);
          draw();
        },
      },
      all ? "Show fewer" : "Show more",
    );

  const finder = (facet, label) => {
    const search = settled(150, async (text) => {
      if (text.trim() === "") {
        sought.delete(facet.field);
        return draw();
      }
      const answer = await one(
        shop.state,
        facet.field,
        [
          ["search", text],
          ["facet_limit", MOST],
        ],
        { keep: true },
      );
      sought.set(facet.field, { text, values: answer?.values ?? [] });
      return draw();
    });
    return h("input", {
      class: "finder",
      type: "text",
      placeholder: `Find in ${label.toLowerCase()}`,
      "aria-label": `Find in ${label}`,
      "data-key": `find ${facet.field}`,
      autocomplete: "off",
      value: sought.get(facet.field)?.text ?? "",
      oninput: (event) => search(event.target.value),
    });
  };

  return {
    draw,
    show(counted) {
      sought.clear();
      shown = counted;
      for (const field of [...opened.keys()]) {
        const facet = shown.facets.find((other) => other.field === field);
        if (facet === undefined) opened.delete(field);
        else openAll(facet);
      }
      draw();
    },
  };
}

/** Whether a facet would tell hits apart. */
function tells(facet) {
  if (facet.stats) return facet.stats.max > facet.stats.min;
  if (facet.field === "category") return facet.values.length > 0;
  return facet.values.length > 1 && facet.values.some((value) => value.count > 1);
}

/** Numbers with few values are chosen one by one, others by a range. */
function isRange(facet, filter) {
  if (facet.field === "price" || (filter && filter.values === undefined)) return true;
  return Boolean(facet.stats) && (facet.others > 0 || facet.values.length > FIRST);
}

/** Chosen values first, also those that no product has any more. */
function withChosen(state, facet) {
  if (facet.field === "category") return facet.values;
  const wanted = state.filters.get(facet.field)?.values ?? [];
  const known = new Set(facet.values.map((value) => String(value.value)));
  const gone = wanted.filter((value) => !known.has(value)).map((value) => ({ value, count: 0 }));
  const first = (value) => (wanted.includes(String(value.value)) ? 0 : 1);
  return [...gone, ...[...facet.values].sort((a, b) => first(a) - first(b))];
}

/** One value with its count, or with what choosing it would add; of a category with those below. */
function row(shop, field, value, total) {
  const { state, names } = shop;
  const on = chosen(state, field, value.value);
  const text = fieldValue(field, value.value, names);
  const adds = !on && state.filters.has(field) && field !== "category";
  const gain = value.total_if_toggled - total;
  const count = adds
    ? h(
        "span",
        { class: "impact", title: `${counted(value.total_if_toggled, "product")} with this as well` },
        `+${number(gain)}`,
      )
    : h("span", { class: "number" }, number(value.count));
  const box = h("input", {
    type: "checkbox",
    checked: on,
    "data-key": `value ${field} ${value.value}`,
    data: { predicted: String(value.total_if_toggled ?? "") },
    onchange: () => shop.toggle(field, value.value),
  });
  const below = (value.children ?? []).filter((child) => child.count > 0);
  const spread =
    below.length > 0 &&
    (on || holdsChosen(state, value) || (state.filters.get("category") === undefined && value.count === total));
  return h(
    "li",
    { class: on ? "on" : "" },
    h("label", {}, box, h("span", { class: "name" }, text), count),
    spread &&
      h(
        "ul",
        { class: "values below" },
        below.map((child) => row(shop, field, child, total)),
      ),
  );
}

function holdsChosen(state, value) {
  return (value.children ?? []).some((child) => chosen(state, "category", child.value) || holdsChosen(state, child));
}
