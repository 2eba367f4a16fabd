"use strict";
(() => {
  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  const files = [...document.querySelectorAll(".file")];
  const tabs = [...document.querySelectorAll(".tabs button")];
  const filters = [...document.querySelectorAll(".filters button")];
  const search = document.getElementById("search");
  let shown = Math.max(0, tabs.findIndex((tab) => tab.getAttribute("aria-pressed") === "true"));
  const texts = new Map();
  const textOf = (episode) => {
    if (!texts.has(episode)) texts.set(episode, episode.textContent.toLowerCase());
    return texts.get(episode);
  };
  const update = () => {
    const wanted = filters.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.outcome);
    const words = search.value.toLowerCase().trim();
    files.forEach((file, number) => {
      file.hidden = number !== shown;
      if (file.hidden) return;
      let matching = 0;
      const episodes = [...file.querySelectorAll(".episode")];
      for (const episode of episodes) {
        const fits = (!wanted.length || wanted.includes(episode.dataset.outcome)) && (!words || textOf(episode).includes(words));
        episode.hidden = !fits;
        matching += fits;
      }
      file.querySelector(".match").textContent = wanted.length || words ? `· ${matching} match` : "";
    });
  };
  tabs.forEach((tab, number) => tab.addEventListener("click", () => {
    shown = number;
    tabs.forEach((other) => other.setAttribute("aria-pressed", String(other === tab)));
    update();
  }));
  filters.forEach((filter) => filter.addEventListener("click", () => {
    filter.setAttribute("aria-pressed", String(filter.getAttribute("aria-pressed") !== "true"));
    update();
  }));
  if (search) {
    search.addEventListener("input", update);
    update();
  }

  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  for (const mark of document.querySelectorAll("mark[title]")) {
    mark.dataset.note = mark.title;
    mark.removeAttribute("title");
  }
  const place = (event) => {
    const mark = event.target.closest ? event.target.closest("mark[data-note]") : null;
    tip.hidden = !mark;
    if (!mark) return;
    tip.textContent = mark.dataset.note;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 12, innerWidth - box.width - 8))}px`;
    tip.style.top = `${event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 18}px`;
  };
  document.addEventListener("mousemove", place);
  document.addEventListener("click", place);
})();
