// The calls to query-api, all of them reads.

const KEPT_MS = 60_000;
const MOST_KEPT = 60;
const kept = new Map();

/** A read that was refused, as a sentence for people. */
export class Refused extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

/** A problem details object (RFC 9457) as a sentence. */
export function sentence(problem, status) {
  const wrong = (problem.errors ?? []).map((error) => `${error.pointer}: ${error.detail}`).join("; ");
  const what = problem.detail || wrong || problem.title || `the shop answered with status ${status}`;
  const text = what.charAt(0).toUpperCase() + what.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/**
 * Reads a path with parameters, given as pairs. The answer has the body and when, by whom and how fresh it was served.
 * `keep`: an answer of the last minute will do, so that going back shows what was left.
 */
export async function read(tenant, path, pairs = [], { signal, keep = false } = {}) {
  const params = new URLSearchParams(
    pairs.filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );
  if (tenant !== null) params.append("tenant", tenant);
  const address = `${path}?${params}`;
  const known = kept.get(address);
  if (keep && known && Date.now() - known.servedAt < KEPT_MS) return known;
  let response;
  try {
    response = await fetch(address, { signal, headers: { accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The shop does not answer. Check the connection, then try again.", 0);
  }
  const body = await response.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return {};
  });
  if (!response.ok) throw new Refused(sentence(body, response.status), response.status);
  const answer = { body, servedAt: Date.now(), consistency: response.headers.get("souk-consistency") };
  kept.delete(address);
  kept.set(address, answer);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return answer;
}

/** The parameters of a state that say which products are meant. */
export function scope(state, filters) {
  return [
    ["q", state.q.trim()],
    ...filters.map((filter) => ["filter", filter]),
    ["mode", state.mode === "lexical" ? null : state.mode],
    ["currency", state.currency === "USD" ? null : state.currency],
    ["understand", state.understand ? null : "false"],
  ];
}
