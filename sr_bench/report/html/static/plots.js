// The plots, by Plotly, which is loaded when the first of them comes into view.
"use strict";

const plots = { drawn: new Map(), loading: null };
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross"];

function loadPlotly() {
  plots.loading ||= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = "assets/plotly.min.js";
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  return plots.loading;
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function seriesColour(index) {
  return css(`--series-${(index % 5) + 1}`);
}

// Draw `make()` into the element when it is seen, and again whenever the theme changes.
function plot(id, make) {
  const node = document.getElementById(id);
  if (!node) return;
  plots.drawn.set(node, { make, seen: false });
  new IntersectionObserver((entries, self) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    self.disconnect();
    plots.drawn.get(node).seen = true;
    draw(node);
  }, { rootMargin: "200px" }).observe(node);
}

async function draw(node) {
  const entry = plots.drawn.get(node);
  if (!entry.seen) return;
  try {
    await loadPlotly();
  } catch {
    const message = document.createElement("p");
    message.textContent = "assets/plotly.min.js is missing: copy the whole folder of the report.";
    node.replaceChildren(message);
    return;
  }
  const { traces, layout } = entry.make();
  await Plotly.react(node, traces, themed(layout), { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] });
  if (entry.press && !entry.bound) node.on("plotly_click", (event) => entry.press(event.points[0]));
  entry.bound = true;
  node.dataset.drawn = "true";
}

function themed(layout) {
  const axis = (given) => ({ gridcolor: css("--line"), zerolinecolor: css("--muted"), linecolor: css("--line"), automargin: true, ...given });
  return {
    paper_bgcolor: css("--sheet"), plot_bgcolor: css("--sheet"), margin: { l: 64, r: 20, t: 16, b: 64 }, hovermode: "closest",
    font: { family: css("--sans"), size: 12, color: css("--ink") }, hoverlabel: { font: { family: css("--sans"), size: 12 }, align: "left" },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, ...layout, xaxis: axis(layout.xaxis), yaxis: axis({ exponentformat: "e", ...layout.yaxis }),
  };
}

// Plotly reads markup in its texts; names are not to be markup.
function plain(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// Values of a precision as the ladder shows them: how much worse an image is, or its fidelity.
function lost(full, one, metric) {
  const values = one.values[metric.name] || [], before = full ? full.values[metric.name] || [] : [];
  if (!metric.sign) return values;
  return full ? values.map((value, index) => (value === null || (before[index] ?? null) === null ? null : metric.sign * (before[index] - value))) : [];
}

// A precision's place among the low ones, so that it has one colour in all plots.
function rank(data, one) {
  return data.measured.filter((other) => other.precision !== "fp32").indexOf(one);
}

function axisTitle(metric) {
  return `${plain(metric.ladder)}${metric.sign ? " against fp32" : ""}${metric.unit ? `, ${metric.unit}` : ""}`;
}

function ladderFigure(data, metric) {
  const full = data.measured.find((one) => one.precision === "fp32");
  // fp32 loses nothing: the rung that lines start from. It has no fidelity to itself.
  const lows = data.measured.filter((one) => (metric.sign || one !== full) && lost(full, one, metric).length);
  const columns = lows.map((one) => lost(full, one, metric));
  const names = lows.map((one) => plain(one.label));
  const traces = [ladderLines(data, columns)];
  lows.forEach((one, index) => {
    const values = columns[index];
    if (one === full) return;
    traces.push({
      type: "scatter", mode: "markers", name: names[index], x: values.map(() => index), y: values, showlegend: false, customdata: values.map((_, image) => [image, one.precision]),
      text: data.images.map((image) => plain(image.name)), hovertemplate: `%{text}<br>${names[index]}<br><b>%{y:.${metric.decimals + 1}~f}</b><extra></extra>`,
      marker: { color: seriesColour(rank(data, one)), size: 8, opacity: 0.75, symbol: SYMBOLS[rank(data, one) % 5] },
    });
  });
  traces.push(ladderMeans(lows, columns, metric));
  return {
    traces,
    layout: { showlegend: false, yaxis: { title: { text: axisTitle(metric) } }, xaxis: { tickvals: names.map((_, index) => index), ticktext: names, range: [-0.4, names.length - 0.6], zeroline: false } },
  };
}

// A line for each image through its precisions, with a gap between images.
function ladderLines(data, columns) {
  const x = [], y = [];
  data.images.forEach((_, image) => {
    columns.forEach((column, index) => { x.push(index); y.push(column[image]); });
    x.push(null);
    y.push(null);
  });
  return { type: "scatter", mode: "lines", x, y, hoverinfo: "skip", line: { color: css("--none"), width: 0.7 }, opacity: 0.45 };
}

function ladderMeans(lows, columns, metric) {
  const spans = lows.map((one) => one.drops[metric.name] || null);
  const means = columns.map((column, index) => (spans[index] && spans[index].mean !== null ? spans[index].mean : mean(column)));
  const end = (span, name, at) => (span && span[name] !== null ? Math.abs(span[name] - at) : 0);
  return {
    type: "scatter", mode: "markers", x: columns.map((_, index) => index + 0.12), y: means, hovertemplate: `mean <b>%{y:.${metric.decimals + 1}~f}</b><extra></extra>`,
    marker: { symbol: "diamond", size: 11, color: css("--ink") },
    error_y: { type: "data", symmetric: false, array: spans.map((span, index) => end(span, "high", means[index])), arrayminus: spans.map((span, index) => end(span, "low", means[index])), color: css("--ink"), thickness: 1.5, width: 5 },
  };
}

function mean(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

function scatterFigure(data) {
  const full = data.measured.find((one) => one.precision === "fp32");
  const lows = data.measured.filter((one) => one !== full), metric = data.metrics[0];
  const traces = lows.map((one) => ({
    type: "scatter", mode: "markers", name: plain(one.label), x: (full && full.values[metric.name]) || [], y: lost(full, one, metric), text: data.images.map((image) => plain(image.name)),
    customdata: data.images.map((_, image) => [image, one.precision]), hovertemplate: `%{text}<br>${plain(one.label)}<br>fp32 %{x:.${metric.decimals}f}, ${plain(metric.ladder)} <b>%{y:.${metric.decimals + 1}~f}</b> ${metric.unit}<extra></extra>`,
    marker: { color: seriesColour(rank(data, one)), symbol: SYMBOLS[rank(data, one) % 5], size: 8, opacity: 0.8 },
  }));
  return { traces, layout: { showlegend: true, xaxis: { title: { text: `${plain(metric.title)} of fp32${metric.unit ? `, ${metric.unit}` : ""}` }, zeroline: false }, yaxis: { title: { text: axisTitle(metric) } } } };
}

function startModelPlots() {
  const node = document.getElementById("page-data");
  if (!node) return;
  const data = JSON.parse(node.textContent);
  let metric = data.metrics[0];
  const press_ = (point) => { if (point.customdata) openImage(...point.customdata); };
  plot("plot-ladder", () => ladderFigure(data, metric));
  plot("plot-scatter", () => scatterFigure(data));
  for (const entry of plots.drawn.values()) entry.press = press_;
  const buttons = [...document.querySelectorAll("button[data-ladder]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      press(button, buttons);
      metric = data.metrics[Number(button.dataset.ladder)];
      draw(document.getElementById("plot-ladder"));
    });
  }
}

function trendTexts(one) {
  return one.rows.map((row) => {
    const lines = [row.run, `${row.when || "-"} UTC`, `commit ${row.commit || "-"}`, row.status.replace("_", " ")];
    if (row.changed.length) lines.push(`changed: ${row.changed.join(", ")}`);
    if (row.images < row.planned) lines.push(`${row.images} of ${row.planned} images`);
    return lines.map(plain).join("<br>");
  });
}

function trendAxis(one) {
  const every = Math.ceil(one.rows.length / 10);
  const marked = one.rows.map((_, index) => index).filter((index) => index % every === 0);
  const day = (row) => row.when.slice(0, 10) || row.run;
  return { tickvals: marked, ticktext: marked.map((index) => plain(day(one.rows[index]))), zeroline: false, range: [-0.6, Math.max(1, one.rows.length) - 0.4] };
}

function valueFigure(one) {
  const x = one.rows.map((_, index) => index);
  const changed = one.rows.map((row) => (row.changed.length ? "diamond" : "circle"));
  const edge = (sign) => one.rows.map((row) => (row.claimed === null || row.tolerance === null ? null : row.claimed + sign * row.tolerance));
  const band = { type: "scatter", mode: "lines", x, hoverinfo: "skip", line: { width: 0, shape: "hvh" }, showlegend: false };
  const traces = [
    { ...band, y: edge(-1) },
    { ...band, y: edge(1), fill: "tonexty", fillcolor: css("--ok-soft"), name: "tolerance", showlegend: true },
    { type: "scatter", mode: "lines", name: "claimed", x, y: one.rows.map((row) => row.claimed), hoverinfo: "skip", line: { color: css("--ok"), dash: "dash", width: 1.2, shape: "hvh" } },
    { type: "scatter", mode: "lines+markers", name: one.device.startsWith("emulated") ? "emulated" : "measured", x, y: one.rows.map((row) => row.value), text: trendTexts(one), hovertemplate: "<b>%{y}</b><br>%{text}<extra></extra>", line: { color: seriesColour(0), width: 1.6 }, marker: { size: 8, symbol: changed, color: seriesColour(0) } },
  ];
  return { traces, layout: { showlegend: true, xaxis: trendAxis(one), yaxis: { title: { text: `${one.metric}${one.unit ? `, ${one.unit}` : ""}` }, zeroline: false } } };
}

function marginFigure(one) {
  const margins = one.rows.map((row) => row.margin);
  const colours = margins.map((margin) => css(margin !== null && margin < 0 ? "--bad" : "--ok"));
  const traces = [{ type: "bar", x: margins.map((_, index) => index), y: margins, text: trendTexts(one), textposition: "none", hovertemplate: "<b>%{y}</b><br>%{text}<extra></extra>", marker: { color: colours }, width: 0.35 }];
  return { traces, layout: { showlegend: false, xaxis: trendAxis(one), yaxis: { title: { text: `margin${one.unit ? `, ${one.unit}` : ""}` } } } };
}

function startTrend() {
  const node = document.getElementById("trend-data");
  if (!node) return;
  const data = JSON.parse(node.textContent);
  const choice = document.getElementById("series");
  const chosen = () => data[Number(choice.value)];
  plot("plot-value", () => valueFigure(chosen()));
  plot("plot-margin", () => marginFigure(chosen()));
  choice.addEventListener("change", () => {
    for (const table of document.querySelectorAll(".series")) table.hidden = table.dataset.series !== choice.value;
    for (const shown of plots.drawn.keys()) draw(shown);
  });
}

document.addEventListener("themechange", () => { for (const node of plots.drawn.keys()) draw(node); });
document.addEventListener("DOMContentLoaded", () => { startModelPlots(); startTrend(); });
