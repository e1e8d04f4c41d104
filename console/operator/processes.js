// Processes of a shop that are under way: where each stands, what it waits for, and what staff can do about it.

import { announce, fill, h } from "/storefront/dom.js";
import { read, send } from "/console/api.js";
import * as show from "/console/format.js";
import { ask, field, pill, problem, table } from "/console/parts.js";
import { shopChoice } from "/console/shops.js";
import { isAdmin, may } from "/console/who.js";

const DOES = {
  retry: ["Try it again?", "The step is carried out once more. What was done before is not done twice.", "Try again"],
  skip: ["Go on without this step?", "The process goes on as if the step were done. Do by hand what it should have done before.", "Go on without it"],
  abort: ["Give it up?", "What was done is taken back, as far as it may be. While the outcome of a step is unknown, that is waited for first.", "Give it up"],
};

const ACTIONS = {
  confirm: "the shopper says with what they pay",
  redirect: "the shopper pays on the provider's page",
  transfer: "the shopper transfers the money",
  pay_again: "the shopper tries to pay once more",
  wait: "the provider says what came of it",
};

function waits(row) {
  if (row.parked_at !== null) return h("span", {}, h("strong", {}, show.word(row.step ?? "")), ` ${row.reason ?? ""}`);
  if (!row.awaiting) return "goes on by itself";
  const { action, until, attempt, declined } = row.awaiting;
  const tried = attempt > 1 ? `, attempt ${show.count(attempt)}` : "";
  return h("span", {}, `${ACTIONS[action] ?? action}${tried}${declined ? `, the last was declined (${show.word(declined)})` : ""}; until `, h("time", { datetime: until }, show.moment(until)));
}

/** Draws the page. */
export function mount(main, path, { query }) {
  const shop = shopChoice(query.get("shop") ?? "");
  const [rows, told] = [h("div", { class: "panel" }), h("div", { "aria-live": "assertive" })];
  const acts = isAdmin() || may("orders.write");
  let drawn = "";

  async function does(what, row) {
    const [title, text, yes] = DOES[what];
    const done = await ask({
      title,
      body: [h("p", {}, text), field("Why", h("input", { type: "text", name: "reason", required: true, maxlength: "500" }), "The shop's audit has it.")],
      yes,
      grave: what !== "retry",
      run: ({ reason }) => send(`/v1/processes/${row.id}/${what}`, { reason }, shop.slug),
    });
    if (!done) return;
    announce("It is done.");
    drawn = "";
    await refresh();
  }

  const button = (what, row, text) => h("button", { type: "button", class: `button small${what === "retry" ? "" : " grave"}`, data: { key: `${what} ${row.id}` }, "aria-label": `${text}: ${row.id}`, onclick: () => does(what, row) }, text);
  const columns = [
    { name: "Process", of: (row) => h("span", {}, `${show.word(row.name)} `, h("code", { title: row.id }, show.short(row.id))) },
    { name: "State", of: (row) => pill(row.parked_at === null ? row.phase : "parked") },
    { name: "Waits for", class: "wide", of: waits },
    { name: "Began", of: (row) => h("time", { datetime: row.started_at }, show.moment(row.started_at)) },
    { name: "Changed", of: (row) => h("time", { datetime: row.changed_at }, show.ago(row.changed_at)) },
    acts && { name: "Do", of: (row) => h("div", { class: "page-tools" }, row.parked_at !== null && button("retry", row, "Try again"), row.step && button("skip", row, "Skip"), button("abort", row, "Give up")) },
  ].filter(Boolean);

  main.append(
    h("h1", {}, "Processes"),
    h("p", { class: "hint" }, "Checkouts of the shop that have not ended: those that stand still first, then the oldest."),
    shop.select && h("form", { class: "filters" }, field("Shop", shop.select)),
    told,
    rows,
  );
  shop.select?.addEventListener("change", () => {
    location.hash = `#/processes?shop=${encodeURIComponent(shop.slug)}`;
  });

  const refresh = async () => {
    try {
      await shop.start();
      if (shop.isMissing) return void fill(rows, h("p", { class: "empty" }, "There is no shop yet."));
      const { processes } = await read("/v1/processes", { tenant: shop.slug });
      fill(told);
      const now = JSON.stringify(processes);
      if (now === drawn) return;
      drawn = now;
      fill(rows, table("Processes", columns, processes, "Nothing is under way."));
    } catch (error) {
      if (![400, 404].includes(error.status)) throw error;
      fill(told, problem(error));
    }
  };
  return { beat: refresh, every: 2_000 };
}
