// Tables are sorted by the buttons in their heads, and stay sorted when they are drawn again.
(() => {
  const ranks = { high: 4, medium: 3, low: 2, suspect: 1, violated: 1, open: 1, ok: 0, closed: 0 };
  const chosen = new Map();
  const value = (row, place) => {
    const text = (row.cells[place]?.textContent ?? "").trim();
    if (text in ranks) return ranks[text];
    const plain = text.replace(/^row /, "").replace(/,(?=\d{3})/g, "").replace(/ %$/, "");
    return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === "number") return -1;
    if (typeof b === "number") return 1;
    return a.localeCompare(b);
  };
  const sort = (table) => {
    const asked = chosen.get(table.getAttribute("aria-label"));
    const body = table.tBodies[0];
    if (!asked || !body) return;
    const keyed = [...body.rows].map((row, index) => [value(row, asked.place), index, row]);
    // What is empty comes last, whatever the order.
    const empty = (each) => each === "" || each === "–";
    keyed.sort((a, b) => empty(a[0]) - empty(b[0]) || asked.sign * compare(a[0], b[0]) || a[1] - b[1]);
    body.append(...keyed.map((each) => each[2]));
    [...table.tHead.rows[0].cells].forEach((head, place) =>
      place === asked.place
        ? head.setAttribute("aria-sort", asked.sign > 0 ? "ascending" : "descending")
        : head.removeAttribute("aria-sort"));
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("th > button.sort");
    if (!button) return;
    const head = button.parentElement, table = head.closest("table"), name = table.getAttribute("aria-label");
    const before = chosen.get(name);
    const sign = before?.place === head.cellIndex ? -before.sign : 1;
    chosen.set(name, { place: head.cellIndex, sign });
    sort(table);
  });
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const added of change.addedNodes)
        if (added.nodeType === Node.ELEMENT_NODE)
          for (const table of added.matches("table") ? [added] : added.querySelectorAll(".table table")) sort(table);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
