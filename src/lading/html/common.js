"use strict";
// What all pages share: elements made of plain text, and values shown as they are.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function element(name, options, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(options || {})) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

// Characters that a reader can't see, or that turn the direction of writing.
const UNSEEN = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb])/u;

function plain(text) {
  const node = document.createDocumentFragment();
  String(text).split(UNSEEN).forEach((part, place) => {
    if (place % 2) {
      const code = part.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      node.append(element("span", { class: "sign", title: "a character that can't be seen" }, "U+" + code));
    } else if (part) {
      node.append(part);
    }
  });
  return node;
}

function plainText(text) {
  const node = element("bdi", {});
  node.append(plain(text));
  return node;
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isMarked = (value, mark) => isObject(value) && Object.hasOwn(value, mark);
const isAbsent = (value) => value === undefined || isMarked(value, "$a");
const isPairs = (value) =>
  isObject(value) && !["$n", "$t", "$l", "$d", "$a"].some((mark) => Object.hasOwn(value, mark));
const pairsOf = (value) => (isMarked(value, "$o") ? value.$o : Object.entries(value));
const elementsOf = (value) => (Array.isArray(value) ? value : value.$l);
const isList = (value) => Array.isArray(value) || isMarked(value, "$l");
const number = (value) => value.toLocaleString("en");

function counted(count, singular, plural) {
  return number(count) + " " + (count === 1 ? singular : plural);
}

// A value as text, for lists of results and for searching.
function textOf(value) {
  if (isAbsent(value)) return "";
  if (value === null) return "null";
  if (isList(value)) return elementsOf(value).map(textOf).join(", ");
  if (!isObject(value)) return String(value);
  if (isMarked(value, "$n")) return value.$n;
  if (isMarked(value, "$t")) return value.$t;
  if (isMarked(value, "$d")) return "…";
  return pairsOf(value).map(([, inner]) => textOf(inner)).join(", ");
}

function scalar(value, tag) {
  tag = tag || "span";
  if (value === null) return element(tag, { class: "value null" }, "null");
  if (typeof value === "string") {
    return element(tag, { class: "value" }, value === "" ? "\u201c\u201d" : plainText(value));
  }
  if (isMarked(value, "$n")) return element(tag, { class: "value number" }, value.$n);
  if (isMarked(value, "$t")) {
    const rest = " … (" + number(value.n) + " characters)";
    return element(tag, { class: "value" }, plainText(value.$t), element("span", { class: "value cut" }, rest));
  }
  if (isMarked(value, "$d")) return element(tag, { class: "value cut" }, "nested deeper than is shown");
  return element(tag, { class: "value number" }, String(value));
}

// A value with what is in it.  `linked(path, value)` may return a link to show instead.
function shown(value, path, linked) {
  const link = linked && linked(path, value);
  if (link) return link;
  if (isList(value)) return shownList(value, path, linked);
  if (isPairs(value)) return shownObject(value, path, linked);
  return scalar(value);
}

function shownList(value, path, linked) {
  const elements = elementsOf(value);
  if (!elements.length) return element("span", { class: "value null" }, "none");
  const isShort = elements.every((inner) => !isList(inner) && (!isPairs(inner) || pairsOf(inner).length < 2));
  const list = element("ol", { class: "rows" });
  const chips = element("div", { class: "chips" });
  elements.forEach((inner, place) => {
    const node = shown(inner, path.concat(place), linked);
    if (isShort) chips.append(element("span", { class: "chip" }, node));
    else list.append(element("li", {}, node));
  });
  const box = element("div", {}, isShort ? chips : list);
  const more = isMarked(value, "$l") ? value.n - elements.length : 0;
  if (more) box.append(element("p", { class: "note" }, "and " + counted(more, "other", "others")));
  return box;
}

function shownObject(value, path, linked) {
  const pairs = pairsOf(value);
  if (!pairs.length) return element("span", { class: "value null" }, "{}");
  const list = element("dl", { class: "fields" });
  for (const [name, inner] of pairs) {
    list.append(
      element("dt", {}, plainText(name)),
      element("dd", {}, shown(inner, path.concat(name), linked)),
    );
  }
  const more = isMarked(value, "$o") ? value.n - pairs.length : 0;
  if (more) list.append(element("dt", {}, ""), element("dd", { class: "note" }, "and " + counted(more, "other", "others")));
  return list;
}

function table(headings, rows) {
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  const body = element("tbody", {});
  for (const row of rows) {
    body.append(element("tr", {}, ...row.map((cell) => (cell instanceof Node && cell.nodeName === "TD" ? cell : element("td", {}, cell)))));
  }
  return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), body));
}

function showHeader() {
  byId("title").append(plainText(data.title));
  for (const [label, text] of data.facts) {
    byId("facts").append(element("div", {}, element("dt", {}, label), element("dd", {}, plainText(text))));
  }
  for (const text of data.notes) byId("notes").append(element("p", { class: "note" }, plainText(text)));
}

function later(action) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, 120);
  };
}
