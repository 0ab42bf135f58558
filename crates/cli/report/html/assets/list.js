/// The findings, by file. What is far from what is seen has a height, and no content.

// So many findings of a file are made at a time.
const CHUNK = 12;
// So many blocks are laid out together.
const GROUP = 40;
// Pixels, as far as nothing is known.
const HEIGHT = { head: 56, fixed: 330, withheld: 300, folded: 84 };
// More findings than these are not printed.
const PRINTED = 1000;

const list = { blocks: [], shown: [], at: new Map(), current: -1, folded: new Set(), allFolded: false };

// Blocks that are near to what is seen.
const observer = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.isIntersecting) renderBlock(entry.target.block);
  }
}, { rootMargin: "1500px 0px" });

const isFolded = (item) => list.allFolded !== list.folded.has(item.index);

function drawList(shown) {
  observer.disconnect();
  list.shown = shown;
  list.current = -1;
  list.at.clear();
  list.blocks = [];
  shown.forEach((item, index) => {
    let block = list.blocks.at(-1);
    if (!block || block.file !== item.file || block.items.length >= CHUNK) {
      const isFirst = !block || block.file !== item.file;
      block = { file: item.file, isFirst, items: [], element: null, rendered: false };
      list.blocks.push(block);
    }
    block.items.push(item);
    list.at.set(item.index, { block, index });
  });
  const perFile = new Map();
  for (const item of shown) perFile.set(item.file, (perFile.get(item.file) || 0) + 1);
  // Of a group that is far away the browser lays out nothing.
  const groups = [];
  let heights = 0;
  list.blocks.forEach((block, index) => {
    if (index % GROUP === 0) {
      groups.push(el("div", { class: "group" }));
      heights = 0;
    }
    block.count = perFile.get(block.file);
    const element = block.element = document.createElement("section");
    element.className = "block";
    element.block = block;
    let height = block.isFirst ? HEIGHT.head : 0;
    for (const item of block.items) {
      height += isFolded(item) ? HEIGHT.folded : item.fix ? HEIGHT.fixed : HEIGHT.withheld;
    }
    element.style.minHeight = `${height}px`;
    heights += height;
    groups.at(-1).append(element);
    groups.at(-1).style.containIntrinsicSize = `auto ${heights}px`;
  });
  $("list").replaceChildren(...groups);
  for (const block of list.blocks.slice(0, 3)) renderBlock(block);
  for (const block of list.blocks) observer.observe(block.element);
}

function renderBlock(block) {
  if (block.rendered) return;
  block.rendered = true;
  observer.unobserve(block.element);
  const file = data.files[block.file];
  const id = `file-${block.file}`;
  if (block.isFirst) {
    block.element.setAttribute("aria-labelledby", id);
    block.element.append(el("h3", { id, class: "file" },
      el("span", { class: "path" },
        el("span", { class: "root" }, brokenPath(ROOT)), brokenPath(file.path.slice(ROOT.length))),
      el("span", { class: "count" }, noun(block.count, "finding"))));
  }
  for (const item of block.items) block.element.append(card(item));
  block.element.style.minHeight = "";
}

// One finding.
function card(item) {
  const folded = isFolded(item);
  const file = data.files[item.file];
  const element = el("article", {
    class: `finding ${item.state}${folded ? " folded" : ""}`, tabindex: -1, id: `finding-${item.index}`,
    "aria-label": `${item.state}, ${item.codemod}, ${item.at}`,
    onfocusin: () => { setCurrent(item); },
  },
    el("div", { class: "head" },
      el("button", {
        type: "button", class: "fold", "aria-expanded": String(!folded), "aria-label": "The code",
        onclick: () => fold(item),
      }),
      el("span", { class: `chip ${item.state}`, title: STATE_HELP[item.state] }, item.state),
      item.severity === "error" ? el("span", { class: "chip error", title: "The target version no longer has it" }, "error") : null,
      el("p", { class: "message" }, prose(item.message)),
      el("button", { type: "button", class: "name quiet", title: "What the codemod does", onclick: () => explain(item.codemod) }, item.codemod),
      el("a", { class: "place", href: `#${toHash(item.place)}`, title: "Link to this finding", onclick: (event) => { event.preventDefault(); setCurrent(item); copy(item); } },
        item.at)),
    item.withheld === null ? null : el("p", { class: "reason" }, el("strong", null, "Withheld: "), prose(item.withheld)),
    folded ? null : item.fix ? diffTable(file, item) : excerptTable(file, item));
  return element;
}

// Opens or closes the code of a finding.
function fold(item) {
  toggle(list.folded, item.index);
  const element = $(`finding-${item.index}`);
  const inFold = element.contains(document.activeElement) && document.activeElement.className === "fold";
  const again = card(item);
  element.replaceWith(again);
  (inFold ? again.querySelector(".fold") : again).focus({ preventScroll: true });
}

function foldAll(folded) {
  list.allFolded = folded;
  list.folded.clear();
  drawList(list.shown);
}

function setCurrent(item) {
  const place = list.at.get(item.index);
  if (!place || place.index === list.current) return;
  document.querySelector(".finding.current")?.classList.remove("current");
  list.current = place.index;
  $(`finding-${item.index}`)?.classList.add("current");
}

// Goes to the finding at `index` of those that are shown.
function goTo(index) {
  if (!list.shown.length) return;
  const item = list.shown[Math.min(Math.max(index, 0), list.shown.length - 1)];
  const { block } = list.at.get(item.index);
  const number = list.blocks.indexOf(block);
  // What stands around it is made first, so that it does not move afterwards.
  for (const near of list.blocks.slice(Math.max(0, number - 2), number + 3)) renderBlock(near);
  setCurrent(item);
  const element = $(`finding-${item.index}`);
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "start" });
}

// Goes to the first finding of the next file, or of the one before.
function goToFile(step) {
  const current = list.shown[Math.max(list.current, 0)];
  if (!current) return;
  let index = Math.max(list.current, 0);
  const file = current.file;
  while (list.shown[index] && list.shown[index].file === file) index += step;
  if (!list.shown[index]) return;
  const other = list.shown[index].file;
  goTo(list.shown.findIndex((item) => item.file === other));
}

// All that is to be on paper.
function renderForPrint() {
  let left = PRINTED;
  for (const block of list.blocks) {
    block.element.classList.toggle("unprinted", left <= 0);
    if (left > 0) renderBlock(block);
    left -= block.items.length;
  }
  $("unprinted").textContent = left < 0 ? `${noun(-left, "finding")} more are not printed: choose fewer.` : "";
}
