/// Charts: tables whose rows have a bar, and filter when they are pressed.

// So many rows of a chart are shown at first.
const BARS = 8;
const opened = new Set();

const charts = {
  codemod: {
    title: "By codemod",
    rows: (without) => ranked(tally(without, (item) => item.codemod)),
    label: (key) => el("span", null, key),
    isOn: (key) => chosen.codemod.has(key),
    press: (key) => toggle(chosen.codemod, key),
  },
  folder: {
    title: "By package",
    rows: folderRows,
    label: (key, text) => el("span", { class: "path" }, brokenPath(text)),
    isOn: (key) => chosen.folder === key,
    press: (key) => { chosen.folder = chosen.folder === key ? parentFolder(key) : key; },
  },
  reason: {
    title: "By reason withheld",
    rows: (without) => ranked(tally(without, (item) => item.kind)),
    label: (key) => el("span", { class: "reason-kind", title: key.replaceAll("`", "") }, prose(key)),
    isOn: (key) => chosen.reason === key,
    press: (key) => { chosen.reason = chosen.reason === key ? "" : key; },
  },
};

function toggle(set, value) {
  if (!set.delete(value)) set.add(value);
}

// Rows {key, text, count}, the most first.
function ranked(counts) {
  const rows = [...counts].map(([key, count]) => ({ key, text: key, count }));
  return rows.sort((one, other) => other.count.all - one.count.all || (one.key < other.key ? -1 : 1));
}

// What lies in the folder that is chosen: its folders and files.
function folderRows(without, shown) {
  let base = chosen.folder ? chosen.folder + "/" : ROOT;
  const isFile = data.files.some((file) => file.path === chosen.folder);
  if (isFile) base = base.slice(0, -1).replace(/[^/]*$/, "");
  const key = (item) => {
    const path = data.files[item.file].path;
    const part = path.slice(base.length).split("/")[0];
    return base + part;
  };
  const rows = ranked(tally(shown, key));
  const files = new Set(shown.map((item) => data.files[item.file].path));
  for (const row of rows) {
    row.text = row.key.slice(base.length) + (files.has(row.key) ? "" : "/");
  }
  return rows;
}

// The folder above, as far as there is a choice.
function parentFolder(folder) {
  const parent = folder.replace(/\/?[^/]*$/, "");
  return parent.length < ROOT.length ? "" : parent;
}

// A bar of the four states, of `width` percent.
function bar(count, share) {
  const drawing = svg("svg", { class: "stack", viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  let x = 0;
  for (const state of STATES) {
    if (!count[state]) continue;
    const width = Math.max(4, 1000 * share * count[state] / count.all);
    drawing.append(svg("rect", { class: state, x: x.toFixed(1), y: 0, width: width.toFixed(1), height: 10 }));
    x += width;
  }
  return drawing;
}

function drawChart(name, { shown, without }) {
  const chart = charts[name];
  const figure = $(`chart-${name}`);
  const rows = chart.rows(without[name], shown);
  const most = rows.length ? Math.max(...rows.map((row) => row.count.all)) : 1;
  const isOpen = opened.has(name);
  const body = el("tbody");
  rows.forEach((row, index) => {
    const isOn = chart.isOn(row.key);
    if (index >= BARS && !isOpen && !isOn) return;
    const press = () => {
      chart.press(row.key);
      update();
      const again = [...$(`chart-${name}`).querySelectorAll("button[data-key]")];
      (again.find((button) => button.dataset.key === row.key) || again[0])?.focus();
    };
    body.append(el("tr", { class: isOn ? "on" : null },
      el("th", { scope: "row" },
        el("button", { type: "button", "aria-pressed": String(isOn), "data-key": row.key, onclick: press },
          chart.label(row.key, row.text), bar(row.count, row.count.all / most))),
      ...STATES.map((state) => el("td", { class: "number state" }, number(row.count[state]))),
      el("td", { class: "number" }, number(row.count.all))));
  });
  const more = rows.length - BARS;
  figure.replaceChildren(
    el("h2", { id: `chart-${name}-title` }, chart.title),
    name === "folder" ? trail() : "",
    rows.length
      ? el("table", { class: "bars", "aria-labelledby": `chart-${name}-title` },
        el("thead", null, el("tr", null, el("th", { scope: "col" }, chart.title.slice(3)),
          ...STATES.map((state) => el("th", { scope: "col", class: "state" }, state)),
          el("th", { scope: "col" }, "all"))),
        body)
      : el("p", { class: "none" }, "None of what is chosen."),
    more > 0
      ? el("button", {
        type: "button", class: "quiet", "aria-expanded": String(isOpen),
        onclick: () => {
          toggle(opened, name);
          drawChart(name, { shown, without });
          $(`chart-${name}`).querySelector("button.quiet").focus();
        },
      }, isOpen ? "Show fewer" : `Show ${number(more)} more`)
      : "");
}

// The way from the root to the folder that is chosen.
function trail() {
  if (!chosen.folder) return "";
  const parts = chosen.folder.slice(ROOT.length).split("/");
  const go = (folder) => () => {
    chosen.folder = folder;
    update();
  };
  return el("p", { class: "trail" },
    el("button", { type: "button", class: "quiet", onclick: go("") }, "all"),
    ...parts.flatMap((part, index) => [" / ", index === parts.length - 1
      ? el("strong", null, ...visible(part))
      : el("button", { type: "button", class: "quiet", onclick: go(ROOT + parts.slice(0, index + 1).join("/")) }, ...visible(part))]));
}

function makeCharts() {
  $("charts").append(
    el("div", { class: "legend" },
      ...STATES.map((state) => el("span", { title: STATE_HELP[state] }, el("i", { class: `dot ${state}` }), state)),
      el("label", null, el("input", {
        type: "checkbox",
        onchange: (event) => $("charts").classList.toggle("numbers", event.target.checked),
      }), " as tables")),
    ...Object.keys(charts).map((name) => el("section", { id: `chart-${name}`, class: "chart", "aria-labelledby": `chart-${name}-title` })));
  const all = { all: 0, safe: 0, intended: 0, unsafe: 0, withheld: 0 };
  for (const item of items) {
    all.all++;
    all[item.state]++;
  }
  if (items.length) $("share").append(bar(all, 1));
}
