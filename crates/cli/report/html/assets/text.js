"use strict";

/// Elements and text.

const $ = (id) => document.getElementById(id);

// el("p", {class: "x", onclick: f}, "text", child): null and false are left out.
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

// The same for drawings.
function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  fill(element, attributes, children);
  return element;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === false || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== false && child !== undefined) element.append(child);
  }
}

const number = (count) => count.toLocaleString("en");
const noun = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

// What is not seen, or turns the text around it: control and format characters, and halves of
// characters. escape.rs asks the same.
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu;

// The text with names for what is hidden in it.
function visible(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > end) parts.push(text.slice(end, match.index));
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(el("span", { class: "hidden-character", title: "a character that is not seen" }, `U+${code}`));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

// Text with backticks around code.
function prose(text) {
  return text.split("`").map((part, index) =>
    index % 2 ? el("code", null, ...visible(part)) : visible(part)).flat();
}

// A path that can be broken after each folder.
function brokenPath(path) {
  return path.split("/").flatMap((part, index) => index ? ["/", el("wbr"), ...visible(part)] : visible(part));
}

// Says it to those who do not see the page.
function say(text) {
  $("said").textContent = text;
}
