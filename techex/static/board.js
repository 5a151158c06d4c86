// The board of deals by keyboard and by mouse. Every move presses the card's own form, which works without this file.
const board = document.querySelector("[data-board]");
const says = document.getElementById("board-says");

function say(text, toEverybody = false) {
  says.textContent = text;
  if (toEverybody) says.classList.remove("visually-hidden");
}

function announceWhatStands() {
  // A live region tells what changes in it: what it holds from the beginning is put there once more.
  const text = says.textContent.trim();
  if (!text) return;
  says.textContent = "";
  setTimeout(() => say(text), 200);
}

if (board) {
  const cards = () => [...board.querySelectorAll("[data-card]")];
  const links = () => cards().map((card) => card.querySelector("[data-card-link]"));
  const columnOf = (card) => card.closest("[data-stage]");
  const optionsOf = (card) => [...card.querySelectorAll(".move option")];
  let picked = null; // { card, at }

  const focusOn = (card) => {
    if (!card) return;
    for (const link of links()) link.tabIndex = -1;
    const link = card.querySelector("[data-card-link]");
    link.tabIndex = 0;
    link.focus();
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
  };

  const mark = (card, on) => {
    const stages = new Map(optionsOf(card).map((option) => [option.value, option]));
    for (const column of board.querySelectorAll("[data-stage]")) {
      column.classList.toggle("may-drop", on && stages.has(column.dataset.stage));
      column.classList.remove("is-target");
    }
    card.classList.toggle("is-picked", on);
  };

  const showTarget = (stage) => {
    for (const column of board.querySelectorAll("[data-stage]")) {
      column.classList.toggle("is-target", column.dataset.stage === stage);
      if (column.dataset.stage === stage) column.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  };

  const move = (card, stage) => {
    const form = card.querySelector(".move");
    form.querySelector("select").value = stage;
    form.requestSubmit();
  };

  const nameOf = (option) => option.textContent.replace(/ …$/, "") + (option.hasAttribute("data-asks") ? `, ${board.dataset.asks}` : "");

  const pickUp = (card) => {
    const options = optionsOf(card);
    if (!options.length) return say(board.dataset.nowhere, true);
    picked = { card, at: 0 };
    mark(card, true);
    showTarget(options[0].value);
    const title = card.querySelector("[data-card-link]").textContent.trim();
    say(board.dataset.picked.replace("{card}", title).replace("{stages}", options.map(nameOf).join("; ")));
  };

  const choose = (step) => {
    const options = optionsOf(picked.card);
    picked.at = (picked.at + step + options.length) % options.length;
    const option = options[picked.at];
    showTarget(option.value);
    say(board.dataset.chosen.replace("{stage}", nameOf(option)).replace("{number}", picked.at + 1).replace("{all}", options.length));
  };

  const leave = () => {
    mark(picked.card, false);
    picked = null;
    say(board.dataset.left);
  };

  const beside = (card, step) => {
    const columns = [...board.querySelectorAll("[data-stage]")].filter((column) => column.querySelector("[data-card]"));
    const at = columns.indexOf(columnOf(card));
    const place = [...columnOf(card).querySelectorAll("[data-card]")].indexOf(card);
    const next = columns[at + step];
    if (!next) return null;
    const there = next.querySelectorAll("[data-card]");
    return there[Math.min(place, there.length - 1)];
  };

  board.addEventListener("keydown", (event) => {
    const link = event.target.closest("[data-card-link]");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    const card = link.closest("[data-card]");
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const upwards = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (picked) {
      if (sideways || upwards) choose(sideways || upwards);
      else if (event.key === "Enter" || event.key === " ") move(picked.card, optionsOf(picked.card)[picked.at].value);
      else if (event.key === "Escape") leave();
      else if (event.key === "Tab") return leave();
      else return;
    } else if (event.key === " ") pickUp(card);
    else if (sideways) focusOn(beside(card, sideways));
    else if (upwards) {
      const own = [...columnOf(card).querySelectorAll("[data-card]")];
      focusOn(own[own.indexOf(card) + upwards]);
    } else if (event.key === "Home") focusOn(cards()[0]);
    else if (event.key === "End") focusOn(cards().at(-1));
    else return;
    event.preventDefault();
  });

  board.addEventListener("focusin", (event) => {
    const link = event.target.closest("[data-card-link]");
    if (!link) return;
    for (const other of links()) other.tabIndex = other === link ? 0 : -1;
  });

  let over = null; // the column above which the card was last

  for (const card of cards()) {
    card.draggable = true;
    card.addEventListener("dragstart", (event) => {
      if (!optionsOf(card).length) {
        event.preventDefault();
        return say(board.dataset.nowhere, true);
      }
      event.dataTransfer.setData("text/plain", card.id);
      event.dataTransfer.effectAllowed = "move";
      picked = { card, at: 0 };
      over = null;
      mark(card, true);
    });
    card.addEventListener("dragend", () => {
      mark(card, false);
      const options = optionsOf(card);
      picked = null;
      if (!over || over === columnOf(card) || options.some((option) => option.value === over.dataset.stage)) return;
      say(board.dataset.refused.replace("{stage}", over.dataset.name).replace("{stages}", options.map(nameOf).join("; ")), true);
    });
  }
  for (const column of board.querySelectorAll("[data-stage]")) {
    const takes = () => picked && optionsOf(picked.card).some((option) => option.value === column.dataset.stage);
    column.addEventListener("dragover", (event) => {
      over = column;
      if (!takes()) return;
      event.preventDefault();
      showTarget(column.dataset.stage);
    });
    column.addEventListener("drop", (event) => {
      if (!takes()) return;
      event.preventDefault();
      move(picked.card, column.dataset.stage);
    });
  }

  links().forEach((link, at) => {
    link.tabIndex = at ? -1 : 0;
    link.draggable = false;
  });
  const moved = board.dataset.moved;
  if (moved) focusOn(document.getElementById(`deal-${moved}`));
  announceWhatStands();
}
