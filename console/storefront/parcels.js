// Goods that are sent in several parcels. Nothing is said where they are one.

import { h } from "./dom.js";

/** What is told of the parcels of a cart or an order, and the parcel of a line and of a charge for shipping. */
export function parcelsOf({ groups }) {
  const name = (at) => (groups.length > 1 && at >= 0 ? `Parcel ${at + 1}` : null);
  const ofCharge = (charge) => name(groups.findIndex((group) => group.name === charge.group));
  return {
    told: groups.length > 1 && h("p", { class: "hint" }, `Sent in ${groups.length} parcels.`),
    ofLine: (id) => name(groups.findIndex((group) => group.lines.includes(id))),
    titleOf: (charge) => [charge.title, ofCharge(charge)].filter(Boolean).join(", "),
  };
}
