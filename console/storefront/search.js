// The search view: asks, shows hits, facets and notices, and loads more.

import { read, Refused, scope } from "./api.js";
import { announce, by, fill, h, settled } from "./dom.js";
import { counted, took } from "./format.js";
import { facetPanel, facetsOf } from "./facets.js";
import { card, chips, notices, skeletons } from "./results.js";
import { filterTexts, MOST_PAGES, PAGE } from "./state.js";

const FACETS_MS = 200;

/** What the view shows. Two states with the same key show the same products. */
const keyOf = (state) =>
  JSON.stringify([
    state.tenant,
    state.q.trim(),
    state.mode,
    state.sort,
    state.understand,
    state.currency,
    [...state.filters],
  ]);

/** The search view of a shop. */
export function searchView(shop) {
  const cards = by("cards");
  const panel = facetPanel(shop, by("facets"));
  let current = null;
  let running = null;
  let hits = [];
  let next = null;
  let answered = null;

  const pairs = (state, more) => [
    ...scope(state, filterTexts(state)),
    ["sort", state.sort],
    ["limit", PAGE],
    ["highlight", "true"],
    ...more,
  ];

  const first = (state, typing, signal) => {
    return read(
      state.tenant,
      "/v1/search",
      pairs(state, [
        ["typing", typing ? "true" : null],
        ["cursor", "*"],
      ]),
      { signal, keep: true },
    );
  };

  const another = async (state, typing, signal) => {
    const { body } = await read(
      state.tenant,
      "/v1/search",
      pairs(state, [
        ["typing", typing ? "true" : null],
        ["cursor", next],
      ]),
      { signal, keep: true },
    );
    // A page of a newer index may bring a product once more.
    const known = new Set(hits.map((hit) => hit.id));
    const fresh = body.hits.filter((hit) => !known.has(hit.id));
    hits = [...hits, ...fresh];
    next = body.next ?? null;
    return fresh;
  };

  const show = (state, typing) => {
    fill(
      cards,
      hits.map((hit) => card(shop, hit)),
    );
    notices(shop, by("notices"), answered, { typing });
    head(state, answered);
    empty(shop, answered);
    more();
    by("drawer-show").textContent = `Show ${counted(answered.total, "product")}`;
    announce(`${counted(answered.total, "product")} found`);
  };

  const more = () => {
    fill(
      by("more"),
      next !== null &&
        h("button", { class: "button", type: "button", "data-key": "more", onclick: loadMore }, "Load more"),
      answered.total > 0 && h("p", { class: "hint" }, `${hits.length} of ${counted(answered.total, "product")}`),
    );
  };

  const loadMore = async () => {
    const at = hits.length;
    try {
      const { signal } = running;
      const fresh = await another(shop.state, false, signal);
      cards.append(...fresh.map((hit) => card(shop, hit)));
      more();
      cards.children[at]?.querySelector("a")?.focus({ preventScroll: true });
      announce(`${counted(fresh.length, "more product", "more products")}`);
      shop.paged(Math.min(shop.state.page + 1, MOST_PAGES));
    } catch (error) {
      failed(error);
    }
  };

  const failed = (error) => {
    if (error.name === "AbortError") return;
    current = null;
    if (!(error instanceof Refused)) throw error;
    hits = [];
    fill(cards);
    fill(by("notices"));
    fill(by("more"));
    by("count").textContent = "";
    fill(
      by("state"),
      h(
        "div",
        { class: "state" },
        h("h2", {}, "This search could not be answered"),
        h("p", {}, error.message),
        h("button", { class: "button primary", type: "button", onclick: () => run(shop.state) }, "Try again"),
      ),
    );
    announce(error.message);
  };

  const facets = settled(FACETS_MS, async (state, typing, signal) => {
    try {
      const counted = await facetsOf(state, typing, signal);
      if (!signal.aborted) panel.show(counted);
    } catch (error) {
      // What is wrong with the search is said where the hits would be.
      if (!(error instanceof Refused) && error.name !== "AbortError") throw error;
    }
  });

  const run = async (state, { typing = false } = {}) => {
    chips(shop, by("chips"));
    const key = `${keyOf(state)}${typing}`;
    if (key === current) return;
    current = key;
    running?.abort();
    facets.cancel();
    running = new AbortController();
    const { signal } = running;
    // Hits don't wait for facets; while somebody types, facets wait for a rest.
    if (typing) facets(state, typing, signal);
    else facets.now(state, typing, signal);
    const waiting = settled(140, () => loading(cards, hits.length === 0));
    waiting();
    try {
      const { body } = await first(state, typing, signal);
      if (signal.aborted) return;
      answered = body;
      ({ hits } = body);
      next = body.next ?? null;
      for (let page = 1; page < state.page && next !== null; page += 1) await another(state, typing, signal);
      if (signal.aborted) return;
      show(state, typing);
    } catch (error) {
      failed(error);
    } finally {
      waiting.cancel();
      if (!signal.aborted) cards.removeAttribute("aria-busy");
    }
  };

  return {
    run,
    /** The place of a hit among those shown, from 0. */
    placeOf: (id) => hits.findIndex((hit) => hit.id === id),
    /** The currency most products have a price in, if none has one in this. */
    otherCurrency: (currency) => missing(hits, currency),
    redraw() {
      chips(shop, by("chips"));
      panel.draw();
    },
  };
}

function loading(cards, bare) {
  cards.setAttribute("aria-busy", "true");
  if (bare) fill(cards, skeletons(8));
}

/** The heading: how many, for what, how quickly. */
function head(state, answer) {
  const q = state.q.trim();
  fill(
    by("count"),
    h("strong", {}, counted(answer.total, "product")),
    q !== "" && h("span", { class: "for" }, ` for “${q}”`),
    h("small", {}, took(answer.took_ms)),
  );
}

function empty(shop, answer) {
  const node = by("state");
  if (answer.total > 0) return fill(node);
  const { state } = shop;
  const filters = state.filters.size > 0;
  return fill(
    node,
    h(
      "div",
      { class: "state" },
      h("h2", {}, "Nothing fits"),
      h(
        "p",
        {},
        filters ? "No product passes all of the filters at once." : "No product of this shop has these words.",
      ),
      h(
        "div",
        { class: "offers" },
        filters &&
          h(
            "button",
            { class: "button primary", type: "button", onclick: () => shop.clearFilters() },
            "Clear the filters",
          ),
        state.mode === "lexical" &&
          state.q.trim() !== "" &&
          h(
            "button",
            { class: "button", type: "button", onclick: () => shop.go({ mode: "hybrid", page: 1 }) },
            "Search by meaning, too",
          ),
        h("button", { class: "button", type: "button", onclick: () => shop.home() }, "See all products"),
      ),
    ),
  );
}

function missing(hits, currency) {
  const counts = new Map();
  for (const hit of hits) {
    const codes = Object.keys(hit.prices ?? {});
    if (codes.includes(currency)) return null;
    for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}
