// The page where a cart becomes an order: where it goes, how it is paid, the price that is agreed on, and what becomes of it.

import { addressFields } from "./addresses.js";
import { read, Refused } from "./api.js";
import { announce, by, fill, h } from "./dom.js";
import { counted, money } from "./format.js";
import { form } from "./forms.js";
import { METHODS, orderPage } from "./order.js";

/** How long a new checkout is waited for before its page tells how far it is. */
const WAIT = "wait=8";
/** The name of a checkout that was asked for and not answered: asked for again, it is the same one. */
const ASKED = "souk-checkout-asked";

const asked = () => {
  const known = sessionStorage.getItem(ASKED);
  if (known !== null) return known;
  const made = crypto.randomUUID();
  sessionStorage.setItem(ASKED, made);
  return made;
};

/** The page. `basket` is the shopper's cart, `session` tells whether they have signed in. */
export function checkoutView(shop, session, basket) {
  const node = () => by("checkout-view");
  const orders = orderPage(shop, basket, node);
  /** The price that the shopper has seen last. */
  let seen = null;

  const page = (...content) => fill(node(), h("h1", { tabIndex: -1 }, "Checkout"), content);
  const toCart = () => shop.go({ cart: true, product: null });

  function nothing() {
    page(h("p", {}, "There is nothing in your cart."), h("div", {}, h("button", { class: "button primary", type: "button", onclick: () => shop.home() }, "See all products")));
  }

  async function show() {
    const id = shop.state.checkout;
    if (id !== "") return orders.show(id);
    page(h("p", { class: "hint" }, "One moment."));
    try {
      const { body } = await read(shop.state.tenant, "/v1/shop");
      const [cart, me] = await Promise.all([basket.load(), session.open ? session.send("GET", "/v1/me") : null]);
      if (cart === null || cart.lines.length === 0) nothing();
      else draw(cart, body, me);
    } catch (error) {
      if (error.status === undefined && !(error instanceof Refused)) throw error;
      page(h("p", { class: "told bad", role: "alert" }, error.message), h("div", {}, h("button", { class: "button primary", type: "button", onclick: () => show() }, "Try again")));
    }
    return "Checkout";
  }

  function draw(cart, { payment_methods: methods, home_country: home }, me) {
    if (!cart.quote) return page(h("p", { class: "told bad" }, "What this costs can't be told."), h("div", {}, h("button", { class: "button", type: "button", onclick: toCart }, "Back to the cart")));
    const usual = me?.addresses?.find((one) => one.is_default)?.address ?? me?.addresses?.[0]?.address ?? {};
    const address = { country: cart.place?.country ?? home, postal_code: cart.place?.postal_code, ...usual };
    seen = { total: cart.quote.totals.total, digest: cart.quote.digest };
    const price = h("p", { class: "checkout-price", "aria-live": "polite" });
    const tellPrice = (why = []) =>
      fill(price, h("strong", {}, `${money(seen.total, cart.currency)} in all`), h("span", { class: "hint" }, ` for ${counted(cart.pieces, "piece")}`), why.length > 0 && h("ul", { class: "cart-notices" }, why.map((text) => h("li", {}, text))));
    tellPrice();
    const made = form({
      label: "Checkout",
      fields: [
        { name: "email", label: "E-mail address", type: "email", autocomplete: "email", required: true, maxlength: 254, plain: true, value: me?.email ?? "", hidden: me !== null },
        ...addressFields(address, "/shipping_address"),
        { name: "payment_method", label: "How you pay", type: "select", options: methods.map((method) => [method, METHODS[method] ?? method]), required: true },
      ],
      button: "Order and pay",
      more: h("button", { type: "button", class: "button", onclick: toCart }, "Back to the cart"),
      submit: (values) => order(cart, values, made, tellPrice),
    });
    page(price, h("section", { class: "cart-box checkout-form" }, made.element));
  }

  async function order(cart, { email, payment_method: method, ...values }, made, tellPrice) {
    const address = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
    const body = { client_request_id: asked(), cart_id: cart.id, shipping_address: address, payment_method: method, accepted: seen };
    if (email) body.email = email;
    if (cart.shipping_method) body.shipping_method = cart.shipping_method;
    try {
      const begun = await basket.ask("POST", "/v1/checkouts", body, { prefer: WAIT });
      sessionStorage.removeItem(ASKED);
      orders.remember(begun);
      shop.go({ checkout: begun.id, cart: false, product: null }, { replace: true });
    } catch (error) {
      // Whatever was asked for by this name has ended, or is of another cart.
      if (error.code === "checkout_started") sessionStorage.removeItem(ASKED);
      if (error.code !== "price_changed") throw error;
      const of = (pointer) => error.errors.find((one) => one.pointer === pointer)?.detail;
      const before = seen.total;
      seen = { total: Number(of("/accepted/total")), digest: of("/accepted/digest") };
      tellPrice(error.errors.filter((one) => one.pointer.startsWith("/lines/")).map((one) => `${one.pointer.slice("/lines/".length)}: ${one.detail}`));
      const said = `It costs ${money(seen.total, cart.currency)} now, not ${money(before, cart.currency)}. Order once more if you agree.`;
      made.tell(said);
      announce(said);
    }
  }

  return { show };
}
