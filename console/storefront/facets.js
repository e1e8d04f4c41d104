// The filters beside the hits: brand, category, price, availability, and those attributes that the hits have.

import { read, Refused, scope } from "./api.js";
import { fill, h, settled } from "./dom.js";
import { counted, fieldLabel, fieldValue, number } from "./format.js";
import { rangeFacet } from "./ranges.js";
import { chosen, filterTexts } from "./state.js";

const BASE = ["category", "brand", "price", "available", "product_type"];
/** Values a list shows before it is opened. */
const FIRST = 7;
/** Values from which on a list can be searched. */
const FINDABLE = 12;
/** Hits whose attributes are looked at, and attributes that become filters. */
const LOOKED_AT = 8;
const MOST_ATTRIBUTES = 6;

/** Facets every search asks for: the usual ones, and those that are filtered by. */
export function baseFields(state) {
  return [...BASE, ...[...state.filters.keys()].filter((field) => field.startsWith("attr."))];
}

/** The attributes of the first hits that tell them apart, most common first; what staff have set goes before. */
export async function attributeFields(shop, hits, display, signal) {
  const set = display.filter((entry) => entry.field.startsWith("attr.") && !entry.hidden).map((entry) => entry.field);
  const hidden = new Set(display.filter((entry) => entry.hidden).map((entry) => entry.field));
  const pages = await Promise.all(hits.slice(0, LOOKED_AT).map((hit) =>
    read(shop.state.tenant, `/v1/products/${hit.id}`, [], { signal, keep: true }).catch((error) => {
      if (error instanceof Refused) return { body: {} };
      throw error;
    })));
  const holders = new Map();
  for (const { body } of pages) {
    const options = (body.variants ?? []).flatMap((variant) => Object.keys(variant.options ?? {}));
    for (const name of new Set([...options, ...Object.keys(body.attributes ?? {})])) {
      const known = holders.get(name) ?? { count: 0, option: options.includes(name) };
      holders.set(name, { ...known, count: known.count + 1 });
    }
  }
  const common = [...holders].filter(([, { count }]) => count * 3 >= Math.min(hits.length, LOOKED_AT));
  common.sort(([a, x], [b, y]) => Number(y.option) - Number(x.option) || y.count - x.count || a.localeCompare(b));
  const found = common.map(([name]) => `attr.${name}`).filter((field) => !hidden.has(field));
  // Some turn out to have one value only, so that more are counted than shown.
  return [...new Set([...set, ...found])].slice(0, MOST_ATTRIBUTES * 2);
}

/** The panel of filters. */
export function facetPanel(shop, node) {
  /** What the shopper opened, and searched for in long lists, by field. */
  const opened = new Set();
  const sought = new Map();
  let base = [];
  let attributes = [];
  let total = 0;
  let display = [];

  const draw = () => {
    const hidden = new Set(display.filter((entry) => entry.hidden).map((entry) => entry.field));
    const place = (facet) => display.find((entry) => entry.field === facet.field)?.order ?? 1_000;
    const known = new Set(base.map((facet) => facet.field));
    const more = attributes.filter((facet) => !known.has(facet.field) && tells(facet)).slice(0, MOST_ATTRIBUTES);
    const all = [...base.filter((facet) => filtered(facet) || tells(facet)), ...more].filter((facet) => !hidden.has(facet.field));
    all.sort((a, b) => place(a) - place(b));
    fill(node, all.map((facet) => section(facet)));
  };

  const filtered = (facet) => shop.state.filters.has(facet.field);

  const section = (facet) => {
    const label = display.find((entry) => entry.field === facet.field)?.label ?? fieldLabel(facet.field);
    const filter = shop.state.filters.get(facet.field);
    const body = isRange(facet, filter) ? rangeFacet(shop, facet, filter, label) : listed(facet, label);
    const details = h("details", { class: "facet", open: !closed.has(facet.field), data: { field: facet.field } },
      h("summary", { "data-key": `facet ${facet.field}` }, label), body);
    details.addEventListener("toggle", () => (details.open ? closed.delete(facet.field) : closed.add(facet.field)));
    return details;
  };
  const closed = new Set();

  const listed = (facet, label) => {
    const tree = facet.field === "category";
    const found = sought.get(facet.field);
    const values = found?.values ?? withChosen(shop.state, facet);
    const all = opened.has(facet.field) || tree || found !== undefined;
    const rows = (all ? values : values.slice(0, FIRST)).map((value) => row(shop, facet.field, value, total));
    return h("div", { class: "facet-body" },
      (facet.others > 0 || values.length > FINDABLE || found !== undefined) && !tree && finder(facet, label),
      h("ul", { class: "values", "aria-label": label }, rows),
      rows.length === 0 && h("p", { class: "hint" }, "Nothing of that name."),
      !tree && found === undefined && values.length > FIRST && h("button", { class: "link", type: "button", "data-key": `open ${facet.field}`,
        "aria-expanded": String(all), onclick: () => { (all ? opened.delete(facet.field) : opened.add(facet.field)); draw(); } }, all ? "Show fewer" : `Show ${number(values.length)}`));
  };

  const finder = (facet, label) => {
    const search = settled(150, async (text) => {
      if (text.trim() === "") {
        sought.delete(facet.field);
        return draw();
      }
      const values = await soughtValues(shop, facet, text);
      sought.set(facet.field, { text, values });
      return draw();
    });
    return h("input", { class: "finder", type: "text", placeholder: `Find in ${label.toLowerCase()}`, "aria-label": `Find in ${label}`, "data-key": `find ${facet.field}`,
      autocomplete: "off", value: sought.get(facet.field)?.text ?? "", oninput: (event) => search(event.target.value) });
  };

  return {
    draw,
    show(answer) {
      sought.clear();
      base = answer.facets ?? [];
      total = answer.total;
      display = answer.facet_display ?? [];
      draw();
    },
    showAttributes(facets) {
      attributes = facets;
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

async function soughtValues(shop, facet, text) {
  const pairs = [["search", text], ...scope(shop.state, filterTexts(shop.state))];
  try {
    const answer = await read(shop.state.tenant, `/v1/facets/${encodeURIComponent(facet.field)}`, pairs, { keep: true });
    return answer.body.values ?? [];
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const wanted = text.trim().toLowerCase();
    return facet.values.filter((value) => String(value.value).toLowerCase().includes(wanted));
  }
}

/** One value with its count, or with what choosing it would add; of a category with those below. */
function row(shop, field, value, total) {
  const { state, names } = shop;
  const on = chosen(state, field, value.value);
  const text = fieldValue(field, value.value, names);
  const adds = !on && state.filters.has(field) && field !== "category";
  const gain = value.total_if_toggled - total;
  const count = adds
    ? h("span", { class: "impact", title: `${counted(value.total_if_toggled, "product")} with this as well` }, `+${number(gain)}`)
    : h("span", { class: "number" }, number(value.count));
  const box = h("input", { type: "checkbox", checked: on, "data-key": `value ${field} ${value.value}`, data: { predicted: String(value.total_if_toggled ?? "") },
    onchange: () => shop.toggle(field, value.value) });
  const below = (value.children ?? []).filter((child) => child.count > 0);
  const spread = below.length > 0 && (on || holdsChosen(state, value) || state.filters.get("category") === undefined && value.count === total);
  return h("li", { class: on ? "on" : "" },
    h("label", {}, box, h("span", { class: "name" }, text), count),
    spread && h("ul", { class: "values below" }, below.map((child) => row(shop, field, child, total))));
}

function holdsChosen(state, value) {
  return (value.children ?? []).some((child) => chosen(state, "category", child.value) || holdsChosen(state, child));
}

