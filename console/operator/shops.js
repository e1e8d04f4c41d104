// Which shop a page is about: administrators choose one, staff have theirs.

import { fill, h } from "/storefront/dom.js";
import { read } from "/console/api.js";
import { isAdmin } from "/console/who.js";

/** The shop that the probe writes to is nobody's. */
const PROBE = "souk-probe";

/** The choice of a shop: `select` is none for staff; `start` fills it; `slug` is the shop to name, if one has to be named. */
export function shopChoice(wanted) {
  const select = isAdmin() ? h("select", { name: "shop" }) : null;
  return {
    select,
    get slug() {
      return select?.value;
    },
    /** Whether there is no shop to choose. */
    get isMissing() {
      return select !== null && select.value === "";
    },
    async start() {
      if (select === null || select.options.length > 0) return;
      const { tenants } = await read("/v1/console/tenants");
      fill(select, tenants.map((one) => h("option", { value: one.slug }, one.slug)));
      const first = tenants.find((one) => one.slug === wanted) ?? tenants.find((one) => one.slug !== PROBE) ?? tenants[0];
      if (first) select.value = first.slug;
    },
  };
}
