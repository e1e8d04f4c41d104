// Who has signed in to the console.

import { announce, fill, h } from "/storefront/dom.js";
import { session } from "/console/api.js";
import { facts, panel, pill, problem } from "/console/parts.js";
import { tending } from "/console/second-factor.js";
import { isStaff, present } from "/console/who.js";

function out(again) {
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
            fill(told, problem(error));
          }
        },
      },
      name,
    );
  return [told, h("div", { class: "form-end" }, leave("Sign out", false), leave("Sign out everywhere", true), again)];
}

/** Draws the page. */
export function mount(main, path, { restart }) {
  const me = present();
  if (me.by === "key") {
    main.append(h("h1", {}, "Account"), panel("Administrators' key", h("p", {}, "The console was opened with the key of the installation's administrators. It may do everything, and belongs to nobody.")));
    return { beat: async () => {}, every: 60_000 };
  }
  const changed = async () => {
    await session.refresh();
    await restart();
  };
  const words = (list) => (list.length > 0 ? list.map((one) => [pill("soft", one), " "]) : "none");
  main.append(
    h("h1", {}, "Account"),
    panel(
      "Signed in",
      facts([
        ["E-mail address", me.email],
        ["Shop", session.note.shop],
        ["Roles", words(me.roles)],
        ["Permissions", me.roles.includes("admin") ? "all" : words(me.permissions)],
      ]),
      out(),
    ),
    isStaff() && me.second_factor.enabled ? panel("Second factor", tending({ email: me.email, changed })) : "",
  );
  return { beat: async () => {}, every: 60_000 };
}
