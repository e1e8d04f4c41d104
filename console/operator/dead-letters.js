// Dead letters: events that could not be applied, the errors, and what operators can do.

import { announce, fill, h, settled } from "/storefront/dom.js";
import { act, read } from "/console/api.js";
import * as show from "/console/format.js";
import { ask, facts, field, json, panel, pill, problem, table } from "/console/parts.js";

const STATES = ["parked", "queued", "retrying", "retried", "discarded"];
const LIMIT = 50;

const COLUMNS = [
  { name: "Dead letter", of: (row) => h("a", { href: `#/dead-letters/${row.id}`, data: { key: `dead-letter ${row.id}` } }, `№ ${row.id}`) },
  { name: "State", of: (row) => pill(row.state) },
  { name: "Type", of: (row) => row.event_type ?? "–" },
  { name: "Shop", of: (row) => row.tenant ?? show.short(row.tenant_id) },
  { name: "Error", class: "wide", of: (row) => row.error.split("\n")[0] },
  { name: "Tries", class: "number", of: (row) => show.count(row.attempts) },
  { name: "Age", class: "number", of: (row) => show.ago(row.created_at).replace(/ ago$/, "") },
];

/** The filter that the form describes, as the API takes it. */
function filterOf(form) {
  const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  if (given.older_than_minutes !== undefined) {
    given.older_than_seconds = Number(given.older_than_minutes) * 60;
    delete given.older_than_minutes;
  }
  return given;
}

async function settleAll(kind, filter, refresh) {
  const body = (more) => ({ filter: { ...filter, states: filter.state ? [filter.state] : [], state: undefined }, ...more });
  const reason = kind === "discard" ? "counted from the console" : undefined;
  const { letters } = await act(`dead-letters/${kind}`, body({ dry_run: true, reason }));
  if (letters === 0) {
    announce("No dead letter matches.");
    await ask({ title: "No dead letter matches", body: h("p", {}, kind === "retry" ? "Only parked dead letters can be retried." : "Only parked and queued dead letters can be discarded."), yes: "OK", run: async () => null });
    return;
  }
  const texts = {
    retry: [`Retry ${show.counted(letters, "dead letter")}?`, "Each event is applied again, then the events that queue behind it. An event that fails is parked again."],
    discard: [`Discard ${show.counted(letters, "dead letter")}?`, "These events will never be applied. The events that queue behind them will be. Kafka and the outboxes keep all of them."],
  };
  const done = await ask({
    title: texts[kind][0],
    body: [h("p", {}, texts[kind][1]), kind === "discard" && field("Why", h("input", { type: "text", name: "reason", required: true, maxlength: "500" }))],
    yes: kind === "retry" ? "Retry all" : "Discard all",
    grave: kind === "discard",
    run: ({ reason: why }) => act(`dead-letters/${kind}`, body({ expect: letters, reason: why })),
  });
  if (done) announce(`${show.counted(done.letters, "dead letter")}: ${kind === "retry" ? "will be tried again" : "discarded"}.`);
  await refresh();
}

function list(main) {
  const rows = h("div", { class: "panel" });
  const total = h("p", { class: "hint", role: "status" });
  const told = h("div");
  const pages = h("div", { class: "page-tools" });
  let after = [0];
  const refresh = async () => {
    const page = await read("/v1/console/dead-letters", { ...filterOf(form), after: after.at(-1), limit: LIMIT });
    total.textContent = `${show.counted(page.total, "dead letter")} ${page.total === 1 ? "matches" : "match"}`;
    fill(rows, table("Dead letters", COLUMNS, page.letters, "No dead letter matches: every event was applied or settled."));
    const turn = (name, to) => h("button", { type: "button", class: "button small", data: { key: name }, onclick: () => { after = to; again(); } }, name);
    fill(pages, after.length > 1 && turn("Before", after.slice(0, -1)), page.next !== null && turn("Next", [...after, page.next]));
  };
  const again = () => refresh().then(() => fill(told), (error) => fill(told, problem(error)));
  const input = (name, props = {}) => h("input", { type: "search", name, ...props });
  const form = h(
    "form",
    { class: "filters", onsubmit: (event) => event.preventDefault() },
    field("State", h("select", { name: "state" }, h("option", { value: "" }, "waiting"), STATES.map((state) => h("option", { value: state }, state)))),
    field("Projection", input("projection", { placeholder: "products" })),
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
    h("button", { type: "button", class: `button ${grave ? "grave" : ""}`, onclick: () => settleAll(kind, filterOf(form), again).catch((error) => fill(told, problem(error))) }, name);
  main.append(
    h("div", { class: "page-head" }, h("h1", {}, "Dead letters"), h("div", { class: "page-tools" }, bulk("retry", "Retry all that match", false), bulk("discard", "Discard all that match", true))),
    h("p", { class: "hint" }, "An event that can't be applied is parked. Later events of the same aggregate queue behind it. All other events are applied."),
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
  { name: "Note", class: "wide", of: (row) => [row.note || "–", row.payload !== null && h("details", {}, h("summary", {}, "Old payload"), json(row.payload, "The payload before the edit"))] },
];

const QUEUE = [
  { name: "Dead letter", of: (row) => h("a", { href: `#/dead-letters/${row.id}` }, `№ ${row.id}`) },
  { name: "Type", of: (row) => row.event_type ?? "–" },
  { name: "Offset", class: "number", of: (row) => show.count(row.record_offset) },
];

function pretty(payload) {
  return typeof payload === "string" ? payload : JSON.stringify(payload, null, 2);
}

function details(main, id) {
  const [head, body, told] = [h("div", { class: "page-head" }), h("div", { class: "panels wide" }), h("div")];
  main.append(h("p", {}, h("a", { href: "#/dead-letters" }, "All dead letters")), head, told, body);
  let drawn = "";
  const settle = async (title, text, fields, yes, grave, run) => {
    const done = await ask({ title, body: [h("p", {}, text), fields], yes, grave, run });
    if (done !== undefined) announce("Done. The projection applies it within a second.");
    await refresh();
  };
  const reason = (required) => field("Why", h("input", { type: "text", name: "reason", required, maxlength: "500" }));
  const tools = (one) => {
    const button = (name, grave, onclick) => h("button", { type: "button", class: `button ${grave ? "grave" : ""}`, data: { key: name }, onclick }, name);
    const head_ = one.state === "parked" && one.waits_for === null;
    return [
      head_ && button("Retry", false, () => settle(`Retry № ${id}?`, "The event is applied again, then the events that queue behind it, in order.", null, "Retry", false, () => act(`dead-letters/${id}/retry`))),
      head_ &&
        button("Edit and retry", false, () =>
          settle(
            `Edit № ${id}`,
            "The new payload must be the same event. The old payload stays in the history and in Kafka.",
            [field("Payload", h("textarea", { name: "payload", rows: "14", spellcheck: "false", required: true }, pretty(one.payload))), reason(false)],
            "Save and retry",
            false,
            ({ payload, reason: why }) => act(`dead-letters/${id}/edit`, { payload, reason: why }),
          ),
        ),
      ["parked", "queued"].includes(one.state) &&
        button("Discard", true, () =>
          settle(`Discard № ${id}?`, "This event will never be applied. The events that queue behind it are applied next.", reason(true), "Discard", true, ({ reason: why }) => act(`dead-letters/${id}/discard`, { reason: why })),
        ),
    ];
  };
  const refresh = async () => {
    const one = await read(`/v1/console/dead-letters/${id}`);
    const now = JSON.stringify(one);
    if (now === drawn) return;
    drawn = now;
    fill(head, h("h1", {}, `Dead letter № ${one.id} `, pill(one.state)), h("div", { class: "page-tools" }, tools(one)));
    fill(
      body,
      panel(
        "History",
        h("p", { class: "dead-letter-error" }, one.error),
        one.waits_for !== null && h("p", {}, "It waits behind ", h("a", { href: `#/dead-letters/${one.waits_for}` }, `№ ${one.waits_for}`), ". Settle that one first."),
        facts([
          ["type", one.event_type ?? "not given"],
          ["shop", one.tenant ?? one.tenant_id],
          ["projection", one.projection],
          ["key", h("code", {}, one.aggregate_key)],
          ["read at", `${one.topic} [${one.partition}] offset ${show.count(one.record_offset)}`],
          ["kept since", show.moment(one.created_at)],
          ["tried", show.counted(one.attempts, "time")],
          ["trace", one.trace_id && h("code", {}, one.trace_id)],
          ["correlation", one.correlation_id && h("code", {}, one.correlation_id)],
        ]),
        table("History", HAPPENED, one.history, "Nothing yet."),
      ),
      panel("Payload", one.payload === null ? h("p", { class: "empty" }, "It has no payload.") : json(pretty(one.payload), "Payload")),
      panel("Queued behind it", table("Queued behind it", QUEUE, one.queue, "Nothing.")),
      panel("Headers", json(one.headers, "Headers")),
    );
  };
  return { beat: refresh, every: 2_000 };
}

/** Draws the list, or one dead letter. */
export function mount(main, [id]) {
  return id === undefined ? list(main) : details(main, id);
}
