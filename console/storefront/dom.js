// Elements out of plain values. Nothing here, or anywhere else in the storefront, reads text as HTML.

/** An element: `class`, `data`, `on<event>`, properties for values that are not text, attributes otherwise. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...shown(children));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element; all properties are attributes. */
export function s(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, String(value));
  node.append(...shown(children));
  return node;
}

function shown(children) {
  return children.flat(2).filter((child) => child !== undefined && child !== null && child !== false && child !== "");
}

/** The element with an id of index.html. */
export const by = (id) => document.getElementById(id);

const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };

function unescaped(text) {
  return text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity]);
}

/** A highlight of the API, which is escaped text with `<mark>` around words: text nodes and mark elements. */
export function marked(html) {
  const pieces = html.split(/<\/?mark>/);
  return pieces.map((piece, index) => (index % 2 === 1 ? h("mark", {}, unescaped(piece)) : unescaped(piece)));
}

/** A description as a shop wrote it, without the tags it may hold. */
export function plain(text) {
  const broken = text.replace(/<\s*(?:br|\/p|\/li|\/h\d|\/div)[^>]*>/gi, "\n").replace(/<\/?[a-z][^>]*>/gi, " ");
  return unescaped(broken)
    .replace(/[^\S\n]+/g, " ")
    .replace(/\s*\n\s*/g, "\n")
    .trim();
}

/** An address a shop set, if it is one that may be followed. */
export function safeLink(url) {
  if (typeof url !== "string") return null;
  try {
    const parsed = new URL(url, location.origin);
    return ["http:", "https:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}

/** Replaces what an element holds; whoever had the focus has it again, by `data-key`. */
export function fill(node, ...children) {
  const active = document.activeElement;
  const inside = node.contains(active) ? active : null;
  const key = inside?.dataset.key;
  const [from, to] = inside?.type === "text" ? [inside.selectionStart, inside.selectionEnd] : [null, null];
  node.replaceChildren(...shown(children));
  if (key === undefined) return;
  const again = [...node.querySelectorAll("[data-key]")].find((other) => other.dataset.key === key);
  again?.focus({ preventScroll: true });
  if (again && from !== null) again.setSelectionRange(from, to);
}

/** Calls a function once nothing has happened for a while; `cancel` calls it off, `now` calls it at once. */
export function settled(milliseconds, call) {
  let timer = 0;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds, ...given);
  };
  later.cancel = () => clearTimeout(timer);
  later.now = (...given) => {
    clearTimeout(timer);
    return call(...given);
  };
  return later;
}

/** Tells those who listen rather than look. */
export function announce(text) {
  by("live").textContent = text;
}

/** Opens a dialog; a click beside it or on `data-close` closes it. */
export function open(dialog) {
  if (dialog.dataset.wired === undefined) {
    dialog.dataset.wired = "";
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
  }
  if (!dialog.open) dialog.showModal();
}

/** Opens the side sheet with a title and content. */
export function sheet(title, ...content) {
  by("sheet-title").textContent = title;
  by("sheet-body").replaceChildren(...shown(content));
  open(by("sheet"));
}
