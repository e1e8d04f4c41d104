// One generation: its bundle, the certificate of its verification, and what would change for shoppers.

import { fill, h } from "/storefront/dom.js";
import { read } from "/console/api.js";
import * as show from "/console/format.js";
import { facts, json, panel, pill, table } from "/console/parts.js";

/** A figure before and after, with the change in a colour; `better` says which way is good. */
function change(before, after, format, better) {
  const difference = after - before;
  const kind = Math.abs(difference) < 1e-9 ? "same" : difference > 0 === (better === "up") ? "good" : "bad";
  return h("span", { class: `change ${kind}` }, `${format(before)} → ${format(after)}`);
}

const DECLARED = [
  { name: "Field", of: (row) => row.field },
  { name: "Documents", class: "number", of: (row) => `${show.count(row.before.documents)} → ${show.count(row.after.documents)}` },
  { name: "Terms", class: "number", of: (row) => `${show.count(row.before.terms)} → ${show.count(row.after.terms)}` },
];

const SHOPS = [
  { name: "Shop", of: ([tenant]) => tenant },
  { name: "Documents", class: "number", of: ([, documents]) => show.count(documents) },
];

const setting = (value) => (value === null || value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value));

function changeLine(one) {
  if (typeof one === "string") return one;
  const path = one.path ?? one.setting ?? one.name ?? "";
  return [h("code", {}, path), ` ${setting(one.before)} → ${setting(one.after)}`];
}

function certificate(of) {
  if (!of) return panel("Certificate", h("p", { class: "empty" }, "Not verified yet."));
  return panel(
    "Certificate",
    facts([
      ["compared with", of.basis],
      ["documents", `${show.count(of.documents)} in ${show.counted(Object.keys(of.tenants ?? {}).length, "shop")}`],
      ["digest", h("code", {}, of.digest)],
      ["verified by", `${of.by}, ${show.moment(of.at)}`],
      ["signature", h("code", {}, of.signature)],
    ]),
    (of.changes ?? []).length > 0 && [h("h3", {}, "What the plan changes"), h("ul", { class: "plain" }, of.changes.map((one) => h("li", {}, changeLine(one))))],
    h("h3", {}, "Declared differences"),
    table("Declared differences", DECLARED, of.declared ?? [], "None. Both find the same products in every field."),
    (of.accepted ?? []).length > 0 && h("p", {}, `Losses accepted in: ${of.accepted.join(", ")}`),
    h("details", {}, h("summary", {}, "By shop"), table("Documents by shop", SHOPS, Object.entries(of.tenants ?? {}), "No shop has documents.")),
    h("details", {}, h("summary", {}, "Offsets"), json(of.offsets, "Offsets of both at the comparison")),
  );
}

const QUERIES = [
  { name: "Query", of: (row) => h("strong", {}, row.query) },
  { name: "Overlap", class: "number", of: (row) => show.exact(row.overlap) },
  { name: "Hits", class: "number", of: (row) => `${show.count(row.totals[0])} → ${show.count(row.totals[1])}` },
  { name: "First before", of: (row) => row.before[0] ?? "–" },
  { name: "First after", of: (row) => row.after[0] ?? "–" },
  { name: "Moved most", of: (row) => row.movers.slice(0, 2).map(([title, from, to]) => h("div", {}, `${title} `, h("span", { class: `change ${to < from ? "good" : "bad"}` }, `${from} → ${to}`))) },
];

function named(title, names) {
  if (names.length === 0) return null;
  return h("details", {}, h("summary", {}, `${title} (${show.count(names.length)})`), h("ul", { class: "plain columns-2" }, names.map((name) => h("li", {}, name))));
}

function comparison(of) {
  if (!of) return panel("Comparison", h("p", { class: "empty" }, "Not compared yet."));
  const [before, after] = of.latency;
  const limits = of.passed_limits ?? [];
  return panel(
    "Comparison",
    limits.length === 0 ? h("p", {}, pill("ok", "within the limits")) : h("div", { class: "problem" }, h("p", {}, "These limits are exceeded:"), h("ul", {}, limits.map((one) => h("li", {}, one)))),
    facts([
      ["queries", `${show.count(of.queries)} of ${of.tenant}, ${of.mode}; ${show.count(of.unchanged)} find the same ten in the same order`],
      ["rank-biased overlap", show.exact(of.overlap)],
      ["NDCG@10", of.ndcg && change(of.ndcg[0], of.ndcg[1], show.exact, "up")],
      ["half within", change(before.p50_ms, after.p50_ms, show.milliseconds, "down")],
      ["99 % within", change(before.p99_ms, after.p99_ms, show.milliseconds, "down")],
      ["nothing found any more", show.counted(of.newly_empty.length, "query", "queries")],
      ["something found now", show.counted(of.no_longer_empty.length, "query", "queries")],
      ["products lost and gained", `${show.count(of.lost_products.length)} and ${show.count(of.gained_products.length)} among the first ten`],
      ["compared by", `${of.by}, ${show.moment(of.at)}`],
    ]),
    h("h3", {}, "Queries that change most"),
    table("Queries that change most", QUERIES, of.most_changed ?? [], "No query changes."),
    named("Queries that no longer find anything", of.newly_empty),
    named("Queries that now find something", of.no_longer_empty),
    named("Products lost", of.lost_products),
    named("Products gained", of.gained_products),
  );
}

const OPERATIONS = [
  { name: "When", of: (row) => show.moment(row.at) },
  { name: "What", of: (row) => show.word(row.action.replace(/^generation\./, "")) },
  { name: "Who", of: (row) => row.actor },
  { name: "Note", of: (row) => row.detail.note || row.detail.reason || "–" },
];

/** Draws one generation. */
export function detail(main, name, buttons, aside) {
  const head = h("div", { class: "page-head" });
  const body = h("div", { class: "panels wide" });
  const notices = h("div", { class: "notices" });
  main.append(h("p", {}, h("a", { href: "#/generations" }, "All generations")), head, notices, body);
  let drawn = "";
  const refresh = async () => {
    const one = await read(`/v1/console/generations/${encodeURIComponent(name)}`);
    fill(notices, aside());
    const now = JSON.stringify(one);
    // Only what has changed is drawn anew, so that what was opened stays open.
    if (now === drawn) return;
    drawn = now;
    fill(head, h("h1", {}, one.generation, " ", pill(one.state), one.paused && pill("paused")), h("div", { class: "page-tools" }, buttons(one, one.others, refresh)));
    fill(
      body,
      one.note && h("p", { class: "note" }, one.note),
      comparison(one.comparison),
      certificate(one.certificate),
      panel("Operations", table("Operations", OPERATIONS, one.operations, "No operation yet.")),
      panel("Bundle and manifest", json(one.manifest, "Manifest")),
    );
  };
  return { beat: refresh, every: 2_000 };
}
