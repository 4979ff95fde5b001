// Charts as SVG: layers of marks on two axes. Colours are custom properties, so a theme needs no redraw.
"use strict";

const charts = new Map();
const SYMBOLS = [
  "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z", "M-3.6,-3.6h7.2v7.2h-7.2Z", "M0,-5L5,0L0,5L-5,0Z", "M0,-4.8L4.6,3.6H-4.6Z",
  "M-1.4,-4.4h2.8v3h3v2.8h-3v3h-2.8v-3h-3v-2.8h3Z",
];
const EDGE = { right: 16, top: 12, bottom: 44 };
const CHARACTER = 6.4; // its usual width in pixels, at 12 pixels height
const REACH = 24; // how near to a mark the pointer must be, in pixels

function series(index) {
  return { colour: `var(--series-${(index % 5) + 1})`, symbol: SYMBOLS[index % 5] };
}

// Draw what `make()` returns into the element: now, whenever its size changes, and when `redraw` asks.
function chart(id, make) {
  const node = document.getElementById(id);
  if (!node) return;
  charts.set(node, make);
  const svg = node.appendChild(shape("svg", { "aria-hidden": "true" })), tip = node.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;
  startPointing(node, svg, tip);
  redraw(node);
  new ResizeObserver(() => redraw(node)).observe(node);
}

function redraw(node) {
  const svg = node.querySelector("svg"), width = node.clientWidth, height = node.clientHeight;
  if (!width) return; // hidden
  const figure = charts.get(node)();
  const marks = figure.layers.flatMap((layer) => layer.marks || []);
  const plane = axes(figure, marks, width, height);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...frame(figure, plane), ...figure.layers.flatMap((layer) => DRAW[layer.kind](layer, plane)));
  node.marks = marks.filter((mark) => mark.text).map((mark) => ({ ...mark, left: plane.x(mark.x), top: plane.y(mark.y) }));
  showLegend(node, figure.layers.filter((layer) => layer.name));
}

function shape(name, attributes, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

// Scales of both axes in pixels, and their ticks as pairs of value and text.
function axes(figure, marks, width, height) {
  const known = (axis) => marks.flatMap((mark) => [mark[axis], ...(axis === "y" ? [mark.low, mark.high] : [])]).filter(Number.isFinite);
  const steps = (range, most) => ticks(...range, Math.max(2, most));
  const xs = figure.x.range || padded(known("x")), ys = padded([...known("y"), ...(figure.y.from === 0 ? [0] : [])]);
  const above = height - EDGE.bottom - EDGE.top, yTicks = steps(ys, Math.floor(above / 48));
  const left = 42 + CHARACTER * Math.max(...yTicks.map(([, text]) => text.length));
  const slot = (width - left - EDGE.right) / (xs[1] - xs[0] || 1);
  const xTicks = figure.x.ticks || steps(xs, Math.floor(width / 110));
  const longest = Math.max(0, ...xTicks.map(([, text]) => text.length)) * CHARACTER;
  const slanted = Boolean(figure.x.ticks && xTicks.length > 1 && longest > slot * (xTicks[1][0] - xTicks[0][0]));
  const floor = height - EDGE.bottom - (slanted ? longest * 0.6 - 6 : 0) + (figure.x.title ? 0 : 14);
  const scale = ([low, high], from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  return {
    width, height, left, floor, slanted, xTicks, yTicks,
    x: scale(xs, left, width - EDGE.right), y: scale(ys, floor, EDGE.top),
  };
}

function padded(values) {
  if (!values.length) return [0, 1];
  const low = Math.min(...values), high = Math.max(...values), room = (high - low) * 0.06 || Math.abs(high) * 1e-3 || 1;
  return [low - room, high + room];
}

// Round values between `low` and `high`, about `most` of them, with the digits that tell them apart.
function ticks(low, high, most) {
  const raw = (high - low) / most, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw) || 10);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1) {
    found.push([n * step, decimals > 6 ? (n * step).toExponential(1) : (n * step).toFixed(decimals).replace(/^-(0\.?0*)$/, "$1")]);
  }
  return found;
}

function frame(figure, plane) {
  const { width, left, floor, slanted, x, y } = plane, right = width - EDGE.right, nodes = [];
  for (const [value, text] of plane.yTicks) {
    nodes.push(shape("path", { class: value === 0 ? "zero" : "grid", d: `M${left},${y(value)}H${right}` }));
    nodes.push(shape("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  for (const [value, text] of plane.xTicks) {
    nodes.push(shape("path", { class: "grid", d: `M${x(value)},${EDGE.top}V${floor}` }));
    const turn = slanted ? { "text-anchor": "end", transform: `rotate(-36 ${x(value)} ${floor + 14})` } : { "text-anchor": "middle" };
    nodes.push(shape("text", { x: x(value), y: floor + (slanted ? 14 : 18), ...turn }, text));
  }
  if (figure.x.title) nodes.push(shape("text", { class: "title", x: (left + right) / 2, y: plane.height - 6, "text-anchor": "middle" }, figure.x.title));
  const middle = (EDGE.top + floor) / 2;
  nodes.push(shape("text", { class: "title", x: 13, y: middle, "text-anchor": "middle", transform: `rotate(-90 13 ${middle})` }, figure.y.title));
  return nodes;
}

// A line has a gap where a value is missing.
function path(marks, plane, of = "y") {
  let pen = "M";
  return marks.map((mark) => {
    if (!Number.isFinite(mark[of])) { pen = "M"; return ""; }
    const step = `${pen}${plane.x(mark.x)},${plane.y(mark[of])}`;
    pen = "L";
    return step;
  }).join("");
}

const DRAW = {
  line: ({ marks, style = "" }, plane) => [shape("path", { class: "line", d: path(marks, plane), style })],
  band: ({ marks }, plane) => marks.filter((mark) => Number.isFinite(mark.low)).map((mark) => shape("rect", { class: "band", ...until(mark, marks, plane), ...between(plane.y(mark.low), plane.y(mark.high)) })),
  points: ({ marks, colour, symbol }, plane) => marks.filter((mark) => Number.isFinite(mark.y)).map((mark) => shape("path", {
    class: "mark", d: mark.symbol || symbol, style: `fill:${mark.colour || colour}`, transform: `translate(${plane.x(mark.x)} ${plane.y(mark.y)})`, "data-y": mark.y,
  })),
  spans: ({ marks }, plane) => marks.filter((mark) => Number.isFinite(mark.low) && Number.isFinite(mark.high)).map((mark) => shape("path", {
    class: "span", d: `M${plane.x(mark.x)},${plane.y(mark.low)}V${plane.y(mark.high)}m-4,0h8M${plane.x(mark.x) - 4},${plane.y(mark.low)}h8`,
  })),
};

// From a mark to the next one, as what is between them is as the first.
function until(mark, marks, plane) {
  const next = marks[marks.indexOf(mark) + 1], from = plane.x(mark.x - 0.5);
  return { x: from, width: plane.x((next ? next.x : mark.x + 1) - 0.5) - from };
}

function between(a, b) {
  return { y: Math.min(a, b), height: Math.max(1, Math.abs(a - b)) };
}

function showLegend(node, layers) {
  const legend = document.createElement("ul");
  legend.className = "legend";
  for (const layer of layers) {
    const item = legend.appendChild(document.createElement("li")), key = item.appendChild(shape("svg", { viewBox: "-7 -7 14 14", width: 14, height: 14, "aria-hidden": "true" }));
    if (layer.kind === "line") key.append(shape("path", { class: "line", d: "M-7,0H7", style: layer.style || "" }));
    else if (layer.kind === "band") key.append(shape("rect", { class: "band", x: -7, y: -4, width: 14, height: 8 }));
    else key.append(shape("path", { d: layer.symbol, style: `fill:${layer.colour}` }));
    item.append(layer.name);
  }
  node.parentElement.querySelectorAll(`.legend[data-of="${node.id}"]`).forEach((old) => old.remove());
  legend.dataset.of = node.id;
  if (layers.length) node.before(legend);
}

// The mark nearest to the pointer says what it is; a press does what the mark says.
function startPointing(node, svg, tip) {
  const nearest = (event) => {
    const box = svg.getBoundingClientRect(), away = (mark) => Math.hypot(mark.left - event.clientX + box.left, mark.top - event.clientY + box.top);
    const best = (node.marks || []).reduce((found, mark) => (!found || away(mark) < away(found) ? mark : found), null);
    return best && away(best) <= REACH ? best : null;
  };
  const tell = (event) => {
    const mark = nearest(event);
    tip.hidden = !mark;
    svg.style.cursor = mark && mark.press ? "pointer" : "";
    if (!mark) return;
    tip.textContent = mark.text;
    const left = Math.min(Math.max(4, mark.left + 12), Math.max(4, node.clientWidth - tip.offsetWidth - 4));
    const top = mark.top - tip.offsetHeight - 10;
    Object.assign(tip.style, { left: `${left}px`, top: `${top < 4 ? mark.top + 14 : top}px` });
  };
  for (const kind of ["pointermove", "pointerdown"]) svg.addEventListener(kind, tell);
  // A finger leaves at once: what it pressed stays told until the next press.
  svg.addEventListener("pointerleave", (event) => { tip.hidden = event.pointerType !== "touch"; });
  svg.addEventListener("click", (event) => {
    const mark = nearest(event);
    if (mark && mark.press) mark.press();
  });
}
