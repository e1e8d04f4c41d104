// The console: signing in, the page that is shown, and how often it is refreshed.

import { announce, by, fill, h } from "/storefront/dom.js";
import { actor, keep, key, read } from "/console/api.js";
import { field, problem } from "/console/parts.js";
import * as deadLetters from "/console/dead-letters.js";
import * as generations from "/console/generations.js";
import * as lineage from "/console/lineage.js";
import * as operations from "/console/operations.js";
import * as pipeline from "/console/pipeline.js";
import * as probes from "/console/probes.js";

/** Every page: `mount(main, path)` draws it and gives `{ beat, every }`: what refreshes it, and how often, in ms. */
const PARTS = [
  { name: "pipeline", title: "Pipeline", part: pipeline },
  { name: "generations", title: "Generations", part: generations },
  { name: "dead-letters", title: "Dead letters", part: deadLetters },
  { name: "probes", title: "Probes", part: probes },
  { name: "lineage", title: "Lineage", part: lineage },
  { name: "operations", title: "Operations", part: operations },
];

/** Older names of pages, kept for one release. */
const FORMER = { road: "pipeline", letters: "dead-letters" };

let shown = null;
let timer = 0;

function beatIs(state, text) {
  if (by("beat").dataset.state !== state) by("beat").dataset.state = state;
  if (by("beat-text").textContent !== text) by("beat-text").textContent = text;
}

/** Takes the key out of the address, where `souk up` puts it, so that no browser history keeps it. */
function keyFromAddress() {
  const found = /^#key=([^&]+)/.exec(location.hash);
  if (found === null) return;
  keep(decodeURIComponent(found[1]));
  history.replaceState(null, "", "#/pipeline");
}

function tabs(active) {
  fill(
    by("tabs"),
    PARTS.map(({ name, title }) =>
      h("a", { href: `#/${name}`, class: "tab", data: { key: `tab-${name}` }, "aria-current": name === active ? "page" : null }, title),
    ),
  );
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
      signIn(error.message);
      return;
    }
    beatIs("lost", error.status === 0 ? "no answer" : error.message);
  }
  timer = setTimeout(beating, mounted.every, mounted);
}

function show() {
  clearTimeout(timer);
  shown?.end?.();
  shown = null;
  if (key() === "") {
    signIn("");
    return;
  }
  const [name, ...path] = location.hash.replace(/^#\//, "").split("/").map(decodeURIComponent);
  const found = PARTS.find((part) => part.name === (FORMER[name] ?? name)) ?? PARTS[0];
  tabs(found.name);
  showTab();
  by("leave").hidden = false;
  document.title = `${found.title} – souk console`;
  const main = by("content");
  main.replaceChildren();
  const mounted = found.part.mount(main, path);
  shown = mounted;
  scrollTo(0, 0);
  announce(found.title);
  beating(mounted);
}

function signIn(message) {
  clearTimeout(timer);
  shown?.end?.();
  shown = null;
  by("leave").hidden = true;
  fill(by("tabs"));
  beatIs("waiting", "not connected");
  document.title = "souk console";
  const secret = h("input", { type: "password", name: "key", required: true, autocomplete: "current-password", id: "key" });
  const name = h("input", { type: "text", name: "name", value: actor(), autocomplete: "username", maxlength: "64", id: "name" });
  const told = h("div", {}, message && problem(new Error(message)));
  const form = h(
    "form",
    { class: "sign-in" },
    h("h1", {}, "For administrators"),
    h("p", { class: "hint" }, "The admin key is the setting --admin-key of query-api. `souk up` prints an address that contains it."),
    field("Admin key", secret),
    field("Your name", name, "It is recorded with every operation that you start."),
    told,
    h("button", { class: "button primary", type: "submit" }, "Open the console"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    keep(secret.value.trim(), name.value.trim());
    try {
      await read("/v1/console/operations", { limit: 1 });
      if (!location.hash.startsWith("#/")) history.replaceState(null, "", "#/pipeline");
      show();
    } catch (error) {
      if (error.status === 401) keep("");
      fill(told, problem(error));
    }
  });
  by("content").replaceChildren(form);
  secret.focus();
}

by("leave").addEventListener("click", () => {
  keep("");
  show();
});
addEventListener("hashchange", () => {
  keyFromAddress();
  show();
  by("content").focus({ preventScroll: true });
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && shown !== null) {
    clearTimeout(timer);
    beating(shown);
  }
});
keyFromAddress();
show();
