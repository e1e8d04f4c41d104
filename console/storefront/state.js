// What the shopper asks for: read from the address and written back to it, so that every state of the shop can be
// reloaded, sent to somebody and left by the back button.

const FIELDS = ["brand", "category", "price", "available", "product_type"];
const RANGE = /^(-?\d+(?:\.\d+)?)?\.\.(<)?(-?\d+(?:\.\d+)?)?$/;
const MODES = ["lexical", "semantic", "hybrid"];
const SORTS = ["price", "-price", "-released", "released", "title"];

/** Products on a page. */
export const PAGE = 24;
/** Pages that are loaded again when an address with many is opened. */
export const MOST_PAGES = 20;

const isField = (name) => FIELDS.includes(name) || /^attr\../.test(name);

/** The state that an address's query string stands for. */
export function fromAddress(search) {
  const params = new URLSearchParams(search);
  const filters = new Map();
  for (const [name, value] of params) {
    if (isField(name)) read(filters, name, value);
  }
  const mode = params.get("mode");
  const sort = params.get("sort");
  const page = Number.parseInt(params.get("page") ?? "1", 10);
  return {
    // The host tells whose shop it is; an address may name it, too.
    tenant: params.get("tenant") || null,
    product: params.get("p"),
    /** A view of the account, such as `sign-in`. */
    account: params.get("account"),
    /** Whether the cart is shown. */
    cart: params.has("cart"),
    /** A checkout by its id, or an empty text for one that is to begin. */
    checkout: params.get("checkout"),
    q: params.get("q") ?? "",
    mode: MODES.includes(mode) ? mode : "lexical",
    sort: SORTS.includes(sort) ? sort : "",
    page: Math.min(Math.max(page || 1, 1), MOST_PAGES),
    understand: params.get("understand") !== "false",
    currency: /^[A-Z]{3}$/.test(params.get("currency") ?? "") ? params.get("currency") : "USD",
    filters,
  };
}

function read(filters, name, value) {
  const range = RANGE.exec(value);
  if (range && (range[1] ?? range[3]) !== undefined) {
    const bound = (text) => (text === undefined ? null : Number(text));
    filters.set(name, { from: bound(range[1]), to: bound(range[3]), below: range[2] !== undefined });
    return;
  }
  const known = filters.get(name)?.values ?? [];
  filters.set(name, { values: [...known, value.replace(/^=/, "")] });
}

/** The address of a state. */
export function toAddress(state) {
  const params = new URLSearchParams();
  const set = (name, value, usual) => value !== usual && params.append(name, value);
  set("tenant", state.tenant, null);
  if (state.account !== null) {
    params.append("account", state.account);
    return `/?${params}`;
  }
  if (state.checkout !== null) {
    params.append("checkout", state.checkout);
    return `/?${params}`;
  }
  if (state.cart) {
    params.append("cart", "");
    return `/?${params}`;
  }
  if (state.product !== null) {
    params.append("p", state.product);
    return `/?${params}`;
  }
  set("q", state.q, "");
  for (const [name, filter] of state.filters) {
    if (filter.values === undefined)
      params.append(name, `${filter.from ?? ""}..${filter.below ? "<" : ""}${filter.to ?? ""}`);
    // A value that looks like a range is told from one by a sign in front.
    else
      for (const value of filter.values)
        params.append(name, RANGE.test(value) || value.startsWith("=") ? `=${value}` : value);
  }
  set("mode", state.mode, "lexical");
  set("sort", state.sort, "");
  set("currency", state.currency, "USD");
  set("understand", String(state.understand), "true");
  set("page", String(state.page), "1");
  const text = params.toString();
  return text === "" ? "/" : `/?${text}`;
}

const quoted = (value) => `"${value.replaceAll('"', '""')}"`;

/** The filters in the filter language, one text for each field; `but` is left out. */
export function filterTexts(state, but = null) {
  const texts = [];
  for (const [field, filter] of state.filters) {
    if (field === but) continue;
    const name = /^[\w.]+$/.test(field) ? field : quoted(field);
    if (filter.values !== undefined) {
      texts.push(`${name}:${filter.values.map(quoted).join(",")}`);
      continue;
    }
    if (filter.from !== null) texts.push(`${name}>=${filter.from}`);
    if (filter.to !== null) texts.push(`${name}${filter.below ? "<" : "<="}${filter.to}`);
  }
  return texts;
}

/** A state with other filters, from its first page on. */
function refined(state, change) {
  const filters = new Map(state.filters);
  change(filters);
  return { ...state, filters, page: 1 };
}

/** Whether a value of a field is chosen. */
export const chosen = (state, field, value) => state.filters.get(field)?.values?.includes(String(value)) ?? false;

/** With a value chosen, or no longer chosen; of categories one is chosen at a time. */
export function toggled(state, field, value) {
  const text = String(value);
  return refined(state, (filters) => {
    const before = filters.get(field)?.values ?? [];
    const after = before.includes(text)
      ? before.filter((other) => other !== text)
      : field === "category"
        ? [text]
        : [...before, text];
    if (after.length === 0) filters.delete(field);
    else filters.set(field, { values: after });
  });
}

/** With a range of a field, or without if both ends are open. */
export function ranged(state, field, from, to, below = false) {
  return refined(state, (filters) => {
    if (from === null && to === null) filters.delete(field);
    else filters.set(field, { from, to, below });
  });
}

/** Without the filter on a field, or on all of them. */
export function unfiltered(state, field = null) {
  return refined(state, (filters) => (field === null ? filters.clear() : filters.delete(field)));
}

/** How many filters there are, each value counted. */
export function filterCount(state) {
  return [...state.filters.values()].reduce((sum, filter) => sum + (filter.values?.length ?? 1), 0);
}
