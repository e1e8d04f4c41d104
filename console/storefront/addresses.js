// Postal addresses of whoever has signed in: shown, added, changed, removed.

import { announce, fill, h } from "./dom.js";
import { form } from "./forms.js";

const LANGUAGE = navigator.language || "en";
const CODES =
  "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

const names = new Intl.DisplayNames([LANGUAGE], { type: "region", fallback: "code" });

/** Countries as choices, by their names. */
function countries() {
  const named = CODES.split(" ").map((code) => [code, names.of(code)]);
  return [["", "Choose a country"], ...named.sort((one, other) => one[1].localeCompare(other[1], LANGUAGE))];
}

/** The fields of an address; refusals name them below `pointer`. */
export function addressFields(address, pointer) {
  return [
    { name: "name", label: "Name", autocomplete: "name", required: true, maxlength: 200 },
    { name: "company", label: "Company", autocomplete: "organization", optional: true, maxlength: 200 },
    { name: "line1", label: "Street and number", autocomplete: "address-line1", required: true, maxlength: 200 },
    { name: "line2", label: "Floor, door, staircase", autocomplete: "address-line2", optional: true, maxlength: 200 },
    { name: "postal_code", label: "Postal code", autocomplete: "postal-code", optional: true, maxlength: 20 },
    { name: "city", label: "Town or city", autocomplete: "address-level2", required: true, maxlength: 200 },
    { name: "region", label: "State, department or province", autocomplete: "address-level1", optional: true, maxlength: 200 },
    { name: "country", label: "Country", type: "select", options: countries(), autocomplete: "country", required: true },
    { name: "phone", label: "Phone", type: "tel", autocomplete: "tel", optional: true, maxlength: 40, hint: "For the carrier." },
  ].map((field) => ({ ...field, pointer: `${pointer}/${field.name}`, value: address[field.name] }));
}

function fields(address, isDefault, asksDefault) {
  const all = addressFields(address, "/address");
  if (asksDefault) all.push({ name: "is_default", label: "Take this address unless another is named", type: "checkbox", value: isDefault });
  return all;
}

function lines(address) {
  const place = [address.postal_code, address.city].filter(Boolean).join(" ");
  return [address.name, address.company, address.line1, address.line2, place, address.region, names.of(address.country), address.phone].filter(Boolean);
}

/** The list with what can be done. */
export function addresses({ session, again }) {
  const [list, editor, told] = [h("div", { class: "address-list" }), h("div"), h("div", { "aria-live": "assertive" })];

  const refresh = async (said) => {
    await again.read();
    draw();
    announce(said);
  };
  const close = (focused) => {
    fill(editor);
    list.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  };

  /** A form for a new address, or for one that is kept. */
  function edit(kept) {
    const me = again.me();
    fill(told);
    const { element, rows } = form({
      label: kept ? "Change the address" : "A new address",
      fields: fields(kept?.address ?? { name: me.profile.name, phone: me.profile.phone }, kept?.is_default ?? false, me.addresses.length > (kept ? 1 : 0) && !kept?.is_default),
      button: kept ? "Save the address" : "Add the address",
      more: h("button", { type: "button", class: "button", onclick: () => close(kept ? `edit ${kept.id}` : "add") }, "Cancel"),
      submit: async ({ is_default = kept?.is_default ?? false, ...values }) => {
        const address = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
        const body = { is_default, address };
        if (kept) await session.send("PUT", `/v1/me/addresses/${kept.id}`, body, again.version());
        else await session.send("POST", "/v1/me/addresses", body, again.version());
        await refresh(kept ? "The address is saved." : "The address is added.");
        close(kept ? `edit ${kept.id}` : "add");
      },
    });
    fill(editor, h("div", { class: "address-editor" }, h("h3", {}, kept ? "Change the address" : "A new address"), element));
    rows.name.input.focus();
  }

  async function does(change, said) {
    fill(told);
    try {
      await change();
      fill(editor);
      await refresh(said);
    } catch (error) {
      if (error.status === undefined) throw error;
      fill(told, h("p", { class: "told bad" }, error.message));
    }
  }

  function remove(kept, tools) {
    const yes = h("button", { type: "button", class: "button small grave", onclick: () => does(() => session.send("DELETE", `/v1/me/addresses/${kept.id}`, undefined, again.version()), "The address is removed.").then(() => close("add")) }, "Remove it");
    const no = h("button", { type: "button", class: "button small", onclick: () => (draw(), close(`remove ${kept.id}`)) }, "Keep it");
    fill(tools, h("span", {}, "Remove this address?"), yes, no);
    no.focus();
  }

  function card(kept) {
    const tools = h("div", { class: "form-end" });
    const button = (key, text, onclick) => h("button", { type: "button", class: "button small", data: { key: `${key} ${kept.id}` }, "aria-label": `${text}: ${kept.address.line1}`, onclick }, text);
    fill(
      tools,
      button("edit", "Change", () => edit(kept)),
      !kept.is_default && button("default", "Make it the default", () => does(() => session.send("PUT", `/v1/me/addresses/${kept.id}`, { is_default: true, address: kept.address }, again.version()), "It is the default now.").then(() => close(`edit ${kept.id}`))),
      button("remove", "Remove", () => remove(kept, tools)),
    );
    return h("li", { class: "address" }, kept.is_default && h("span", { class: "chip" }, "Default"), h("address", {}, lines(kept.address).map((line) => h("span", {}, line))), tools);
  }

  function draw() {
    const { addresses: all } = again.me();
    fill(
      list,
      all.length > 0 ? h("ul", { class: "address-cards" }, all.map(card)) : h("p", { class: "hint" }, "There is no address yet."),
      h("div", {}, h("button", { type: "button", class: "button", data: { key: "add" }, onclick: () => edit(null) }, "Add an address")),
    );
  }

  draw();
  return [told, list, editor];
}
