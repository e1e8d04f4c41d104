// Who uses the console, and what they may see of it.

import { key, session } from "/console/api.js";

const NOBODY = { by: "nobody", roles: [], permissions: [], second_factor: { enabled: false, proved: false } };

let who = NOBODY;

/** Who it is, as it was last found out. */
export const present = () => who;

/** Finds out who it is: whoever has the key, or whose session it is. */
export async function find() {
  if (key() !== "") who = { ...NOBODY, by: "key", roles: ["admin"] };
  else if (!session.open) who = NOBODY;
  else who = { ...NOBODY, ...(await session.send("GET", "/v1/me")), by: "account" };
  return who;
}

/** Whether they administer the installation. */
export const isAdmin = () => who.roles.includes("admin");

/** Whether they have a permission in their shop. */
export const may = (permission) => who.roles.includes("owner") || who.permissions.includes(permission);

/** Whether they have any part in running souk or a shop. */
export const isStaff = () => who.roles.length > 0 || who.permissions.length > 0;

/** What has to come before the console is shown: a second factor to set up, or to be shown in this session. */
export function missing() {
  if (who.by !== "account" || !isStaff()) return null;
  if (!who.second_factor.enabled) return "enrolment";
  return who.second_factor.proved ? null : "proof";
}

/** What they are called in the bar. */
export const called = () => (who.by === "key" ? "Administrators' key" : (who.email ?? ""));
