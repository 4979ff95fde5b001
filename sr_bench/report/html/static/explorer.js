// The image explorer: all panes share one zoom, a slider cuts between A and B, blending shows errors.
"use strict";

const explorer = {
  data: null, root: null, image: 0, a: "", b: "",
  // Left and top are shares of the image; scale 1 shows all of it.
  scale: 1, x: 0, y: 0,
};
const MAX_SCALE = 32;

function startExplorer() {
  explorer.data = JSON.parse(document.getElementById("page-data").textContent);
  explorer.root = document.getElementById("panes");
  const names = explorer.data.measured.map((one) => one.precision);
  explorer.a = names.includes("fp32") ? "fp32" : names[0] || "";
  explorer.b = worstPrecision(names) || explorer.a;
  explorer.image = explorer.data.start;
  if (!explorer.root) return startHashes();
  startChoices();
  startZoomButtons();
  startSlider();
  startError();
  for (const view of explorer.root.querySelectorAll(".view")) startView(view);
  for (const image of explorer.root.querySelectorAll("img[data-show]")) startImage(image);
  // Images load once the explorer is near: a page opens without a single one of them.
  new IntersectionObserver((entries, self) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    self.disconnect();
    explorer.near = true;
    showImage();
  }, { rootMargin: "400px" }).observe(explorer.root);
  startHashes();
  showImage();
}

// The precision to compare with at first: the one that is least faithful to fp32 anywhere.
function worstPrecision(names) {
  let worst = null;
  for (const one of explorer.data.measured) {
    if (one.precision === explorer.a) continue;
    const values = (one.values.fidelity || []).filter((value) => value !== null);
    const low = values.length ? Math.min(...values) : Infinity;
    if (!worst || low < worst.low) worst = { low, name: one.precision };
  }
  return worst ? worst.name : names[1];
}

function startChoices() {
  const choose = (id, change) => document.getElementById(id).addEventListener("change", (event) => { change(event.target.value); showImage(); });
  choose("image", (value) => { explorer.image = Number(value); });
  choose("side-a", (value) => { explorer.a = value; });
  choose("side-b", (value) => { explorer.b = value; });
  document.getElementById("previous").addEventListener("click", () => step(-1));
  document.getElementById("next").addEventListener("click", () => step(1));
  for (const button of document.querySelectorAll(".film button")) {
    button.addEventListener("click", () => { explorer.image = Number(button.dataset.image); showImage(); });
  }
}

function step(by) {
  const count = explorer.data.images.length;
  explorer.image = (explorer.image + by + count) % count;
  showImage();
}

function measuredAs(precision) {
  return explorer.data.measured.find((one) => one.precision === precision);
}

// Put the chosen image into all panes.
function showImage() {
  const image = explorer.data.images[explorer.image];
  const a = measuredAs(explorer.a), b = measuredAs(explorer.b);
  const files = { lr: image.lr, hr: image.hr, a: a ? a.sr[explorer.image] : "", b: b ? b.sr[explorer.image] : "" };
  const against = document.getElementById("against").value;
  files.top = against === "ah" ? files.a : files.b;
  files.base = against === "ba" ? files.a : files.hr;
  if (image.width) explorer.root.style.setProperty("--ratio", image.width / image.height);
  document.getElementById("image").value = String(explorer.image);
  document.getElementById("side-a").value = explorer.a;
  document.getElementById("side-b").value = explorer.b;
  showNames(a, b, image);
  for (const button of document.querySelectorAll(".film button")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.image) === explorer.image));
  }
  if (!explorer.near) return;
  for (const shown of explorer.root.querySelectorAll("img[data-show]")) load(shown, files[shown.dataset.show], image.name);
}

function showNames(a, b, image) {
  const of = (one) => (one ? one.label : "none");
  const names = {
    lr: "LR", hr: "HR", a: `A: ${of(a)}`, b: `B: ${of(b)}`, slider: `${of(a)} | ${of(b)}`,
    error: { ba: `|${of(b)} − ${of(a)}|`, bh: `|${of(b)} − HR|`, ah: `|${of(a)} − HR|` }[document.getElementById("against").value],
  };
  for (const node of explorer.root.querySelectorAll("[data-name]")) node.textContent = names[node.dataset.name];
  for (const [key, one] of [["a", a], ["b", b]]) {
    explorer.root.querySelector(`[data-score="${key}"]`).textContent = one ? scores(one, explorer.image) : "";
  }
  explorer.root.querySelector('[data-score="lr"]').textContent = "";
  explorer.root.querySelector('[data-score="hr"]').textContent = image.width ? `${image.width}×${image.height}` : "";
}

function scores(one, index) {
  const value = (metric) => (one.values[metric.name] || [])[index];
  const known = explorer.data.metrics.filter((metric) => Number.isFinite(value(metric)));
  const text = (metric) => `${metric.title} ${value(metric).toFixed(metric.decimals)} ${metric.unit}`.trim();
  return known.map((metric) => text(metric).replaceAll(" ", "\u00a0")).join(" · ");
}

function load(shown, file, name) {
  shown.alt = `${shown.dataset.show.toUpperCase()} of ${name}`;
  tell(shown, file ? "" : "This image was not kept, or is gone.");
  if (!file) shown.removeAttribute("src");
  else if (shown.getAttribute("src") !== file) shown.src = file;
}

function startImage(shown) {
  shown.addEventListener("error", () => {
    const file = shown.getAttribute("src") || "", copy = explorer.data.copies[file];
    // A copy looks the same, but its errors are its own.
    if (copy && !shown.closest('[data-pane="error"]')) { shown.src = copy; return; }
    shown.removeAttribute("src");
    tell(shown, copy ? "The error map needs the exact images: they lie outside of this report, and are not there any more."
      : `Can't load ${decodeURIComponent(file)}: the image lies outside of this report, and is not there any more. Was a folder moved?`);
  });
  shown.addEventListener("load", () => {
    const image = explorer.data.images[explorer.image];
    if (!image.width && shown.dataset.show === "a") explorer.root.style.setProperty("--ratio", shown.naturalWidth / shown.naturalHeight);
  });
}

// A message instead of a broken picture; a pane of two images keeps it until both are fine.
function tell(shown, text) {
  shown.dataset.gone = text;
  const view = shown.closest(".view");
  const message = [...view.querySelectorAll("img[data-show]")].map((image) => image.dataset.gone).find(Boolean) || "";
  const gone = view.querySelector(".gone");
  gone.textContent = message;
  gone.hidden = !message;
}

function showZoom() {
  const { root, scale } = explorer;
  const most = 1 - 1 / scale;
  explorer.x = Math.min(most, Math.max(0, explorer.x));
  explorer.y = Math.min(most, Math.max(0, explorer.y));
  root.style.setProperty("--s", scale);
  root.style.setProperty("--x", explorer.x);
  root.style.setProperty("--y", explorer.y);
  root.classList.toggle("zoomed", scale > 1.01);
  document.getElementById("zoom").textContent = `${scale < 10 ? Math.round(scale * 10) / 10 : Math.round(scale)}×`;
}

// Zoom by `factor` so that what is at (px, py), shares of a pane, stays there.
function zoomBy(factor, px = 0.5, py = 0.5) {
  const scale = Math.min(MAX_SCALE, Math.max(1, explorer.scale * factor));
  explorer.x += px / explorer.scale - px / scale;
  explorer.y += py / explorer.scale - py / scale;
  explorer.scale = scale;
  showZoom();
}

function moveBy(dx, dy) {
  explorer.x += dx / explorer.scale;
  explorer.y += dy / explorer.scale;
  showZoom();
}

function fit() {
  Object.assign(explorer, { scale: 1, x: 0, y: 0 });
  showZoom();
}

// Show a window, given as shares of the image, with some of what is around it.
function focusOn(left, top, width, height) {
  const scale = Math.min(MAX_SCALE, Math.max(1, 1 / (2 * Math.max(width, height))));
  Object.assign(explorer, { scale, x: left + width / 2 - 0.5 / scale, y: top + height / 2 - 0.5 / scale });
  showZoom();
}

function startZoomButtons() {
  document.getElementById("zoom-in").addEventListener("click", () => zoomBy(1.5));
  document.getElementById("zoom-out").addEventListener("click", () => zoomBy(1 / 1.5));
  document.getElementById("zoom-fit").addEventListener("click", fit);
}

function startView(view) {
  const keys = {
    "+": () => zoomBy(1.5), "=": () => zoomBy(1.5), "-": () => zoomBy(1 / 1.5), 0: fit,
    ArrowLeft: () => moveBy(-0.1, 0), ArrowRight: () => moveBy(0.1, 0), ArrowUp: () => moveBy(0, -0.1), ArrowDown: () => moveBy(0, 0.1),
    "[": () => step(-1), "]": () => step(1),
  };
  view.addEventListener("keydown", (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  view.addEventListener("wheel", (event) => {
    // Without the focus, the wheel scrolls the page.
    if (document.activeElement !== view && !event.ctrlKey) return;
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 400), ...shares(view, event));
  }, { passive: false });
  view.addEventListener("dblclick", (event) => (explorer.scale > 7 ? fit() : zoomBy(2, ...shares(view, event))));
  startPointers(view);
}

function shares(view, event) {
  const box = view.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

// One pointer moves, two pinch.
function startPointers(view) {
  const down = new Map();
  view.addEventListener("pointerdown", (event) => {
    if (event.target.closest(".divider") || event.button !== 0) return;
    view.focus({ preventScroll: true });
    view.setPointerCapture(event.pointerId);
    down.set(event.pointerId, shares(view, event));
  });
  view.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = shares(view, event);
    if (down.size === 1) moveBy(before[0] - now[0], before[1] - now[1]);
    else pinch(down, event.pointerId, now);
    down.set(event.pointerId, now);
  });
  for (const kind of ["pointerup", "pointercancel"]) view.addEventListener(kind, (event) => down.delete(event.pointerId));
}

function pinch(down, id, now) {
  const other = [...down.entries()].find(([key]) => key !== id)[1];
  const before = down.get(id);
  const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
  if (apart(before) > 0.01) zoomBy(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
}

function startSlider() {
  const range = document.getElementById("cut");
  const update = () => explorer.root.style.setProperty("--cut", `${range.value}%`);
  range.addEventListener("input", update);
  const divider = explorer.root.querySelector(".divider");
  divider.addEventListener("pointerdown", (event) => { divider.setPointerCapture(event.pointerId); event.preventDefault(); });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    range.value = String(100 * shares(divider.closest(".view"), event)[0]);
    update();
  });
  update();
}

function startError() {
  document.getElementById("against").addEventListener("change", showImage);
  const buttons = [...document.querySelectorAll("button[data-gain]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      press(button, buttons);
      explorer.root.style.setProperty("--gain", button.dataset.gain);
    });
  }
}

// #explore:<image>:<precision>:<left,top,width,height> opens an image, so that plain links can.
function startHashes() {
  addEventListener("hashchange", openHash);
  openHash();
}

function openHash() {
  const [kind, image, precision, focus] = location.hash.slice(1).split(":");
  if (kind !== "explore") return;
  if (explorer.data.images[Number(image)]) explorer.image = Number(image);
  const wanted = precision ? decodeURIComponent(precision) : "";
  if (wanted && measuredAs(wanted)) explorer.b = wanted;
  document.getElementById("explorer").scrollIntoView();
  if (!explorer.root) return;
  if (wanted) document.getElementById("against").value = wanted === "fp32" ? "bh" : "ba";
  showImage();
  const window = (focus || "").split(",").map(Number);
  if (window.length === 4 && window.every(Number.isFinite)) focusOn(...window);
  explorer.root.querySelector('[data-pane="b"]').focus({ preventScroll: true });
}

// What a pressed point of a plot does.
function openImage(image, precision) {
  const hash = `#explore:${image}:${encodeURIComponent(precision)}`;
  if (location.hash === hash) openHash();
  else location.hash = hash;
}

document.addEventListener("DOMContentLoaded", startExplorer);
