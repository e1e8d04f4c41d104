// The record of operations, and the results of the reconciler.

import { fill, h } from "/storefront/dom.js";
import { act, read } from "/console/api.js";
import * as show from "/console/format.js";
import { ask, field, json, panel, pill, table } from "/console/parts.js";

const LIMIT = 100;

function subject(row) {
  if (row.action.startsWith("dead_letter.")) return h("a", { href: `#/dead-letters/${row.subject}` }, `№ ${row.subject}`);
  if (row.action.startsWith("generation.")) return h("a", { href: `#/generations/${encodeURIComponent(row.subject)}` }, row.subject);
  return row.subject;
}

const COLUMNS = [
  { name: "When", of: (row) => show.moment(row.at) },
  { name: "Who", of: (row) => row.actor },
  { name: "What", of: (row) => show.word(row.action.replace(".", ": ")) },
  { name: "Subject", of: subject },
  { name: "Detail", class: "wide", of: (row) => row.detail.reason || row.detail.note || (Object.keys(row.detail).length > 0 ? h("details", {}, h("summary", {}, "Show"), json(row.detail, "Detail")) : "–") },
];

const RUNS = [
  { name: "When", of: (row) => show.moment(row.at) },
  { name: "Who", of: (row) => row.actor },
  { name: "Checked", class: "number", of: (row) => show.count(row.checked) },
  { name: "Wrong", class: "number", of: (row) => (row.wrong === 0 ? pill("ok", "0") : pill("failed", show.count(row.wrong))) },
  { name: "Repaired", class: "number", of: (row) => show.count(row.mended) },
  { name: "Report", class: "wide", of: (row) => h("details", {}, h("summary", {}, "Show"), json(row.report, "Report")) },
];

/** Draws the page. */
export function mount(main) {
  const [record, runs] = [h("div"), h("div")];
  let drawn = "";
  const refresh = async () => {
    const look = await read("/v1/console/operations", { limit: LIMIT });
    const now = JSON.stringify(look);
    if (now === drawn) return;
    drawn = now;
    fill(record, table("Operations", COLUMNS, look.operations, "No operation yet."));
    fill(runs, table("Reconciliations", RUNS, look.reconciliations, "No reconciliation yet."));
  };
  const reconcile = async () => {
    await ask({
      title: "Reconcile now?",
      body: [
        h("p", {}, "A sample is compared at every stage, from the write side to the index and the vectors. What differs is built again from its source."),
        field("Products", h("input", { type: "number", name: "sample", value: "500", min: "1", max: "100000", required: true })),
      ],
      yes: "Reconcile",
      run: ({ sample }) => act("reconcile", { sample: Number(sample) }),
    });
    await refresh();
  };
  main.append(
    h("div", { class: "page-head" }, h("h1", {}, "Operations"), h("button", { type: "button", class: "button", onclick: reconcile }, "Reconcile now")),
    panel("Operations", record),
    panel("Reconciliations", h("p", { class: "hint" }, "The reconciler compares samples at every stage, from the write side to the index, and repairs what differs."), runs),
  );
  return { beat: refresh, every: 3_000 };
}
