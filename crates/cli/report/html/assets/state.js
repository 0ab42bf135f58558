/// What is found, what is chosen of it, and how many there are of each kind.

const data = JSON.parse($("data").textContent);
const STATES = ["safe", "intended", "unsafe", "withheld"];
const STATE_HELP = {
  safe: "Nothing changes but the defect itself",
  intended: "Changes what its codemod exists to change",
  unsafe: "May change more than that: applied with --unsafe-fixes only",
  withheld: "Not rewritten, for a reason that a person has to weigh",
};

// Reasons that differ in the code, or in the places, that they name are of one kind.
const kindOfReason = (reason) => reason.replace(/`[^`]*`|\S+\.(pyw?|ipynb)\b(:\d+)*/g, "`…`");

// Every finding, in the order of the page.
const items = data.files.flatMap((file, order) => file.findings.map((item) => Object.assign(item, {
  file: order,
  state: item.fix ? item.fix.applicability : "withheld",
  kind: item.withheld === null ? null : kindOfReason(item.withheld),
  place: `${data.files[order].path}:${item.at}`,
})));
items.forEach((item, index) => { item.index = index; });

// The folder that holds all files, with a slash at its end; empty where there is none.
const ROOT = (() => {
  const folders = data.files.map((file) => file.path.split("/").slice(0, -1));
  const shared = folders[0] || [];
  let length = shared.length;
  for (const folder of folders) {
    let same = 0;
    while (same < length && folder[same] === shared[same]) same++;
    length = same;
  }
  return length ? shared.slice(0, length).join("/") + "/" : "";
})();

// What is chosen; empty is everything.
const chosen = { q: "", codemod: new Set(), state: new Set(), severity: "", reason: "", folder: "" };

// The parts of the choice, each with whether an item passes. `search` does last: it is slowest.
const FACETS = {
  codemod: (item) => !chosen.codemod.size || chosen.codemod.has(item.codemod),
  state: (item) => !chosen.state.size || chosen.state.has(item.state),
  severity: (item) => !chosen.severity || item.severity === chosen.severity,
  reason: (item) => !chosen.reason || item.kind === chosen.reason,
  folder: (item) => {
    const path = data.files[item.file].path;
    return !chosen.folder || path === chosen.folder || path.startsWith(chosen.folder + "/");
  },
};
const NAMES = Object.keys(FACETS);

// What the search looks into: made once, when it is first used.
function hay(item) {
  if (item.hay === undefined) {
    const file = data.files[item.file];
    const parts = [file.path, item.codemod, item.message, item.withheld || ""];
    const spans = item.fix ? [item.range, ...item.fix.edits.map((edit) => edit.range)] : [item.range];
    const rows = new Set();
    for (const [first, , last] of spans) for (let row = first; row <= last; row++) rows.add(row);
    for (const row of rows) parts.push(lineAt(file, row) || "");
    if (item.fix) for (const edit of item.fix.edits) parts.push(edit.content);
    item.hay = parts.join("\n").toLowerCase();
  }
  return item.hay;
}

// What passes, and what would if one part of the choice were given up: the counts beside the
// values of that part.
function selection() {
  const terms = chosen.q.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = [];
  const without = Object.fromEntries(NAMES.map((name) => [name, []]));
  for (const item of items) {
    let failed = null;
    let failures = 0;
    for (const name of NAMES) {
      if (!FACETS[name](item)) {
        failed = name;
        if (++failures > 1) break;
      }
    }
    if (failures > 1) continue;
    if (terms.length) {
      const text = hay(item);
      if (!terms.every((term) => text.includes(term))) continue;
    }
    if (failures) {
      without[failed].push(item);
    } else {
      shown.push(item);
      for (const name of NAMES) without[name].push(item);
    }
  }
  return { shown, without };
}

// How many of `list` have which key and state: key -> {safe, intended, unsafe, withheld, all}.
function tally(list, key) {
  const counts = new Map();
  for (const item of list) {
    const name = key(item);
    if (name === null) continue;
    let count = counts.get(name);
    if (!count) counts.set(name, count = { all: 0, safe: 0, intended: 0, unsafe: 0, withheld: 0 });
    count.all++;
    count[item.state]++;
  }
  return counts;
}

// The choice as the part of an address after its `#`, and back.
function toHash(at) {
  const fields = new URLSearchParams();
  if (chosen.q) fields.set("q", chosen.q);
  for (const name of ["codemod", "state"]) {
    if (chosen[name].size) fields.set(name, [...chosen[name]].join(","));
  }
  for (const name of ["severity", "reason", "folder"]) {
    if (chosen[name]) fields.set(name, chosen[name]);
  }
  if (at) fields.set("at", at);
  return fields.toString();
}

function fromHash(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const known = (name, values) =>
    new Set((fields.get(name) || "").split(",").filter((value) => values.includes(value)));
  chosen.q = fields.get("q") || "";
  chosen.codemod = known("codemod", data.codemods.map((codemod) => codemod.name));
  chosen.state = known("state", STATES);
  chosen.severity = ["error", "warning"].find((it) => it === fields.get("severity")) || "";
  chosen.reason = fields.get("reason") || "";
  chosen.folder = fields.get("folder") || "";
  return fields.get("at");
}

function clearChoice() {
  fromHash("");
}

const isChosen = () => toHash() !== "";
