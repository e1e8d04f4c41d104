// The account of whoever has signed in: what is kept of them, and the end of it.

import { addresses } from "./addresses.js";
import { announce, fill, h } from "./dom.js";
import { form } from "./forms.js";
import { moment } from "./format.js";
import { myOrders } from "./order.js";

const CURRENT = { type: "password", autocomplete: "current-password", required: true, codes: ["wrong_password"] };

/** What a form throws so that the words stand beside a field. */
function wrong(pointer, detail) {
  return Object.assign(new Error(detail), { status: 422, errors: [{ pointer, detail }] });
}

function section(title, ...content) {
  return h("section", { class: "account-section", "aria-label": title }, h("h2", {}, title), content);
}

function closed(title, ...content) {
  return h("details", { class: "account-section" }, h("summary", {}, h("h2", {}, title)), content);
}

/** Only what was filled in: the API knows no empty values. */
export function filled(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

function details(me, { session, again }) {
  const { element, tell } = form({
    label: "Your details",
    fields: [
      { name: "name", label: "Name", value: me.profile.name, autocomplete: "name", optional: true, maxlength: 200 },
      { name: "phone", label: "Phone", type: "tel", value: me.profile.phone, autocomplete: "tel", optional: true, maxlength: 40 },
    ],
    button: "Save the details",
    submit: async (asked) => {
      await session.send("PUT", "/v1/me/profile", filled(asked), again.version());
      await again.read();
      tell("Your details are saved.", "good");
    },
  });
  return section("Your details", element);
}

function email(me, { mailed }) {
  const { element, tell } = form({
    label: "Another e-mail address",
    fields: [
      { name: "email", label: "New e-mail address", type: "email", autocomplete: "email", required: true, maxlength: 254, plain: true },
      { ...CURRENT, name: "password", label: "Your password" },
    ],
    button: "Change the address",
    submit: async (asked) => {
      await mailed(asked);
      element.reset();
      tell("We have sent a mail to the new address. It counts once you have confirmed it.", "good");
    },
  });
  return closed("Change the e-mail address", h("p", { class: "hint" }, `It is ${me.email} now.`), element);
}

function password(me, { session, changedPassword }) {
  const { element, tell } = form({
    label: "Another password",
    username: me.email,
    fields: [
      { ...CURRENT, name: "current", label: "Your password now" },
      { name: "password", label: "New password", type: "password", autocomplete: "new-password", required: true, minlength: 8, hint: "At least 8 characters, and nothing that is easily guessed." },
    ],
    button: "Change the password",
    submit: async (asked) => {
      await session.send("PUT", "/v1/me/password", asked);
      element.reset();
      tell("The password is changed. Other sessions have ended.", "good");
      changedPassword();
    },
  });
  return closed("Change the password", element);
}

function leaving({ session }) {
  const told = h("div", { "aria-live": "assertive" });
  const leave = (name, everywhere) =>
    h(
      "button",
      {
        type: "button",
        class: "button",
        onclick: async () => {
          try {
            await session.signOut(everywhere);
            announce("You are signed out.");
          } catch (error) {
            if (error.status === undefined) throw error;
            fill(told, h("p", { class: "told bad" }, error.message));
          }
        },
      },
      name,
    );
  return section("Signing out", told, h("div", { class: "form-end" }, leave("Sign out", false), leave("Sign out everywhere", true)));
}

function erasing(me, { session, erased: done }) {
  const { element } = form({
    label: "Erase the account",
    username: me.email,
    grave: true,
    fields: [
      { ...CURRENT, name: "password", label: "Your password" },
      { name: "confirm", label: "Your e-mail address, to be sure", type: "email", autocomplete: "off", required: true, plain: true, hint: `Type ${me.email}` },
    ],
    button: "Erase my account for good",
    submit: async (asked) => {
      if (asked.confirm.toLowerCase() !== me.email.toLowerCase()) throw wrong("/confirm", `this is not ${me.email}`);
      done(await session.send("POST", "/v1/me/erase", { password: asked.password }));
    },
  });
  return closed("Erase the account", h("p", {}, "The key of all your personal data is destroyed: nobody can read them any more, in no copy. There is no way back."), element);
}

/** The sections of the account; each read of it is shown in all of them. */
export async function myAccount(shop) {
  const { session } = shop;
  const read = () => session.send("GET", "/v1/me");
  const [orders, first] = await Promise.all([myOrders(session), read()]);
  let me = first;
  const again = {
    me: () => me,
    version: () => ({ "if-match": `"${me.version}"` }),
    read: async () => {
      me = await read();
      return me;
    },
  };
  const given = { ...shop, again };
  return [
    h("p", { class: "hint" }, `Signed in as ${me.email}`),
    section("Orders", orders),
    details(me, given),
    section("Addresses", addresses(given)),
    email(me, given),
    password(me, given),
    leaving(given),
    erasing(me, given),
  ];
}

/** The receipt of an erasure. */
export function erased({ receipt, signed }) {
  const list = (title, entries) => [h("dt", {}, title), h("dd", {}, entries.join(", "))];
  return [
    h("p", {}, "This is the receipt. It is shown once: keep a copy if you want one."),
    h(
      "dl",
      { class: "receipt" },
      list("When", [moment(new Date(receipt.iat * 1000))]),
      list("Account", [receipt.sub]),
      list("Deleted", receipt.deleted),
      list("Left, and readable by nobody", receipt.unreadable),
      list("Never had anything personal", receipt.never_had),
    ),
    h("details", {}, h("summary", {}, "The signed receipt"), h("pre", { class: "signed", tabindex: "0", role: "region", "aria-label": "The signed receipt" }, signed)),
    h("p", {}, h("a", { href: "/", class: "button" }, "Back to the shop")),
  ];
}
