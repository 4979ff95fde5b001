// What all pages do: the theme, the filter of the matrix, sorted tables, copied commands.
"use strict";

const THEME_KEY = "sr-bench-theme";

function preferredTheme() {
  let kept = null;
  try { kept = localStorage.getItem(THEME_KEY); } catch { /* storage may be forbidden */ }
  if (kept === "light" || kept === "dark") return kept;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.dispatchEvent(new CustomEvent("themechange"));
}

// At once, before the first paint: this file is loaded in the head.
setTheme(preferredTheme());

function startTheme() {
  document.getElementById("theme").addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem(THEME_KEY, theme); } catch { /* then it lasts for this page */ }
    setTheme(theme);
    say(`${theme} theme`);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(preferredTheme()));
}

// Tell people who listen to the page.
function say(text) {
  document.getElementById("say").textContent = text;
}

// Press one of a group of buttons; the others are released.
function press(button, group) {
  for (const other of group) other.setAttribute("aria-pressed", String(other === button));
}

function startMatrix() {
  const field = document.getElementById("filter");
  if (!field) return;
  const metrics = [...document.querySelectorAll("button[data-metric]")];
  for (const button of metrics) {
    button.addEventListener("click", () => {
      press(button, metrics);
      for (const cell of document.querySelectorAll("[data-of]")) cell.hidden = cell.dataset.of !== button.dataset.metric;
    });
  }
  const chips = [...document.querySelectorAll("button[data-status]")];
  const update = () => filterModels(field, chips);
  field.addEventListener("input", update);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      update();
    });
  }
  document.getElementById("clear").addEventListener("click", () => {
    field.value = "";
    press(null, chips);
    update();
    field.focus();
  });
}

// Show the rows that hold every word, and one of the pressed statuses if any is pressed; what is folded opens for them.
function filterModels(field, chips) {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.status);
  const rows = [...document.querySelectorAll("tr.model")];
  let shown = 0;
  for (const row of rows) {
    const text = row.dataset.text.toLowerCase();
    const statuses = row.dataset.statuses.split(" ");
    const fits = words.every((word) => text.includes(word)) && (!wanted.length || wanted.some((status) => statuses.includes(status)));
    row.hidden = !fits;
    shown += Number(fits);
  }
  const holds = (node) => Boolean(node.querySelector("tr.model:not([hidden])"));
  for (const body of document.querySelectorAll(".matrix tbody")) body.hidden = !holds(body);
  for (const table of document.querySelectorAll(".matrix")) table.parentElement.hidden = !holds(table);
  for (const suite of document.querySelectorAll("details.suite")) {
    suite.hidden = !holds(suite);
    suite.open = holds(suite) && words.length + wanted.length > 0;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} rows`;
  document.getElementById("none").hidden = shown > 0;
}

function startSorting() {
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => sortBy(table, heads, column)));
  }
}

function sortBy(table, heads, column) {
  const up = heads[column].getAttribute("aria-sort") !== "ascending";
  heads.forEach((head, index) => head.setAttribute("aria-sort", index !== column ? "none" : up ? "ascending" : "descending"));
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, text: row.cells[column].textContent.trim() }));
  rows.sort((a, b) => {
    if (column === 0) return (up ? 1 : -1) * a.text.localeCompare(b.text, undefined, { numeric: true });
    if (a.text === "-" || b.text === "-") return Number(a.text === "-") - Number(b.text === "-");
    return (up ? 1 : -1) * (Number(a.text) - Number(b.text));
  });
  body.append(...rows.map((item) => item.row));
}

function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      say("copied");
      button.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "press Ctrl+C";
    }
  });
}

document.addEventListener("DOMContentLoaded", () => {
  startTheme();
  startMatrix();
  startSorting();
  startCopying();
});
