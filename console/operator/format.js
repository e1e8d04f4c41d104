// Values as operators read them.

const LANGUAGE = navigator.language || "en";
const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 1 });
const finest = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 3 });
const clock = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium" });
const time = new Intl.DateTimeFormat(LANGUAGE, { timeStyle: "medium" });

/** A whole number. */
export const count = (value) => whole.format(value ?? 0);

/** A number with up to three places. */
export const exact = (value) => finest.format(value ?? 0);

/** "1 event", "2 events". */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** A rate, short: a small one has a place behind the point. */
export function rate(value) {
  const shown = Math.max(0, value ?? 0);
  return shown > 0 && shown < 10 ? fine.format(shown) : whole.format(shown);
}

/** A share as percent. */
export const percent = (share) => `${fine.format((share ?? 0) * 100)} %`;

/** Milliseconds. */
export function milliseconds(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 10_000) return `${fine.format(value / 1000)} s`;
  return `${value < 100 ? fine.format(value) : whole.format(value)} ms`;
}

/** A length of time given in seconds, in one unit. */
export function seconds(value) {
  if (value === null || value === undefined) return "–";
  const shown = Math.max(0, value);
  if (shown === 0) return "0 s";
  if (shown < 1) return `${whole.format(shown * 1000)} ms`;
  if (shown < 120) return `${shown < 10 ? fine.format(shown) : whole.format(shown)} s`;
  if (shown < 7_200) return `${whole.format(shown / 60)} min`;
  if (shown < 172_800) return `${whole.format(shown / 3_600)} h`;
  return `${whole.format(shown / 86_400)} days`;
}

/** A moment. */
export const moment = (text) => (text ? clock.format(new Date(text)) : "–");

/** A time of day. */
export const timeOf = (text) => time.format(new Date(text));

/** How long ago a moment was. */
export const ago = (text) => (text ? `${seconds((Date.now() - new Date(text).getTime()) / 1000)} ago` : "–");

const WORDS = { catching_up: "catching up", rolled_back: "rolled back" };

/** A word of the API for people. */
export const word = (text) => WORDS[text] ?? String(text ?? "").replaceAll("_", " ");

/** The short form of an id. */
export const short = (id) => (id && id.length > 13 ? `${id.slice(0, 8)}…` : (id ?? "–"));
