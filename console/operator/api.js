// The calls of the console: reads from query-api, and actions that it passes on to the operators' process.

const KEY = "souk-admin-key";
const NAME = "souk-admin-name";

/** A call that was refused, as a sentence for people; `findings` are what was found, one sentence each. */
export class Refused extends Error {
  constructor(sentence, status, findings = []) {
    super(sentence);
    this.status = status;
    this.findings = findings;
  }
}

function stored(name) {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return memory.get(name) ?? "";
  }
}

const memory = new Map();

function store(name, value) {
  memory.set(name, value);
  try {
    if (value === "") sessionStorage.removeItem(name);
    else sessionStorage.setItem(name, value);
  } catch {
    // Storage may be forbidden; then the key lasts as long as the page.
  }
}

/** The admin key, or nothing. */
export const key = () => stored(KEY);

/** Who acts, for the record. */
export const actor = () => stored(NAME);

/** Keeps key and name for as long as the tab is open. */
export function keep(newKey, name = actor()) {
  store(KEY, newKey);
  store(NAME, name);
}

function headers() {
  const sent = { accept: "application/json", authorization: `Bearer ${key()}` };
  // A header takes visible ASCII only.
  const name = actor().replace(/[^\x20-\x7e]/g, "?").trim();
  if (name !== "") sent["souk-actor"] = name;
  return sent;
}

function sentence(problem, status) {
  const text = problem.detail || problem.title || `the server answered with status ${status}`;
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

async function call(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("query-api does not answer. Check the connection.", 0);
  }
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (!response.ok) {
    const findings = (body.errors ?? []).map((one) => one.detail).filter(Boolean);
    throw new Refused(sentence(body, response.status), response.status, findings);
  }
  return body;
}

/** Reads a path; parameters without a value are left out. */
export function read(path, parameters = {}, { signal } = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(given).toString();
  return call(query === "" ? path : `${path}?${query}`, { signal, headers: headers() });
}

/** Asks for an action below /v1/operations. */
export function act(path, body = {}) {
  return call(`/v1/operations/${path}`, {
    method: "POST",
    headers: { ...headers(), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}
