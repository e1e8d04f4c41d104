// Filters on numbers: how many lie where, as bars that can be chosen, and two fields for exact bounds.

import { h } from "./dom.js";
import { attribute, counted, minorDigits, number, roughMoney } from "./format.js";

/** The body of a facet of numbers. */
export function rangeFacet(shop, facet, filter, label) {
  const isPrice = facet.field === "price";
  const { currency } = shop.state;
  const scale = isPrice ? 10 ** minorDigits(currency) : 1;
  const shown = (value) => (isPrice ? roughMoney(value, currency) : number(value));
  const ranges = facet.ranges ?? [];
  const most = Math.max(1, ...ranges.map((range) => range.count));
  const bars = ranges
    .filter((range) => range.from !== undefined && range.to !== undefined)
    .map((range) => {
      // Prices are whole minor units, so that the last one below a bound can be named.
      const [to, below] = isPrice ? [range.to - 1, false] : [range.to, true];
      const on = filter?.from === range.from && filter.to === to;
      const inside =
        filter === undefined || ((filter.from ?? -Infinity) < range.to && (filter.to ?? Infinity) >= range.from);
      const bar = h(
        "button",
        {
          type: "button",
          class: inside ? "column in" : "column",
          disabled: range.count === 0,
          "aria-pressed": String(on),
          "data-key": `bar ${facet.field} ${range.from}`,
          data: { predicted: String(range.count) },
          "aria-label": `${shown(range.from)} to ${shown(range.to)}, ${counted(range.count, "product")}`,
          title: `${shown(range.from)} to ${shown(range.to)}: ${counted(range.count, "product")}`,
          onclick: () =>
            on ? shop.setRange(facet.field, null, null) : shop.setRange(facet.field, range.from, to, below),
        },
        h("span", {}),
      );
      // A few among many are still to be seen.
      bar.style.setProperty(
        "--height",
        `${range.count === 0 ? 0 : Math.max(6, Math.round((range.count / most) * 100))}%`,
      );
      return bar;
    });
  return h(
    "div",
    { class: "facet-body range" },
    bars.length > 1 &&
      h("div", { class: "histogram", role: "group", "aria-label": `${label}, how many products where` }, bars),
    bars.length > 1 &&
      h(
        "div",
        { class: "ends", "aria-hidden": "true" },
        h("span", {}, shown(ranges[0].from)),
        h("span", {}, shown(ranges.at(-1).to)),
      ),
    bounds(shop, facet, filter, label, scale),
  );
}

/** Two fields; what is typed holds on Enter or when the field is left. */
function bounds(shop, facet, filter, label, scale) {
  const digits = scale === 1 ? undefined : Math.round(Math.log10(scale));
  const written = (value) => {
    if (value === null || value === undefined) return "";
    return digits === undefined
      ? String(Number(value.toFixed(4)))
      : (value / scale).toFixed(digits).replace(/\.0+$/, "");
  };
  const unit = facet.field === "price" ? shop.state.currency : attribute(facet.field).unit;
  const field = (name, end, value) =>
    h("input", {
      type: "text",
      inputmode: "decimal",
      name: end,
      "aria-label": `${label}, ${name}`,
      placeholder: written(end === "from" ? facet.stats?.min : facet.stats?.max),
      value: written(value),
      "data-key": `bound ${facet.field} ${end}`,
      autocomplete: "off",
    });
  const from = field("at least", "from", filter?.from);
  const to = field("at most", "to", filter?.to);
  const apply = (event) => {
    event.preventDefault();
    const [low, high] = [from, to].map((input) => amount(input.value, scale));
    const wrong = [low, high].map((value) => Number.isNaN(value));
    [from, to].forEach((input, index) => input.setAttribute("aria-invalid", String(wrong[index])));
    if (wrong.some(Boolean)) return;
    const unchanged = low === (filter?.from ?? null) && high === (filter?.to ?? null);
    // Bounds the wrong way round mean the same the right way round.
    const swapped = low !== null && high !== null && low > high;
    if (!unchanged) shop.setRange(facet.field, swapped ? high : low, swapped ? low : high);
  };
  return h(
    "form",
    { class: "bounds", onsubmit: apply, onchange: apply },
    from,
    h("span", { "aria-hidden": "true" }, "–"),
    to,
    unit !== undefined && h("span", { class: "unit" }, unit),
    h("button", { class: "unseen", type: "submit", tabIndex: -1 }, "Apply"),
  );
}

/** What was typed in the field's unit; null if nothing, not a number if it is none. */
function amount(text, scale) {
  const bare = text.trim().replace(/^[^\d.,-]+/, "");
  // "1,250" is a thousand and more, "12,5" is less than thirteen.
  const trimmed = /^\d{1,3}(,\d{3})+(\.\d*)?$/.test(bare) ? bare.replaceAll(",", "") : bare.replace(",", ".");
  if (trimmed === "") return text.trim() === "" ? null : Number.NaN;
  const value = Number(trimmed);
  return scale === 1 ? value : Math.round(value * scale);
}
