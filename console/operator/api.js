// The calls of the console: reads from query-api, and actions that it passes on to the operators' process. They are made
// with the session of whoever has signed in, or with the administrators' key.

import { Session } from "/storefront/session.js";

const KEY = "souk-admin-key";
const NAME = "souk-admin-name";

/** A call that was refused, as a sentence for people; `findings` are what was found, one sentence each. */
export class Refused extends Error {
  constructor(sentence, status, { findings = [], code = "" } = {}) {
    super(sentence);
    this.status = status;
    this.findings = findings;
    this.code = code;
  }
}

const memory = new Map();
let toldOfChange = () => {};

/** The session of the console; its note has the shop. */
export const session = new Session({
  name: "souk-console-session",
  headers: ({ shop } = {}) => (shop ? { "x-tenant-slug": shop } : {}),
  changed: (message) => toldOfChange(message),
});

/** Who wants to know that somebody signed in or out. */
export function onChange(told) {
  toldOfChange = told;
}

function stored(name) {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return memory.get(name) ?? "";
  }
}

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

/** The name that was given with the key. */
export const actor = () => stored(NAME);

/** Keeps key and name for as long as the tab is open. */
export function keep(newKey, name = actor()) {
  store(KEY, newKey);
  store(NAME, name);
}

/** Who acts, for the record: an account by its id, which says nothing personal. */
function acting() {
  // A header takes visible ASCII only.
  return key() === "" ? `account ${session.user}` : actor().replace(/[^\x20-\x7e]/g, "?").trim();
}

async function headers() {
  const sent = { accept: "application/json", authorization: `Bearer ${key() === "" ? await session.token() : key()}` };
  if (acting() !== "") sent["souk-actor"] = acting();
  return sent;
}

function sentence(problem, status) {
  const text = problem.detail || problem.title || `the server answered with status ${status}`;
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

async function once(address, options) {
  const sent = { ...options, headers: { ...(await headers()), ...options.headers } };
  let response;
  try {
    response = await fetch(address, sent);
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
    throw new Refused(sentence(body, response.status), response.status, { findings, code: body.code });
  }
  return body;
}

const call = (address, options) => (key() === "" ? session.trying(() => once(address, options)) : once(address, options));

/** Reads a path; parameters without a value are left out. */
export function read(path, parameters = {}, { signal } = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const query = new URLSearchParams(given).toString();
  return call(query === "" ? path : `${path}?${query}`, { signal });
}

/** Asks for an action below /v1/operations. */
export const act = (path, body = {}) => send(`/v1/operations/${path}`, body);

/** Sends a command, in a shop if one is named. */
export function send(path, body, shop) {
  return call(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(shop ? { "x-tenant-slug": shop } : {}) },
    body: JSON.stringify(body),
  });
}
