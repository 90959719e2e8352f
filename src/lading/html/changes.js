// The page of a plan or a diff.
const FEW = 25;  // so many changes are shown at once
const countNames = ["deleted", "updated", "inserted", "differing", "skipped", "unchanged", "failed"];

function section(id, heading, ...children) {
  byId("sections").append(element("li", {}, element("a", { href: "#" + id }, heading)));
  const title = element("h2", { id: id + "-heading" }, heading);
  const node = element("section", { id: id, "aria-labelledby": id + "-heading" }, title, ...children);
  byId("changes").append(node);
  return node;
}

function showCounts() {
  const names = countNames.filter((name) => data.counts.some(([, counts]) => counts[name]));
  const isChanged = ([, counts]) => Object.keys(counts).some((name) => name !== "unchanged");
  const rows = data.counts
    .filter(([, counts]) => Object.keys(counts).length)
    .map(([entity, counts]) => [
      plainText(entity),
      ...names.map((name) => element("td", { class: "number" }, counts[name] ? number(counts[name]) : "")),
    ]);
  byId("sections").append(element("li", {}, element("a", { href: "#summary" }, "By entity")));
  if (rows.length) byId("counts").append(table(["entity", ...names], rows));
  if (!data.counts.some(isChanged)) byId("counts").append(element("p", { class: "empty" }, "There is nothing to do."));
}

// How much a deleted record's lists hold: owned rows and links, which go with it, or arrays.
function along(record) {
  return pairsOf(record)
    .filter(([, value]) => isList(value) && elementsOf(value).length)
    .map(([name, value]) => name + ": " + number(isMarked(value, "$l") ? value.n : value.length))
    .join(", ");
}

function without(elements, others) {
  const counts = new Map();
  for (const other of others) counts.set(JSON.stringify(other), (counts.get(JSON.stringify(other)) || 0) + 1);
  return elements.filter((inner) => {
    const text = JSON.stringify(inner);
    const count = counts.get(text) || 0;
    if (count) counts.set(text, count - 1);
    return !count;
  });
}

function labelled(className, label, ...children) {
  return element("div", { class: className }, element("span", { class: "side" }, label), ...children);
}

function listChange(before, after) {
  const removed = without(elementsOf(before), elementsOf(after));
  const added = without(elementsOf(after), elementsOf(before));
  const box = element("div", {});
  if (!removed.length && !added.length) box.append(element("span", { class: "soft" }, "in another order, or beyond what is shown"));
  for (const inner of removed) box.append(labelled("before", "\u2212", shown(inner, [])));
  for (const inner of added) box.append(labelled("after", "+", shown(inner, [])));
  return box;
}

function fieldChange(before, after) {
  if (isList(before) && isList(after)) return listChange(before, after);
  if (isPairs(before) || isPairs(after) || isList(before) || isList(after)) {
    return element("div", {},
      labelled("before", "\u2212", isAbsent(before) ? "" : shown(before, [])),
      labelled("after", "+", isAbsent(after) ? "" : shown(after, [])));
  }
  const old = isAbsent(before) ? element("span", {}, "") : scalar(before, "del");
  const fresh = isAbsent(after) ? element("span", {}, "") : scalar(after, "ins");
  return element("div", {}, old, element("span", { class: "arrow", "aria-label": "becomes" }, " \u2192 "), fresh);
}

function updateFields(before, after) {
  const old = new Map(pairsOf(before));
  const fresh = new Map(pairsOf(after));
  const list = element("dl", { class: "fields" });
  for (const name of new Set([...fresh.keys(), ...old.keys()])) {
    list.append(element("dt", {}, plainText(name)), element("dd", {}, fieldChange(old.get(name), fresh.get(name))));
  }
  return list;
}

function fieldNames(before, after) {
  return [...new Set([...pairsOf(after), ...pairsOf(before)].map(([name]) => name))].join(", ");
}

function changeBox(action, entity, [key, before, after]) {
  const box = element("details", { class: action });
  const summary = element("summary", {},
    element("span", { class: "name" }, plainText(pairsOf(key).map(([, value]) => textOf(value)).join(" · "))),
    element("span", { class: "soft" }, plainText(entity)));
  if (action === "update") summary.append(element("span", { class: "end" }, plainText(fieldNames(before, after))));
  const rows = action === "delete" ? along(before) : "";
  if (rows) summary.append(element("span", { class: "end along" }, plainText("holds " + rows)));
  box.append(summary);
  box.addEventListener("toggle", () => {
    if (!box.open || box.children.length > 1) return;
    const inside = action === "update" ? updateFields(before, after) : shown(before || after, []);
    box.append(element("div", { class: "inside" }, inside));
  });
  box.dataset.text = [entity, key, before, after].map((value) => textOf(value === null ? [] : value)).join("\n").toLowerCase();
  return box;
}

function showPart(part) {
  if (!part.total) return;
  const node = section(part.action, part.heading + ": " + number(part.total));
  for (const group of part.groups) {
    const list = element("div", { class: "group" });
    for (const text of group.along) list.append(element("p", { class: "along" }, plainText("along with these: " + text)));
    for (const change of group.changes) list.append(changeBox(part.action, group.entity, change));
    const more = group.total - group.changes.length;
    if (more) {
      list.append(element("p", { class: "note" },
        "and " + counted(more, "other", "others") + " of ", plainText(group.entity), ", which this page doesn't hold"));
    }
    node.append(list);
  }
}

function showTexts(id, heading, texts, total) {
  if (!total) return;
  const items = texts.map((text) => element("li", {}, plainText(text)));
  const node = section(id, heading + ": " + number(total), element("ul", { class: "plainlist" }, ...items));
  if (total > texts.length) node.append(element("p", { class: "note" }, "and " + counted(total - texts.length, "other", "others")));
}

function filter() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const box of byId("changes").querySelectorAll("details")) {
    box.hidden = !words.every((word) => box.dataset.text.includes(word));
  }
}

showHeader();
const [deletes, ...others] = data.parts;
showPart(deletes);
showTexts("problems", "Problems", data.problems, data.problemTotal);
others.forEach(showPart);
showTexts("unchecked", "Not checked", data.unchecked, data.unchecked.length);
showCounts();
if (data.parts.reduce((sum, part) => sum + part.total, 0) <= FEW) {
  for (const box of byId("changes").querySelectorAll("details")) box.open = true;
}
byId("search").addEventListener("input", later(filter));
byId("open-all").addEventListener("click", () => {
  const boxes = [...byId("changes").querySelectorAll("details:not([hidden])")];
  const isOpening = boxes.some((box) => !box.open);
  for (const box of boxes) box.open = isOpening;
});
addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof Element && event.target.matches("input, select, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byId("search").focus();
  }
});
