// Getting into the console: with an account, with an invitation, or with the administrators' key.

import { h } from "/storefront/dom.js";
import { form, reveal } from "/storefront/forms.js";
import { actor, keep, read, session } from "/console/api.js";

const INSTALLATION = "installation";
const SHOP = { name: "shop", label: "Shop", required: true, plain: true, autocomplete: "organization", maxlength: 63, pattern: "[a-z0-9\\-]+", title: "Lower-case letters, digits and hyphens", hint: "Administrators of the installation belong to “installation”." };

/** The shop of this host, or that of the administrators. */
async function ownShop() {
  try {
    const response = await fetch("/", { headers: { accept: "application/json" } });
    return (await response.json()).here ?? INSTALLATION;
  } catch {
    return INSTALLATION;
  }
}

function box(title, message, kind, ...content) {
  return h("div", { class: "sign-in" }, h("h1", { tabindex: "-1" }, title), message && h("p", { class: `told ${kind}`, role: "status" }, message), content);
}

function accountForm(shop, done) {
  const made = form({
    label: "Sign in with an account",
    fields: [
      { ...SHOP, value: shop },
      { name: "email", label: "E-mail address", type: "email", autocomplete: "username", required: true, plain: true, maxlength: 254 },
      { name: "password", label: "Password", type: "password", autocomplete: "current-password", required: true },
      { name: "code", label: "One-time code", autocomplete: "one-time-code", plain: true, hidden: true, maxlength: 40, codes: ["second_factor_wrong"], hint: "From your authenticator app, or a recovery code." },
    ],
    button: "Sign in",
    submit: async ({ shop: slug, ...asked }) => {
      try {
        await session.signIn(asked, { shop: slug });
      } catch (error) {
        if (error.code !== "second_factor_required") throw error;
        made.tell("Your account asks for a one-time code as well.", "good");
        reveal(made.rows.code);
        return;
      }
      keep("");
      await done();
    },
  });
  return made;
}

/** The key of the installation, for those who set it up and for when no account can sign in. */
function keyForm(done) {
  const { element } = form({
    label: "Use the administrators' key",
    fields: [
      { name: "key", label: "Administrators' key", type: "password", autocomplete: "off", required: true, hint: "The setting --admin-key of query-api. It stays in this tab until you sign out." },
      { name: "name", label: "Your name", value: actor(), autocomplete: "name", optional: true, maxlength: 64, hint: "It is recorded with every operation that you start." },
    ],
    button: "Open the console",
    submit: async ({ key, name }) => {
      keep(key.trim(), name);
      try {
        await read("/v1/console/operations", { limit: 1 });
      } catch (error) {
        keep("");
        throw error;
      }
      await done();
    },
  });
  return h("details", { class: "other-way", id: "by-key" }, h("summary", {}, "Use the administrators' key"), element);
}

/** The way in, with a sentence where somebody comes from; `done` is called by who got in. */
export function signIn({ message = "", kind = "bad", shop = "", done }) {
  const account = accountForm(shop, done);
  const row = account.rows.shop;
  if (shop === "") {
    ownShop().then((own) => {
      if (row.input.value === "") row.input.value = own;
    });
  }
  const element = box("Sign in", message, kind, account.element, h("hr"), keyForm(done));
  return { element, first: account.rows.email.input };
}

/** Takes up an invitation: a password is chosen, then one signs in with it. */
export function acceptInvitation({ code, shop, accepted }) {
  const { element, rows } = form({
    label: "Take up the invitation",
    fields: [
      { ...SHOP, value: shop, hidden: shop !== "" },
      { name: "password", label: "Choose a password", type: "password", autocomplete: "new-password", required: true, minlength: 8, hint: "At least 8 characters, and nothing that is easily guessed." },
    ],
    button: "Set the password",
    submit: async ({ shop: typed, password }) => {
      const slug = shop === "" ? typed : shop;
      try {
        await session.ask("POST", "/v1/invitations/accept", { code, password }, { shop: slug });
      } catch (error) {
        // The code has no field of its own: it came with the address.
        const ofCode = error.errors?.some(({ pointer }) => pointer === "/code");
        if (!ofCode) throw error;
        throw Object.assign(new Error("This invitation is not valid any more. Ask for another one."), { status: error.status, errors: [] });
      }
      accepted(slug);
    },
  });
  return { element: box("You are invited", `Choose a password for ${shop === "" ? "your shop" : `the shop “${shop}”`}. You sign in with it afterwards.`, "good", element), first: rows.password.input };
}
