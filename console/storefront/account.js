// Accounts of shoppers: signing up, proving the address, signing in, and a new password.

import { announce, by, fill, h } from "./dom.js";
import { form, reveal } from "./forms.js";
import { erased, myAccount } from "./profile.js";
import { Session } from "./session.js";
import { toAddress } from "./state.js";

const MAILED = "We have sent a mail to that address. It tells what comes next.";
const EMAIL = { name: "email", label: "E-mail address", type: "email", autocomplete: "username", required: true, maxlength: 254, plain: true };
const NEW_PASSWORD = { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: 8, hint: "At least 8 characters, and nothing that is easily guessed." };
/** Where the state is kept of whoever is at an identity provider: who comes back with another one was sent by somebody else. */
const AWAY = "souk-away";
const CODE = { name: "code", label: "Code from the mail", autocomplete: "one-time-code", required: true, plain: true, maxlength: 200 };

/**
 * The account of whoever shops here. `shop` is the storefront; `moved` is told when somebody has signed in or out; `show`
 * draws what a name of the address stands for.
 */
export function accountView(shop, moved) {
  const session = new Session({
    name: "souk-session",
    headers: () => (shop.state.tenant === null ? {} : { "x-tenant-slug": shop.state.tenant }),
    changed,
  });
  /** What one view knows of the one before; nothing of it outlives the page. */
  const known = { email: "", code: "", message: "", receipt: null, back: null, mayReturn: true };

  const go = (account, message = "") => {
    known.message = message;
    return shop.go({ account, product: null }, { replace: false });
  };
  const link = (account, text) => h("a", { href: `/?account=${account}`, class: "link", onclick: (event) => followed(event, account) }, text);
  const followed = (event, account) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(account);
  };

  /** The button in the bar. */
  function button() {
    by("account").href = `/?account=${session.open ? "me" : "sign-in"}`;
    by("account").dataset.open = String(session.open);
    by("account-text").textContent = session.open ? "My account" : "Sign in";
  }

  let isOpen = session.open;

  function changed(message) {
    button();
    if (session.open !== isOpen) {
      isOpen = session.open;
      moved();
    }
    if (session.open || shop.state.account !== "me") return;
    if (message !== "") announce(message);
    go("sign-in", message);
  }

  function page(title, ...content) {
    const said = known.message;
    known.message = "";
    return h("div", { class: "account-page" }, h("h1", { tabindex: "-1" }, title), said && h("p", { class: "told good", role: "status" }, said), content);
  }

  /** Asks for a mail that leads back here, or for one with a code to type in where the shop has not named this page. */
  async function mailed(path, body, account) {
    const back = `${location.origin}/?account=${account}`;
    if (known.mayReturn) {
      try {
        return await session.ask("POST", path, { ...body, return_to: back });
      } catch (error) {
        if (!error.errors?.some(({ pointer }) => pointer === "/return_to")) throw error;
        known.mayReturn = false;
      }
    }
    return session.ask("POST", path, body);
  }

  function signUp() {
    const { element } = form({
      label: "Sign up",
      fields: [{ ...EMAIL, value: known.email }, { ...NEW_PASSWORD, label: "Password" }],
      button: "Sign up",
      submit: async ({ email, password }) => {
        await mailed("/v1/accounts", { email, password }, "verify");
        known.email = email;
        go("verify", MAILED);
      },
    });
    return page("Sign up", element, h("p", {}, "You have an account? ", link("sign-in", "Sign in")));
  }

  function verify() {
    const { element } = form({
      label: "Confirm your address",
      fields: [{ ...CODE, value: known.code, hint: "If the mail has a link instead, follow it." }],
      button: "Confirm the address",
      submit: async ({ code }) => {
        await session.ask("POST", "/v1/accounts/verify", { code });
        known.code = "";
        if (session.open) return go("me", "Your new address is confirmed.");
        return go("sign-in", "Your address is confirmed. You can sign in now.");
      },
    });
    return page("Check your mail", element, h("p", { class: "hint" }, "No mail after a few minutes? Look where your mail program puts what it thinks is advertising, or ", link("sign-up", "sign up again"), "."));
  }

  function signIn() {
    const made = form({
      label: "Sign in",
      fields: [
        { ...EMAIL, value: known.email },
        { name: "password", label: "Password", type: "password", autocomplete: "current-password", required: true },
        { name: "code", label: "One-time code", autocomplete: "one-time-code", inputmode: "text", plain: true, hidden: true, maxlength: 40, codes: ["second_factor_wrong"], hint: "From your authenticator app, or a recovery code." },
      ],
      button: "Sign in",
      submit: async (asked) => {
        known.email = asked.email;
        try {
          await session.signIn(asked);
        } catch (error) {
          if (error.code === "email_not_verified") {
            made.tell("");
            go("verify", "Please confirm your address first, with the code that we have sent you.");
            return;
          }
          if (error.code !== "second_factor_required") throw error;
          made.tell("Your account asks for a one-time code as well.", "good");
          reveal(made.rows.code);
          return;
        }
        announce("You are signed in.");
        go("me");
      },
    });
    return page("Sign in", made.element, providers(), h("p", { class: "account-links" }, link("forgotten", "Forgot the password?"), link("sign-up", "Sign up")));
  }

  /** Buttons of the identity providers that the shop has named, as soon as they are known. */
  function providers() {
    const whole = h("div", { class: "account-providers", "aria-live": "polite" });
    const told = h("div", { "aria-live": "assertive" });
    const go = async (provider) => {
      try {
        const back = `${location.origin}/?account=provider`;
        const { authorization_url: url, state } = await session.ask("POST", "/v1/sessions/oidc", { provider, return_to: back });
        sessionStorage.setItem(AWAY, state);
        location.assign(url);
      } catch (error) {
        const isNotNamed = error.errors?.some(({ pointer }) => pointer === "/return_to");
        const said = isNotNamed ? "The shop has not named this page, so nobody can come back to it from elsewhere." : error.message;
        fill(told, h("p", { class: "told bad" }, said));
      }
    };
    const one = ({ slug, name }) => h("button", { type: "button", class: "button", data: { provider: slug }, onclick: () => go(slug) }, `Continue with ${name}`);
    session.ask("GET", "/v1/identity-providers").then(
      ({ providers: known }) => known.length > 0 && fill(whole, known.map(one), told),
      // Without them, there is the password.
      () => {},
    );
    return whole;
  }

  /** Whoever comes back from an identity provider. */
  async function provider() {
    const { code, state, iss, error } = known.back ?? {};
    const awaited = sessionStorage.getItem(AWAY);
    sessionStorage.removeItem(AWAY);
    known.back = null;
    const again = (message) => page("Sign in", h("p", { class: "told bad", role: "alert" }, message), h("p", {}, link("sign-in", "Back to signing in")));
    if (error !== undefined) return again("The provider did not sign you in.");
    if (code === undefined || state === undefined || state !== awaited) return again("This is no answer to a sign-in that was begun in this tab. Please begin again.");
    try {
      await session.signInBy({ code, state, ...(iss === undefined ? {} : { iss }) });
    } catch (refused) {
      return again(refused.message);
    }
    announce("You are signed in.");
    shop.state = { ...shop.state, account: "me" };
    history.replaceState(history.state, "", toAddress(shop.state));
    return me();
  }

  function forgotten() {
    const { element } = form({
      label: "Forgotten password",
      fields: [{ ...EMAIL, value: known.email }],
      button: "Send me a mail",
      submit: async ({ email }) => {
        await mailed("/v1/password-resets", { email }, "new-password");
        known.email = email;
        go("new-password", MAILED);
      },
    });
    return page("Forgot the password?", h("p", {}, "We send you a mail with which you can choose a new one."), element, h("p", {}, link("sign-in", "Back to signing in")));
  }

  function newPassword() {
    const { element } = form({
      label: "New password",
      username: known.email,
      fields: [{ ...CODE, value: known.code }, { ...NEW_PASSWORD, label: "New password" }],
      button: "Set the new password",
      submit: async ({ code, password }) => {
        await session.ask("POST", "/v1/password-resets/finish", { code, password });
        known.code = "";
        session.forget();
        go("sign-in", "The new password is set. All sessions have ended; please sign in.");
      },
    });
    return page("A new password", element, h("p", {}, link("forgotten", "Send another mail")));
  }

  async function me() {
    const whole = page("My account", h("p", { class: "hint" }, "Loading"));
    fill(by("account-view"), whole);
    const sections = await myAccount({
      session,
      whole,
      mailed: (body) => mailedAs(body),
      erased: (receipt) => {
        known.receipt = receipt;
        go("erased");
        session.forget();
      },
      changedPassword: () => announce("The password is changed."),
    });
    whole.lastChild.remove();
    whole.append(...sections);
    return whole;
  }

  /** Another address asks for a session, beside that it leads back. */
  async function mailedAs(body) {
    try {
      return await session.send("PUT", "/v1/me/email", { ...body, return_to: `${location.origin}/?account=verify` });
    } catch (error) {
      if (!error.errors?.some(({ pointer }) => pointer === "/return_to")) throw error;
      return session.send("PUT", "/v1/me/email", body);
    }
  }

  const views = { "sign-up": signUp, verify, "sign-in": signIn, provider, forgotten, "new-password": newPassword, me, erased: () => page("Your account is erased", erased(known.receipt)) };

  async function show(name) {
    let wanted = Object.hasOwn(views, name) ? name : "sign-in";
    if (wanted === "me" && !session.open) wanted = "sign-in";
    if (wanted === "sign-in" && session.open) wanted = "me";
    if (wanted === "erased" && known.receipt === null) wanted = "sign-in";
    try {
      const whole = await views[wanted]();
      if (!whole.isConnected) fill(by("account-view"), whole);
    } catch (error) {
      if (error.status === undefined) throw error;
      if (session.open) fill(by("account-view"), page("My account", h("p", { class: "told bad", role: "alert" }, error.message), h("div", { class: "form-end" }, h("button", { type: "button", class: "button", onclick: () => show(name) }, "Try again"))));
    }
    return by("account-view").querySelector("h1")?.textContent ?? "";
  }

  // A page that comes back as it was left shows no receipt again: it is shown once.
  addEventListener("pagehide", () => {
    known.receipt = null;
  });
  addEventListener("pageshow", ({ persisted }) => persisted && shop.state.account !== null && show(shop.state.account));
  by("account").addEventListener("click", (event) => followed(event, session.open ? "me" : "sign-in"));
  button();
  return {
    session,
    show,
    /** A code that the address brought. */
    given: (code) => {
      known.code = code;
    },
    /** What an identity provider sent along with whoever comes back. */
    back: (answer) => {
      known.back = answer;
    },
  };
}
