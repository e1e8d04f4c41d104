// What has become of a checkout: what the shopper has to do, the order, or why there is none.

import { read } from "./api.js";
import { announce, fill, h } from "./dom.js";
import { counted, moment, money } from "./format.js";
import { form } from "./forms.js";
import { parcelsOf } from "./parcels.js";

const LOOK_MS = 1000;
/** The tokens by which somebody without an account sees what they have ordered. */
const ACCESS = "souk-order-access";

/** How one pays, in words. */
export const METHODS = { card: "By card", transfer: "By bank transfer", cash_on_delivery: "In cash at the door" };

const REASONS = {
  shopper: "You have given it up.",
  staff: "The shop has ended it.",
  deadline: "It was not paid in time.",
  cart_changed: "The cart was changed meanwhile.",
  coupon_exhausted: "A code was used as often as it may be.",
  out_of_stock: "Something can't be had any more.",
  payment_failed: "No attempt to pay has worked.",
  order_refused: "The shop could not take the order.",
};

const STATUS = { created: "being made", confirmed: "confirmed", paid: "paid", shipped: "on its way", delivered: "delivered", refunded: "paid back", cancelled: "cancelled", closed: "done" };

const refusal = (error) => {
  if (error.status === undefined) throw error;
  return h("p", { class: "told bad", role: "alert" }, error.message);
};

/** A button that does something once at a time, and the place beside it where a refusal is told. */
function acting(name, kind, act) {
  const told = h("div", { "aria-live": "assertive" });
  const button = h("button", { type: "button", class: `button ${kind}` }, name);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    fill(told);
    try {
      await act();
    } catch (error) {
      fill(told, refusal(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
  return [button, told];
}

/** What was ordered, with its sums. */
function bought(order) {
  const amount = (value) => money(value, order.currency);
  const row = (name, value, kind) => h("div", { class: kind }, h("dt", {}, name), h("dd", {}, value));
  const parcels = parcelsOf(order);
  const named = (line) => [`${counted(line.quantity, "piece")}: ${line.title}`, parcels.ofLine(line.id)].filter(Boolean).join(" · ");
  const sums = h(
    "dl",
    {},
    order.quote.lines.map((line) => row(named(line), amount(line.amount - line.discount))),
    order.quote.shipping.map((charge) => row(parcels.titleOf(charge), amount(charge.amount - charge.discount))),
    row("Total", amount(order.total), "total"),
  );
  return [sums, parcels.told];
}

/** The orders of whoever has signed in, the newest first; what was bought is read once it is opened. */
export async function myOrders(session) {
  const list = h("ul", { class: "order-list" });
  const more = h("div");
  const one = (card) => {
    const inside = h("div", { class: "cart-sum" });
    const opened = async (event) => {
      if (!event.target.open || inside.childElementCount > 0) return;
      try {
        fill(inside, bought(await session.send("GET", `/v1/orders/${card.id}`)));
      } catch (error) {
        // Opened again, it is read again.
        event.target.open = false;
        fill(more, refusal(error));
      }
    };
    const name = [card.number ?? "No number yet", STATUS[card.status] ?? card.status, moment(new Date(card.created_at)), money(card.total, card.currency)].join(" · ");
    return h("li", {}, h("details", { ontoggle: opened }, h("summary", {}, name), inside));
  };
  const page = async (before) => {
    const { orders, next } = await session.send("GET", `/v1/orders?limit=20${before ? `&before=${encodeURIComponent(before)}` : ""}`);
    list.append(...orders.map(one));
    fill(more, next && acting("Older orders", "", () => page(next)));
    return orders.length;
  };
  let found;
  try {
    found = await page();
  } catch (error) {
    // The rest of the account is there all the same.
    return [refusal(error)];
  }
  return found === 0 ? [h("p", { class: "hint" }, "There is no order yet.")] : [list, more];
}

const tokens = () => {
  try {
    return JSON.parse(sessionStorage.getItem(ACCESS) ?? "{}");
  } catch {
    return {};
  }
};

/** `basket` calls as whoever shops; `node` gives the element to draw in. */
export function orderPage(shop, basket, node) {
  let watched = null;

  /** Keeps what shows that a checkout is this shopper's, for as long as the tab is open. */
  function remember({ id, access, token }) {
    sessionStorage.setItem(ACCESS, JSON.stringify({ ...tokens(), [id]: { access, token } }));
  }

  const path = (id, rest, checkout = id) => {
    const { access } = tokens()[checkout] ?? {};
    return `/v1/${rest}${access === undefined ? "" : `?access=${encodeURIComponent(access)}`}`;
  };

  const page = (title, ...content) => fill(node(), h("h1", { tabIndex: -1 }, title), content);
  const home = () => h("div", {}, h("button", { class: "button primary", type: "button", onclick: () => shop.home() }, "Go on shopping"));

  /** Shows how far a checkout is, and goes on looking until it has ended or the page shows something else. */
  async function show(id) {
    watched = id;
    page("Your order", h("p", { class: "hint" }, "One moment."));
    let drawn = null;
    const look = async () => {
      if (watched !== id || shop.state.checkout !== id) return;
      try {
        const { token } = tokens()[id] ?? {};
        const checkout = await basket.ask("GET", path(id, `checkouts/${id}`), undefined, token === undefined ? {} : { "souk-consistency-token": token });
        if (drawn !== checkout.version) await draw(checkout);
        drawn = checkout.version;
        if (checkout.phase === "completed" || checkout.phase === "aborted") return void basket.load().catch(() => {});
      } catch (error) {
        if (error.status === undefined) throw error;
        if (drawn === null && error.status !== 0 && error.status < 500) return page("Your order", h("p", { class: "told bad", role: "alert" }, error.message), home());
      }
      setTimeout(look, LOOK_MS);
    };
    await look();
    return "Your order";
  }

  async function draw(checkout) {
    if (checkout.phase === "completed") return done(checkout);
    if (checkout.phase === "aborted") return ended(checkout);
    if (checkout.phase === "awaiting_payment") return awaiting(checkout);
    const said = checkout.is_delayed ? "The shop looks after your order. You need not do anything." : "Your goods are being kept, and your order is being made.";
    page("Your order", h("p", { role: "status" }, said));
  }

  async function done(checkout) {
    const order = await basket.ask("GET", path(checkout.id, `orders/${checkout.order_id}`));
    page(
      "Thank you",
      h("p", { role: "status" }, `Your order ${order.number ?? ""} is ${STATUS[order.status] ?? order.status}. You pay ${(METHODS[order.payment_method] ?? order.payment_method).toLowerCase()}.`),
      h("section", { class: "cart-sum" }, h("h2", {}, "What you have ordered"), bought(order)),
      home(),
    );
    announce(`Your order ${order.number ?? ""} is there.`);
  }

  function ended(checkout) {
    page(
      "No order was made",
      h("p", { class: "told bad", role: "alert" }, REASONS[checkout.abort_reason] ?? checkout.abort_reason),
      checkout.obstacles?.length > 0 && h("ul", { class: "cart-notices" }, checkout.obstacles.map(({ name, words }) => h("li", {}, `${name}: ${words}`))),
      h("p", {}, "Nothing is kept for it any more, and nothing is charged. What you had put in is still in your cart."),
      h("div", {}, h("button", { class: "button primary", type: "button", onclick: () => shop.go({ cart: true, product: null }) }, "Back to the cart")),
    );
  }

  async function awaiting(checkout) {
    const { awaiting: due } = checkout;
    const { body } = await read(shop.state.tenant, "/v1/shop", [], { keep: true });
    const sum = money(due.money.amount, due.money.currency);
    const until = new Date(due.until).toLocaleString(navigator.language || "en", { dateStyle: "medium", timeStyle: "short" });
    page(
      "Pay your order",
      h("p", {}, h("strong", {}, sum), ` until ${until}. Then it is given up.`),
      h("section", { class: "cart-box" }, h("h2", {}, METHODS[due.payment_method] ?? due.payment_method), what(checkout, due, sum)),
      h("section", { class: "cart-box" }, h("h2", {}, "Something else"), otherwise(checkout, due, body.payment_methods)),
    );
  }

  function what(checkout, due, sum) {
    switch (due.action) {
      case "transfer":
        return [h("p", {}, `Transfer ${sum} to the shop, with this reference:`), h("p", { class: "checkout-reference" }, due.payment_id), h("p", { class: "hint" }, "The order goes on once the shop has seen the money.")];
      case "redirect":
        return acting("Go to the page where you pay", "primary", () => leave(checkout));
      case "confirm":
        return h("p", {}, "Here stands the form of the payment provider. This demo page has none, since it would come from the provider's own site.");
      case "pay_again":
        return h("p", { class: "told bad" }, `The last attempt did not work${due.declined ? ` (${due.declined.replaceAll("_", " ")})` : ""}. Pay in another way, or try again.`);
      default:
        return h("p", { role: "status" }, "The payment provider has not answered yet. You need not do anything.");
    }
  }

  async function leave(checkout) {
    const { redirect } = await basket.ask("POST", path(checkout.id, `checkouts/${checkout.id}/payment/action`));
    if (redirect !== undefined) location.assign(redirect);
  }

  function otherwise(checkout, due, methods) {
    const { element } = form({
      label: "Pay in another way",
      fields: [{ name: "payment_method", label: "How you pay", type: "select", options: methods.map((method) => [method, METHODS[method] ?? method]), value: due.payment_method }],
      button: "Pay in this way",
      more: acting("Give the order up", "grave", async () => {
        await basket.ask("POST", path(checkout.id, `checkouts/${checkout.id}/abort`), {});
        page("Your order", h("p", { role: "status" }, "It is being given up."));
      }),
      submit: (values) => basket.ask("POST", path(checkout.id, `checkouts/${checkout.id}/payment`), values),
    });
    return element;
  }

  return { show, remember };
}
