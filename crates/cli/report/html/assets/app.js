/// The filters, the keys, and what holds it together.

const SEARCH_DELAY = 60;
let searchTimer = 0;

// Anything that is chosen anew ends here.
function update({ at, keepHash } = {}) {
  // What was typed last is looked for here.
  clearTimeout(searchTimer);
  const found = selection();
  for (const name of Object.keys(charts)) drawChart(name, found);
  drawFilters(found);
  drawList(found.shown);
  const files = new Set(found.shown.map((item) => item.file)).size;
  const text = found.shown.length === items.length
    ? `${noun(items.length, "finding")} in ${noun(files, "file")}`
    : `${number(found.shown.length)} of ${noun(items.length, "finding")} in ${noun(files, "file")}`;
  $("count").textContent = text;
  say(text);
  $("nothing").hidden = found.shown.length > 0;
  if (!keepHash) storeHash(toHash());
  if (at) {
    const index = found.shown.findIndex((item) => item.place === at);
    if (index >= 0) goTo(index);
  } else {
    // Who chose something from the middle of the list sees the beginning of the new one.
    const top = $("filters").getBoundingClientRect().top;
    if (top <= 0 && $("findings").getBoundingClientRect().top < top) $("findings").scrollIntoView();
  }
}

function storeHash(hash) {
  try {
    history.replaceState(null, "", hash ? `#${hash}` : "#");
  } catch {
    // A page in a frame without an address has none to change.
  }
}

function option(value, text, count) {
  return el("option", { value }, count === undefined ? text : `${text} (${number(count)})`);
}

function makeFilters() {
  const select = (id, label, change) => el("label", { class: "field" }, el("span", null, label),
    el("select", { id, onchange: (event) => { change(event.target.value); update(); } }));
  $("filters").append(
    el("div", { class: "row1" },
      el("label", { class: "field search" }, el("span", { class: "hidden" }, "Search"),
        el("input", {
          type: "search", id: "q", placeholder: "Search ( / )", title: "Path, message, reason, code: all words have to be there", autocomplete: "off", spellcheck: "false",
          oninput: (event) => {
            clearTimeout(searchTimer);
            chosen.q = event.target.value.trim();
            searchTimer = setTimeout(update, SEARCH_DELAY);
          },
        })),
      el("div", { class: "states", role: "group", "aria-label": "State", id: "states" }),
      select("codemod", "Codemod", (value) => { chosen.codemod = new Set(value ? [value] : []); }),
      select("folder", "Package", (value) => { chosen.folder = value; }),
      select("severity", "Severity", (value) => { chosen.severity = value; })),
    el("div", { class: "row2" },
      el("p", { id: "count", class: "count" }),
      el("div", { id: "chosen", class: "chosen", role: "group", "aria-label": "Chosen" }),
      el("div", { class: "actions" },
        el("button", { type: "button", class: "quiet", id: "fold-all", onclick: () => {
          foldAll(!list.allFolded);
          $("fold-all").textContent = list.allFolded ? "Show code" : "Hide code";
        } }, "Hide code"),
        el("button", { type: "button", class: "quiet", id: "copy", onclick: () => copy(null) }, "Copy link"))));
}

function drawFilters({ shown, without }) {
  if ($("q").value.trim() !== chosen.q) $("q").value = chosen.q;
  const states = tally(without.state, (item) => item.state);
  const focused = document.activeElement?.dataset?.state;
  $("states").replaceChildren(...STATES.map((state) => el("button", {
    type: "button", class: `toggle ${state}`, "data-state": state, "aria-pressed": String(chosen.state.has(state)),
    title: STATE_HELP[state], onclick: () => { toggle(chosen.state, state); update(); },
  }, el("i", { class: `dot ${state}` }), `${state} `, el("b", null, number(states.get(state)?.all || 0)))));
  if (focused) $("states").querySelector(`[data-state="${focused}"]`)?.focus();

  const codemods = tally(without.codemod, (item) => item.codemod);
  const several = chosen.codemod.size > 1;
  $("codemod").replaceChildren(
    option("", several ? `${chosen.codemod.size} chosen` : "All"),
    ...data.codemods.map(({ name }) => option(name, name, codemods.get(name)?.all || 0)));
  $("codemod").value = chosen.codemod.size === 1 ? [...chosen.codemod][0] : "";

  const top = (item) => {
    const path = data.files[item.file].path;
    return ROOT + path.slice(ROOT.length).split("/")[0];
  };
  const folders = tally(without.folder, top);
  const names = [...new Set(items.map(top))].sort();
  if (chosen.folder && !names.includes(chosen.folder)) names.unshift(chosen.folder);
  $("folder").replaceChildren(option("", "All"),
    ...names.map((name) => option(name, name.slice(ROOT.length), folders.get(name)?.all)));
  $("folder").value = chosen.folder;

  const severities = tally(without.severity, (item) => item.severity);
  $("severity").replaceChildren(option("", "All"),
    ...["error", "warning"].map((name) => option(name, name, severities.get(name)?.all || 0)));
  $("severity").value = chosen.severity;

  const pill = (label, text, drop) => el("button", {
    type: "button", class: "pill", "aria-label": `Give up ${label} ${text}`, onclick: () => { drop(); update(); $("q").focus(); },
  }, `${label}: `, el("b", null, ...prose(text)), " ✕");
  $("chosen").replaceChildren(
    ...(chosen.q ? [pill("search", chosen.q, () => { chosen.q = ""; })] : []),
    ...[...chosen.state].map((value) => pill("state", value, () => chosen.state.delete(value))),
    ...[...chosen.codemod].map((value) => pill("codemod", value, () => chosen.codemod.delete(value))),
    ...(chosen.folder ? [pill("package", chosen.folder, () => { chosen.folder = ""; })] : []),
    ...(chosen.severity ? [pill("severity", chosen.severity, () => { chosen.severity = ""; })] : []),
    ...(chosen.reason ? [pill("reason", chosen.reason, () => { chosen.reason = ""; })] : []),
    ...(isChosen() ? [el("button", { type: "button", class: "quiet", id: "clear", onclick: () => { clearChoice(); update(); $("q").focus(); } }, "Clear all")] : []));
}

// Copies the address of what is chosen, or of one finding.
async function copy(item) {
  const hash = toHash(item && item.place);
  storeHash(hash);
  const address = location.href.split("#")[0] + (hash ? `#${hash}` : "");
  let done = true;
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    // Not every browser lets a local page do so: the old way.
    const field = el("textarea", { class: "hidden", "aria-hidden": "true" });
    field.value = address;
    document.body.append(field);
    field.select();
    done = document.execCommand("copy");
    field.remove();
  }
  toast(done ? "The link is copied" : "The link is in the address bar");
}

let toastTimer = 0;
function toast(text) {
  say(text);
  document.querySelector(".toast")?.remove();
  const element = el("div", { class: "toast", "aria-hidden": "true" }, text);
  document.body.append(element);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => element.remove(), 2000);
}

function openDialog(title, ...content) {
  const dialog = $("dialog");
  if (dialog.open) dialog.close();
  dialog.replaceChildren(
    el("div", { class: "dialog-head" }, el("h2", { id: "dialog-title" }, title),
      el("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => dialog.close() }, "✕")),
    ...content);
  dialog.showModal();
}

// The first words of a codemod's page.
function explain(name) {
  const codemod = data.codemods.find((it) => it.name === name);
  if (!codemod) return;
  const counts = tally(items, (item) => item.codemod).get(name);
  const versions = [
    codemod.deprecated && `deprecated since Python ${codemod.deprecated}`,
    codemod.removed && `removed in Python ${codemod.removed}`,
  ].filter(Boolean).join(", ");
  openDialog(name,
    el("p", { class: "summary" }, prose(codemod.summary)),
    el("h3", null, "Effect"), el("p", null, prose(codemod.effect)),
    versions && el("p", null, `What it replaces is ${versions}.`),
    el("h3", null, "In this report"),
    el("p", null, STATES.filter((state) => counts[state]).map((state) => `${number(counts[state])} ${state}`).join(", ")),
    el("p", null, "The whole page: ", el("code", null, `asyncfix explain ${name}`)),
    el("p", null, el("button", { type: "button", onclick: () => {
      $("dialog").close();
      chosen.codemod = new Set([name]);
      update();
    } }, "Show only these findings")));
}

const KEYS = [
  ["/", "search", () => { $("q").focus(); $("q").select(); }],
  ["j", "next finding", () => goTo(list.current + 1)],
  ["k", "finding before", () => goTo(list.current - 1)],
  ["J", "next file", () => goToFile(1)],
  ["K", "file before", () => goToFile(-1)],
  ["Enter", "show or hide the code of the finding", () => withCurrent(fold)],
  ["e", "explain its codemod", () => withCurrent((item) => explain(item.codemod))],
  ["c", "copy the link to it", () => copy(list.shown[list.current] || null)],
  ["x", "show or hide the code of all", () => $("fold-all").click()],
  ["d", "dark or light", () => $("theme").click()],
  ["Esc", "leave the search, then clear the filters", null],
  ["?", "this list", () => help()],
];

function withCurrent(action) {
  const item = list.shown[list.current];
  if (item) action(item);
}

function help() {
  openDialog("Keys", el("dl", { class: "keys" }, ...KEYS.map(([key, what]) =>
    el("div", null, el("dt", null, el("kbd", null, key)), el("dd", null, what)))));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog").open) return;
  const target = event.target;
  const isField = target.matches?.("input[type=search], select, textarea");
  if (event.key === "Escape") {
    if (isField) target.blur();
    else if (isChosen()) {
      clearChoice();
      update();
    }
    return;
  }
  if (isField) {
    if (event.key === "Enter" && target.id === "q") {
      update();
      goTo(0);
    }
    return;
  }
  // Enter presses what has the focus, if that can be pressed.
  if (event.key === "Enter" && target.closest?.("button, a, summary, input")) return;
  const known = KEYS.find(([key, , action]) => key === event.key && action);
  if (!known) return;
  event.preventDefault();
  known[2]();
}

function makeTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  const draw = () => { $("theme").textContent = isDark() ? "Light" : "Dark"; };
  $("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("asyncfix-theme", root.dataset.theme);
    } catch {
      // It holds as long as the page is open.
    }
    draw();
  });
  system.addEventListener("change", draw);
  draw();
}

function start() {
  for (const element of document.querySelectorAll(".script[hidden]")) element.hidden = false;
  const time = new Date(data.about.time * 1000);
  $("time").textContent = time.toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
  $("time").setAttribute("datetime", time.toISOString());
  makeTheme();
  $("help").addEventListener("click", help);
  $("dialog").addEventListener("click", (event) => { if (event.target === $("dialog")) $("dialog").close(); });
  if (!items.length) {
    $("charts").hidden = $("filters").hidden = true;
    $("findings").append(el("p", { class: "none" }, data.failures.some((failure) => !failure.analysed)
      ? "Nothing was found in the files that could be analysed."
      : "Nothing was found."));
    return;
  }
  makeCharts();
  makeFilters();
  $("findings").append(
    el("p", { id: "nothing", class: "none", hidden: true }, "No finding is chosen by all of these filters. ",
      el("button", { type: "button", class: "quiet", onclick: () => { clearChoice(); update(); } }, "Clear all")),
    el("div", { id: "list" }),
    el("p", { id: "unprinted", class: "on-paper" }));
  document.addEventListener("keydown", onKey);
  addEventListener("hashchange", () => update({ at: fromHash(location.hash), keepHash: true }));
  addEventListener("beforeprint", renderForPrint);
  update({ at: fromHash(location.hash), keepHash: true });
}

start();
