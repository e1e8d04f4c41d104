// The console: who may look, which part is shown, and the beat at which it is kept true.

import { announce, by, fill, h } from "/storefront/dom.js";
import { actor, keep, key, read } from "/console/api.js";
import { field, problem } from "/console/parts.js";
import * as generations from "/console/generations.js";
import * as letters from "/console/letters.js";
import * as lineage from "/console/lineage.js";
import * as operations from "/console/operations.js";
import * as probes from "/console/probes.js";
import * as road from "/console/road.js";

/** Every part: `mount(main, path)` draws it and gives `{ beat, every }`, what keeps it true and each how many ms. */
const PARTS = [
  { name: "road", title: "Road", part: road },
  { name: "generations", title: "Generations", part: generations },
  { name: "letters", title: "Dead letters", part: letters },
  { name: "probes", title: "Probes", part: probes },
  { name: "lineage", title: "Lineage", part: lineage },
  { name: "operations", title: "Operations", part: operations },
];

let shown = null;
let timer = 0;

function beatIs(state, text) {
  if (by("beat").dataset.state !== state) by("beat").dataset.state = state;
  if (by("beat-text").textContent !== text) by("beat-text").textContent = text;
}

/** Takes the key out of the address, where `souk up` puts it, so that it stays in no history. */
function keyFromAddress() {
  const found = /^#key=([^&]+)/.exec(location.hash);
  if (found === null) return;
  keep(decodeURIComponent(found[1]));
  history.replaceState(null, "", "#/road");
}

function tabs(active) {
  fill(
    by("tabs"),
    PARTS.map(({ name, title }) =>
      h("a", { href: `#/${name}`, class: "tab", data: { key: `tab-${name}` }, "aria-current": name === active ? "page" : null }, title),
    ),
  );
}

/** Brings the present tab into sight where the row of tabs is wider than the screen. */
function showTab() {
  const present = by("tabs").querySelector("[aria-current]");
  if (present !== null) by("tabs").scrollLeft = present.offsetLeft - by("tabs").offsetLeft - by("tabs").clientWidth / 3;
}

/** Calls the part's beat now and then again, each time after it is done; stops with the part. */
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
  const found = PARTS.find((part) => part.name === name) ?? PARTS[0];
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
    h("h1", {}, "For staff"),
    h("p", { class: "hint" }, "The key is query-api's setting --staff-key. On one machine, souk up prints an address that carries it."),
    field("Staff key", secret),
    field("Your name", name, "It stands beside what you do in the record of operations."),
    told,
    h("button", { class: "button primary", type: "submit" }, "Open the console"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    keep(secret.value.trim(), name.value.trim());
    try {
      await read("/v1/console/operations", { limit: 1 });
      if (!location.hash.startsWith("#/")) history.replaceState(null, "", "#/road");
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
