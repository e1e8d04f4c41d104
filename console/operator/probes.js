// The synthetic probe: how long a write takes to become searchable, as a shop would see it.

import { fill, h } from "/storefront/dom.js";
import { read } from "/console/api.js";
import { bars, quantile, timeChart } from "/console/chart.js";
import * as show from "/console/format.js";
import { panel, pill, table } from "/console/parts.js";

const SPANS = [
  [15, "15 minutes"],
  [60, "1 hour"],
  [360, "6 hours"],
  [1_440, "1 day"],
];
/** What the project aims at, in milliseconds: 99 of 100 writes are searchable within. */
const TARGET_MS = 50;
/** Steps of the lines of p50 and p99 over the span. */
const STEPS = 40;

const MISSED = [
  { name: "When", of: (row) => show.moment(row.at) },
  { name: "Outcome", of: (row) => pill(row.outcome) },
  { name: "Written in", class: "number", of: (row) => show.milliseconds(row.write_ms) },
  { name: "Why", class: "wide", of: (row) => row.error },
];

function lines(rounds, from, to) {
  const step = (to - from) / STEPS;
  const groups = Map.groupBy(rounds, (round) => Math.floor((round.time - from) / step));
  const line = (share) =>
    [...groups].sort(([a], [b]) => a - b).map(([index, group]) => ({ at: from + (index + 0.5) * step, value: quantile(group.map((one) => one.searchable_ms).sort((a, b) => a - b), share) }));
  return [
    { name: "p50", kind: "calm", points: line(0.5) },
    { name: "p99", kind: "strong", points: line(0.99) },
  ];
}

const BOUNDS = [10, 20, 30, 50, 75, 100, 250, 500, 1_000, Infinity];

function distribution(found) {
  let below = 0;
  return BOUNDS.map((bound) => {
    const value = found.filter((one) => one.searchable_ms >= below && one.searchable_ms < bound).length;
    const name = bound === Infinity ? `${below} ms or more` : `${below} to ${bound} ms`;
    const kind = below >= TARGET_MS ? "strong" : "calm";
    below = bound;
    return { name, value, kind };
  });
}

/** Draws the probes. */
export function mount(main) {
  let minutes = 60;
  const [figures, chart, missed, shares] = [h("dl", { class: "figures" }), h("div"), h("div"), h("div")];
  const each = h("span", {}, "a round");
  const spans = h(
    "fieldset",
    { class: "spans" },
    h("legend", { class: "unseen" }, "How far back"),
    SPANS.map(([value, name]) =>
      h("label", {}, h("input", { type: "radio", name: "span", value: String(value), checked: value === minutes, onchange: () => { minutes = value; refresh(); } }), h("span", {}, name)),
    ),
  );
  const refresh = async () => {
    const look = await read("/v1/console/probes", { minutes });
    const rounds = look.probes.map((one) => ({ ...one, time: new Date(one.at).getTime() }));
    const found = rounds.filter((one) => one.outcome === "found");
    const { p50_ms: p50, p99_ms: p99, write_p50_ms: write, rounds: all, missed: lost } = look.figures;
    const others = rounds.filter((one) => one.outcome !== "found");
    const figure = (name, value, kind = "") => h("div", { class: `figure ${kind}` }, h("dt", {}, name), h("dd", {}, value));
    fill(
      figures,
      figure("half within", show.milliseconds(p50)),
      figure("99 % within", show.milliseconds(p99), p99 !== null && p99 > TARGET_MS ? "over" : "within"),
      figure("of it, the command (half)", show.milliseconds(write)),
      figure("rounds", show.count(all)),
      figure("missed", show.count(lost), lost > 0 ? "over" : "within"),
    );
    const to = new Date(look.at).getTime();
    const from = to - minutes * 60_000;
    const points = rounds.map((one) => ({
      at: one.time,
      value: one.outcome === "found" ? one.searchable_ms : null,
      kind: one.outcome,
      text: `${show.moment(one.at)}: ${one.outcome === "found" ? show.milliseconds(one.searchable_ms) : one.error}`,
    }));
    const label = `Write to searchable over ${minutes} minutes: half within ${show.milliseconds(p50)}, 99 % within ${show.milliseconds(p99)}, ${show.counted(lost, "round")} missed`;
    fill(
      chart,
      rounds.length === 0
        ? h("p", { class: "empty" }, "No round in this time. `reindex serve` runs the probe.")
        : timeChart({ label, points, lines: lines(found, from, to), from, to, format: show.milliseconds, target: TARGET_MS, width: chart.clientWidth }),
    );
    each.textContent = look.each === 1 ? "a round" : `a round; of ${look.each} one is drawn`;
    fill(shares, bars(distribution(found), show.count, "Rounds by time"));
    fill(missed, table("Rounds that missed", MISSED, others.toReversed().slice(0, 20), "None: every write was found."));
  };
  main.append(
    h("div", { class: "page-head" }, h("h1", {}, "Probe: write to searchable"), spans),
    h("p", { class: "hint" }, "A probe writes a product of the shop souk-probe and searches for it with the write's token. The time is measured from sending the command to the answer that contains the product."),
    figures,
    h("section", { class: "panel" }, h("h2", { class: "unseen" }, "Rounds"), chart, h("p", { class: "legend" }, h("span", { class: "key calm" }), "p50 ", h("span", { class: "key strong" }), "p99 ", h("span", { class: "key dot" }), each)),
    h("div", { class: "panels" }, panel("Rounds by time", shares), panel("Rounds that missed", missed)),
  );
  return { beat: refresh, every: 2_000 };
}
