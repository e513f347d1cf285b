"use strict";
(() => {
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const chips = [...document.querySelectorAll(".chip")];
  const items = [...document.querySelectorAll("[data-item]")].map((element) => ({
    element, kind: element.dataset.kind, text: element.textContent.toLowerCase(),
  }));
  const sections = [...document.querySelectorAll("main section")];

  // An item is shown if every word that is searched for is in it and its severity or
  // verdict is not switched off.
  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = new Set(chips.filter((c) => c.getAttribute("aria-pressed") === "false").map((c) => c.dataset.filter));
    let count = 0;
    for (const { element, kind, text } of items) {
      const show = !off.has(kind) && words.every((w) => text.includes(w));
      element.hidden = !show;
      if (show) count++;
    }
    const filtered = words.length > 0 || off.size > 0;
    for (const section of sections) {
      const all = section.querySelectorAll("[data-item]");
      const none = all.length > 0 && [...all].every((e) => e.hidden);
      const nothing = section.querySelector(".nothing");
      if (nothing) nothing.hidden = !none;
      else section.hidden = filtered && none;
    }
    shown.textContent = filtered ? `${count} of ${items.length}` : "";
  }

  search.addEventListener("input", filter);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") === "false"));
      filter();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter();
    }
  });
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
