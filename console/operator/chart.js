// Charts, drawn as SVG. Each has a sentence that says what it shows to those who can't see it.

import { h, s } from "/storefront/dom.js";

/** The quantile of numbers that are sorted upwards; nearest rank. */
export function quantile(sorted, share) {
  if (sorted.length === 0) return null;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))];
}

/** A bound that is easy to read, at or above a value. */
export function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}

const WIDTH = 240;
const HEIGHT = 44;

/** A small chart without axes that is redrawn in place: `show(values)`; the newest value is on the right. */
export function sparkline(capacity, label) {
  const area = s("path", { class: "spark-area" });
  const line = s("path", { class: "spark-line" });
  const dot = s("circle", { class: "spark-dot", r: 3 });
  const svg = s(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    area,
    line,
  );
  const dots = s("svg", { class: "spark-end", viewBox: "-5 -5 10 10", "aria-hidden": "true" }, dot);
  const frame = h("div", { class: "spark-frame" }, svg, dots);
  frame.show = (values, format = String) => {
    const highest = Math.max(...values, 1e-9);
    // A short history takes half the width, so that it can be seen before it is long.
    const step = WIDTH / (Math.min(capacity, Math.max(values.length * 2, 30)) - 1);
    const x = (index) => WIDTH - (values.length - 1 - index) * step;
    const y = (value) => HEIGHT - 4 - (Math.max(0, value) / highest) * (HEIGHT - 8);
    const points = values.map((value, index) => `${x(index).toFixed(1)} ${y(value).toFixed(1)}`);
    if (points.length === 0) return;
    const path = `M${points.join("L")}`;
    line.setAttribute("d", path);
    area.setAttribute("d", `${path}L${WIDTH} ${HEIGHT}L${x(0).toFixed(1)} ${HEIGHT}Z`);
    dots.style.setProperty("--at", `${((y(values.at(-1)) / HEIGHT) * 100).toFixed(1)}%`);
    svg.setAttribute("aria-label", `${label}: now ${format(values.at(-1))}, at most ${format(Math.max(...values))}`);
  };
  return frame;
}

const H = 260;
const PAD = { left: 56, right: 12, top: 12, bottom: 30 };

/** Where ticks stand between two moments: a handful at even times. */
function timeTicks(from, to, most) {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600].map((step) => step * 1000);
  const step = steps.find((each) => (to - from) / each <= most) ?? steps.at(-1);
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}

const clock = new Intl.DateTimeFormat(navigator.language || "en", { hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = new Intl.DateTimeFormat(navigator.language || "en", { timeStyle: "medium" });

/**
 * A chart over time. `points`: [{at, value, kind, text}], drawn as dots by `kind`; a point without a value is a mark
 * at the top; one unit of `width` is a pixel. `lines`: [{name, kind, points: [{at, value}]}]. `format` is for the axis.
 */
export function timeChart({ label, points = [], lines = [], from, to, format, target, width }) {
  const W = Math.max(260, Math.round(width));
  const values = [...points, ...lines.flatMap((line) => line.points)].map((point) => point.value).filter(Number.isFinite);
  const highest = roundUp(Math.max(...values, target ?? 0, 1) * 1.05);
  const x = (at) => PAD.left + ((at - from) / Math.max(1, to - from)) * (W - PAD.left - PAD.right);
  const y = (value) => H - PAD.bottom - (Math.min(value, highest) / highest) * (H - PAD.top - PAD.bottom);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => highest * share);
  const svg = s("svg", { class: "chart", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label });
  for (const value of grid) {
    svg.append(
      s("line", { class: "chart-grid", x1: PAD.left, x2: W - PAD.right, y1: y(value), y2: y(value) }),
      s("text", { class: "chart-text", x: PAD.left - 8, y: y(value) + 4, "text-anchor": "end" }, format(value)),
    );
  }
  const named = to - from < 600_000 ? clockWithSeconds : clock;
  for (const at of timeTicks(from, to, W / 110)) {
    svg.append(s("text", { class: "chart-text", x: x(at), y: H - 8, "text-anchor": "middle" }, named.format(at)));
  }
  if (target) {
    svg.append(
      s("line", { class: "chart-target", x1: PAD.left, x2: W - PAD.right, y1: y(target), y2: y(target) }),
      s("text", { class: "chart-text chart-target-text", x: W - PAD.right, y: y(target) - 5, "text-anchor": "end" }, `target ${format(target)}`),
    );
  }
  for (const line of lines) {
    const path = line.points.map((point) => `${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join("L");
    if (path !== "") svg.append(s("path", { class: `chart-line ${line.kind}`, d: `M${path}` }));
  }
  for (const point of points) {
    const missing = !Number.isFinite(point.value);
    svg.append(
      missing
        ? s("path", { class: `chart-miss ${point.kind}`, d: `M${x(point.at) - 4} ${PAD.top}l8 8m0 -8l-8 8` }, s("title", {}, point.text))
        : s("circle", { class: `chart-dot ${point.kind}`, cx: x(point.at).toFixed(1), cy: y(point.value).toFixed(1), r: 2.6 }, s("title", {}, point.text)),
    );
  }
  return h("div", { class: "chart-frame" }, svg);
}

/** Bars beside each other: [{name, value, kind}]. */
export function bars(rows, format, label) {
  const highest = Math.max(...rows.map((row) => row.value), 1e-9);
  const list = h("ul", { class: "bars", "aria-label": label });
  for (const row of rows) {
    const fill = h("span", { class: `bar-fill ${row.kind ?? ""}` });
    fill.style.setProperty("--share", `${((row.value / highest) * 100).toFixed(1)}%`);
    list.append(
      h("li", {}, h("span", { class: "bar-name" }, row.name), h("span", { class: "bar-track", "aria-hidden": "true" }, fill), h("span", { class: "bar-value" }, format(row.value))),
    );
  }
  return list;
}

/** A progress bar with its share as text. */
export function progress(share, label) {
  const clamped = Math.max(0, Math.min(1, share));
  const text = `${Math.floor(clamped * 100)} %`;
  const fill = h("span", { class: "progress-fill" });
  fill.style.setProperty("--share", `${(clamped * 100).toFixed(2)}%`);
  return h(
    "span",
    { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.floor(clamped * 100)) },
    fill,
    h("span", { class: "progress-text" }, text),
  );
}
