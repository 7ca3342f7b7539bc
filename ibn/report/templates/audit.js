// Tables sort by a click on a column's head, or Enter on it; without scripts they stay as written.
for (const table of document.querySelectorAll("table.sortable")) {
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
    const column = Number(head.dataset.column ?? index);
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
      rows.sort(([x], [y]) => {
        if (x === null || y === null) return (x === null) - (y === null);
        return up ? compare(x, y) : compare(y, x);
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}
