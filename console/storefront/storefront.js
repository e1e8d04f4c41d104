// The storefront: one document whose address says what it shows. Each change of the state goes through `go`, which
// writes the address and shows what it stands for.

import { accountView } from "./account.js";
import { read, Refused } from "./api.js";
import { cartView } from "./cart.js";
import { checkoutView } from "./checkout.js";
import { by, fill, h, open, settled } from "./dom.js";
import { explain, why } from "./explain.js";
import { number } from "./format.js";
import { productPage } from "./product.js";
import { searchView } from "./search.js";
import { searchField } from "./suggest.js";
import { filterCount, fromAddress, ranged, toAddress, toggled, unfiltered } from "./state.js";

const TYPING_MS = 110;
const NAME = "souk";

const shop = {
  state: fromAddress(location.search),
  /** Names of categories by slug. */
  names: new Map(),
  go,
  paged(page) {
    shop.state = { ...shop.state, page };
    history.replaceState(history.state, "", toAddress(shop.state));
  },
  typed: (q) => typing(q),
  submitted(q) {
    typing.cancel();
    go({ q: q.trim(), page: 1, product: null }, { focus: false });
  },
  openProduct: (slug) => go({ product: slug }),
  /** Nothing but one filter. */
  only: (field, value) => go({ ...toggled({ ...shop.state, filters: new Map() }, field, value), q: "", product: null }),
  toggle: (field, value) => go(toggled(shop.state, field, value)),
  setRange: (field, from, to, below) => go(ranged(shop.state, field, from, to, below)),
  clearFilters: () => go(unfiltered(shop.state)),
  home: () => go({ ...unfiltered(shop.state), q: "", sort: "", understand: true, product: null }),
  back() {
    if (history.state?.inside) history.back();
    else go({ product: null });
  },
  explain: (hit) => explain(shop, hit, view.placeOf(hit.id)),
};

const view = searchView(shop);
const account = accountView(shop, () => cart.moved());
const cart = cartView(shop, account.session);
const checkout = checkoutView(shop, account.session, cart.basket);
shop.adder = cart.adder;
const field = searchField(shop);
let reading = null;

const typing = settled(TYPING_MS, (q) => {
  // What is typed is one step of the way back, however many letters it has.
  const begun = history.state?.typing === true;
  go({ q, page: 1, product: null }, { typing: true, replace: begun });
});

/** Changes the state, the address and what is shown. */
function go(changes, { typing: asTyped = false, replace = false } = {}) {
  const before = toAddress(shop.state);
  // Whatever else is asked for leads out of the account, the cart and the checkout.
  shop.state = { ...shop.state, account: null, cart: false, checkout: null, ...changes };
  const address = toAddress(shop.state);
  if (address !== before) {
    history.replaceState({ ...history.state, scroll: scrollY }, "");
    const entry = { inside: true, typing: asTyped };
    if (replace) history.replaceState(entry, "", address);
    else history.pushState(entry, "", address);
  } else if (!asTyped && history.state?.typing) {
    // The same words, now submitted: no longer a beginning.
    history.replaceState({ ...history.state, typing: false }, "");
  }
  return show({ typing: asTyped, scroll: place(shop.state) === "search" ? null : 0 });
}

/** What of the page a state shows. */
function place(state) {
  if (state.account !== null) return "account";
  if (state.checkout !== null) return "checkout";
  if (state.cart) return "cart";
  return state.product === null ? "search" : "product";
}

async function show({ typing: asTyped = false, scroll = null } = {}) {
  const { state } = shop;
  // Somebody who types is ahead of the state.
  if (!asTyped) by("q").value = state.q;
  controls();
  const shown = place(state);
  for (const name of ["account", "cart", "checkout", "product", "search"]) by(`${name}-view`).hidden = name !== shown;
  by("why").hidden = shown !== "search";
  reading?.abort();
  const page = { account: () => account.show(state.account), cart: () => cart.show(), checkout: () => checkout.show() }[shown];
  if (page !== undefined) {
    if (scroll !== null) scrollTo(0, scroll);
    const title = await page();
    if (shop.state !== state) return;
    document.title = `${title} · ${NAME}`;
    by(`${shown}-view`).querySelector("h1")?.focus({ preventScroll: true });
    return;
  }
  if (shown === "product") {
    reading = new AbortController();
    document.title = NAME;
    if (scroll !== null) scrollTo(0, scroll);
    try {
      const title = await productPage(shop, reading.signal);
      if (title !== null) document.title = `${title} · ${NAME}`;
      by("product-view").querySelector("h1")?.focus({ preventScroll: true });
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
    return;
  }
  document.title = state.q.trim() === "" ? NAME : `${state.q.trim()} · ${NAME}`;
  await view.run(state, { typing: asTyped });
  if (scroll !== null) scrollTo(0, scroll);
  otherCurrency(state);
}

/** A shop that doesn't sell in dollars is shown in what it does sell in. */
function otherCurrency(state) {
  const currency = view.otherCurrency(state.currency);
  const filtered = state.filters.has("price") || state.sort.endsWith("price");
  if (currency === null || filtered || state !== shop.state) return;
  shop.state = { ...state, currency };
  history.replaceState(history.state, "", toAddress(shop.state));
  view.run(shop.state);
}

/** The controls as the state has them. */
function controls() {
  const { state } = shop;
  by("clear").hidden = by("q").value === "";
  for (const radio of by("modes").querySelectorAll("input")) radio.checked = radio.value === state.mode;
  by("sort").value = state.sort;
  const filters = filterCount(state);
  by("filters-badge").hidden = filters === 0;
  by("filters-badge").textContent = number(filters);
  departments();
  by("logo").href = toAddress({
    ...unfiltered(state),
    q: "",
    sort: "",
    mode: "lexical",
    understand: true,
    product: null,
    account: null,
    cart: false,
    checkout: null,
  });
}

/** Departments are for those who have not asked for anything yet. */
function departments() {
  const { state } = shop;
  by("departments").hidden =
    by("departments").childElementCount === 0 || state.q.trim() !== "" || state.filters.size > 0;
}

/** The departments of the start page, and the names of all categories. */
async function categories() {
  try {
    const { body } = await read(shop.state.tenant, "/v1/categories", [], { keep: true });
    const walk = (nodes) =>
      nodes.forEach((node) => {
        shop.names.set(node.slug, node.name);
        walk(node.children);
      });
    walk(body.categories);
    const roots = body.categories.filter((node) => node.products > 0).slice(0, 12);
    fill(
      by("departments"),
      roots.length > 1 &&
        roots.map((node) =>
          h(
            "button",
            { type: "button", class: "department", onclick: () => shop.only("category", node.slug) },
            h("strong", {}, node.name),
            h("span", {}, number(node.products)),
          ),
        ),
    );
    departments();
    view.redraw();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

/** On a narrow screen the filters stand in a drawer: the same elements, elsewhere. */
function drawer() {
  const dialog = by("drawer");
  const wide = matchMedia("(min-width: 60rem)");
  by("filters-button").addEventListener("click", () => {
    by("drawer-body").append(by("facets"));
    open(dialog);
  });
  dialog.addEventListener("close", () => by("sidebar").append(by("facets")));
  wide.addEventListener("change", () => wide.matches && dialog.open && dialog.close());
}

function wire() {
  history.scrollRestoration = "manual";
  addEventListener("popstate", async () => {
    typing.cancel();
    field.close();
    const left = shop.state.product;
    shop.state = fromAddress(location.search);
    await show({ scroll: history.state?.scroll ?? 0 });
    // Who comes back from a product stands at its card again.
    if (left !== null)
      document.querySelector(`[data-slug="${CSS.escape(left)}"] .title a`)?.focus({ preventScroll: true });
  });
  by("modes").addEventListener("change", (event) => go({ mode: event.target.value, page: 1 }));
  by("sort").addEventListener("change", (event) => go({ sort: event.target.value, page: 1 }));
  by("why").addEventListener("click", () => why(shop));
  by("logo").addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    shop.home();
  });
  addEventListener("keydown", (event) => {
    // As in many shops, a slash leads to the search field.
    if (event.key !== "/" || event.target.closest("input, textarea, select, dialog")) return;
    event.preventDefault();
    by("q").focus();
  });
}

/** A code that a mail's link brought is used by the page, and stays in no history. */
function codeFromAddress() {
  const params = new URLSearchParams(location.search);
  if (params.get("account") === "provider") {
    account.back(Object.fromEntries(["code", "state", "iss", "error"].filter((name) => params.has(name)).map((name) => [name, params.get(name)])));
    history.replaceState(history.state, "", toAddress(shop.state));
    return;
  }
  const code = params.get("code");
  if (code === null || !params.has("account")) return;
  account.given(code);
  history.replaceState(history.state, "", toAddress(shop.state));
}

codeFromAddress();
wire();
drawer();
categories();
cart.open();
show({ scroll: history.state?.scroll ?? null });
