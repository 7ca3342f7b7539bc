// What a page can do beyond being read: sort and filter tables, copy commands, explore the map.
// Without scripts it stays as written. Texts of the data are only ever set as text.
"use strict";
const FILTERED = 8; // rows from which on a table gets a filter

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function sortable(table) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const data = cell.querySelector("data");
    const text = data ? data.value : cell.dataset.value ?? cell.textContent.trim();
    const number = Number(text);
    return text === "" || text === "–" ? null : Number.isNaN(number) ? text : number;
  };
  const compare = (x, y) =>
    typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
  heads.forEach((head, index) => {
    const button = made("button", { type: "button" }, ...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [valueOf(row, index), row]);
      rows.sort(([x], [y]) => {
        if (x === null || y === null) return (x === null) - (y === null);
        return up ? compare(x, y) : compare(y, x);
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}

function filterable(table) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < FILTERED) return;
  const name = `Filter: ${table.caption?.textContent ?? "rows"}`;
  const box = made("input", { type: "search", placeholder: "filter rows", ariaLabel: name });
  const count = made("span", { className: "soft" });
  box.addEventListener("input", () => {
    const wanted = box.value.toLowerCase();
    const shown = rows.filter((row) => {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      return !row.hidden;
    });
    count.textContent = wanted ? `${shown.length} of ${rows.length}` : "";
  });
  (table.closest(".scroll") ?? table).before(made("div", { className: "tools" }, box, count));
}

function copyable(command) {
  const code = command.querySelector("code");
  const button = made("button", { type: "button", textContent: "Copy" });
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(code); // for a browser that gives no clipboard to a file
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  command.append(button);
}

function explorable(map) {
  const svg = map.querySelector("svg");
  const dots = [...svg.querySelectorAll("circle[data-place]")];
  const output = map.querySelector("output");
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  let [x, y, zoom, from, chosen] = [0, 0, 1, null, null];
  const look = () => {
    x = Math.min(Math.max(x, 0), width - width / zoom);
    y = Math.min(Math.max(y, 0), height - height / zoom);
    svg.setAttribute("viewBox", `${x} ${y} ${width / zoom} ${height / zoom}`);
    svg.style.setProperty("--r", `${3.2 / Math.sqrt(zoom) / Math.sqrt(Math.sqrt(zoom))}px`);
  };
  const zoomBy = (factor) => {
    const next = Math.min(Math.max(zoom * factor, 1), 64);
    x += (width / zoom - width / next) / 2;
    y += (height / zoom - height / next) / 2;
    zoom = next;
    look();
  };
  const tell = (dot) => (output.textContent = dot.querySelector("title").textContent);
  svg.addEventListener("pointerover", ({ target }) => target.dataset.place && !chosen && tell(target));
  svg.addEventListener("click", ({ target }) => {
    chosen?.classList.remove("chosen");
    chosen = target.dataset.place && target !== chosen ? target : null;
    chosen?.classList.add("chosen");
    if (chosen) tell(chosen);
  });
  svg.addEventListener("pointerdown", (event) => (from = [event.clientX, event.clientY, x, y]));
  addEventListener("pointerup", () => (from = null));
  svg.addEventListener("pointermove", (event) => {
    if (!from || zoom === 1) return;
    const scale = width / zoom / svg.clientWidth;
    x = from[2] - (event.clientX - from[0]) * scale;
    y = from[3] - (event.clientY - from[1]) * scale;
    look();
  });
  const button = (textContent, ariaLabel, act) => {
    const one = made("button", { type: "button", textContent, ariaLabel });
    one.addEventListener("click", act);
    return one;
  };
  const share = made("input", { type: "range", min: 1, max: 100, value: 100 });
  share.addEventListener("input", () => {
    const least = dots.length * (1 - share.value / 100); // the most uncertain come last
    dots.forEach((dot, at) => (dot.style.display = at >= least ? "" : "none"));
    said.textContent = `${share.value} %`;
  });
  const said = made("span", { textContent: "100%" });
  map.querySelector(".tools").append(
    button("+", "Zoom in", () => zoomBy(2)),
    button("−", "Zoom out", () => zoomBy(0.5)),
    made("label", {}, "show the most uncertain ", share, " ", said),
  );
}

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll("table.filtered").forEach(filterable);
document.querySelectorAll(".command").forEach(copyable);
document.querySelectorAll(".map").forEach(explorable);
const opened = () => document.getElementById(location.hash.slice(1))?.closest("details");
const unfold = () => opened()?.setAttribute("open", "");
addEventListener("hashchange", unfold);
unfold();
