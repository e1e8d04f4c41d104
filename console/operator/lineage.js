// One product from its events to its hit: what each stage knows of it, and at which version.

import { fill, h } from "/storefront/dom.js";
import { read } from "/console/api.js";
import * as show from "/console/format.js";
import { facts, field, json, panel, pill, problem, table } from "/console/parts.js";

const SOURCES = [
  { name: "Context", of: (row) => row.context },
  { name: "Aggregate", of: (row) => [row.aggregate, " ", h("code", { title: row.aggregate_id }, show.short(row.aggregate_id))] },
  { name: "Version", class: "number", of: (row) => show.count(row.version) },
  { name: "Time", of: (row) => show.moment(row.event_time) },
  { name: "State", of: (row) => (row.deleted ? pill("discarded", "deleted") : pill("ok", "present")) },
  { name: "Content", class: "wide", of: (row) => h("details", {}, h("summary", {}, "Show"), json(row.body, `Content of ${row.context}`)) },
];

const HELD = [
  { name: "Generation", of: (row) => [row.generation, " ", row.active ? pill("active") : pill("held", "standby")] },
  { name: "Document", of: (row) => (row.version === null ? pill("planned", "missing") : pill("ok", "present")) },
  { name: "Version", class: "number", of: (row) => (row.version === null ? "–" : show.count(row.version)) },
];

const DEAD_LETTERS = [
  { name: "Dead letter", of: (row) => h("a", { href: `#/dead-letters/${row.id}` }, `№ ${row.id}`) },
  { name: "State", of: (row) => pill(row.state) },
  { name: "Read at", of: (row) => `${row.topic} [${row.partition}] ${show.count(row.record_offset)}` },
  { name: "Error", class: "wide", of: (row) => row.error.split("\n")[0] },
];

const EVENTS = [
  { name: "Event", class: "wide", of: (row) => row.event_type },
  { name: "Version", class: "number", of: (row) => show.count(row.version) },
  { name: "Time", of: (row) => show.moment(row.occurred_at) },
  { name: "Kafka offset", of: (row) => (row.record_offset !== null ? `${row.topic} [${row.partition}] ${show.count(row.record_offset)}` : row.published_at ? "sent" : pill("queued", "not sent yet")) },
  { name: "Request", of: (row) => h("code", { title: row.correlation_id }, show.short(row.correlation_id)) },
  { name: "Payload", of: (row) => h("details", {}, h("summary", {}, "Show"), json(row.payload, `Payload of ${row.event_type}`)) },
];

/** Every event of a product, or the reason why they can't be shown. */
function events(history) {
  if (history.failed) return panel("Every event", problem(history.failed));
  const title = history.archived ? "Events that are not archived" : history.left_out ? "The newest events" : "Every event";
  const none = history.archived ? "All events of this product are in the archive." : "No event of this product is recorded.";
  return panel(title, table(title, EVENTS, history.events, none));
}

function step(state, title, text) {
  return h("li", { class: "hop", data: { state } }, h("strong", {}, title), h("span", {}, text));
}

/** The stages of a product, as sentences. */
function hops(of) {
  const document = of.document;
  const held = of.generations.find((one) => one.active);
  const same = document && held?.version === document.doc_version;
  return h(
    "ol",
    { class: "hops", "aria-label": "From its events to its hit" },
    step(of.sources.length > 0 ? "ok" : "bad", "Events", of.sources.length > 0 ? `${show.counted(of.sources.length, "aggregate")}, the last ${show.ago(of.last_event_time)}` : "none has arrived"),
    step(of.letters.length > 0 ? "bad" : "ok", "Applied", of.letters.length > 0 ? `${show.counted(of.letters.length, "event")} could not be applied` : "all events"),
    step(of.page ? "ok" : "bad", "Page", of.page ? `${of.page.status}, version ${show.count(of.page.doc_version)}` : "no page"),
    step(document ? (document.waiting ? "warn" : "ok") : "bad", "Document", document ? `${document.deleted ? "deleted, " : ""}version ${show.count(document.doc_version)}${document.waiting ? ", not sent yet" : ""}` : "no document"),
    step(same || (document?.deleted && held?.version === null) ? "ok" : "warn", "Index", held?.version == null ? "not in the index" : `version ${show.count(held.version)}`),
    step(of.vectors.length > 0 ? "ok" : "soft", "Vector", of.vectors.length > 0 ? of.vectors.map((one) => `version ${show.count(one.doc_version)}`).join(", ") : "none"),
    step(of.found ? "ok" : document?.deleted ? "soft" : "bad", "Hit", of.found ? "a search for its title finds it" : (of.reason ?? "no search finds it")),
  );
}

/** The address of a path at the host of a shop. */
const at = (host, path) => `${location.protocol}//${host}${location.port && `:${location.port}`}${path}`;

function whole(of, history, host) {
  const shop = of.page && host && h("a", { href: at(host, `/?p=${encodeURIComponent(of.page.slug)}`) }, "In the storefront");
  return [
    h("h2", { class: "lineage-title" }, of.title ?? "No title"),
    facts([
      ["id", h("code", {}, of.product_id)],
      ["slug", of.page?.slug],
      ["external id", of.page?.external_id],
      ["Kafka key", h("code", {}, of.key)],
      ["", shop],
    ]),
    hops(of),
    events(history),
    panel("Content by context", table("Content by context", SOURCES, of.sources, "No event of this product has arrived.")),
    panel("Index generations on this node", table("Index generations", HELD, of.generations, "No generation is open.")),
    of.letters.length > 0 && panel("Events that could not be applied", table("Dead letters", DEAD_LETTERS, of.letters, "")),
    of.document && panel(`The document, version ${of.document.doc_version}`, json(of.document.body, "The composed document")),
  ];
}

const CANDIDATES = (tenant) => [
  { name: "Product", of: (row) => h("a", { href: `#/lineage/${encodeURIComponent(tenant)}/${row.product_id}` }, row.title ?? row.product_id) },
  { name: "Slug", of: (row) => row.slug ?? "–" },
  { name: "External id", of: (row) => row.external_id ?? "–" },
  { name: "By", of: (row) => row.by },
];

/** Draws the search, or one product. */
export function mount(main, [tenant, product]) {
  const shops = h("select", { name: "tenant" });
  const words = h("input", { type: "search", name: "q", placeholder: "Id, SKU, slug, external id or words", required: true });
  const out = h("div", { class: "panels wide", "aria-live": "polite" });
  const form = h("form", { class: "filters" }, field("Shop", shops), field("Product", words), h("button", { class: "button primary", type: "submit" }, "Look it up"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const look = await read("/v1/console/lineage", { tenant: shops.value, q: words.value.trim() });
      if (look.products.length === 1) {
        location.hash = `#/lineage/${encodeURIComponent(shops.value)}/${look.products[0].product_id}`;
        return;
      }
      fill(out, panel("Products", table("Products", CANDIDATES(shops.value), look.products, "Nothing is known under this id or these words in this shop.")));
    } catch (error) {
      fill(out, problem(error));
    }
  });
  main.append(h("h1", {}, "Lineage"), h("p", { class: "hint" }, "One product from its events to its hit: what each stage knows of it, and at which version."), form, out);
  let drawn = "";
  let host = null;
  const start = async () => {
    if (shops.options.length > 0) return;
    const { tenants } = await read("/v1/console/tenants");
    fill(shops, tenants.map((one) => h("option", { value: one.slug }, one.slug)));
    const first = tenants.find((one) => one.slug === tenant) ?? tenants.find((one) => one.slug !== "souk-probe") ?? tenants[0];
    if (first) shops.value = first.slug;
    host = first?.host;
  };
  return {
    every: 2_000,
    async beat() {
      await start();
      if (product === undefined) return;
      const of = await read(`/v1/console/lineage/${product}`, { tenant });
      // The history comes from another process. Without it the page shows the rest.
      const history = await read(`/v1/operations/history/${encodeURIComponent(of.key)}`).catch((failed) => ({ failed }));
      const now = JSON.stringify([of, history.events ?? history.failed.message]);
      if (now === drawn) return;
      drawn = now;
      fill(out, whole(of, history, host));
    },
  };
}
