// The page of the cart: what is in it, where it goes, and what it costs line by line.

import { read, Refused } from "./api.js";
import { Basket } from "./basket.js";
import { announce, by, fill, h } from "./dom.js";
import { attribute, counted, money, number } from "./format.js";
import { form } from "./forms.js";
import { parcelsOf } from "./parcels.js";
import { picture } from "./picture.js";
import { productLink } from "./results.js";
import { toAddress } from "./state.js";

const MOST_PIECES = 999;
const countries = new Intl.DisplayNames([navigator.language || "en", "en"], { type: "region" });

/** The cart's button and page. `session` is the shopper's. */
export function cartView(shop, session) {
  const node = () => by("cart-view");
  /** What the shop sends where, and in which currencies it sells; read once. */
  let known = null;
  let told = "";

  const basket = new Basket({
    session,
    headers: () => (shop.state.tenant === null ? {} : { "x-tenant-slug": shop.state.tenant }),
    changed: button,
  });

  function button() {
    const { pieces } = basket;
    by("cart-count").textContent = pieces > 0 ? number(pieces) : "";
    by("cart-count").hidden = pieces === 0;
    by("cart").setAttribute("aria-label", pieces > 0 ? `Cart, ${counted(pieces, "piece")}` : "Cart, empty");
    by("cart").href = toAddress({ ...shop.state, account: null, checkout: null, cart: true });
  }

  /** Does something to the cart and draws it; a refusal is told in words where it was asked for. */
  async function changing(change, said) {
    try {
      await change();
      told = "";
      if (said) announce(said());
    } catch (error) {
      if (error.status === undefined) throw error;
      told = error.message;
      announce(error.message);
      await basket.load().catch(() => {});
    }
    draw();
  }

  const total = () => {
    const { cart } = basket;
    return cart?.quote ? `The total is ${money(cart.quote.totals.total, cart.currency)}.` : "";
  };

  function draw() {
    if (!shop.state.cart) return;
    const { cart } = basket;
    if (cart === null || cart.lines.length === 0) return fill(node(), empty());
    fill(
      node(),
      h("h1", { tabIndex: -1 }, "Cart"),
      told && h("p", { class: "told bad", role: "alert" }, told),
      h(
        "div",
        { class: "cart-columns" },
        h("div", { class: "cart-goods" }, notices(cart), h("ul", { class: "cart-lines" }, cart.lines.map((line) => goods(cart, line)), gifts(cart))),
        h("aside", { class: "cart-side", "aria-label": "What it costs" }, summary(cart), checkout(cart), coupons(cart), destination(cart)),
      ),
    );
  }

  function empty() {
    return h(
      "div",
      { class: "state" },
      h("h1", { tabIndex: -1 }, "Your cart is empty"),
      h("p", {}, session.open ? "What you put in stays in your account." : "What you put in stays here, and goes with you when you sign in."),
      h("button", { class: "button primary", type: "button", onclick: () => shop.home() }, "See all products"),
    );
  }

  function goods(cart, line) {
    const priced = cart.quote?.lines.find((one) => one.id === line.line_id);
    const set = (quantity) => changing(() => basket.change(line.line_id, quantity), () => (quantity > 0 ? `${counted(quantity, "piece")}. ${total()}` : `Taken out. ${total()}`));
    const title = line.title ?? line.sku ?? "No longer in the shop";
    return h(
      "li",
      { class: "cart-line", data: { line: line.line_id } },
      h("div", { class: "cart-picture" }, picture({ title, id: line.product_id, slug: line.slug }, line.image)),
      h(
        "div",
        { class: "cart-what" },
        h("h2", { class: "title" }, line.slug ? productLink(shop, line.slug, {}, title) : title),
        h("p", { class: "hint" }, said(cart, line)),
        notesOf(cart, line).map((text) => h("p", { class: "cart-note" }, text)),
        (priced?.discounts ?? []).map((share) => h("p", { class: "cart-off" }, wordsOf(cart, line, share))),
      ),
      h("div", { class: "cart-quantity" }, stepper(line, title, set), h("button", { class: "link", type: "button", "data-key": `out ${line.line_id}`, "aria-label": `Take out: ${title}`, onclick: () => set(0) }, "Take out")),
      h("p", { class: "cart-price" }, priceOf(cart, priced)),
    );
  }

  function stepper(line, title, set) {
    const input = h("input", {
      type: "number",
      min: "1",
      max: String(MOST_PIECES),
      inputmode: "numeric",
      value: String(line.quantity),
      "data-key": `pieces ${line.line_id}`,
      "aria-label": `Pieces of ${title}`,
      onchange: (event) => {
        const wanted = Math.trunc(Number(event.target.value));
        if (wanted >= 1 && wanted <= MOST_PIECES) set(wanted);
        else event.target.value = String(line.quantity);
      },
    });
    const step = (by, word, sign) =>
      h("button", { type: "button", "data-key": `${word} ${line.line_id}`, "aria-label": `${word} of ${title}`, disabled: line.quantity + by < 1 || line.quantity + by > MOST_PIECES, onclick: () => set(line.quantity + by) }, sign);
    return h("div", { class: "stepper" }, step(-1, "Fewer", "−"), input, step(1, "More", "+"));
  }

  const said = (cart, line) =>
    [...Object.entries(line.options), ...Object.entries(line.wanted)].map(([name, value]) => `${attribute(name).label}: ${value}`).concat(line.sku ? [`SKU ${line.sku}`] : [], parcelsOf(cart).ofLine(line.line_id) ?? []).join(" · ");

  function notesOf(cart, line) {
    const told = (cart.quote?.notices ?? []).filter((notice) => notice.line === line.line_id).map((notice) => notice.words);
    if (line.availability === "fewer_left") told.push(`Only ${number(line.left)} left.`);
    return told;
  }

  function wordsOf(cart, line, share) {
    const discount = cart.quote.discounts.find((one) => one.promotion === share.promotion);
    const words = discount?.lines?.find((one) => one.line === line.line_id)?.words;
    return `${discount?.title ?? share.promotion}: ${words ?? `−${money(share.amount, cart.currency)}`}`;
  }

  function priceOf(cart, priced) {
    if (priced === undefined) return h("span", { class: "hint" }, "No price");
    const now = priced.amount - priced.discount;
    return [h("strong", {}, money(now, cart.currency)), priced.discount > 0 && h("s", { "aria-label": `instead of ${money(priced.amount, cart.currency)}` }, money(priced.amount, cart.currency)), priced.quantity > 1 && h("span", { class: "hint" }, `${money(priced.unit_price, cart.currency)} each`)];
  }

  function gifts(cart) {
    const added = (cart.quote?.lines ?? []).filter((line) => line.gift_of);
    return added.map((line) =>
      h("li", { class: "cart-line gift" }, h("div", { class: "cart-picture" }, picture({ title: line.title, id: line.product_id })), h("div", { class: "cart-what" }, h("h2", { class: "title" }, line.title), h("p", { class: "cart-off" }, `A gift: ${counted(line.quantity, "piece")}`)), h("p", { class: "cart-price" }, h("strong", {}, money(0, cart.currency)))),
    );
  }

  /** What is said of the whole cart; what is said of a line stands beside it. */
  function notices(cart) {
    const lines = new Set(cart.lines.map((line) => line.line_id));
    const texts = (cart.quote?.notices ?? []).filter((notice) => !lines.has(notice.line) && !notice.coupon && notice.code !== "shipping_not_chosen").map((notice) => notice.words);
    return texts.length > 0 && h("ul", { class: "cart-notices" }, texts.map((text) => h("li", {}, text)));
  }

  function summary(cart) {
    const { quote } = cart;
    if (!quote) return h("p", { class: "told bad" }, "What this costs can't be told.", cart.unpriced && ` ${cart.unpriced}`);
    const amount = (value) => money(value, cart.currency);
    const row = (name, value, kind = "") => h("div", { class: kind }, h("dt", {}, name), h("dd", {}, value));
    return h(
      "section",
      { class: "cart-sum" },
      h("h2", {}, "What it costs"),
      h(
        "dl",
        {},
        row(counted(quote.lines.reduce((sum, line) => sum + line.quantity, 0), "piece"), amount(quote.totals.goods)),
        quote.discounts.map((discount) => row(discount.code ? `${discount.title} (${discount.code})` : discount.title, `−${amount(discount.amount)}`, "off")),
        quote.shipping.map((charge) => row(parcelsOf(cart).titleOf(charge), charge.amount === 0 ? "free" : amount(charge.amount))),
        quote.taxes.map((tax) => row(quote.tax_mode === "inclusive" ? `of that ${tax.title}` : tax.title, amount(tax.amount), quote.tax_mode === "inclusive" ? "within" : "")),
        row("Total", amount(quote.totals.total), "total"),
      ),
      parcelsOf(cart).told,
      quote.shipping.length === 0 && h("p", { class: "hint" }, "Shipping is added once it is known where the goods go."),
    );
  }

  function checkout(cart) {
    return cart.quote && h("button", { class: "button primary", type: "button", onclick: () => shop.go({ checkout: "", product: null }) }, "Check out");
  }

  function coupons(cart) {
    const tried = cart.coupons;
    const { element } = form({
      label: "Code",
      fields: [{ name: "code", label: "Code", optional: true, plain: true, maxlength: 64, pointer: "/code" }],
      button: "Use the code",
      submit: async ({ code }) => {
        if (code === "") return;
        await basket.coupon(code, true);
        draw();
        announce(total());
      },
    });
    return h(
      "section",
      { class: "cart-box" },
      h("h2", {}, "Codes"),
      tried.length > 0 && h("ul", { class: "cart-codes" }, tried.map(({ code, counts, words }) => h("li", {}, h("strong", {}, code), h("button", { class: "link", type: "button", "aria-label": `Take away: the code ${code}`, onclick: () => changing(() => basket.coupon(code, false), total) }, "Take away"), !counts && h("p", { class: "cart-note" }, words ?? "It does not count for this cart.")))),
      element,
    );
  }

  function destination(cart) {
    const whole = h("section", { class: "cart-box" }, h("h2", {}, "Where it goes"));
    if (known === null) return whole;
    const { place, shipping_method: method } = cart;
    const offers = known.ships_worldwide ? [...new Set([known.home_country, ...known.ships_to])] : known.ships_to;
    if (offers.length === 0) return h("section", { class: "cart-box" }, h("h2", {}, "Where it goes"), h("p", { class: "hint" }, "This shop has not said yet where it sends goods."));
    const { element } = form({
      label: "Where it goes",
      fields: [
        { name: "country", label: "Country", type: "select", options: offers.map((code) => [code, countries.of(code) ?? code]), value: place?.country ?? known.home_country, autocomplete: "country" },
        { name: "postal_code", label: "Postal code", optional: true, value: place?.postal_code ?? "", autocomplete: "postal-code", plain: true, maxlength: 16, pointer: "/place/postal_code" },
      ],
      button: "Show the ways of shipping",
      submit: async ({ country, postal_code: code }) => {
        await basket.destination({ country, ...(code === "" ? {} : { postal_code: code.replaceAll(" ", "") }) }, null);
        draw();
      },
    });
    whole.append(element);
    if (place) ways(cart, place, method).then((list) => list && whole.append(list));
    return whole;
  }

  async function ways(cart, place, chosen) {
    const pairs = [["country", place.country], ["region", place.region], ["postal_code", place.postal_code], ["currency", cart.currency]];
    const { body } = await read(shop.state.tenant, "/v1/shipping-methods", pairs, { keep: true });
    if (body.methods.length === 0) return h("p", { class: "told bad" }, "Nothing is sent there.");
    const days = ({ days_least: least, days_most: most }) => (most ? ` · ${least && least !== most ? `${least} to ${most}` : most} days` : "");
    return h(
      "fieldset",
      { class: "cart-ways" },
      h("legend", {}, "How it is sent"),
      body.methods.map((one) =>
        h("label", {}, h("input", { type: "radio", name: "way", value: one.name, "data-key": `way ${one.name}`, checked: one.name === chosen, onchange: () => changing(() => basket.destination(place, one.name), total) }), h("span", {}, `${one.title}${days(one)}`)),
      ),
    );
  }

  /** Shows the page; gives its title. */
  async function show() {
    fill(node(), h("h1", { tabIndex: -1 }, "Cart"), h("p", { class: "hint" }, "One moment."));
    try {
      known ??= (await read(shop.state.tenant, "/v1/shop")).body;
      await basket.load();
      draw();
    } catch (error) {
      if (error.status === undefined && !(error instanceof Refused)) throw error;
      fill(node(), h("div", { class: "state" }, h("h1", { tabIndex: -1 }, "The cart can't be shown"), h("p", {}, error.message), h("button", { class: "button primary", type: "button", onclick: () => show() }, "Try again")));
    }
    return "Cart";
  }

  /** How many pieces of a variant, and the button that puts them in. */
  function adder(variant, currency) {
    const pieces = h("input", { type: "number", min: "1", max: String(MOST_PIECES), value: "1", inputmode: "numeric", "aria-label": "Pieces" });
    const answer = h("p", { class: "buy-told", role: "status" });
    const put = h(
      "button",
      {
        type: "button",
        class: "button primary",
        onclick: async () => {
          const quantity = Math.trunc(Number(pieces.value));
          if (!(quantity >= 1 && quantity <= MOST_PIECES)) return pieces.focus();
          if (put.getAttribute("aria-busy") === "true") return;
          put.setAttribute("aria-busy", "true");
          try {
            await basket.add(variant.id, quantity, currency);
            fill(answer, h("span", { class: "in" }, `${counted(quantity, "piece")} in the cart. `), h("a", { class: "link", href: by("cart").href, onclick: followed }, "See the cart"));
          } catch (error) {
            if (error.status === undefined) throw error;
            fill(answer, h("span", { class: "out" }, error.message));
          } finally {
            put.removeAttribute("aria-busy");
          }
        },
      },
      "Put into the cart",
    );
    return h("div", { class: "adder" }, pieces, put, answer);
  }

  function followed(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    shop.go({ cart: true, product: null });
  }

  by("cart").addEventListener("click", followed);
  button();
  return {
    basket,
    show,
    adder,
    open: () => basket.open().then(draw),
    /** Who shops has changed. */
    moved: () => basket.moved().then(draw),
  };
}
