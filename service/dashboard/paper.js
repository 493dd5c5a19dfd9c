// Charts are painted once: when the paper turns light or dark under an open page, their ink is exchanged.
(() => {
  const dark = () => document.body.classList.contains("body--dark");
  const exchange = (options, from, to) => {
    for (const [key, value] of Object.entries(options))
      if (value === from) options[key] = to;
      else if (value !== null && typeof value === "object") exchange(value, from, to);
  };
  const watch = () => {
    let before = dark();
    new MutationObserver(() => {
      const now = dark();
      if (now === before) return;
      before = now;
      for (const place of document.querySelectorAll(".chart")) {
        const chart = getElement(Number(place.id.slice(1)));
        exchange(chart.options, inks[now ? "light" : "dark"], inks[now ? "dark" : "light"]);
        chart.update_chart();
      }
    }).observe(document.body, { attributeFilter: ["class"] });
  };
  document.readyState === "loading" ? document.addEventListener("DOMContentLoaded", watch) : watch();
})();
