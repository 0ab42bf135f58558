/// A fix as two columns: which lines stand beside each other, and what differs in them.

const CONTEXT = 3;
// A block of more cells than these is shown as removed and added lines; a line of more words is
// not compared word by word.
const CELLS = 40000;
const WORDS = 400;

// The line in a row of a file; none where it is not on the page.
function lineAt(file, row) {
  if (!file.byRow) {
    file.byRow = new Map();
    for (const stretch of file.lines) {
      stretch.lines.forEach((line, index) => file.byRow.set(stretch.row + index, line));
    }
  }
  return file.byRow.get(row);
}

// The cell of a notebook that holds a row, as [its number, the row before its first].
const cellAt = (file, row) => file.cells.findLast(([, before]) => before < row) || [0, 0];

// The parts of the file that a fix changes, with what stands around them: the first row, the lines
// before and after.
function hunks(file, edits) {
  const spans = [];
  for (const edit of edits) {
    const [first, , last] = edit.range;
    const span = spans.at(-1);
    // What stands around it is as far on the page as it is of the same cell.
    let start = first;
    let end = last;
    while (start > 1 && start > first - CONTEXT && lineAt(file, start - 1) !== undefined) start--;
    while (end < last + CONTEXT && lineAt(file, end + 1) !== undefined) end++;
    if (span && start <= span.end + 1) {
      span.end = Math.max(span.end, end);
      span.edits.push(edit);
    } else {
      spans.push({ start, end, edits: [edit] });
    }
  }
  let shift = 0;
  let cell = null;
  return spans.map(({ start, end, edits: own }) => {
    const before = [];
    for (let row = start; row <= end; row++) before.push(lineAt(file, row) ?? "");
    const after = edited(before, start, own).split("\n");
    // Rows of a cell are counted from its first.
    if (cell !== (cell = cellAt(file, start)[0])) shift = 0;
    const hunk = { row: start, newRow: start + shift, before, after };
    shift += after.length - before.length;
    // What follows the last line break is no line.
    if (end === file.rows && before.at(-1) === "" && after.at(-1) === "") {
      before.pop();
      after.pop();
    }
    return hunk;
  });
}

// The lines from row `start` on, edited: one text.
function edited(lines, start, edits) {
  const offsets = [];
  let offset = 0;
  for (const line of lines) {
    offsets.push(offset);
    offset += line.length + 1;
  }
  const at = (row, column) => offsets[row - start] + Math.min(column, lines[row - start].length);
  const text = lines.join("\n");
  const parts = [];
  let end = 0;
  for (const { range: [row, column, lastRow, lastColumn], content } of edits) {
    parts.push(text.slice(end, at(row, column)), content.replace(/\r\n?/g, "\n"));
    end = at(lastRow, lastColumn);
  }
  parts.push(text.slice(end));
  return parts.join("");
}

// Pairs of lines: [index before, index after], either may be null.
function align(before, after) {
  const pairs = [];
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) {
    pairs.push([start, start]);
    start++;
  }
  let same = 0;
  while (
    same < before.length - start && same < after.length - start &&
    before[before.length - 1 - same] === after[after.length - 1 - same]
  ) same++;
  const rows = before.length - same - start;
  const columns = after.length - same - start;
  pairs.push(...matched(before.slice(start, start + rows), after.slice(start, start + columns))
    .map(([one, other]) => [one === null ? null : one + start, other === null ? null : other + start]));
  for (let index = same; index > 0; index--) pairs.push([before.length - index, after.length - index]);
  return pairs;
}

// The same where nothing is known to be equal: the pairs that are most alike, in order.
function matched(before, after) {
  const rows = before.length;
  const columns = after.length;
  if (rows * columns > CELLS || !rows || !columns) {
    return [...before.map((_, index) => [index, null]), ...after.map((_, index) => [null, index])];
  }
  const bags = after.map(words);
  const best = Array.from({ length: rows + 1 }, () => new Float32Array(columns + 1));
  const likeness = before.map((line) => {
    const bag = words(line);
    return after.map((other, index) => line === other ? (line.trim() ? 1.5 : 0.3) : alike(bag, bags[index]));
  });
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      best[row][column] = Math.max(
        best[row + 1][column], best[row][column + 1], best[row + 1][column + 1] + likeness[row][column]);
    }
  }
  const pairs = [];
  let row = 0;
  let column = 0;
  while (row < rows || column < columns) {
    if (row < rows && column < columns && likeness[row][column] > 0 &&
      best[row][column] === Math.fround(best[row + 1][column + 1] + likeness[row][column])) {
      pairs.push([row++, column++]);
    } else if (row < rows && (column === columns || best[row][column] === best[row + 1][column])) {
      pairs.push([row++, null]);
    } else {
      pairs.push([null, column++]);
    }
  }
  return pairs;
}

const words = (line) => line.match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || [];

// From 0 to 1: the share of words that both lines have; 0 where that is by chance.
function alike(one, other) {
  if (!one.length || !other.length) return 0;
  const counts = new Map();
  for (const word of one) counts.set(word, (counts.get(word) || 0) + 1);
  let shared = 0;
  for (const word of other) {
    const left = counts.get(word) || 0;
    // A bracket says less than a name.
    if (left) shared += /[\p{L}\p{N}_]/u.test(word) ? 2 : 1;
    if (left) counts.set(word, left - 1);
  }
  const weight = (all) => all.reduce((sum, word) => sum + (/[\p{L}\p{N}_]/u.test(word) ? 2 : 1), 0);
  const share = (2 * shared) / (weight(one) + weight(other));
  return share > 0.35 ? share : 0;
}

// Two lines as parts [text, whether it differs], for each.
function compared(before, after) {
  let indent = 0;
  while (indent < before.length && before[indent] === after[indent] && /\s/.test(before[indent])) indent++;
  const split = (line) => [line.slice(0, indent), ...line.slice(indent).match(/[\p{L}\p{N}_]+|\s+|[^\s\p{L}\p{N}_]/gu) || []];
  const one = split(before);
  const other = split(after);
  if (one.length > WORDS || other.length > WORDS) return [[[before, true]], [[after, true]]];
  const best = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let row = one.length - 1; row >= 0; row--) {
    for (let column = other.length - 1; column >= 0; column--) {
      best[row][column] = one[row] === other[column]
        ? best[row + 1][column + 1] + 1
        : Math.max(best[row + 1][column], best[row][column + 1]);
    }
  }
  const left = [];
  const right = [];
  const push = (parts, text, differs) => {
    const last = parts.at(-1);
    if (last && last[1] === differs) last[0] += text;
    else parts.push([text, differs]);
  };
  let row = 0;
  let column = 0;
  while (row < one.length || column < other.length) {
    if (row < one.length && column < other.length && one[row] === other[column]) {
      push(left, one[row++], false);
      push(right, other[column++], false);
    } else if (column < other.length && (row === one.length || best[row][column + 1] >= best[row + 1][column])) {
      push(right, other[column++], true);
    } else {
      push(left, one[row++], true);
    }
  }
  return [joined(left), joined(right)];
}

// A blank between two parts that differ is read with them.
function joined(parts) {
  const result = [];
  parts.forEach(([text, differs], index) => {
    const between = !differs && !text.trim() && index > 0 && index < parts.length - 1;
    const last = result.at(-1);
    if (last && last[1] === (differs || between)) last[0] += text;
    else result.push([text, differs || between]);
  });
  return result;
}

// The cells of a line: its number and its text, whose parts that differ are in `tag`.
function cells(row, parts, kind, tag) {
  if (row === null) return [el("td", { class: "row" }), el("td", { class: "code none" })];
  return [
    el("td", { class: `row ${kind}` }, String(row)),
    el("td", { class: `code ${kind}` }, parts.map(([text, differs]) =>
      differs ? el(tag, null, ...visible(text)) : visible(text)).flat()),
  ];
}

const columns = (...names) => el("colgroup", null, ...names.map((name) => el("col", { class: name })));

// The diff of a finding's fix.
function diffTable(file, item) {
  const body = el("tbody");
  const all = hunks(file, item.fix.edits);
  all.forEach((hunk, index) => {
    const [cell, above] = cellAt(file, hunk.row);
    if (index || cell) {
      body.append(el("tr", { class: "gap" }, el("td", { colspan: 4 }, cell ? `cell ${cell}` : "⋯")));
    }
    for (const [one, other] of align(hunk.before, hunk.after)) {
      const before = one === null ? null : hunk.before[one];
      const after = other === null ? null : hunk.after[other];
      const row = one === null ? null : hunk.row + one - above;
      const newRow = other === null ? null : hunk.newRow + other - above;
      if (before === after) {
        body.append(el("tr", { class: "same" },
          cells(row, [[before, false]], ""), cells(newRow, [[after, false]], "")));
        continue;
      }
      const [left, right] = before === null || after === null
        ? [[[before, false]], [[after, false]]]
        : compared(before, after);
      body.append(el("tr", null, cells(row, left, "removed", "del"), cells(newRow, right, "added", "ins")));
    }
  });
  return el("table", { class: "diff" },
    el("caption", { class: "hidden" }, "The rewrite: before at the left, after at the right"),
    columns("row", "code", "row", "code"),
    el("thead", { class: "hidden" }, el("tr", null,
      el("th", { scope: "col" }, "Row"), el("th", { scope: "col" }, "Before"),
      el("th", { scope: "col" }, "Row"), el("th", { scope: "col" }, "After"))),
    body);
}

// The lines of a finding that has no fix, with the finding marked.
function excerptTable(file, item) {
  const [first, from, last, to] = item.range;
  const body = el("tbody");
  const [, above] = cellAt(file, first);
  for (let row = Math.max(1, first - CONTEXT, above + 1); row <= last + CONTEXT; row++) {
    const line = lineAt(file, row);
    if (line === undefined) {
      if (row <= last) body.append(el("tr", { class: "gap" }, el("td", { colspan: 2 }, "⋯")));
      break;
    }
    if (row === file.rows && line === "") break;
    const start = row === first ? from : row > first && row <= last ? line.search(/\S|$/) : line.length;
    const end = row === last ? to : row >= first && row < last ? line.length : start;
    const marked = end > start;
    body.append(el("tr", marked ? { class: "marked" } : null,
      el("td", { class: "row" }, String(row - above)),
      el("td", { class: "code" }, ...visible(line.slice(0, start)),
        marked ? el("mark", null, ...visible(line.slice(start, end))) : null,
        ...visible(line.slice(Math.max(start, end))))));
  }
  return el("table", { class: "diff excerpt" },
    el("caption", { class: "hidden" }, "The code"),
    columns("row", "code"),
    el("thead", { class: "hidden" }, el("tr", null,
      el("th", { scope: "col" }, "Row"), el("th", { scope: "col" }, "Code"))),
    body);
}
