// The second factor: a secret for an authenticator app, and recovery codes for when the app is lost.

import { announce, fill, h } from "/storefront/dom.js";
import { form } from "/storefront/forms.js";
import { session } from "/console/api.js";

const CODE = { name: "code", label: "Code from the app", autocomplete: "one-time-code", inputmode: "numeric", required: true, plain: true, maxlength: 40, codes: ["second_factor_wrong"] };
const PASSWORD = { name: "password", label: "Your password", type: "password", autocomplete: "current-password", required: true, codes: ["wrong_password"] };

/** A secret in groups of four, as it is typed. */
export const grouped = (secret) => secret.match(/.{1,4}/g)?.join(" ") ?? secret;

function asks(title, ...content) {
  return h("div", { class: "sign-in" }, h("h1", { tabindex: "-1" }, title), content);
}

/** Recovery codes, which are shown once. */
export function recoveryCodes(codes, kept) {
  const text = codes.join("\n");
  const copied = h("span", { class: "hint", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      copied.textContent = "Copied.";
    } catch {
      copied.textContent = "They can't be copied here. Select them instead.";
    }
  };
  return [
    h("p", {}, "Each of these codes signs you in once when the app is not at hand. They are shown this once: keep them where the app is not."),
    h("ol", { class: "recovery", "aria-label": "Recovery codes" }, codes.map((code) => h("li", {}, h("code", {}, code)))),
    h("div", { class: "form-end" }, h("button", { type: "button", class: "button primary", data: { key: "kept" }, onclick: kept }, "I have kept them"), h("button", { type: "button", class: "button", onclick: copy }, "Copy them"), copied),
  ];
}

/** Setting one up, step by step; `done` follows the last. */
export function enrolment({ email, done }) {
  const whole = h("div");
  const shown = (element) => {
    fill(whole, element);
    element.querySelector("h1").focus();
  };

  const first = () => {
    const { element } = form({
      label: "Set up a second factor",
      username: email,
      fields: [PASSWORD],
      button: "Go on",
      submit: async ({ password }) => second(await session.send("POST", "/v1/me/second-factor", { password })),
    });
    return asks("A second factor", h("p", {}, "Whoever runs a shop or the installation signs in with a password and a code from an authenticator app. Your account has none yet. Setting it up takes a minute."), element);
  };

  const second = ({ secret, uri }) => {
    const { element } = form({
      label: "Confirm the second factor",
      fields: [{ ...CODE, hint: "Six digits that the app shows now." }],
      button: "Confirm",
      submit: async ({ code }) => third(await session.send("POST", "/v1/me/second-factor/confirm", { code: code.replace(/\s/g, "") })),
    });
    // Only an address of this kind is followed.
    const link = uri.startsWith("otpauth://") && h("p", {}, h("a", { href: uri }, "Open it in an app on this device"));
    shown(
      asks(
        "Add it to your app",
        h("p", {}, "Add an entry to the app and type this secret into it. It is based on time, with six digits."),
        h("p", { class: "secret" }, h("code", { "aria-label": `The secret: ${secret.split("").join(" ")}` }, grouped(secret))),
        link,
        element,
      ),
    );
  };

  const third = ({ recovery_codes: codes }) => {
    const told = h("div", { "aria-live": "assertive" });
    const kept = async () => {
      try {
        // The next access token says that the second factor was shown.
        await session.refresh();
        await done();
      } catch (error) {
        if (error.status === undefined) throw error;
        fill(told, h("p", { class: "told bad" }, error.message));
      }
    };
    announce("The second factor is set up.");
    shown(asks("Recovery codes", recoveryCodes(codes, kept), told));
  };

  fill(whole, first());
  return whole;
}

/** Making new recovery codes, and turning the second factor off. */
export function tending({ email, changed }) {
  const codes = h("div", { class: "kept-codes" });
  const renewal = form({
    label: "New recovery codes",
    fields: [CODE],
    button: "Make new codes",
    submit: async ({ code }) => {
      const answer = await session.send("POST", "/v1/me/recovery-codes", { code: code.replace(/\s/g, "") });
      renewal.element.reset();
      fill(codes, recoveryCodes(answer.recovery_codes, () => fill(codes)));
      codes.querySelector("button").focus();
    },
  });
  const removal = form({
    label: "Turn the second factor off",
    username: email,
    grave: true,
    fields: [PASSWORD, CODE],
    button: "Turn it off",
    submit: async ({ password, code }) => {
      await session.send("POST", "/v1/me/second-factor/disable", { password, code: code.replace(/\s/g, "") });
      await changed();
    },
  });
  return [
    h("p", {}, "Set up, and shown in this session."),
    codes,
    h("details", {}, h("summary", {}, "Make new recovery codes"), h("p", { class: "hint" }, "The codes before stop working."), renewal.element),
    h("details", {}, h("summary", {}, "Turn it off"), h("p", { class: "hint" }, "The console asks you to set another one up before it opens again."), removal.element),
  ];
}
