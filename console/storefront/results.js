// A page of hits, and what the answer says beside them.

import { h, fill, marked, safeLink } from "./dom.js";
import { counted, fieldLabel, fieldValue, money, number, understood } from "./format.js";
import { picture } from "./picture.js";
import { toAddress } from "./state.js";

/** What a card says of the price: in the shopper's currency, or in the first there is. */
export function priceOf(prices, currency) {
  const [code, span] = prices?.[currency] ? [currency, prices[currency]] : (Object.entries(prices ?? {})[0] ?? []);
  if (span === undefined) return h("p", { class: "price none" }, "No price yet");
  const amount = span.amount ?? span.min;
  const list = span.list_amount ?? span.list;
  const reduced = list > amount;
  return h(
    "p",
    { class: "price" },
    span.max > amount && h("span", { class: "from" }, "from "),
    h("strong", { class: reduced ? "reduced" : "" }, money(amount, code)),
    reduced && h("s", { "aria-label": `instead of ${money(list, code)}` }, money(list, code)),
  );
}

const reduction = (prices, currency) => {
  const span = prices?.[currency];
  const percent = span && span.list > span.min ? Math.round((1 - span.min / span.list) * 100) : 0;
  return percent >= 1 ? percent : null;
};

/** A link to a product that opens it in this document. */
export function productLink(shop, slug, props, ...content) {
  const href = toAddress({ ...shop.state, product: slug });
  const onclick = (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    shop.openProduct(slug);
  };
  return h("a", { href, onclick, ...props }, ...content);
}

/** One hit. */
export function card(shop, hit, { explain = true } = {}) {
  const lights = hit.highlights ?? {};
  const snippet = adds(lights.description, hit.title) ? lights.description : null;
  const off = reduction(hit.prices, shop.state.currency);
  return h(
    "li",
    { class: hit.available ? "card" : "card sold-out", data: { slug: hit.slug } },
    picture(hit),
    h(
      "div",
      { class: "flags" },
      hit.pinned && h("span", { class: "flag" }, "Featured"),
      off !== null && h("span", { class: "flag sale" }, `−${off} %`),
    ),
    h(
      "div",
      { class: "card-body" },
      h("p", { class: "brand" }, lights.brand ? marked(lights.brand) : (hit.brand ?? hit.product_type ?? "")),
      h(
        "h2",
        { class: "title" },
        productLink(shop, hit.slug, { "data-key": `hit ${hit.slug}` }, lights.title ? marked(lights.title) : hit.title),
      ),
      snippet && h("p", { class: "snippet" }, marked(snippet)),
      priceOf(hit.prices, shop.state.currency),
      h(
        "p",
        { class: "stock" },
        h("span", { class: hit.available ? "in" : "out" }, hit.available ? "In stock" : "Sold out"),
        hit.variants > 1 && h("span", { class: "variants" }, variantsOf(hit)),
        explain &&
          h(
            "button",
            {
              class: "link explain",
              type: "button",
              "aria-haspopup": "dialog",
              "aria-label": `Why is ${hit.title} here?`,
              onclick: () => shop.explain(hit),
            },
            "Why?",
          ),
      ),
    ),
  );
}

/** Whether a snippet says more than the title does already. */
function adds(snippet, title) {
  const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const said = new Set(words(title));
  return (
    snippet !== undefined &&
    words(
      marked(snippet)
        .map((piece) => piece.textContent ?? piece)
        .join(""),
    ).some((word) => !said.has(word))
  );
}

function variantsOf(hit) {
  const matching = hit.matching_variants?.length ?? 0;
  return matching > 0 ? `${number(matching)} of ${counted(hit.variants, "variant")}` : counted(hit.variants, "variant");
}

/** Cards without content, while the first answer is on its way. */
export function skeletons(count) {
  return Array.from({ length: count }, () =>
    h(
      "li",
      { class: "card skeleton", "aria-hidden": "true" },
      h("div", { class: "picture" }),
      h(
        "div",
        { class: "card-body" },
        h("p", { class: "bone short" }),
        h("p", { class: "bone" }),
        h("p", { class: "bone" }),
        h("p", { class: "bone short" }),
      ),
    ),
  );
}

/** What the answer says beside its hits. */
export function notices(shop, node, answer, { typing = false } = {}) {
  const { state } = shop;
  fill(
    node,
    redirected(answer.redirect, typing),
    (answer.banners ?? []).map(banner),
    answer.rewritten &&
      h("p", { class: "notice" }, "Searched for ", h("strong", {}, answer.rewritten), ", which this shop calls it."),
    (answer.hints ?? []).map((hint) => h("p", { class: "notice" }, sentenceOf(hint.detail))),
    corrected(shop, answer.corrections ?? [], typing),
    read(shop, answer.understood ?? []),
    !state.understand &&
      h(
        "p",
        { class: "notice" },
        "Every word is searched for as it is written. ",
        h(
          "button",
          { class: "link", type: "button", onclick: () => shop.go({ understand: true, page: 1 }) },
          "Read prices, brands and exclusions again",
        ),
      ),
    !typing && answer.relaxed && h("p", { class: "notice" }, relaxation(answer.relaxed)),
    answer.partial && h("p", { class: "notice warning" }, "The time for this search was up; there may be more."),
    answer.degraded && h("p", { class: "notice warning" }, sentenceOf(answer.degraded)),
    answer.consistency?.state === "stale" &&
      h("p", { class: "notice warning" }, "A recent change is still on its way; these products are from before it."),
  );
}

const sentenceOf = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function relaxation({ matched, of }) {
  const words = of === 2 ? "both words" : `all ${number(of)} words`;
  return `Few or no products have ${words}; those with ${number(matched)} of them are shown as well.`;
}

function redirected(redirect, typing) {
  const href = typing ? null : safeLink(redirect?.url);
  return (
    href !== null &&
    redirect &&
    h("p", { class: "notice redirect" }, "There is a page for this search. ", h("a", { href }, `Go to ${redirect.url}`))
  );
}

function banner(entry) {
  const href = safeLink(entry.link_url);
  const text = entry.text ?? entry.id;
  const image = entry.image_url && picture({ title: text, slug: entry.id }, { url: entry.image_url });
  return h(
    "p",
    { class: "banner" },
    image,
    href === null
      ? h("strong", {}, text)
      : h("a", { href }, h("strong", {}, text), h("span", { "aria-hidden": "true" }, " →")),
  );
}

function corrected(shop, corrections, typing) {
  // While a word is being typed, its completion is no mistake.
  const wrong = corrections.filter(({ written, read }) => !(typing && read.startsWith(written)));
  if (wrong.length === 0) return null;
  let meant = [shop.state.q];
  let asWritten = shop.state.q;
  for (const { written, read } of wrong) {
    const word = new RegExp(`(${escaped(written)})`, "i");
    meant = meant.flatMap((piece) => {
      if (typeof piece !== "string") return [piece];
      const [before, found, after] = piece.split(word, 3);
      return found === undefined ? [piece] : [before, h("strong", {}, read), after ?? ""];
    });
    asWritten = asWritten.replace(word, '"$1"');
  }
  return h(
    "p",
    { class: "notice" },
    "Showing results for ",
    meant,
    ". Search instead for ",
    h(
      "button",
      { class: "link", type: "button", "data-key": "as-written", onclick: () => shop.submitted(asWritten) },
      shop.state.q,
    ),
    ".",
  );
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Chips for what was read out of the query, each with a way to undo it. */
function read(shop, entries) {
  if (entries.length === 0) return null;
  const narrowing = entries.filter((entry) => entry.effect === "filter");
  const moving = entries.filter((entry) => entry.effect !== "filter").slice(0, 4);
  return h(
    "div",
    { class: "understood" },
    h("span", { class: "label" }, "Read as"),
    narrowing.map((entry) => {
      const what = understood(entry, shop.names);
      return h(
        "button",
        {
          class: "chip",
          type: "button",
          "data-key": `read ${entry.text}`,
          "aria-label": `Remove ${what} from the search`,
          onclick: () => shop.submitted(without(shop.state.q, entry)),
        },
        what,
        h("span", { class: "cross", "aria-hidden": "true" }),
      );
    }),
    moving.map((entry) =>
      h(
        "span",
        { class: "chip soft", title: `“${entry.text}” moves these up` },
        understood(entry, shop.names),
        h("span", { class: "arrow", "aria-hidden": "true" }, "↑"),
      ),
    ),
    h(
      "button",
      { class: "link", type: "button", "data-key": "literal", onclick: () => shop.go({ understand: false, page: 1 }) },
      "Search the words as they are",
    ),
  );
}

/** A query without the words that something was read from. */
export function without(query, entry) {
  const text = escaped(entry.text.replace(/^["-]+|"+$/g, ""));
  const patterns = { without: `(?:-|without\\s+)?${text}`, phrase: `"\\s*${text}\\s*"` };
  const words = new RegExp(`(^|\\s)${patterns[entry.kind] ?? text}(?=\\s|$)`, "i");
  return query.replace(words, " ").replace(/\s+/g, " ").trim();
}

/** The filters that are set, each with a way to remove it. */
export function chips(shop, node) {
  const { state } = shop;
  const made = [];
  for (const [field, filter] of state.filters) {
    if (filter.values === undefined) {
      made.push(
        chip(`${fieldLabel(field)}: ${rangeText(field, filter, state.currency)}`, () =>
          shop.setRange(field, null, null),
        ),
      );
    } else {
      for (const value of filter.values)
        made.push(
          chip(`${fieldLabel(field)}: ${fieldValue(field, value, shop.names)}`, () => shop.toggle(field, value)),
        );
    }
  }
  const all =
    made.length > 1 && h("button", { class: "link", type: "button", onclick: () => shop.clearFilters() }, "Clear all");
  fill(node, made, all);
  node.hidden = made.length === 0;
}

function chip(text, remove) {
  return h(
    "button",
    {
      class: "chip",
      type: "button",
      "data-key": `chip ${text}`,
      "aria-label": `Remove the filter ${text}`,
      onclick: remove,
    },
    text,
    h("span", { class: "cross", "aria-hidden": "true" }),
  );
}

/** A range as people read it. */
export function rangeText(field, { from, to, below }, currency) {
  const shown = (value) => (field === "price" ? money(value, currency) : number(value));
  if (from === null) return `${below ? "below" : "up to"} ${shown(to)}`;
  return to === null ? `from ${shown(from)}` : `${shown(from)} to ${shown(to)}`;
}
