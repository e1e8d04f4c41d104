// Index generations: the state of each, its copies on every node, and the actions that its state allows.

import { announce, fill, h } from "/storefront/dom.js";
import { act, read } from "/console/api.js";
import { progress } from "/console/chart.js";
import * as show from "/console/format.js";
import { ask, field, panel, pill, problem, table } from "/console/parts.js";
import { detail } from "/console/generation.js";

/** A writer that has not reported for this many seconds counts as gone. */
const SILENT = 5;

const SWITCHES = [
  { name: "When", of: (row) => show.moment(row.at) },
  { name: "To", of: (row) => row.generation },
  { name: "From", of: (row) => row.previous ?? "–" },
  { name: "How", of: (row) => pill(row.kind === "rollback" ? "rolled_back" : "ready", row.kind) },
  { name: "Who", of: (row) => row.actor },
  { name: "Why", of: (row) => row.reason || "–" },
];

const SETS = [
  { name: "Set", of: (row) => row.key },
  { name: "For", of: (row) => row.generations.join(", ") || "–" },
  { name: "State", of: (row) => pill(row.heartbeat_age_seconds > SILENT ? "stop" : row.phase, row.heartbeat_age_seconds > SILENT ? `silent for ${show.seconds(row.heartbeat_age_seconds)}` : undefined) },
  { name: "Vectors", of: (row) => `${show.count(row.vectors)} of ${show.count(row.documents)} documents` },
  { name: "Left", of: (row) => (row.error ? row.error : row.lag_events > 0 && row.rate_per_second > 0.5 ? show.seconds(row.lag_events / row.rate_per_second) : "–") },
];

const text = (name, props = {}) => h("input", { type: "text", name, ...props });
const numeric = (name, props = {}) => h("input", { type: "number", name, ...props });
const whole = (value) => (value === "" || value === undefined ? undefined : Number(value));

/** The actions: the states that allow them, the text of the dialog, and the request. */
const ACTIONS = [
  {
    name: "build",
    label: "Build",
    may: (one) => one.state === "planned",
    title: (one) => `Build ${one.generation}?`,
    body: (one) => h("p", {}, `Every node builds ${one.generation} beside the active generation, from the ${one.source === "views" ? "views" : "document topic"}. The build slows down while shoppers search, and then takes several times as long. It can be paused, resumed and cancelled.`),
  },
  {
    name: "hurry",
    label: "At once",
    action: "build",
    may: (one) => one.state === "building" && !one.at_once,
    title: (one) => `Build ${one.generation} at once?`,
    body: () => h("p", {}, "The build no longer slows down for shoppers. It finishes sooner. Until then the slowest searches take longer: up to twice as long in our measurements."),
    send: () => ({ at_once: true }),
  },
  {
    name: "verify",
    label: "Verify",
    may: (one) => ["catching_up", "verifying", "ready", "retired", "rolled_back"].includes(one.state),
    title: (one) => `Verify ${one.generation}?`,
    body: (one) => [
      h("p", {}, `${one.generation} and the active generation are compared at the same offsets: products by shop, a digest of every document, totals of facets. What the plan did not declare refuses it.`),
      field("Accept losses in these fields", text("accept", { placeholder: "none" }), "Field names, separated by commas. Accept a loss only when you know its cause."),
    ],
    send: ({ accept }) => ({ accept: accept.split(",").map((name) => name.trim()).filter(Boolean) }),
  },
  {
    name: "compare",
    label: "Compare",
    may: (one) => ["catching_up", "ready", "retired", "rolled_back"].includes(one.state),
    title: (one) => `Compare ${one.generation} with the active generation?`,
    body: () => [
      h("p", {}, "Both generations answer the queries that shoppers asked most. The differences are stored with the generation."),
      field("Shop", text("tenant", { value: "demo", required: true })),
    ],
    send: ({ tenant }) => ({ tenant }),
  },
  {
    name: "canary",
    label: "Canary",
    action: "promote",
    may: (one) => one.state === "ready",
    title: (one) => `Try ${one.generation} with a share of the searches?`,
    body: () => [
      h("p", {}, "This generation answers the given share of the searches. The active generation answers the others. 0 ends the trial."),
      field("Share in percent", numeric("canary", { value: "5", min: "0", max: "100", required: true })),
    ],
    send: ({ canary }) => ({ canary: whole(canary) }),
  },
  {
    name: "promote",
    label: "Promote",
    primary: true,
    may: (one) => ["ready", "retired", "rolled_back"].includes(one.state),
    title: (one) => `Promote ${one.generation}?`,
    body: (one) => [
      h("p", {}, `Every query node answers from ${one.generation} as soon as its copy is up to date. No query fails or sees older data. The generation that is active now stays up to date, so a rollback takes seconds.`),
      field("Watch for this many seconds", numeric("watch_seconds", { value: "120", min: "0", max: "1200" }), "If errors, latency or empty results get worse in that time, it is rolled back automatically."),
    ],
    send: ({ watch_seconds }) => ({ watch_seconds: whole(watch_seconds) || undefined }),
  },
  {
    name: "rollback",
    label: "Roll back",
    grave: true,
    may: (one, all) => one.state === "active" && all.some((other) => other.state === "retired"),
    path: () => "generations/rollback",
    title: (one) => `Roll ${one.generation} back?`,
    body: () => [
      h("p", {}, "The generation that was active before becomes active again. It has every write since then. Nothing is lost."),
      field("Why", text("reason", { required: true, maxlength: "500" })),
    ],
    send: ({ reason }) => ({ reason }),
  },
  {
    name: "pause",
    label: "Pause",
    may: (one) => !one.paused && ["building", "catching_up", "ready", "retired", "rolled_back"].includes(one.state),
    title: (one) => `Pause ${one.generation}?`,
    body: () => h("p", {}, "Its writers stop on every node until it is resumed. Shoppers are not affected."),
  },
  {
    name: "resume",
    label: "Resume",
    may: (one) => one.paused,
    title: (one) => `Resume ${one.generation}?`,
    body: () => h("p", {}, "Its writers continue where they stopped."),
  },
  {
    name: "cancel",
    label: "Cancel",
    grave: true,
    may: (one) => ["planned", "building", "catching_up", "verifying", "ready"].includes(one.state),
    title: (one) => `Cancel ${one.generation}?`,
    body: (one) => h("p", {}, `${one.generation} is not built on, and its files are removed by the next pruning. It can't be brought back; a new one can be planned from the same bundle.`),
  },
];

/** How long a dialog waits for an action before the action continues in the background, in milliseconds. */
const ASIDE_MS = 1_500;

/** Actions that continue in the background: a verification reads two whole indexes, a watch lasts as long as it was asked to. */
const running = new Map();

/** Running and finished actions, as lines above the list. */
export function aside() {
  return [...running.values()].map(({ text, error, done, close }) =>
    h(
      "div",
      { class: `notice ${error ? "bad" : done ? "good" : ""}` },
      h("div", {}, h("p", {}, text), error?.findings?.length > 0 && h("ul", {}, error.findings.map((one) => h("li", {}, one)))),
      (done || error) && h("button", { type: "button", class: "button small", onclick: close }, "Dismiss"),
    ),
  );
}

function follow(name, call, refresh) {
  const id = Symbol(name);
  const put = (entry) => {
    running.set(id, { ...entry, close: () => { running.delete(id); refresh(); } });
    announce(entry.text);
    refresh();
  };
  put({ text: `${name} is going on…` });
  call.then(
    () => put({ text: `${name} is done.`, done: true }),
    (error) => put({ text: `${name} ended: ${error.message}`, error }),
  );
}

async function perform(action, one, refresh) {
  const done = await ask({
    title: action.title(one),
    body: action.body(one),
    yes: action.label,
    grave: action.grave,
    run: async (values) => {
      const path = action.path?.(one) ?? `generations/${encodeURIComponent(one.generation)}/${action.action ?? action.name}`;
      const call = act(path, action.send?.(values) ?? {});
      const late = new Promise((resolve) => setTimeout(resolve, ASIDE_MS, "late"));
      if ((await Promise.race([call, late])) === "late") follow(`${action.label} ${one.generation}`, call, refresh);
      return true;
    },
  });
  if (done !== undefined) announce(`${action.label} ${one.generation}: taken.`);
  await refresh();
}

/** The buttons of the actions that the state of a generation allows. */
export function buttons(one, all, refresh) {
  return ACTIONS.filter((action) => action.may(one, all)).map((action) =>
    h(
      "button",
      { type: "button", class: `button small ${action.primary ? "primary" : ""} ${action.grave ? "grave" : ""}`, data: { key: `${action.name} ${one.generation}` }, onclick: () => perform(action, one, refresh) },
      action.label,
    ),
  );
}

function copyLine(copy) {
  const silent = copy.heartbeat_age_seconds > SILENT;
  const left = Math.max(0, copy.expected - copy.documents);
  const eta = copy.phase === "building" && copy.rate_per_second > 0.5 ? `, ${show.seconds(left / copy.rate_per_second)} left` : "";
  const moving = copy.phase === "building" || copy.phase === "catching_up";
  return h(
    "li",
    { class: "copy" },
    h("span", { class: "copy-node" }, copy.node, " ", pill(silent ? "stop" : copy.phase, silent ? `silent for ${show.seconds(copy.heartbeat_age_seconds)}` : undefined)),
    copy.phase === "building" && progress(copy.documents / Math.max(1, copy.expected), `${copy.generation} on ${copy.node}`),
    h(
      "span",
      { class: "copy-figures" },
      moving ? `${show.count(copy.documents)} of ${show.count(copy.expected)} documents, ${show.rate(copy.rate_per_second)} a second${eta}` : show.counted(copy.documents, "document"),
      copy.lag_events > 0 && ` · ${show.counted(copy.lag_events, "record")} behind`,
    ),
    copy.error && h("span", { class: "copy-error" }, copy.error),
  );
}

function card(one, look, refresh) {
  const copies = look.copies.filter((copy) => copy.generation === one.generation);
  // A node that is gone is remembered for a while.
  const serving = look.nodes.filter((node) => node.generation === one.generation && node.heartbeat_age_seconds < SILENT).length;
  return h(
    "li",
    { class: "generation", data: { state: one.state } },
    h(
      "div",
      { class: "generation-head" },
      h("h3", {}, h("a", { href: `#/generations/${encodeURIComponent(one.generation)}`, data: { key: `open ${one.generation}` } }, one.generation)),
      pill(one.state),
      one.paused && pill("paused"),
      one.state === "building" && one.at_once && pill("busy", "at once"),
      one.canary > 0 && pill("busy", `${one.canary} % of the searches`),
      h("span", { class: "generation-bundle" }, one.bundle ?? "", " ", h("span", { class: "hint" }, show.short(one.bundle_hash))),
    ),
    h(
      "p",
      { class: "hint" },
      `planned ${show.ago(one.created_at)}${one.created_by ? ` by ${one.created_by}` : ""}, from ${one.source}`,
      one.basis && ` against ${one.basis}`,
      one.activated_at && ` · active since ${show.moment(one.activated_at)}`,
      serving > 0 && ` · answers on ${show.counted(serving, "node")}`,
    ),
    one.note && h("p", { class: "note" }, one.note),
    copies.length > 0 && h("ul", { class: "copies" }, copies.map(copyLine)),
    h(
      "div",
      { class: "generation-end" },
      one.has_certificate && h("a", { class: "chip soft", href: `#/generations/${encodeURIComponent(one.generation)}` }, "Certificate"),
      one.has_comparison && h("a", { class: "chip soft", href: `#/generations/${encodeURIComponent(one.generation)}` }, "Comparison"),
      h("span", { class: "spring" }),
      buttons(one, look.generations, refresh),
    ),
  );
}

async function plan(refresh) {
  const planned = await ask({
    title: "Plan a generation",
    body: [
      h("p", {}, "A release bundle holds every setting that decides what a search finds. Without one, the active bundle is built again."),
      field("Bundle", h("textarea", { name: "file", rows: "8", spellcheck: "false", placeholder: "The text of bundle.toml; `reindex bundle show` prints the active one" })),
      field("Built from", h("select", { name: "from" }, h("option", { value: "" }, "what suits the change"), ["topic", "views", "copy"].map((value) => h("option", { value }, value)))),
      field("Documents a second, at most", numeric("rate", { min: "1", placeholder: "no limit" })),
    ],
    yes: "Plan",
    run: ({ file, from, rate }) => act("generations", { file: file.trim() || undefined, from: from || undefined, rate: whole(rate) }),
  });
  if (planned !== undefined) announce("Planned.");
  await refresh();
}

async function prune(refresh) {
  await ask({
    title: "Prune generations?",
    body: [
      h("p", {}, "Failed, cancelled and older retired generations are deleted, with their files on every node. A rollback to them is no longer possible."),
      field("Retired generations to keep", numeric("keep", { value: "1", min: "0", max: "20" })),
    ],
    yes: "Prune",
    grave: true,
    run: ({ keep }) => act("generations/prune", { keep: whole(keep) }),
  });
  await refresh();
}

/** Draws the list, or one generation. */
export function mount(main, [name]) {
  if (name !== undefined) return detail(main, name, buttons, aside);
  const list = h("ol", { class: "generations" });
  const switches = h("div");
  const sets = h("div");
  const told = h("div");
  const notices = h("div", { class: "notices" });
  const refresh = async () => {
    const look = await read("/v1/console/generations");
    fill(notices, aside());
    fill(list, look.generations.map((one) => card(one, look, again)));
    fill(sets, table("Sets of vectors", SETS, look.vectors, "No embedding writer has reported."));
    fill(switches, table("Switches", SWITCHES, look.switches, "No switch yet."));
  };
  const again = () => refresh().then(() => fill(told), (error) => fill(told, problem(error)));
  main.append(
    h(
      "div",
      { class: "page-head" },
      h("h1", {}, "Index generations"),
      h("div", { class: "page-tools" }, h("button", { type: "button", class: "button", onclick: () => prune(again) }, "Prune"), h("button", { type: "button", class: "button primary", onclick: () => plan(again) }, "Plan a generation")),
    ),
    notices,
    told,
    list,
    panel("Sets of vectors", sets),
    panel("Switches of the active generation", switches),
  );
  return { beat: refresh, every: 1_000 };
}
