// Why a product is where it is, and why another one is not there at all.

import { read, Refused, scope } from "./api.js";
import { fill, h, sheet } from "./dom.js";
import { number } from "./format.js";
import { filterTexts, PAGE } from "./state.js";

/** Asks for the page a hit stands on once more, with the parts of each score, and shows those of this hit. */
export async function explain(shop, hit, place) {
  const { state } = shop;
  const body = h("div", { class: "explanation", "aria-busy": "true" }, h("p", { class: "hint" }, "Looking it up …"));
  sheet("Why is this here?", h("p", { class: "subject" }, hit.title), body);
  const pairs = [
    ...scope(state, filterTexts(state)),
    ["sort", state.sort],
    ["explain", "true"],
    ["limit", PAGE],
    ["offset", Math.floor(place / PAGE) * PAGE],
  ];
  try {
    const { body: answer } = await read(state.tenant, "/v1/search", pairs, { keep: true });
    const again = answer.hits.find((other) => other.id === hit.id);
    fill(body, parts(state, again ?? hit, place, again !== undefined));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    fill(body, h("p", { class: "notice warning" }, error.message));
  }
  body.removeAttribute("aria-busy");
}

function parts(state, hit, place, found) {
  if (!found)
    return h(
      "p",
      {},
      "The index has moved on since this page was shown; search again to see where the product stands now.",
    );
  const lines = [h("p", {}, position(state, hit, place))];
  const explanation = hit.explanation ?? [];
  if (state.sort !== "")
    lines.push(
      h("p", { class: "hint" }, "The products are in an order you chose, so that the score does not move them."),
    );
  if (explanation.length === 0) {
    lines.push(
      h(
        "p",
        { class: "hint" },
        state.q.trim() === ""
          ? "Nothing was searched for, so that every product fits equally well."
          : "No single word accounts for it: it was found by what it means.",
      ),
    );
    return lines;
  }
  const most = Math.max(...explanation.map((part) => Math.abs(part.score)), 1e-9);
  lines.push(
    h(
      "table",
      { class: "scores" },
      h("caption", { class: "unseen" }, "Parts of the score"),
      h(
        "thead",
        { class: "unseen" },
        h("tr", {}, h("th", { scope: "col" }, "Part"), h("th", { scope: "col" }, "Adds")),
      ),
      h(
        "tbody",
        {},
        explanation.map((part) => scoreRow(part, most)),
      ),
      h(
        "tfoot",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "row" }, "Score"),
          h("td", {}, h("span", { class: "figure" }, hit.score.toFixed(2))),
        ),
      ),
    ),
  );
  return lines;
}

function position(state, hit, place) {
  if (hit.pinned) return `Hit number ${number(place + 1)}: the shop's staff have put it there.`;
  return state.q.trim() === ""
    ? `Number ${number(place + 1)} of the products.`
    : `Hit number ${number(place + 1)} for “${state.q.trim()}”.`;
}

function scoreRow(part, most) {
  const factor = part.part.startsWith("times ");
  const bar = h("span", { class: part.score < 0 ? "meter less" : "meter" }, h("span", {}));
  bar.style.setProperty("--width", `${Math.max(2, (Math.abs(part.score) / most) * 100)}%`);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, named(part.part)),
    h(
      "td",
      {},
      !factor && bar,
      h("span", { class: "figure" }, factor ? part.part.replace(/^times ([\d.]+).*$/, "× $1") : part.score.toFixed(2)),
    ),
  );
}

/** The parts' names as sentences begin. */
function named(part) {
  const text = part
    .replace(/^text: (.*)$/, "“$1” in the text")
    .replace(/^title has: (.*)$/, "“$1” in the title")
    .replace(/^times [\d.]+ for (.*)$/, "Because of $1")
    .replace(/^kind: /, "Kind: ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The form "why is my product not here?". */
export function why(shop) {
  const { state } = shop;
  const answer = h("div", { class: "why-answer", "aria-live": "polite" });
  const field = h("input", {
    type: "text",
    name: "product",
    required: true,
    placeholder: "Id, or the id it was imported under",
    autocomplete: "off",
    class: "entry",
  });
  const ask = async (event) => {
    event.preventDefault();
    const id = field.value.trim();
    if (id === "") return;
    fill(answer, h("p", { class: "hint" }, "Looking it up …"));
    try {
      const { body } = await read(
        state.tenant,
        `/v1/search/why/${encodeURIComponent(id)}`,
        scope(state, filterTexts(state)),
      );
      fill(answer, verdict(body));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(answer, h("p", { class: "notice warning" }, error.message));
    }
  };
  const search = state.q.trim() === "" ? "Every product" : `“${state.q.trim()}”`;
  sheet(
    "Why is my product not here?",
    h("p", {}, "Name a product, and each thing it has to pass for the present search is looked at one by one."),
    h("p", { class: "hint" }, `Present search: ${[search, ...filterTexts(state)].join(" · ")}`),
    h(
      "form",
      { class: "why-form", onsubmit: ask },
      h("label", { class: "wide" }, h("span", {}, "Product"), field),
      h("button", { class: "button primary", type: "submit" }, "Find out"),
    ),
    answer,
  );
  field.focus();
}

function verdict(body) {
  const reason = body.reason ?? "";
  const text = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
  return [
    h("p", { class: body.found ? "verdict good" : "verdict bad" }, text),
    h(
      "ul",
      { class: "checks" },
      (body.checks ?? []).map((check) =>
        h(
          "li",
          { class: check.passes ? "passes" : "fails" },
          h("span", { class: "sign", "aria-hidden": "true" }, check.passes ? "✓" : "✕"),
          h("span", { class: "unseen" }, check.passes ? "Passes: " : "Fails: "),
          h("span", {}, check.what),
        ),
      ),
    ),
  ];
}
