// Pictures of products. A shop's own picture is shown if it can be loaded; beneath it, and instead of it, stands one
// that is drawn from the product: a tile pattern in a colour of its own, and the outline of the kind of thing it is.

import { h, s } from "./dom.js";

/** Outlines on a grid of 48 by 48, by words of titles and kinds; the first that fits is taken. */
const OUTLINES = [
  [/toner|cartridge|\bink\b|drum unit/, "M12 16h20l4 6v12H12zM18 16v-5h8v5M18 24v5M24 24v5M30 24v5"],
  [
    /printer|multifunction|laserjet|scanner|\bfax\b|copier/,
    "M14 18V9h20v9M14 32H9V18h30v14h-5M14 27h20v12H14zM18 32h12M18 35.5h8M33 22.5h2",
  ],
  [
    /backpack|\bbag\b|sleeve|carrying|briefcase|rucksack|\bcase\b|luggage|suitcase/,
    "M12 18h24v20H12zM18 18v-4a6 6 0 0 1 12 0v4M12 27h24M22 25.5h4v4h-4z",
  ],
  [
    /earbud|earphone|headphone|headset|head-?set/,
    "M11 28v-4a13 13 0 0 1 26 0v4M11 27h5v11h-3a2 2 0 0 1-2-2zM37 27h-5v11h3a2 2 0 0 0 2-2z",
  ],
  [/keyboard|keypad/, "M7 16h34v16H7zM12 21h2M18 21h2M24 21h2M30 21h2M35 21h1M15 27h18"],
  [/\bmouse\b|\bmice\b|trackball/, "M24 9a10 10 0 0 1 10 10v10a10 10 0 0 1-20 0V19A10 10 0 0 1 24 9zM24 14v6"],
  [/webcam|camcorder|camera|\blens\b|\bslr\b/, "M8 16h8l3-5h10l3 5h8v21H8zM24 19a7 7 0 1 0 .01 0zM35 20.5h1"],
  [/notebook|laptop|netbook|ultrabook|macbook|thinkpad/, "M12 11h24v19H12zM7 36h34l-4-6H11z"],
  [/tablet|e-?reader|\bipad\b/, "M14 8h20v32H14zM22 36h4"],
  [/smartphone|\bphone\b|mobile|telephone|handset/, "M16 7h16v34H16zM22 36.5h4M21 10.5h6"],
  [/projector/, "M7 16h34v16H7zM30 19a5 5 0 1 0 .01 0zM12 22h8M12 26h8M13 32v4M35 32v4"],
  [/monitor|display|\btv\b|television|\blcd\b|\bled\b screen/, "M7 10h34v22H7zM24 32v6M16 38h16"],
  [
    /speaker|soundbar|subwoofer|\bradio\b/,
    "M14 7h20v34H14zM24 22a7 7 0 1 0 .01 0zM24 12a2 2 0 1 0 .01 0zM24 27.5a1.5 1.5 0 1 0 .01 0z",
  ],
  [
    /hard ?dis[kc]|\bhdd\b|\bssd\b|solid state|storage|\bnas\b/,
    "M13 7h22v34H13zM24 12a8 8 0 1 0 .01 0zM24 19a1 1 0 1 0 .01 0zM18 36h5M31 36h.01",
  ],
  [
    /memory card|memory module|\bddr|\bdimm\b|flash drive|\bsd\b|\bram\b/,
    "M7 18h34v14H7zM12 22h5v6h-5zM21.5 22h5v6h-5zM31 22h5v6h-5zM12 32v4M18 32v4M24 32v4M30 32v4M36 32v4",
  ],
  [
    /cable|adapt[eo]r|\busb\b|converter|connector|patch/,
    "M10 10h9v9h-9zM12.5 10V6M16.5 10V6M14.5 19v7a8 8 0 0 0 16 0v-4a4 4 0 0 1 8 0v4M34.5 26h8v9h-8zM36.5 35v5M40.5 35v5",
  ],
  [
    /router|switch|access point|wireless lan|\bmodem\b|network/,
    "M8 28h32v10H8zM13 33h.01M18 33h.01M14 28V15M34 28V15M24 22a4 4 0 0 1 0 0M19 19a7 7 0 0 1 10 0M16 15a11 11 0 0 1 16 0M32 33h3",
  ],
  [
    /\bserver\b|desktop|\bpc\b(?!\(s)|computer|workstation|tower/,
    "M15 7h18v34H15zM19 12h10M19 17h10M24 33a2 2 0 1 0 .01 0z",
  ],
  [/battery|charger|power|\bups\b/, "M13 13h22v28H13zM20 13V8h8v5M25 19l-6 9h5l-1 7 6-9h-5z"],
  [/chair|stool|armchair/, "M15 8h18v16H15zM12 24h24v6H12zM15 30v10M33 30v10"],
  [/sofa|couch|settee/, "M12 22v-9h24v9M7 22a4 4 0 0 1 6 3v3h22v-3a4 4 0 0 1 6-3v13H7zM11 35v4M37 35v4"],
  [/\bdesk\b|\btable\b|sideboard/, "M7 17h34v5H7zM11 22v18M37 22v18M27 22v7h10"],
  [/\bbed\b|mattress|pillow|duvet/, "M7 12v27M7 33h34M41 39V27a5 5 0 0 0-5-5H20v11M13.5 22a3.5 3.5 0 1 0 .01 0z"],
  [
    /shelf|shelves|cabinet|wardrobe|bookcase|drawers/,
    "M11 7h26v34H11zM11 18h26M11 29h26M24 12.5h.01M24 23.5h.01M24 34.5h.01",
  ],
  [/lamp|\blight\b|lantern|bulb/, "M17 9h14l6 15H11zM24 24v14M16 40h16"],
  [
    /shoe|sneaker|boot|sandal|trainer|loafer|slipper/,
    "M8 17c4 3 8 3 11 0l4 6c3 4 9 4 14 6 3 1 4 4 4 7H8zM8 32h33M22 24l3-2M26 27l3-2",
  ],
  [
    /jacket|coat|hoodie|sweater|shirt|blouse|dress|\btop\b|cardigan|pullover/,
    "M18 8 8 14l4 9 4-2v19h16V21l4 2 4-9-10-6a6 6 0 0 1-12 0z",
  ],
  [/trouser|jeans|shorts|leggings|pants|skirt/, "M15 8h18l3 32h-8l-4-20-4 20h-8zM15 13h18"],
  [
    /kettle|teapot|coffee|espresso|\bmug\b|\bcup\b/,
    "M12 16h20v18a5 5 0 0 1-5 5H17a5 5 0 0 1-5-5zM32 20h4a4 4 0 0 1 0 12h-4M18 11V8M22 11V7M26 11V8",
  ],
  [
    /\bpan\b|\bpot\b|cookware|knife|blender|mixer|toaster|oven|grill/,
    "M8 21h24v6a8 8 0 0 1-8 8h-8a8 8 0 0 1-8-8zM32 22l10-4M14 15v-4M20 15v-5M26 15v-4",
  ],
  [
    /bike|bicycle|helmet|cycling/,
    "M13 23a8 8 0 1 0 .01 0zM35 23a8 8 0 1 0 .01 0zM13 31l7-14h11l4 14M20 17l6 14h-13M26 31l5-14M18 13h5M31 17l-1-5h4",
  ],
  [
    /ball|racket|dumbbell|yoga|fitness|kettlebell|weights/,
    "M24 8a16 16 0 1 0 .01 0zM8 24h32M24 8v32M13 13a16 16 0 0 1 0 22M35 13a16 16 0 0 0 0 22",
  ],
  [/tent|camping|sleeping|hiking/, "M24 9 7 39h34zM24 21l-8 18M24 21l8 18M24 9l3-3M24 9l-3-3"],
  [
    /puzzle|block|\btoy\b|game|doll|plush|\btrain\b/,
    "M9 26h14v14H9zM25 26h14v14H25zM17 9h14v14H17zM24 13v6M16 30v6M29 33h6",
  ],
  [
    /plant|garden|\bpot\b|seed|hose|spade|mower|pruner|shears/,
    "M16 29h16l-2 11H18zM24 29V17M24 20c0-6-4-9-11-9 0 6 4 10 11 9zM24 17c0-5 4-8 10-8 0 6-4 9-10 8z",
  ],
  [/watch|clock|timer/, "M24 14a10 10 0 1 0 .01 0zM19 14l1-7h8l1 7M19 34l1 7h8l1-7M24 19v5l4 3"],
  [/paper|label|envelope|book|folder|software|licen[cs]e/, "M13 7h16l7 7v27H13zM29 7v7h7M18 21h12M18 27h12M18 33h8"],
];
const BOX = "M24 7 39 15v18L24 41 9 33V15zM9 15l15 8 15-8M24 23v18M16.5 11l15 8v6";

/** Hosts whose pictures could not be loaded are not asked again. */
const unreachable = new Set();

function hash(text) {
  let value = 2_166_136_261;
  for (let at = 0; at < text.length; at += 1) value = Math.imul(value ^ text.charCodeAt(at), 16_777_619);
  return value >>> 0;
}

function outline(product) {
  const texts = [product.product_type ?? "", product.title ?? ""].map((text) => text.toLowerCase());
  for (const text of texts) {
    const fitting = OUTLINES.find(([words]) => words.test(text));
    if (fitting) return fitting[1];
  }
  return BOX;
}

/** The drawn picture of a product; `view` turns it for the other places of a gallery. */
function drawn(product, view) {
  const seed = hash(product.slug ?? product.title ?? "");
  const node = s("svg", {
    viewBox: "0 0 160 120",
    preserveAspectRatio: "xMidYMid slice",
    class: "drawn",
    "aria-hidden": "true",
  });
  const turned = `translate(80 60) rotate(${view * 14}) scale(${1 - view * 0.07}) translate(-36 -36) scale(1.5)`;
  node.append(
    s("rect", { width: 160, height: 120, class: "ground" }),
    s("rect", { width: 160, height: 120, class: "tiles", fill: `url(#tile-${((seed >>> 8) + view) % 4})` }),
    s("circle", { cx: 80, cy: 60, r: 44, class: "disc" }),
    s("path", { d: outline(product), class: "outline", transform: turned }),
  );
  node.style.setProperty("--hue", String(((seed % 24) * 15 + view * 20) % 360));
  return node;
}

function loadable(url) {
  if (typeof url !== "string" || url === "") return null;
  try {
    const parsed = new URL(url, location.origin);
    const allowed = parsed.origin === location.origin || parsed.protocol === "https:";
    return allowed && !unreachable.has(parsed.host) ? parsed : null;
  } catch {
    return null;
  }
}

/** A product's picture. It adds nothing to what the title says, so that it is left out for those who listen. */
export function picture(product, image = product.image, view = 0) {
  const frame = h("div", { class: "picture" }, drawn(product, view));
  const address = loadable(image?.url);
  if (address === null) return frame;
  const own = h("img", { alt: image.alt ?? "", loading: "lazy", decoding: "async", src: address.href });
  own.addEventListener("load", () => frame.classList.add("loaded"));
  own.addEventListener("error", () => {
    unreachable.add(address.host);
    own.remove();
  });
  frame.append(own);
  return frame;
}
