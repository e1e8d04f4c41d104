// Dead letters: what could not be applied, why, and what to do about it.

import { announce, fill, h, settled } from "/storefront/dom.js";
import { act, read } from "/console/api.js";
import * as show from "/console/format.js";
import { ask, facts, field, json, panel, pill, problem, table } from "/console/parts.js";

const STATES = ["parked", "queued", "retrying", "retried", "discarded"];
const LIMIT = 50;

const COLUMNS = [
  { name: "Letter", of: (row) => h("a", { href: `#/letters/${row.id}`, data: { key: `letter ${row.id}` } }, `№ ${row.id}`) },
  { name: "State", of: (row) => pill(row.state) },
  { name: "Type", of: (row) => row.event_type ?? "–" },
  { name: "Shop", of: (row) => row.tenant ?? show.short(row.tenant_id) },
  { name: "Error", class: "wide", of: (row) => row.error.split("\n")[0] },
  { name: "Tries", class: "number", of: (row) => show.count(row.attempts) },
  { name: "Here for", class: "number", of: (row) => show.ago(row.created_at).replace(/ ago$/, "") },
];

/** Numbers of letters that match, and what else a bulk action sends. */
function filterOf(form) {
  const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if (given.older_than_minutes !== undefined) {
    given.older_than_seconds = Number(given.older_than_minutes) * 60;
    delete given.older_than_minutes;
  }
  return given;
}

async function everyone(kind, filter, refresh) {
  const body = (more) => ({ filter: { ...filter, states: filter.state ? [filter.state] : [], state: undefined }, ...more });
  const reason = kind === "discard" ? "counted from the console" : undefined;
  const { letters } = await act(`letters/${kind}`, body({ dry_run: true, reason }));
  if (letters === 0) {
    announce("No letter matches.");
    await ask({ title: "No letter matches", body: h("p", {}, kind === "retry" ? "Only parked letters can be retried." : "Only parked and queued letters can be discarded."), yes: "Good", run: async () => null });
    return;
  }
  const texts = {
    retry: [`Retry ${show.counted(letters, "letter")}?`, "Each is applied again, and after it what queues behind it. Those that fail are parked again."],
    discard: [`Discard ${show.counted(letters, "letter")}?`, "What they say is not applied, ever; what queues behind them is. Kafka and the outboxes keep them."],
  };
  const done = await ask({
    title: texts[kind][0],
    body: [h("p", {}, texts[kind][1]), kind === "discard" && field("Why", h("input", { type: "text", name: "reason", required: true, maxlength: "500" }))],
    yes: kind === "retry" ? "Retry all" : "Discard all",
    grave: kind === "discard",
    run: ({ reason: why }) => act(`letters/${kind}`, body({ expect: letters, reason: why })),
  });
  if (done) announce(`${show.counted(done.letters, "letter")}: ${kind === "retry" ? "will be tried again" : "discarded"}.`);
  await refresh();
}

function list(main) {
  const rows = h("div", { class: "panel" });
  const total = h("p", { class: "hint", role: "status" });
  const told = h("div");
  const pages = h("div", { class: "page-tools" });
  let after = [0];
  const refresh = async () => {
    const page = await read("/v1/console/letters", { ...filterOf(form), after: after.at(-1), limit: LIMIT });
    total.textContent = `${show.counted(page.total, "letter")} ${page.total === 1 ? "matches" : "match"}`;
    fill(rows, table("Dead letters", COLUMNS, page.letters, "No letter matches: every event could be applied, or was settled."));
    const turn = (name, to) => h("button", { type: "button", class: "button small", data: { key: name }, onclick: () => { after = to; again(); } }, name);
    fill(pages, after.length > 1 && turn("Before", after.slice(0, -1)), page.next !== null && turn("Next", [...after, page.next]));
  };
  const again = () => refresh().then(() => fill(told), (error) => fill(told, problem(error)));
  const input = (name, props = {}) => h("input", { type: "search", name, ...props });
  const form = h(
    "form",
    { class: "filters", onsubmit: (event) => event.preventDefault() },
    field("State", h("select", { name: "state" }, h("option", { value: "" }, "waiting"), STATES.map((state) => h("option", { value: state }, state)))),
    field("Projection", input("projection", { placeholder: "views" })),
    field("Type", input("event_type", { placeholder: "souk.catalog.product…" })),
    field("Error has", input("error")),
    field("Shop's id", input("tenant")),
    field("Older than, minutes", h("input", { type: "number", name: "older_than_minutes", min: "0" })),
  );
  const changed = settled(250, () => {
    after = [0];
    again();
  });
  form.addEventListener("input", changed);
  const bulk = (kind, name, grave) =>
    h("button", { type: "button", class: `button ${grave ? "grave" : ""}`, onclick: () => everyone(kind, filterOf(form), again).catch((error) => fill(told, problem(error))) }, name);
  main.append(
    h("div", { class: "page-head" }, h("h1", {}, "Dead letters"), h("div", { class: "page-tools" }, bulk("retry", "Retry all that match", false), bulk("discard", "Discard all that match", true))),
    h("p", { class: "hint" }, "An event that can't be applied is parked, and later events of its product queue behind it. Everything else flows."),
    form,
    told,
    total,
    rows,
    pages,
  );
  return { beat: refresh, every: 3_000 };
}

const HAPPENED = [
  { name: "When", of: (row) => show.moment(row.at) },
  { name: "What", of: (row) => pill(row.kind === "failed" ? "failed" : "busy", row.kind) },
  { name: "Who", of: (row) => row.actor || "the projection" },
  { name: "Note", class: "wide", of: (row) => [row.note || "–", row.payload !== null && h("details", {}, h("summary", {}, "The payload before"), json(row.payload, "The payload before the edit"))] },
];

const QUEUE = [
  { name: "Letter", of: (row) => h("a", { href: `#/letters/${row.id}` }, `№ ${row.id}`) },
  { name: "Type", of: (row) => row.event_type ?? "–" },
  { name: "Offset", class: "number", of: (row) => show.count(row.record_offset) },
];

function pretty(payload) {
  return typeof payload === "string" ? payload : JSON.stringify(payload, null, 2);
}

function whole(main, id) {
  const [head, body, told] = [h("div", { class: "page-head" }), h("div", { class: "panels wide" }), h("div")];
  main.append(h("p", {}, h("a", { href: "#/letters" }, "All dead letters")), head, told, body);
  let drawn = "";
  const settle = async (title, text, fields, yes, grave, run) => {
    const done = await ask({ title, body: [h("p", {}, text), fields], yes, grave, run });
    if (done !== undefined) announce("Done; the projection takes it up within a second.");
    await refresh();
  };
  const reason = (required) => field("Why", h("input", { type: "text", name: "reason", required, maxlength: "500" }));
  const tools = (one) => {
    const button = (name, grave, onclick) => h("button", { type: "button", class: `button ${grave ? "grave" : ""}`, data: { key: name }, onclick }, name);
    const head_ = one.state === "parked" && one.waits_for === null;
    return [
      head_ && button("Retry", false, () => settle(`Retry № ${id}?`, "It is applied again, and after it what queues behind it, in order.", null, "Retry", false, () => act(`letters/${id}/retry`))),
      head_ &&
        button("Edit and retry", false, () =>
          settle(
            `Edit № ${id}`,
            "The new payload must be that event; what is there now is kept in its history. Kafka keeps the old one.",
            [field("Payload", h("textarea", { name: "payload", rows: "14", spellcheck: "false", required: true }, pretty(one.payload))), reason(false)],
            "Save and retry",
            false,
            ({ payload, reason: why }) => act(`letters/${id}/edit`, { payload, reason: why }),
          ),
        ),
      ["parked", "queued"].includes(one.state) &&
        button("Discard", true, () =>
          settle(`Discard № ${id}?`, "What it says is not applied, ever; what queues behind it is tried then.", reason(true), "Discard", true, ({ reason: why }) => act(`letters/${id}/discard`, { reason: why })),
        ),
    ];
  };
  const refresh = async () => {
    const one = await read(`/v1/console/letters/${id}`);
    const now = JSON.stringify(one);
    if (now === drawn) return;
    drawn = now;
    fill(head, h("h1", {}, `Dead letter № ${one.id} `, pill(one.state)), h("div", { class: "page-tools" }, tools(one)));
    fill(
      body,
      panel(
        "What happened",
        h("p", { class: "letter-error" }, one.error),
        one.waits_for !== null && h("p", {}, "It waits behind ", h("a", { href: `#/letters/${one.waits_for}` }, `№ ${one.waits_for}`), ": settle that one first."),
        facts([
          ["type", one.event_type ?? "none was given"],
          ["shop", one.tenant ?? one.tenant_id],
          ["projection", one.projection],
          ["key", h("code", {}, one.aggregate_key)],
          ["read at", `${one.topic} [${one.partition}] offset ${show.count(one.record_offset)}`],
          ["here since", show.moment(one.created_at)],
          ["tried", show.counted(one.attempts, "time")],
          ["trace", one.trace_id && h("code", {}, one.trace_id)],
          ["correlation", one.correlation_id && h("code", {}, one.correlation_id)],
        ]),
        table("What happened", HAPPENED, one.history, "Nothing yet."),
      ),
      panel("Payload", one.payload === null ? h("p", { class: "empty" }, "It has none.") : json(pretty(one.payload), "Payload")),
      panel("What queues behind it", table("What queues behind it", QUEUE, one.queue, "Nothing.")),
      panel("Headers", json(one.headers, "Headers")),
    );
  };
  return { beat: refresh, every: 2_000 };
}

/** Draws the list, or one letter. */
export function mount(main, [id]) {
  return id === undefined ? list(main) : whole(main, id);
}
