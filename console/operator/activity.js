// What staff and administrators did in a shop: the audit, the newest first.

import { announce, fill, h } from "/storefront/dom.js";
import { read } from "/console/api.js";
import * as show from "/console/format.js";
import { field, problem, table } from "/console/parts.js";
import { shopChoice } from "/console/shops.js";

const LIMIT = 50;
const FILTERS = ["shop", "of", "key", "before"];
const ID = "[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}";
const KINDS = { admin: "administrator", owner: "owner", staff: "staff" };

/** The address of the page with other filters; whatever is changed, one begins with the newest. */
function address(asked, changes) {
  const params = new URLSearchParams();
  const all = { ...asked, before: "", ...changes };
  for (const name of FILTERS) if (all[name]) params.append(name, all[name]);
  const query = params.toString();
  return query === "" ? "#/activity" : `#/activity?${query}`;
}

/** A value of a state: what is long is laid out on lines of its own. */
function value(tag, given, absent) {
  if (given === null || given === undefined) return h(tag, { class: "absent" }, absent);
  return h(tag, {}, typeof given === "string" ? given : JSON.stringify(given));
}

function difference({ pointer, before, after }) {
  return h("div", { class: "difference" }, h("dt", {}, h("code", {}, pointer || "/")), h("dd", {}, value("del", before, "nothing"), h("span", { "aria-hidden": "true" }, " → "), value("ins", after, "nothing")));
}

function changed(change) {
  const fields = change.fields ?? [];
  const about = change.before === 0 ? "It was made; its events say all of it." : "None of the values that are noted is another than before.";
  return h(
    "div",
    { class: "changed" },
    h("p", {}, h("strong", {}, show.word(change.aggregate)), ` ${change.before === 0 ? "made" : `version ${show.count(change.before)} to ${show.count(change.after)}`}`),
    fields.length > 0 ? h("dl", { class: "differences" }, fields.map(difference)) : h("p", { class: "hint" }, about),
    h("p", { class: "hint" }, change.events.join(", ")),
  );
}

/** A sentence for each kind of aggregate: "3 products". */
function what(entry) {
  const counts = new Map();
  for (const change of entry.changes) counts.set(change.aggregate, (counts.get(change.aggregate) ?? 0) + 1);
  const parts = [...counts].map(([kind, count]) => `${count === 1 ? "" : `${show.count(count)} × `}${show.word(kind)}`);
  const verbs = new Set(entry.changes.flatMap((change) => change.events.map((type) => type.split(".").at(-2))));
  return `${parts.join(", ") || "nothing"}: ${[...verbs].map(show.word).join(", ")}`;
}

function columns(asked) {
  const link = (changes, text, label) => h("a", { href: address(asked, changes), "aria-label": label, title: label }, text);
  const who = ({ actor }) => {
    const [id, name] = actor.key ? [actor.key, "key"] : [actor.user ?? actor.account, "account"];
    const kind = KINDS[actor.kind] ?? show.word(actor.kind);
    if (!id) return kind;
    const short = h("code", {}, show.short(id));
    return [`${kind} `, name === "key" ? link({ key: id }, short, `What was done with the key ${id}`) : h("code", { title: id }, show.short(id))];
  };
  const on = ({ changes }) => {
    const shown = changes.slice(0, 3).map(({ id }) => h("div", {}, link({ of: id }, h("code", {}, show.short(id)), `What was done to ${id}`)));
    return h("div", {}, shown, changes.length > 3 && h("span", { class: "hint" }, `and ${show.count(changes.length - 3)} more`));
  };
  return [
    { name: "№", class: "number", of: ({ number }) => show.count(number) },
    { name: "When", of: ({ entry }) => h("time", { datetime: entry.at }, show.moment(entry.at)) },
    { name: "Who", of: ({ entry }) => h("span", {}, who(entry)) },
    { name: "What", of: ({ entry }) => what(entry) },
    { name: "On what", of: ({ entry }) => on(entry) },
    { name: "Changes", class: "wide", of: ({ number, entry }) => h("details", {}, h("summary", { data: { key: `changes ${number}` }, "aria-label": `Before and after: entry ${number}` }, "Before and after"), entry.changes.map(changed)) },
    { name: "Why", of: ({ entry }) => entry.reason ?? "–" },
    { name: "From", of: ({ entry }) => entry.address ?? "–" },
    { name: "Request", of: ({ entry }) => h("code", { title: entry.correlation_id }, show.short(entry.correlation_id)) },
  ];
}

/** Draws the page. */
export function mount(main, path, { query }) {
  const asked = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""]));
  const [rows, pages, told] = [h("div", { class: "panel" }), h("div", { class: "page-tools" }), h("div", { "aria-live": "assertive" })];
  const shop = shopChoice(asked.shop);
  const id = (name, hint) => h("input", { type: "text", name, value: asked[name], pattern: ID, title: "A UUID", placeholder: hint, spellcheck: "false", autocomplete: "off" });
  const form = h("form", { class: "filters" }, shop.select && field("Shop", shop.select), field("Done to", id("of", "Id of an aggregate")), field("Done with", id("key", "Id of a key")), h("button", { class: "button primary", type: "submit" }, "Show"));
  const refilter = () => {
    const given = Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, text.trim()]));
    location.hash = address(asked, given);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    refilter();
  });
  shop.select?.addEventListener("change", refilter);
  main.append(
    h("h1", {}, "Activity"),
    h("p", { class: "hint" }, "What staff, owners and administrators did in the shop, as the audit has it. An entry is here about a second after what it tells."),
    form,
    told,
    rows,
    pages,
  );

  let drawn = "";
  const refresh = async () => {
    try {
      await shop.start();
      if (shop.isMissing) {
        fill(rows, h("p", { class: "empty" }, "There is no shop yet."));
        return;
      }
      const page = await read("/v1/activity", { tenant: shop.slug, of: asked.of, key: asked.key, before: asked.before, limit: LIMIT });
      fill(told);
      const now = JSON.stringify(page);
      if (now === drawn) return;
      drawn = now;
      fill(rows, table("Activity", columns({ ...asked, shop: shop.slug ?? "" }), page.entries, "Nothing was done, or nothing that these filters let through."));
      fill(
        pages,
        asked.before !== "" && h("a", { class: "button small", href: address(asked, {}) }, "Newest"),
        page.next !== null && h("a", { class: "button small", data: { key: "older" }, href: address({ ...asked, shop: shop.slug ?? "" }, { before: String(page.next) }) }, "Older"),
      );
      announce(`${show.counted(page.entries.length, "entry", "entries")}`);
    } catch (error) {
      if (![400, 404].includes(error.status)) throw error;
      fill(told, problem(error));
    }
  };
  return { beat: refresh, every: 5_000 };
}
