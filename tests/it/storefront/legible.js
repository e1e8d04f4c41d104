// What of the page is hard to read or to use: text with too little contrast to its ground (WCAG 2.2, 1.4.3), controls
// without a name, ids that occur twice. Gives a sentence for each.
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const parsed = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return { channels: [red, green, blue], alpha: alpha / 255 };
  };
  const over = (top, ground) =>
    top.channels.map((channel, index) => channel * top.alpha + ground[index] * (1 - top.alpha));
  const groundOf = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement)
      layers.push(parsed(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((ground, layer) => over(layer, ground), [255, 255, 255]);
  };
  const luminance = (channels) => {
    const [red, green, blue] = channels.map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (
      text === "" ||
      !element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) ||
      element.closest(".unseen, .skip, option, noscript")
    )
      continue;
    const style = getComputedStyle(element);
    const ground = groundOf(element);
    const [light, dark] = [luminance(over(parsed(style.color), ground)), luminance(ground)].sort((a, b) => b - a);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push(`“${text.slice(0, 40)}” has a contrast of ${ratio.toFixed(2)}`);
  }
  for (const control of document.querySelectorAll("button, a, input, select, summary, [role]")) {
    const label =
      control.getAttribute("aria-label") ||
      control.labels?.[0]?.textContent ||
      control.textContent ||
      control.getAttribute("aria-labelledby");
    const plain = ["status", "group", "listbox"].includes(control.getAttribute("role"));
    if (!plain && !label?.trim()) found.push(`${control.outerHTML.slice(0, 80)} has no name`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  found.push(...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `the id ${id} occurs twice`));
  return found;
})();
