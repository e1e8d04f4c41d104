// The pipeline, live: from a command to a hit, with rate and lag at each stage.

import { fill, h } from "/storefront/dom.js";
import { read } from "/console/api.js";
import { sparkline } from "/console/chart.js";
import * as show from "/console/format.js";
import { panel, pill, table } from "/console/parts.js";

/** Samples that the small charts show, one a second. */
const KEPT = 120;
/** A consumer that has not reported for this many seconds counts as gone. */
const SILENT = 5;

const STATIONS = [
  { id: "commands", title: "Commands", under: "write-api records events", unit: "events/s" },
  { id: "outbox", title: "Outboxes", under: "the relay sends them to Kafka in order", unit: "sent/s" },
  { id: "views", title: "Views", under: "rows and documents, one transaction", unit: "applied/s" },
  { id: "documents", title: "Document topic", under: "one record for each changed product", unit: "sent/s" },
  { id: "index", title: "Index", under: "tantivy, committed without a pause", unit: "indexed/s" },
  { id: "embed", title: "Vectors", under: "pgvector; text that changed", unit: "read/s" },
  { id: "hits", title: "Hits", under: "query-api answers", unit: "searches/s" },
];

/** The feeds of the projector: together they are the views. */
const FEEDS = ["products", "merchandising", "insights"];

const RANK = ["ok", "warning", "stall", "stop"];

function worst(states) {
  return states.reduce((a, b) => (RANK.indexOf(b) > RANK.indexOf(a) ? b : a), "ok");
}

/** The sum of several projections. */
function together(projections) {
  const sum = { lag: 0, late: 0, rate: 0, silent: 0, state: "ok", catchUp: 0, there: projections.length > 0, next: 0, end: 0 };
  for (const one of projections) {
    sum.lag += one.lag_events;
    sum.late = Math.max(sum.late, one.lag_seconds);
    sum.rate += Math.max(0, one.rate_per_second);
    sum.silent = Math.max(sum.silent, one.heartbeat_age_seconds);
    sum.state = worst([sum.state, one.state]);
    sum.catchUp = sum.catchUp === null || one.catch_up_seconds === null ? null : Math.max(sum.catchUp, one.catch_up_seconds);
    for (const partition of one.partitions) {
      sum.next += partition.next_offset;
      sum.end += partition.end_offset;
    }
  }
  return sum;
}

/** What each stage shows, from this sample and the one before. */
function figures(look, before) {
  const named = (test) => together(look.projections.filter((one) => test(one.projection)));
  const relays = named((name) => name.startsWith("relay:"));
  const views = named((name) => FEEDS.includes(name));
  const index = named((name) => name === "index");
  const embed = named((name) => name === "embed");
  const seconds = before ? Math.max(0.2, (new Date(look.at) - new Date(before.at)) / 1000) : 1;
  const grown = before ? look.ends.relay - before.ends.relay : 0;
  const published = before ? look.ends.documents - before.ends.documents : 0;
  const nodes = look.nodes.filter((node) => node.heartbeat_age_seconds < SILENT);
  const searches = nodes.flatMap((node) => Object.values(node.figures));
  const waiting = look.documents_waiting;
  return {
    commands: { rate: grown / seconds, state: relays.there ? "ok" : "stop", facts: [["in all outboxes", show.counted(relays.lag, "row")]] },
    outbox: { ...relays, lagWord: "waiting" },
    views: { ...views, lagWord: "waiting" },
    documents: {
      rate: published / seconds,
      lag: waiting.events,
      late: waiting.seconds,
      lagWord: "waiting",
      state: waiting.seconds > 30 ? "stall" : "ok",
      catchUp: published > 0 ? waiting.events / (published / seconds) : waiting.events === 0 ? 0 : null,
      there: true,
      silent: 0,
    },
    index: { ...index, lagWord: "waiting" },
    embed: { ...embed, lagWord: "waiting" },
    hits: {
      rate: searches.reduce((sum, one) => sum + one.searches, 0) / 10,
      state: nodes.length === 0 ? "stop" : searches.some((one) => one.failed > 0) ? "warning" : "ok",
      there: nodes.length > 0,
      silent: 0,
      facts: [
        ["half within", show.milliseconds(Math.max(0, ...searches.map((one) => one.p50_ms)))],
        ["99 % within", show.milliseconds(Math.max(0, ...searches.map((one) => one.p99_ms)))],
        ["nothing found", show.count(searches.reduce((sum, one) => sum + one.empty, 0))],
        ["failed", show.count(searches.reduce((sum, one) => sum + one.failed, 0))],
      ],
    },
  };
}

function station(definition) {
  const { id, title, under, unit } = definition;
  const rate = h("span", { class: "rate" }, "–");
  const state = h("span", { class: "station-state" });
  const facts = h("dl", { class: "station-facts" });
  const chart = sparkline(KEPT, `${title}, ${unit} over two minutes`);
  const card = h(
    "li",
    { class: "station", data: { station: id, state: "ok" } },
    h("span", { class: "link-line", "aria-hidden": "true" }),
    h("div", { class: "station-head" }, h("h2", {}, title), state),
    h("p", { class: "hint" }, under),
    h("p", { class: "station-rate" }, rate, " ", h("span", { class: "unit" }, unit)),
    chart,
    facts,
  );
  const history = [];
  card.look = (found) => {
    // Vectors are an option: where no embedder has ever reported, none is missed.
    const off = !found.there && id === "embed";
    const missing = !found.there && id !== "commands" ? "nobody has reported" : "";
    const gone = off ? "off" : missing || (found.silent > SILENT ? `silent for ${show.seconds(found.silent)}` : "");
    const holds = off ? "off" : gone === "" ? found.state : "stop";
    card.dataset.state = holds;
    card.dataset.moves = found.rate >= 100 ? "fast" : found.rate > 0 ? "slow" : "no";
    history.push(gone === "" ? Math.max(0, found.rate) : 0);
    if (history.length > KEPT) history.shift();
    chart.show(history, (value) => `${show.rate(value)} ${unit}`);
    // A mean of the last seconds is what one can read.
    const last = history.slice(-3);
    rate.textContent = show.rate(last.reduce((a, b) => a + b, 0) / last.length);
    fill(state, pill(holds, gone === "" ? (holds === "ok" ? "ok" : show.word(holds)) : gone));
    const pairs = found.facts ?? [
      [found.lagWord, show.counted(found.lag, "event")],
      ["the oldest for", show.seconds(found.late)],
      ["caught up in", found.lag === 0 ? "–" : found.catchUp === null ? "not shrinking" : show.seconds(found.catchUp)],
    ];
    fill(facts, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  };
  return card;
}

function partitionRow(projection) {
  const silent = projection.heartbeat_age_seconds > SILENT;
  const heat = (lag) => (lag === 0 ? "0" : lag < 100 ? "1" : lag < 5_000 ? "2" : "3");
  const squares = projection.partitions.map((one) =>
    h("span", {
      class: "square",
      data: { heat: heat(one.lag_events), state: silent ? "stop" : one.state },
      title: `${one.topic} [${one.partition}] at ${show.count(one.next_offset)} of ${show.count(one.end_offset)}: ${show.counted(one.lag_events, "event")}, ${show.seconds(one.lag_seconds)}, ${one.state}`,
    }),
  );
  const text = `${show.counted(projection.partitions.length, "partition")}, ${show.counted(projection.lag_events, "event")} wait`;
  return h(
    "li",
    { class: silent ? "partition-row dead" : "partition-row" },
    h("span", { class: "partition-name" }, projection.projection),
    h("span", { class: "squares", role: "img", "aria-label": text }, squares),
    h("span", { class: "partition-lag" }, silent ? pill("stop", `silent for ${show.seconds(projection.heartbeat_age_seconds)}`) : `${show.count(projection.lag_events)} · ${show.seconds(projection.lag_seconds)}`),
  );
}

const TENANTS = [
  { name: "Shop", of: (row) => row.tenant ?? show.short(row.tenant_id) },
  { name: "At", of: (row) => row.projection },
  { name: "Waiting", class: "number", of: (row) => show.count(row.waiting_events) },
  { name: "For", class: "number", of: (row) => show.seconds(row.waiting_seconds) },
  { name: "Late by", class: "number", of: (row) => show.seconds(row.late_seconds) },
];

function nodeRows(nodes) {
  return nodes.flatMap((node) => {
    const names = Object.keys(node.figures);
    return (names.length === 0 ? [node.generation] : names).map((generation) => ({ node, generation, figures: node.figures[generation] }));
  });
}

const NODES = [
  { name: "Query node", of: ({ node }) => [h("span", { title: node.reader }, node.address), " ", node.heartbeat_age_seconds > SILENT && pill("stop", `silent for ${show.seconds(node.heartbeat_age_seconds)}`)] },
  { name: "Generation", of: ({ node, generation }) => [generation, " ", generation === node.generation ? pill("active") : pill("held", "standby")] },
  { name: "Searches/s", class: "number", of: ({ figures: of }) => show.rate((of?.searches ?? 0) / 10) },
  { name: "p50", class: "number", of: ({ figures: of }) => show.milliseconds(of?.p50_ms ?? 0) },
  { name: "p99", class: "number", of: ({ figures: of }) => show.milliseconds(of?.p99_ms ?? 0) },
  { name: "Waits for", of: ({ node }) => node.waiting || "–" },
];

function probeLine(probe) {
  if (!probe) return h("p", { class: "hint" }, "No probe has run yet.");
  const text = probe.outcome === "found" ? `searchable ${show.milliseconds(probe.searchable_ms)} after the command` : probe.error;
  return h("p", {}, pill(probe.outcome), " ", text, " ", h("span", { class: "hint" }, show.ago(probe.at)), " ", h("a", { href: "#/probes" }, "All probes"));
}

function deadLettersLine(open) {
  const total = open.reduce((sum, one) => sum + one.letters, 0);
  if (total === 0) return h("p", {}, pill("ok", "none"), " Every event could be applied.");
  return h("p", {}, pill("parked", show.count(total)), " ", total === 1 ? "event waits" : "events wait", " for an operator. ", h("a", { href: "#/dead-letters" }, "Look at them"));
}

/** Draws the pipeline. */
export function mount(main) {
  const cards = new Map(STATIONS.map((each) => [each.id, station(each)]));
  const [partitions, tenants, nodes, probe, deadLetters] = [h("ul", { class: "partitions" }), h("div"), h("div"), h("div"), h("div")];
  main.append(
    h("h1", { class: "unseen" }, "The pipeline"),
    h("ol", { class: "pipeline", "aria-label": "From a command to a hit" }, [...cards.values()]),
    h(
      "div",
      { class: "panels flowing" },
      panel("Probe: write to searchable", probe),
      panel("Dead letters", deadLetters),
      panel("Partitions", h("p", { class: "hint" }, "A square is a partition. The darker it is, the more events wait."), partitions),
      panel("Query nodes", nodes),
      panel("Shops that wait longest", tenants),
    ),
  );
  let before = null;
  return {
    every: 1_000,
    async beat() {
      const look = await read("/v1/console/pipeline");
      const sum = (test, name) =>
        look.projections.filter((one) => test(one.projection)).flatMap((one) => one.partitions).reduce((total, one) => total + one[name], 0);
      look.ends = { relay: sum((name) => name.startsWith("relay:"), "end_offset"), documents: sum((name) => name === "index", "end_offset") };
      const found = figures(look, before);
      for (const [id, card] of cards) card.look(found[id]);
      fill(partitions, look.projections.map(partitionRow));
      fill(tenants, table("Shops that wait longest", TENANTS, look.tenants.slice(0, 10), "Nothing has moved in the last minute."));
      fill(nodes, table("Query nodes", NODES, nodeRows(look.nodes), "No query node has reported."));
      fill(probe, probeLine(look.probe));
      fill(deadLetters, deadLettersLine(look.dead_letters));
      before = look;
    },
  };
}
