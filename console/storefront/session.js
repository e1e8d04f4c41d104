// Who has signed in: their tokens, and the calls that need them. The tokens are kept as long as the tab is open.

import { sentence } from "./api.js";

/** An access token that is over so soon is exchanged before it is sent. */
const EARLY_MS = 30_000;

const ENDED = "You are signed out, because the session has ended. Please sign in again.";

/** A call that was refused: a sentence for people, the code of the problem, and what is wrong with which value. */
export class Denied extends Error {
  constructor(problem, status) {
    super(sentence({ ...problem, errors: [] }, status));
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }
}

export async function call(method, path, { body, token, headers = {} }) {
  const sent = { accept: "application/json", ...headers };
  if (token !== undefined) sent.authorization = `Bearer ${token}`;
  if (body !== undefined) sent["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers: sent, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit" });
  } catch {
    throw new Denied({ code: "no_answer", detail: "there is no answer; check the connection, then try again" }, 0);
  }
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const wait = Number(response.headers.get("retry-after"));
  if (response.status === 404 && answer.code === "not_found" && path.startsWith("/v1/sessions")) answer.detail = "nobody can sign in here: this server passes no accounts on";
  if (response.status === 429 && wait > 1) answer.detail = `there were too many attempts; the next may be made in ${wait} seconds`;
  throw new Denied(answer, response.status);
}

/**
 * A session under a name, by which it is kept. `headers` gives what every call sends besides; `changed` is told when
 * somebody signs in or out, with a sentence if they did not want to.
 */
export class Session {
  #name;
  #headers;
  #changed;
  #kept = null;
  #refreshing = null;
  #others;

  constructor({ name, headers = () => ({}), changed = () => {} }) {
    this.#name = name;
    this.#headers = headers;
    this.#changed = changed;
    try {
      this.#kept = JSON.parse(sessionStorage.getItem(name) ?? "null");
    } catch {
      // Storage may be forbidden; then the session lasts as long as the page.
    }
    // A tab that was copied has the same session, and a refresh token works once.
    this.#others = new BroadcastChannel(name);
    this.#others.addEventListener("message", ({ data }) => {
      if (data.id !== this.#kept?.id) return;
      this.#store(data.kept);
      if (data.kept === null) this.#changed("");
    });
  }

  /** Whether somebody has signed in. */
  get open() {
    return this.#kept !== null;
  }

  /** What was noted beside the tokens, such as the shop. */
  get note() {
    return this.#kept?.note ?? {};
  }

  /** The account's id. */
  get user() {
    return this.#kept?.user ?? "";
  }

  #store(kept) {
    this.#kept = kept;
    try {
      if (kept === null) sessionStorage.removeItem(this.#name);
      else sessionStorage.setItem(this.#name, JSON.stringify(kept));
    } catch {
      // As above.
    }
  }

  #take(answer, note) {
    const over = Date.now() + answer.expires_in * 1000;
    const kept = { id: answer.session_id, user: answer.user_id, access: answer.access_token, refresh: answer.refresh_token, over, note };
    this.#store(kept);
    this.#others.postMessage({ id: kept.id, kept });
  }

  #end(message) {
    const id = this.#kept?.id;
    this.#store(null);
    this.#others.postMessage({ id, kept: null });
    this.#changed(message);
  }

  /** Signs in; a one-time code is sent only if there is one. */
  async signIn({ email, password, code }, note = {}) {
    const body = code ? { email, password, code } : { email, password };
    this.#take(await call("POST", "/v1/sessions", { body, headers: this.#headers(note) }), note);
    this.#changed("");
  }

  /** Signs in whoever comes back from an identity provider. */
  async signInBy(answered, note = {}) {
    this.#take(await call("POST", "/v1/sessions/oidc/complete", { body: answered, headers: this.#headers(note) }), note);
    this.#changed("");
  }

  /** Signs out here, or everywhere. The tokens are gone whatever the server says. */
  async signOut(everywhere = false) {
    try {
      await this.send("DELETE", everywhere ? "/v1/sessions" : "/v1/sessions/current");
    } catch (error) {
      if (everywhere) throw error;
    }
    if (this.open) this.#end("");
  }

  /** Forgets the tokens of a session that has ended elsewhere. */
  forget(message = "") {
    if (this.open) this.#end(message);
  }

  /** Exchanges the tokens, once for all who wait for it, here and in other tabs. */
  refresh() {
    this.#refreshing ??= this.#exchange().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #exchange() {
    const before = this.#kept;
    const exchange = async () => {
      // Another tab may have done it while this one waited.
      if (this.#kept === null || this.#kept.refresh !== before?.refresh) return;
      try {
        const body = { refresh_token: before.refresh };
        this.#take(await call("POST", "/v1/sessions/refresh", { body, headers: this.#headers(before.note) }), before.note);
      } catch (error) {
        if (error.status === 401) {
          this.#end(ENDED);
          throw new Denied({ code: "session_ended", detail: ENDED }, 401);
        }
        throw error;
      }
    };
    if (navigator.locks === undefined) return exchange();
    return navigator.locks.request(`${this.#name}-${before?.id}`, exchange);
  }

  /** An access token that is good for a while. */
  async token() {
    if (!this.open) throw new Denied({ code: "session_ended", detail: "you are not signed in" }, 401);
    if (this.#kept.over - Date.now() < EARLY_MS) await this.refresh();
    return this.#kept.access;
  }

  /** Calls as whoever has signed in. A token that is not believed is exchanged once; then they are signed out. */
  async send(method, path, body, headers = {}) {
    const asked = async () => call(method, path, { body, token: await this.token(), headers: { ...this.#headers(this.note), ...headers } });
    return this.trying(asked);
  }

  /** The same for calls that are made elsewhere: `attempt` is made again after a refresh. */
  async trying(attempt) {
    const isUnknown = (error) => error.status === 401 && ["unauthorized", undefined, ""].includes(error.code);
    try {
      return await attempt();
    } catch (error) {
      if (!isUnknown(error) || !this.open) throw error;
    }
    await this.refresh();
    try {
      return await attempt();
    } catch (error) {
      if (isUnknown(error)) this.#end(ENDED);
      throw error;
    }
  }

  /** Calls as somebody who has not signed in. */
  ask(method, path, body, note = {}) {
    return call(method, path, { body, headers: this.#headers(note) });
  }
}
