// The cart of whoever shops here: of a customer who has signed in, otherwise of a guest, who is known by a token alone.

import { call, Denied } from "./session.js";

const GUEST = "souk-guest";
const SEEN = "souk-cart-token";
/** A key of a shop that has just been made is known to query-api a moment later. */
const NEW_KEY_TRIES = 20;
const NEW_KEY_PAUSE_MS = 150;

const stored = (storage, name) => {
  try {
    return JSON.parse(storage.getItem(name) ?? "null");
  } catch {
    return null;
  }
};

const store = (storage, name, value) => {
  try {
    if (value === null) storage.removeItem(name);
    else storage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage may be forbidden; then the cart lasts as long as the page.
  }
};

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** `session` is the shopper's; `headers` gives what every call sends; `changed` is told of the cart as it is now. */
export class Basket {
  #session;
  #headers;
  #changed;
  #guest = stored(localStorage, GUEST);
  #seen = stored(sessionStorage, SEEN);
  #cart = null;
  #last = Promise.resolve();

  constructor({ session, headers, changed }) {
    this.#session = session;
    this.#headers = headers;
    this.#changed = changed;
  }

  /** The cart as it was read last; none if there is none. */
  get cart() {
    return this.#cart;
  }

  /** Pieces in it. */
  get pieces() {
    return this.#cart?.pieces ?? 0;
  }

  /** Whether somebody has a cart, as far as this browser knows. */
  get known() {
    return this.#session.open || this.#guest !== null;
  }

  /** Reads the cart anew, with everything that was written here. */
  async load() {
    if (!this.known) return this.#take(null);
    try {
      const headers = this.#seen === null ? {} : { "souk-consistency-token": this.#seen };
      return this.#take(await this.#send("GET", "/v1/cart", undefined, headers));
    } catch (error) {
      if (error.status === 404) return this.#take(null);
      // A guest's token is over: their cart is, too.
      if (error.status === 401 && !this.#session.open) this.#forgetGuest();
      throw error;
    }
  }

  /** Puts pieces of a variant in. */
  add(variant, quantity, currency) {
    return this.#inTurn(async () => {
      if (!this.known) await this.#becomeGuest();
      const id = await this.#begun(currency);
      await this.#write("POST", `/v1/carts/${id}/items`, { variant_id: variant, quantity });
    });
  }

  /** Sets how many pieces a line has; none takes it out. */
  change(line, quantity) {
    const path = `/v1/carts/${this.#cart.id}/items/${line}`;
    return this.#inTurn(() => (quantity > 0 ? this.#write("PUT", path, { quantity }) : this.#write("DELETE", path)));
  }

  /** Tries a code, or takes it away. */
  coupon(code, isTried) {
    const path = `/v1/carts/${this.#cart.id}/coupons/${encodeURIComponent(code)}`;
    return this.#inTurn(() => this.#write(isTried ? "PUT" : "DELETE", path));
  }

  /** Says where the goods go, and in which way. */
  destination(place, method) {
    const path = `/v1/carts/${this.#cart.id}/destination`;
    return this.#inTurn(() => this.#write("PUT", path, { place, shipping_method: method }));
  }

  /** Calls as whoever shops here, for what comes of the cart. */
  ask(method, path, body, headers = {}) {
    return this.#last.then(() => this.#send(method, path, body, headers));
  }

  /** Whoever has signed in takes over what they had as a guest; whoever has signed out starts anew. */
  moved() {
    this.#see(null);
    this.#cart = null;
    return this.open();
  }

  /** Reads the cart for the first time here; what was a guest's before signing in goes along. */
  async open() {
    if (this.#session.open && this.#guest !== null) await this.#takeOver(this.#guest);
    return this.load().catch(() => this.#take(null));
  }

  async #takeOver(guest) {
    let theirs = null;
    try {
      theirs = await call("GET", "/v1/cart", { token: guest, headers: this.#headers() });
    } catch (error) {
      // Without an answer it is tried again when the page is opened next.
      if (error.status !== 404 && error.status !== 401) return;
    }
    try {
      if (theirs !== null && theirs.lines.length > 0) {
        const id = await this.#begun(theirs.currency);
        await this.#write("POST", `/v1/carts/${id}/merge`, { guest_token: guest });
      }
      this.#forgetGuest();
    } catch {
      // Neither cart has changed, and the guest's is still there for the next time.
    }
  }

  async #begun(currency) {
    if (this.#cart !== null && this.#cart.phase === "open") return this.#cart.id;
    const { id } = await this.#write("POST", "/v1/carts", { currency });
    return id;
  }

  async #becomeGuest() {
    const answer = await call("POST", "/v1/guests", { headers: this.#headers() });
    this.#guest = answer.guest_token;
    store(localStorage, GUEST, this.#guest);
  }

  #forgetGuest() {
    this.#guest = null;
    store(localStorage, GUEST, null);
  }

  #see(token) {
    this.#seen = token;
    store(sessionStorage, SEEN, token);
  }

  #take(cart) {
    this.#cart = cart;
    this.#changed(cart);
    return cart;
  }

  /** One write after the other, and the cart read after each: two clicks are two writes, in their order. */
  #inTurn(write) {
    const done = this.#last.then(async () => {
      await write();
      return this.load();
    });
    this.#last = done.catch(() => {});
    return done;
  }

  async #write(method, path, body) {
    const answer = await this.#send(method, path, body, { "idempotency-key": crypto.randomUUID() });
    if (answer.token !== undefined) this.#see(answer.token);
    return answer;
  }

  async #send(method, path, body, headers = {}) {
    if (this.#session.open) return this.#session.send(method, path, body, headers);
    if (this.#guest === null) throw new Denied({ code: "unauthorized", detail: "there is no cart yet" }, 401);
    for (let tries = 1; ; tries += 1) {
      try {
        return await call(method, path, { body, token: this.#guest, headers: { ...this.#headers(), ...headers } });
      } catch (error) {
        if (error.status !== 401 || tries === NEW_KEY_TRIES || this.#cart !== null) throw error;
        await pause(NEW_KEY_PAUSE_MS);
      }
    }
  }
}
