// The page of one product.

import { read, Refused } from "./api.js";
import { announce, by, fill, h, plain } from "./dom.js";
import { attribute, counted, day, fieldValue, moment, money, number } from "./format.js";
import { picture } from "./picture.js";
import { card, priceOf } from "./results.js";

/** Shows the product of the shop's state; gives its title once it is there. */
export async function productPage(shop, signal) {
  const { tenant, product: slug } = shop.state;
  const node = by("product-view");
  fill(
    node,
    h(
      "div",
      { class: "product skeleton", "aria-hidden": "true" },
      h("div", { class: "picture" }),
      h("div", {}, ...Array.from({ length: 6 }, () => h("p", { class: "bone" }))),
    ),
  );
  try {
    const answer = await read(tenant, `/v1/products/by-slug/${encodeURIComponent(slug)}`, [], { signal });
    if (signal.aborted) return null;
    fill(node, page(shop, answer));
    announce(answer.body.title);
    similar(shop, answer.body, signal);
    return answer.body.title;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    fill(
      node,
      back(shop),
      h(
        "div",
        { class: "state" },
        h("h1", {}, error.status === 404 ? "This product is not here" : "The product can't be shown"),
        h("p", {}, error.message),
        h("button", { class: "button primary", type: "button", onclick: () => shop.home() }, "See all products"),
      ),
    );
    announce(error.message);
    return null;
  }
}

function back(shop) {
  return h(
    "nav",
    { class: "crumbs", "aria-label": "Way back" },
    h("button", { class: "link", type: "button", onclick: () => shop.back() }, "← Back to the results"),
  );
}

function page(shop, { body, servedAt, consistency }) {
  const crumbs = back(shop);
  const [category] = body.categories ?? [];
  if (category !== undefined) {
    crumbs.append(
      h(
        "ol",
        {},
        category.path_names.map((name, index) =>
          h(
            "li",
            {},
            h(
              "button",
              { class: "link", type: "button", onclick: () => shop.only("category", category.path_slugs[index]) },
              name,
            ),
          ),
        ),
      ),
    );
  }
  const variants = body.variants ?? [];
  const buy = h("div", { class: "buy" });
  const show = (variant) => fill(buy, offer(shop, body, variant));
  const first = variants.find(canBeHad) ?? variants[0];
  show(first);
  return [
    crumbs,
    h(
      "article",
      { class: "product" },
      gallery(body),
      h(
        "div",
        { class: "facts" },
        h(
          "p",
          { class: "brand" },
          body.brand &&
            h("button", { class: "link", type: "button", onclick: () => shop.only("brand", body.brand) }, body.brand),
        ),
        h("h1", { tabIndex: -1 }, body.title),
        codes(body),
        variants.length > 1 && chooser(variants, first, show),
        buy,
        body.description && description(body.description),
      ),
    ),
    h(
      "div",
      { class: "details" },
      h("div", {}, variants.length > 0 && variantTable(shop, variants), freshness(body, servedAt, consistency)),
      attributeTable(body.attributes ?? {}),
    ),
    h("section", { class: "similar", id: "similar", "aria-labelledby": "similar-title", hidden: true }),
  ];
}

function gallery(body) {
  const images = body.images?.length > 0 ? body.images : [undefined, undefined, undefined];
  const main = h("div", { class: "main-picture" }, picture(body, images[0]));
  const thumbs = images.slice(0, 5).map((image, index) =>
    h(
      "button",
      {
        type: "button",
        class: "thumb",
        "aria-label": `Picture ${index + 1} of ${Math.min(images.length, 5)}`,
        "aria-pressed": String(index === 0),
        onclick: (event) => {
          main.replaceChildren(picture(body, image, index));
          for (const other of thumbs) other.setAttribute("aria-pressed", String(other === event.currentTarget));
        },
      },
      picture(body, image, index),
    ),
  );
  return h("div", { class: "gallery" }, main, thumbs.length > 1 && h("div", { class: "thumbs" }, thumbs));
}

function codes(body) {
  const pairs = [
    ["Part number", body.part_number],
    ["Kind", body.product_type],
    ["Since", body.released_at && day(body.released_at)],
  ];
  return h(
    "dl",
    { class: "codes" },
    pairs.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** What can be sold of a variant. A page that an earlier release composed tells what is on hand alone. */
function availability(variant) {
  const onHand = variant?.on_hand ?? 0;
  const few = { level: onHand > 0 ? "low" : "none", left: onHand };
  return variant?.availability ?? (onHand > 5 ? { level: "in_stock" } : few);
}

const canBeHad = (variant) => availability(variant).level !== "none";

function stockText(variant) {
  const { level, left } = availability(variant);
  if (level === "none") return "Sold out";
  return level === "low" ? `Only ${number(left)} left` : "In stock";
}

/** Price and stock of a variant. */
function offer(shop, body, variant) {
  return [
    priceOf(variant?.prices ?? body.prices, shop.state.currency),
    tiers(variant?.tiers?.[shop.state.currency] ?? [], shop.state.currency),
    h(
      "p",
      { class: "stock" },
      h("span", { class: canBeHad(variant) ? "in" : "out" }, stockText(variant)),
      variant && h("span", { class: "variants" }, `SKU ${variant.sku}`),
    ),
    canBeHad(variant) && shop.adder(variant, currencyOf(variant.prices ?? body.prices, shop.state.currency)),
  ];
}

/** What a piece costs where somebody buys many. */
function tiers(list, currency) {
  if (!list.length) return null;
  const tier = ({ min_quantity, amount }) =>
    h("div", {}, h("dt", {}, `From ${number(min_quantity)} pieces`), h("dd", {}, `${money(amount, currency)} each`));
  return h("dl", { class: "codes tiers" }, list.map(tier));
}

/** The currency that the price is shown in. */
const currencyOf = (prices, wanted) => (prices?.[wanted] ? wanted : (Object.keys(prices ?? {})[0] ?? wanted));

const optionsOf = (variant) => Object.entries(variant.options ?? {});

/** One row of buttons for each option; a combination that isn't made goes to the nearest that is. */
function chooser(variants, first, show) {
  let current = first;
  const names = [...new Set(variants.flatMap((variant) => optionsOf(variant).map(([name]) => name)))];
  const node = h("div", { class: "chooser" });
  const nearest = (name, value) => {
    const agreeing = (variant) => optionsOf(variant).filter(([other, has]) => current.options[other] === has).length;
    return variants.filter((variant) => variant.options?.[name] === value).sort((a, b) => agreeing(b) - agreeing(a))[0];
  };
  const draw = () =>
    fill(
      node,
      names.map((name) => {
        const values = [
          ...new Set(variants.map((variant) => variant.options?.[name]).filter((value) => value !== undefined)),
        ];
        return h(
          "fieldset",
          {},
          h("legend", {}, `${attribute(name).label}: `, h("strong", {}, current.options?.[name] ?? "–")),
          values.map((value) => {
            const variant = nearest(name, value);
            return h(
              "button",
              {
                type: "button",
                class: canBeHad(variant) ? "option-value" : "option-value gone",
                "data-key": `option ${name} ${value}`,
                "aria-pressed": String(current.options?.[name] === value),
                onclick: () => {
                  current = variant;
                  draw();
                  show(variant);
                },
              },
              value,
            );
          }),
        );
      }),
    );
  draw();
  return names.length > 0 && node;
}

function description(text) {
  return h(
    "div",
    { class: "description" },
    plain(text)
      .split("\n")
      .filter(Boolean)
      .map((paragraph) => h("p", {}, paragraph)),
  );
}

function variantTable(shop, variants) {
  const names = [...new Set(variants.flatMap((variant) => optionsOf(variant).map(([name]) => name)))];
  const head = [...names.map((name) => attribute(name).label), "SKU", "Price", "Stock"];
  return h(
    "section",
    {},
    h("h2", {}, variants.length > 1 ? counted(variants.length, "variant") : "Price and stock"),
    h(
      "div",
      { class: "scroller", tabIndex: 0, role: "region", "aria-label": "Variants" },
      h(
        "table",
        { class: "table" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            head.map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        h(
          "tbody",
          {},
          variants.map((variant) =>
            h(
              "tr",
              {},
              names.map((name) => h("td", {}, variant.options?.[name] ?? "–")),
              h("td", { class: "code" }, variant.sku),
              h("td", {}, priceOf(variant.prices, shop.state.currency)),
              h("td", {}, h("span", { class: canBeHad(variant) ? "in" : "out" }, stockText(variant))),
            ),
          ),
        ),
      ),
    ),
  );
}

function attributeTable(attributes) {
  const rows = Object.entries(attributes);
  if (rows.length === 0) return null;
  return h(
    "section",
    {},
    h("h2", {}, "Details"),
    h(
      "table",
      { class: "table attributes" },
      h(
        "tbody",
        {},
        rows.map(([name, value]) => {
          const { label, unit } = attribute(name);
          // Imported texts may hold line breaks, also written ones.
          const values = (Array.isArray(value) ? value : [value])
            .map((one) => fieldValue(name, one))
            .join(", ")
            .replace(/\\n/g, "\n");
          return h(
            "tr",
            {},
            h("th", { scope: "row" }, label),
            h("td", {}, unit === undefined ? values : `${values} ${unit}`),
          );
        }),
      ),
    ),
  );
}

/** How new what is shown is: versions of what it was composed from, and when. */
function freshness(body, servedAt, consistency) {
  const composed = body.freshness?.composed_at && new Date(body.freshness.composed_at);
  const rows = [
    ["Version of the product", number(body.version)],
    ["Composed", composed && moment(composed)],
    ["Served", moment(new Date(servedAt))],
    [
      "Consistency",
      consistency === "stale" ? "A recent change is still on its way" : "Nothing you have written is missing",
    ],
  ];
  return h(
    "section",
    { class: "freshness" },
    h("h2", {}, "How fresh this is"),
    h(
      "dl",
      {},
      rows.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    ),
  );
}

/** Products like this one; where there are none, or the shop has no vectors, nothing is said of them. */
async function similar(shop, body, signal) {
  try {
    const answer = await read(shop.state.tenant, `/v1/products/${body.id}/similar`, [["limit", "6"]], {
      signal,
      keep: true,
    });
    const node = by("similar");
    const hits = answer.body.hits ?? [];
    if (signal.aborted || node === null || hits.length === 0) return;
    fill(
      node,
      h("h2", { id: "similar-title" }, "Similar products"),
      h(
        "ol",
        { class: "cards row" },
        hits.map((hit) => card(shop, hit, { explain: false })),
      ),
    );
    node.hidden = false;
  } catch (error) {
    if (!(error instanceof Refused) && error.name !== "AbortError") throw error;
  }
}
