// The report of a bundle or database.
const entities = data.entities;
const placeOf = new Map(entities.map((entity, place) => [entity.name, place]));
const MOST_RESULTS = 200;

// Who refers to a record: by "entity.record", the places and paths of those that do.
const referrers = new Map();
entities.forEach((entity, place) => {
  entity.links.forEach((links, row) => {
    for (const [path, [toEntity, toRow]] of Object.entries(links)) {
      const key = toEntity + "." + toRow;
      if (!referrers.has(key)) referrers.set(key, []);
      referrers.get(key).push([place, row, path]);
    }
  });
});

const recordHref = (place, row) => "#record-" + entities[place].anchor + "-" + row;

function keyText(place, row) {
  const entity = entities[place];
  const parts = entity.key.map((name) => entity.rows[row][entity.columns.indexOf(name)]);
  const text = parts.map(textOf).join(" · ");
  return text || "record " + (row + 1);
}

function recordLink(place, row, text) {
  return element("a", { href: recordHref(place, row) }, plainText(text || keyText(place, row)));
}

// Entities

function entityLink(name) {
  const place = placeOf.get(name);
  if (place === undefined) return plainText(name);
  return element("a", { href: "#entity-" + entities[place].anchor }, plainText(name));
}

const formText = { required: "required", optional: "optional", links: "list" };

function referenceRows(entity, isCounted) {
  return entity.references.map((reference) => [
    element("td", { class: "path" }, plainText(reference.path)),
    entityLink(reference.to),
    [formText[reference.form], reference.deferred ? "deferred" : ""].filter(Boolean).join(", "),
    ...(isCounted ? [element("td", { class: "number" }, number(reference.links || 0))] : []),
  ]);
}

function entityDetails(entity, place) {
  const inside = element("div", { class: "inside" });
  if (entity.rows.length) {
    const all = element("a", { href: "#records", "data-show": place }, "Show its records");
    inside.append(element("p", {}, all));
  }
  for (const text of entity.choices) inside.append(element("p", { class: "note" }, plainText(text)));
  const fields = entity.fields.map(([depth, name, type, notes]) => [
    element("td", { class: "path d" + Math.min(depth, 3) }, plainText(name)), plainText(type), plainText(notes),
  ]);
  inside.append(element("h4", {}, "Fields"), table(["field", "type", ""], fields));
  if (entity.references.length) {
    const isCounted = entity.references.some((reference) => reference.links !== null);
    const headings = ["field", "to", "", ...(isCounted ? ["links"] : [])];
    inside.append(element("h4", {}, "References"), table(headings, referenceRows(entity, isCounted)));
  }
  const others = entities.flatMap((other) =>
    other.references.filter((reference) => reference.to === entity.name).map((reference) => [
      entityLink(other.name), element("td", { class: "path" }, plainText(reference.path)),
      [formText[reference.form], reference.deferred ? "deferred" : ""].filter(Boolean).join(", "),
    ]));
  if (others.length) inside.append(element("h4", {}, "Referred to by"), table(["entity", "field", ""], others));
  return inside;
}

function showEntities() {
  entities.forEach((entity, place) => {
    const box = element("details", { id: "entity-" + entity.anchor });
    box.append(element("summary", {},
      element("span", { class: "soft place" }, String(place + 1)),
      element("span", { class: "name" }, plainText(entity.name)),
      element("span", { class: "soft" }, plainText("key " + entity.key.join(", "))),
      element("span", { class: "end" }, counted(entity.total, "record", "records"))));
    // Filled when it is first opened: a page may have hundreds.
    box.addEventListener("toggle", () => {
      if (box.open && box.children.length === 1) box.append(entityDetails(entity, place));
    });
    byId("entity-list").append(box);
  });
}

function filterEntities() {
  const wanted = byId("entity-filter").value.trim().toLowerCase();
  entities.forEach((entity, place) => {
    const names = [entity.name, ...entity.key, ...entity.fields.map((field) => field[1])];
    byId("entity-list").children[place].hidden = !names.some((name) => name.toLowerCase().includes(wanted));
  });
}

// Records

const haystacks = new Map();
function haystack(place, row) {
  const key = place + "." + row;
  if (!haystacks.has(key)) haystacks.set(key, entities[place].rows[row].map(textOf).join("\n").toLowerCase());
  return haystacks.get(key);
}

let current = null;

function search() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const choice = byId("entity-choice").value;
  const places = choice === "" ? entities.keys() : [Number(choice)];
  const list = byId("results");
  list.replaceChildren();
  let count = 0;
  for (const place of places) {
    for (let row = 0; row < entities[place].rows.length; row++) {
      if (!words.every((word) => haystack(place, row).includes(word))) continue;
      count += 1;
      if (count <= MOST_RESULTS) {
        const link = recordLink(place, row);
        if (choice === "") link.append(element("span", { class: "soft" }, plainText(entities[place].name)));
        if (current && current[0] === place && current[1] === row) link.setAttribute("aria-current", "true");
        list.append(element("li", {}, link));
      }
    }
  }
  const more = count > MOST_RESULTS ? ", of which " + MOST_RESULTS + " are listed" : "";
  let text = counted(count, "record", "records") + more;
  if (choice !== "" && entities[choice].withheld) text = "Its hidden values can't be told from others; no record is shown.";
  else if (choice !== "" && entities[choice].rows.length < entities[choice].total) {
    text += " (" + number(entities[choice].rows.length) + " of " + number(entities[choice].total) + " are in this page)";
  }
  byId("result-count").textContent = text;
}

function showRecord(place, row, isAsked) {
  current = [place, row];
  const entity = entities[place];
  const links = entity.links[row];
  const linked = (path, value) => {
    const target = links[path.join("\u001f")];
    return target ? recordLink(target[0], target[1], textOf(value)) : null;
  };
  const fields = element("dl", { class: "fields" });
  entity.columns.forEach((name, column) => {
    const value = entity.rows[row][column];
    if (isAbsent(value)) return;
    fields.append(element("dt", {}, plainText(name)), element("dd", {}, shown(value, [name], linked)));
  });
  const box = byId("record");
  box.replaceChildren(
    element("h3", {}, entityLink(entity.name), " \u203a ", plainText(keyText(place, row))), fields);
  showReferrers(box, place, row);
  for (const link of byId("results").querySelectorAll("a")) {
    if (link.getAttribute("href") === recordHref(place, row)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  if (isAsked) {
    box.focus({ preventScroll: true });
    (matchMedia("(max-width: 45rem)").matches ? box : byId("records")).scrollIntoView();
  }
}

function showReferrers(box, place, row) {
  const places = referrers.get(place + "." + row) || [];
  const groups = new Map();
  for (const [from, record, path] of places) {
    const field = path.split("\u001f").filter((part) => !/^\d+$/.test(part)).join(".");
    const label = entities[from].name + " (" + field + ")";
    if (!groups.has(label)) groups.set(label, []);
    groups.get(label).push([from, record]);
  }
  box.append(element("h4", {}, places.length ? "Referred to by" : "No record in this page refers to it"));
  for (const [label, records] of groups) {
    const items = records.slice(0, MOST_RESULTS).map(([from, record]) => element("li", {}, recordLink(from, record)));
    const more = records.length - items.length;
    box.append(element("p", { class: "note" }, plainText(label)), element("ul", { class: "plainlist" }, ...items));
    if (more) box.append(element("p", { class: "note" }, "and " + counted(more, "other", "others")));
  }
}

function showChoices() {
  const choice = byId("entity-choice");
  choice.append(element("option", { value: "" }, "all entities"));
  entities.forEach((entity, place) => {
    const text = entity.name + " (" + number(entity.total) + ")";
    choice.append(element("option", { value: place }, plain(text).textContent));
  });
}

function showLeftOut() {
  const rows = data.leftOut.map(([name, reason]) => [
    element("td", { class: "path" }, plainText(name)),
    reason === null ? element("td", { class: "soft" }, "nobody says why") : plainText(reason),
  ]);
  const box = byId("left-out-list");
  if (rows.length) box.append(table(["table or column", "reason"], rows));
  else box.append(element("p", { class: "empty" }, "Nothing is left out."));
}

// The graph: pointing at an entity, or moving the focus to it, shows its references alone.

function highlight(number) {
  const picture = byId("picture");
  picture.classList.toggle("busy", number !== null);
  const near = new Set([number]);
  for (const edge of picture.querySelectorAll(".edge[data-from]")) {
    const isNear = edge.dataset.from === number || edge.dataset.to === number;
    edge.classList.toggle("near", isNear);
    if (isNear) near.add(edge.dataset.from).add(edge.dataset.to);
  }
  for (const card of picture.querySelectorAll(".card")) card.classList.toggle("near", near.has(card.dataset.entity));
}

function watchGraph() {
  const picture = byId("picture");
  const cardOf = (event) => event.target instanceof Element && event.target.closest(".card-link");
  const show = (event) => {
    const link = cardOf(event);
    highlight(link ? link.querySelector(".card").dataset.entity : null);
  };
  for (const name of ["mouseover", "focusin"]) picture.addEventListener(name, show);
  for (const name of ["mouseleave", "focusout"]) picture.addEventListener(name, () => highlight(null));
  const fit = byId("fit");
  if (!picture.querySelector("svg")) fit.parentElement.remove(); // a sentence stands in its place
  fit.addEventListener("click", () => {
    const isFit = picture.classList.toggle("fit");
    fit.setAttribute("aria-pressed", isFit);
    fit.textContent = isFit ? "Show at full size" : "Fit to the width";
  });
}

function follow(isAsked) {
  const match = /^#(entity|record)-(\d+)(?:-(\d+))?$/.exec(location.hash);
  if (!match) return false;
  const place = entities.findIndex((entity) => entity.anchor === Number(match[2]));
  if (place < 0) return false;
  if (match[1] === "entity") {
    const box = byId("entity-" + match[2]);
    box.hidden = false;
    box.open = true;
    if (isAsked) box.scrollIntoView();
    box.firstElementChild.focus({ preventScroll: true });
    return false;
  }
  if (!entities[place].rows[match[3]]) return false;
  showRecord(place, Number(match[3]), isAsked);
  return true;
}

showHeader();
showEntities();
showChoices();
showLeftOut();
byId("sample").textContent = data.sample;
watchGraph();
search();
byId("entity-filter").addEventListener("input", later(filterEntities));
byId("search").addEventListener("input", later(search));
byId("entity-choice").addEventListener("change", search);
byId("entity-list").addEventListener("click", (event) => {
  const link = event.target instanceof Element && event.target.closest("[data-show]");
  if (!link) return;
  byId("entity-choice").value = link.dataset.show;
  byId("search").value = "";
  search();
});
byId("records").addEventListener("keydown", (event) => {
  const links = [...byId("results").querySelectorAll("a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const place = links.indexOf(document.activeElement);
  if (!step || (place < 0 && (step < 0 || document.activeElement !== byId("search")))) return;
  event.preventDefault();
  (links[place + step] || (step < 0 ? byId("search") : links[place])).focus();
});
addEventListener("hashchange", () => follow(true));
addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof Element && event.target.matches("input, select, textarea");
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    byId("search").focus();
  }
});
if (!follow(true)) {
  const first = entities.findIndex((entity) => entity.rows.length);
  if (first >= 0) showRecord(first, 0, false);
}
