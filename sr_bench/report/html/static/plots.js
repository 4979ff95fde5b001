// What the charts of a model and of its trend show.
"use strict";

// Values of a precision as the ladder shows them: how much worse an image is, or its fidelity.
function lost(full, one, metric) {
  const values = one.values[metric.name] || [], before = full ? full.values[metric.name] || [] : [];
  if (!metric.sign) return values;
  return full ? values.map((value, index) => (value === null || (before[index] ?? null) === null ? null : metric.sign * (before[index] - value))) : [];
}

// A precision's place among the low ones, so that it has one colour in all charts.
function rank(data, one) {
  return data.measured.filter((other) => other.precision !== "fp32").indexOf(one);
}

function axisTitle(metric) {
  return `${metric.ladder}${metric.sign ? " against fp32" : ""}${metric.unit ? `, ${metric.unit}` : ""}`;
}

function figureOf(metric, value) {
  return `${value.toFixed(metric.decimals + 1)} ${metric.unit}`.trim();
}

function ladderFigure(data, metric) {
  const full = data.measured.find((one) => one.precision === "fp32");
  // fp32 loses nothing: the rung that lines start from. It has no fidelity to itself.
  const lows = data.measured.filter((one) => (metric.sign || one !== full) && lost(full, one, metric).length);
  const columns = lows.map((one) => lost(full, one, metric));
  const through = data.images.flatMap((_, image) => [...columns.map((column, x) => ({ x, y: column[image] })), { x: 0, y: null }]);
  const points = lows.map((one, x) => ({
    kind: "points", ...series(rank(data, one)),
    marks: one === full ? [] : columns[x].map((y, image) => ({ x, y, text: y === null ? "" : `${data.images[image].name}\n${one.label}: ${figureOf(metric, y)}`, press: () => openImage(image, one.precision) })),
  }));
  const means = lows.map((one, x) => {
    const span = one.drops[metric.name] || {}, y = span.mean ?? mean(columns[x]);
    const known = (span.low ?? span.high ?? null) !== null;
    return { x: x + 0.12, y, low: known ? span.low ?? y : null, high: known ? span.high ?? y : null, text: y === null ? "" : `${one.label}\nmean: ${figureOf(metric, y)}` };
  });
  return {
    x: { ticks: lows.map((one, x) => [x, one.label]), range: [-0.4, Math.max(0.4, lows.length - 0.6)] }, y: { title: axisTitle(metric) },
    layers: [{ kind: "line", marks: through, style: "stroke:var(--none);stroke-width:.7;opacity:.5" }, ...points, { kind: "spans", marks: means }, { kind: "points", marks: means, colour: "var(--ink)", symbol: SYMBOLS[2] }],
  };
}

function mean(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

function scatterFigure(data) {
  const full = data.measured.find((one) => one.precision === "fp32"), metric = data.metrics[0], before = full.values[metric.name] || [];
  const layers = data.measured.filter((one) => one !== full).map((one) => ({
    kind: "points", name: one.label, ...series(rank(data, one)),
    marks: lost(full, one, metric).map((y, image) => ({ x: before[image], y, press: () => openImage(image, one.precision),
      text: y === null || !Number.isFinite(before[image]) ? "" : `${data.images[image].name}\n${one.label}\nfp32 ${figureOf(metric, before[image])}, ${metric.ladder} ${figureOf(metric, y)}` })),
  }));
  return { layers, x: { title: `${metric.title} of fp32${metric.unit ? `, ${metric.unit}` : ""}` }, y: { title: axisTitle(metric) } };
}

function startModelPlots() {
  const node = document.getElementById("page-data");
  if (!node) return;
  const data = JSON.parse(node.textContent);
  let metric = data.metrics[0];
  chart("plot-ladder", () => ladderFigure(data, metric));
  chart("plot-scatter", () => scatterFigure(data));
  const buttons = [...document.querySelectorAll("button[data-ladder]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      press(button, buttons);
      metric = data.metrics[Number(button.dataset.ladder)];
      redraw(document.getElementById("plot-ladder"));
    });
  }
}

function trendText(row) {
  const lines = [row.run, `${row.when || "-"} UTC`, `commit ${row.commit || "-"}`, row.status.replace("_", " ")];
  if (row.changed.length) lines.push(`changed: ${row.changed.join(", ")}`);
  if (row.images < row.planned) lines.push(`${row.images} of ${row.planned} images`);
  return lines.join("\n");
}

function trendAxis(one) {
  const every = Math.ceil(one.runs / 10);
  let last = -every, before = "";
  const when = (row) => { // the time, where the day is that of the tick before
    const day = row.when.slice(0, 10), same = day && day === before;
    before = day;
    return same ? row.when.slice(11, 16) : day || row.run;
  };
  const far = ({ number }) => { const shown = number - last >= every; if (shown) last = number; return shown; };
  return { ticks: one.rows.filter(far).map(({ row, number }) => [number, when(row)]), range: [-0.6, one.runs - 0.4] };
}

function trendTitle(what, one) {
  return `${what}${one.unit ? `, ${one.unit}` : ""}`;
}

function valueFigure(one) {
  const known = one.rows.map(({ row: { claimed, tolerance }, number: x }) => ({ x, y: claimed, ...(claimed === null || tolerance === null ? {} : { low: claimed - tolerance, high: claimed + tolerance }) }));
  const values = one.rows.map(({ row, number: x }) => ({ x, y: row.value, text: `${row.value}\n${trendText(row)}`, symbol: SYMBOLS[row.changed.length ? 2 : 0] }));
  const judged = known.some((mark) => mark.y !== null), measured = one.device.startsWith("emulated") ? "emulated" : "measured";
  return {
    x: trendAxis(one), y: { title: trendTitle(one.metric, one) },
    layers: [
      ...(judged ? [{ kind: "band", marks: known, name: "tolerance" }, { kind: "line", marks: known, name: "claimed", style: "stroke:var(--ok);stroke-dasharray:5 4" }] : []),
      { kind: "line", marks: values, style: "stroke:var(--series-1)" }, { kind: "points", marks: values, name: measured, ...series(0) },
    ],
  };
}

function marginFigure(one) {
  const colour = ({ margin }) => `var(${margin < 0 ? "--bad" : "--ok"})`;
  const marks = one.rows.map(({ row, number: x }) => ({ x, y: row.margin, colour: colour(row), text: row.margin === null ? "" : `${row.margin}\n${trendText(row)}` }));
  const layers = [{ kind: "line", marks, style: "stroke:var(--muted)" }, { kind: "points", marks, symbol: SYMBOLS[0] }];
  return { x: trendAxis(one), y: { title: trendTitle("margin", one), from: 0 }, layers };
}

function startTrend() {
  const node = document.getElementById("trend-data");
  if (!node) return;
  const data = JSON.parse(node.textContent), choice = document.getElementById("series");
  const chosen = () => data[Number(choice.value)];
  const show = () => {
    for (const part of document.querySelectorAll("[data-series]")) part.hidden = part.dataset.series !== choice.value;
    document.getElementById("charts").hidden = chosen().runs < 2;
    document.getElementById("margins").hidden = chosen().rows.every(({ row }) => row.margin === null);
  };
  show();
  chart("plot-value", () => valueFigure(chosen()));
  chart("plot-margin", () => marginFigure(chosen()));
  choice.addEventListener("change", () => {
    show();
    for (const node of charts.keys()) redraw(node);
  });
}

document.addEventListener("DOMContentLoaded", () => { startModelPlots(); startTrend(); });
