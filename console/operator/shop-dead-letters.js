// Events of one shop that could not be applied, for its staff. What to do about them is for administrators.

import { fill, h } from "/storefront/dom.js";
import { read } from "/console/api.js";
import * as show from "/console/format.js";
import { pill, table } from "/console/parts.js";

const COLUMNS = [
  { name: "Dead letter", of: (row) => `№ ${row.id}` },
  { name: "State", of: (row) => pill(row.state) },
  { name: "Type", of: (row) => row.event_type ?? "–" },
  { name: "Error", class: "wide", of: (row) => row.error.split("\n")[0] },
  { name: "Tries", class: "number", of: (row) => show.count(row.attempts) },
  { name: "Since", of: (row) => show.moment(row.created_at) },
];

/** Draws the page. */
export function mount(main) {
  const rows = h("div", { class: "panel" });
  main.append(h("h1", {}, "Dead letters"), h("p", { class: "hint" }, "Events of your shop that could not be applied, the oldest first. Administrators of the installation retry or discard them."), rows);
  let drawn = "";
  const refresh = async () => {
    const { dead_letters: all } = await read("/v1/status/dead-letters");
    const now = JSON.stringify(all);
    if (now === drawn) return;
    drawn = now;
    fill(rows, table("Dead letters", COLUMNS, all, "Every event of your shop was applied."));
  };
  return { beat: refresh, every: 5_000 };
}
