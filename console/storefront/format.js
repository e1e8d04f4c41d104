// Values as people read them.

const LANGUAGE = navigator.language || "en";
const numbers = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 2 });
const exact = new Map();

function currencyFormat(currency) {
  if (!exact.has(currency)) exact.set(currency, new Intl.NumberFormat(LANGUAGE, { style: "currency", currency }));
  return exact.get(currency);
}

/** How many digits a currency has behind the point. */
export function minorDigits(currency) {
  return currencyFormat(currency).resolvedOptions().maximumFractionDigits;
}

/** An amount in minor units. */
export function money(amount, currency) {
  return currencyFormat(currency).format(amount / 10 ** minorDigits(currency));
}

/** An amount in minor units, rounded to whole major ones: for the ends of ranges. */
export function roughMoney(amount, currency) {
  const format = new Intl.NumberFormat(LANGUAGE, { style: "currency", currency, maximumFractionDigits: 0 });
  return format.format(amount / 10 ** minorDigits(currency));
}

/** A number. */
export const number = (value) => numbers.format(value);

/** "1 product", "2 products". */
export function counted(count, one, many = `${one}s`) {
  return `${numbers.format(count)} ${count === 1 ? one : many}`;
}

/** Milliseconds, short. */
export function took(milliseconds) {
  return milliseconds < 1 ? "under 1 ms" : `${numbers.format(Number(milliseconds.toPrecision(2)))} ms`;
}

/** A day. */
export function day(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime())
    ? text
    : new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeZone: "UTC" }).format(date);
}

/** A moment, to the second. */
export function moment(date) {
  return new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium" }).format(date);
}

const UNITS = new Map([
  ["mm", "mm"],
  ["cm", "cm"],
  ["m", "m"],
  ["inch", "in"],
  ["in", "in"],
  ["g", "g"],
  ["kg", "kg"],
  ["w", "W"],
  ["v", "V"],
  ["l", "l"],
  ["ml", "ml"],
  ["gb", "GB"],
  ["tb", "TB"],
  ["mah", "mAh"],
  ["wh", "Wh"],
  ["hz", "Hz"],
  ["mhz", "MHz"],
  ["ghz", "GHz"],
  ["mp", "MP"],
  ["hours", "hours"],
  ["minutes", "minutes"],
  ["years", "years"],
  ["db", "dB"],
]);

function titled(words) {
  const text = words.join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The name of an attribute, such as `driver_mm`, with its unit apart. */
export function attribute(name) {
  const words = name.split(/[_\s]+/).filter(Boolean);
  const unit = words.length > 1 ? UNITS.get(words.at(-1).toLowerCase()) : undefined;
  return { label: titled(unit === undefined ? words : words.slice(0, -1)) || name, unit };
}

const FIELDS = {
  brand: "Brand",
  category: "Category",
  price: "Price",
  available: "Availability",
  product_type: "Kind",
};

/** The name of a field. */
export function fieldLabel(field) {
  if (Object.hasOwn(FIELDS, field)) return FIELDS[field];
  const { label, unit } = attribute(field.replace(/^attr\./, ""));
  return unit === undefined ? label : `${label} (${unit})`;
}

/** A value of a field; `names` gives categories their names. */
export function fieldValue(field, value, names = new Map()) {
  const text = String(value);
  if (field === "available") return text === "true" ? "In stock" : "Sold out";
  if (field === "category") return names.get(text) ?? text.replaceAll("-", " ");
  if (text === "true" || text === "false") return text === "true" ? "Yes" : "No";
  return typeof value === "number" ? numbers.format(value) : text;
}

/** What the API read out of a query, for a chip: `price.USD<=20000` is "up to $200.00". */
export function understood(entry, names) {
  if (entry.kind === "without") return `without ${entry.text.replace(/^-/, "")}`;
  if (entry.kind === "phrase") return `“${entry.text.replaceAll('"', "")}”`;
  const price = [...entry.value.matchAll(/price\.?([A-Z]{3})?\s*(<=|>=|<|>)\s*(\d+)/g)];
  if (entry.kind === "price" && price.length > 0) {
    const word = { "<=": "up to", "<": "below", ">=": "from", ">": "above" };
    return price
      .map(([, currency, sign, amount]) => `${word[sign]} ${money(Number(amount), currency ?? "USD")}`)
      .join(", ");
  }
  const [, field, value] = /^\(?"?([\w.]+)"?:"?(.*?)"?\)?$/.exec(entry.value) ?? [];
  if (field === undefined) return entry.value;
  return `${fieldLabel(field)}: ${fieldValue(field, value, names)}`;
}
