/* What a page gains where scripts run; everything works without this file.
   Filters answer at once (htmx), so their button is not needed; limits are counted as one types. */
document.documentElement.classList.add("scripted");

// On a phone the lines of other pages are moved sideways: to the page that this is.
document.querySelectorAll("header nav").forEach((nav) => {
  const here = nav.querySelector("[aria-current]");
  if (here) nav.scrollLeft = here.offsetLeft + here.offsetWidth / 2 - nav.offsetLeft - nav.clientWidth / 2;
});

document.addEventListener("input", (event) => {
  const field = event.target.closest("[data-limit]");
  if (field) countDown(field);
});

function countDown(field) {
  const counter = document.getElementById(field.dataset.counter);
  if (!counter) return;
  const left = Number(field.dataset.limit) - field.value.length;
  const pattern = left < 0 ? counter.dataset.over : counter.dataset.left;
  counter.textContent = pattern.replace("{n}", Math.abs(left).toLocaleString(document.documentElement.lang));
}

document.querySelectorAll("[data-limit]").forEach((field) => {
  if (field.value) countDown(field);
});

// A button that copies a list as lines, for a letter to the other side.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button || !navigator.clipboard) return;
  const lines = [...document.getElementById(button.dataset.copy).children].map((item, at) => `${at + 1}. ${item.textContent.trim()}`);
  await navigator.clipboard.writeText(lines.join("\n"));
  button.textContent = button.dataset.done;
});

// Lists that are worked by keyboard: j and k move between lines, Enter opens the one that has the focus.
document.addEventListener("keydown", (event) => {
  if (!["j", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const lines = [...document.querySelectorAll("[data-lines] [data-line]")];
  if (!lines.length) return;
  const at = lines.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
  lines[Math.max(0, Math.min(at, lines.length - 1))].focus();
});

// A view is kept as the address says it now: filters change it without a new page.
document.addEventListener("submit", (event) => {
  const field = event.target.querySelector("[data-current-query]");
  if (field) field.value = location.search.slice(1);
});
