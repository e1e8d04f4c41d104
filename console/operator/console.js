// The console: signing in, the page that is shown, and how often it is refreshed.

import { announce, by, fill, h } from "/storefront/dom.js";
import { keep, key, onChange, session } from "/console/api.js";
import { problem } from "/console/parts.js";
import { enrolment } from "/console/second-factor.js";
import { acceptInvitation, signIn } from "/console/sign-in.js";
import * as account from "/console/account.js";
import * as activity from "/console/activity.js";
import * as deadLetters from "/console/dead-letters.js";
import * as generations from "/console/generations.js";
import * as lineage from "/console/lineage.js";
import * as operations from "/console/operations.js";
import * as pipeline from "/console/pipeline.js";
import * as probes from "/console/probes.js";
import * as processes from "/console/processes.js";
import * as shopDeadLetters from "/console/shop-dead-letters.js";
import * as who from "/console/who.js";

/**
 * Every page: `mount(main, path, { query, restart })` draws it and gives `{ beat, every }`: what refreshes it, and how
 * often, in ms. Administrators see `part`, and staff of a shop what `shop` names, if they have its permission.
 */
const PARTS = [
  { name: "pipeline", title: "Pipeline", part: pipeline },
  { name: "generations", title: "Generations", part: generations },
  { name: "dead-letters", title: "Dead letters", part: deadLetters, shop: { part: shopDeadLetters, needs: "status.read" } },
  { name: "probes", title: "Probes", part: probes },
  { name: "lineage", title: "Lineage", part: lineage },
  { name: "operations", title: "Operations", part: operations },
  { name: "processes", title: "Processes", part: processes, shop: { part: processes, needs: "orders.read" } },
  { name: "activity", title: "Activity", part: activity, shop: { part: activity, needs: "audit.read" } },
];

/** Whoever has signed in sees this; no tab leads there, but their name. */
const ACCOUNT = { name: "account", title: "Account", part: account };

/** Older names of pages, kept for one release. */
const FORMER = { road: "pipeline", letters: "dead-letters" };

let shown = null;
let timer = 0;

function beatIs(state, text) {
  if (by("beat").dataset.state !== state) by("beat").dataset.state = state;
  if (by("beat-text").textContent !== text) by("beat-text").textContent = text;
}

/** What of a part whoever has signed in may see, if anything. */
function visible({ part, shop }) {
  if (who.isAdmin()) return part;
  return shop !== undefined && who.may(shop.needs) ? shop.part : null;
}

function tabs(active) {
  fill(
    by("tabs"),
    PARTS.filter((part) => visible(part) !== null).map(({ name, title }) =>
      h("a", { href: `#/${name}`, class: "tab", data: { key: `tab-${name}` }, "aria-current": name === active ? "page" : null }, title),
    ),
  );
}

/** The name of whoever has signed in, and the way out. */
function bar() {
  const name = who.called();
  by("who").hidden = name === "";
  by("who-text").textContent = name;
  by("who").setAttribute("aria-label", `Signed in: ${name}`);
  by("leave").hidden = name === "" && !session.open && key() === "";
}

/** Scrolls the present tab into view where the tabs are wider than the screen. */
function showTab() {
  const present = by("tabs").querySelector("[aria-current]");
  if (present !== null) by("tabs").scrollLeft = present.offsetLeft - by("tabs").offsetLeft - by("tabs").clientWidth / 3;
}

/** Refreshes the page, waits, and refreshes it again, until another page is shown. */
async function beating(mounted) {
  if (shown !== mounted) return;
  try {
    if (!document.hidden) {
      await mounted.beat();
      if (shown !== mounted) return;
      beatIs("live", "live");
    }
  } catch (error) {
    if (shown !== mounted) return;
    if (error.status === 401) {
      // The key is none any more, or the session has ended.
      keep("");
      session.forget();
      way({ message: error.message });
      return;
    }
    beatIs("lost", error.status === 0 ? "no answer" : error.message);
  }
  timer = setTimeout(beating, mounted.every, mounted);
}

/** Ends the page that is shown. */
function leavePage() {
  clearTimeout(timer);
  shown?.end?.();
  shown = null;
}

/** What the address asks for: the part, its path, and its parameters. */
function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  return { name: FORMER[name] ?? name, path: rest, query: new URLSearchParams(query) };
}

function show() {
  leavePage();
  if (key() === "" && !session.open) {
    way({});
    return;
  }
  bar();
  if (before()) return;
  const asked = place();
  const seen = PARTS.filter((one) => visible(one) !== null);
  const found = asked.name === "account" ? ACCOUNT : PARTS.find((one) => one.name === asked.name) ?? seen[0] ?? PARTS[0];
  const part = found === ACCOUNT ? account : visible(found);
  tabs(found.name);
  showTab();
  document.title = `${found.title} – souk console`;
  scrollTo(0, 0);
  announce(found.title);
  by("content").replaceChildren();
  if (part === null) {
    beatIs("waiting", "not for this account");
    by("content").append(notForThem(found, seen));
    return;
  }
  const mounted = part.mount(by("content"), asked.path, { query: asked.query, restart: start });
  shown = mounted;
  beating(mounted);
}

/** A page that is for others, and the ones that are not. */
function notForThem({ title }, seen) {
  const own = seen.map((one) => [h("a", { href: `#/${one.name}` }, one.title), " "]);
  return h(
    "div",
    { class: "state" },
    h("h1", {}, title),
    h("p", {}, who.isStaff() ? "This page is for administrators of the installation." : "The console is for administrators of the installation and for staff of shops. This account is neither."),
    own.length > 0 && h("p", {}, "Your account has: ", own),
  );
}

/** What comes before the console for this account, if anything does. */
function before() {
  const missing = who.missing();
  if (missing === null) return false;
  fill(by("tabs"));
  document.title = "souk console";
  if (missing === "enrolment") {
    beatIs("waiting", "one step more");
    by("content").replaceChildren(enrolment({ email: who.present().email, done: start }));
    by("content").querySelector("h1").focus();
    return true;
  }
  const shop = session.note.shop;
  session.forget();
  way({ message: "Please sign in again, with a one-time code.", shop });
  return true;
}

/** The ways in. */
function way({ message = "", kind = "bad", shop = "", invitation = null }) {
  leavePage();
  by("leave").hidden = true;
  by("who").hidden = true;
  fill(by("tabs"));
  beatIs("waiting", "not connected");
  document.title = "souk console";
  const accepted = (slug) => way({ message: "Your password is set. You can sign in now.", kind: "good", shop: slug });
  const { element, first } = invitation === null ? signIn({ message, kind, shop, done: start }) : acceptInvitation({ ...invitation, accepted });
  by("content").replaceChildren(element);
  first.focus();
}

/** Takes secrets out of the address, so that no history keeps them. An invitation is taken up; a key opens nothing. */
function secretsFromAddress() {
  // The address of a page has parameters of its own.
  if (/[/?]/.test(location.hash.split("=")[0])) return false;
  const params = new URLSearchParams(location.hash.slice(1));
  const code = params.get("invitation");
  if (code === null && !params.has("key")) return false;
  history.replaceState(null, "", location.pathname);
  if (code === null) return false;
  const shop = params.get("shop") ?? "";
  way({ invitation: { code, shop: /^[a-z0-9-]{1,63}$/.test(shop) ? shop : "" } });
  return true;
}

/** Finds out who it is, and shows what they may see. */
async function start() {
  leavePage();
  try {
    await who.find();
  } catch (error) {
    if (error.status === undefined) throw error;
    if (!session.open) return;
    by("content").replaceChildren(h("div", { class: "state" }, problem(error), h("p", {}, h("button", { type: "button", class: "button", onclick: start }, "Try again"))));
    by("leave").hidden = false;
    return;
  }
  if ((key() !== "" || session.open) && location.hash === "" && who.isAdmin()) history.replaceState(null, "", "#/pipeline");
  show();
}

by("leave").addEventListener("click", async () => {
  keep("");
  if (session.open) await session.signOut();
  else start();
});
onChange((message) => {
  // Whoever signs in goes on by themselves.
  if (session.open || key() !== "") return;
  leavePage();
  who.find();
  way({ message });
});
addEventListener("hashchange", () => {
  if (secretsFromAddress()) return;
  show();
  by("content").focus({ preventScroll: true });
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && shown !== null) {
    clearTimeout(timer);
    beating(shown);
  }
});
if (!secretsFromAddress()) start();
