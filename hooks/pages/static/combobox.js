// A text field with a list of what it may become (ARIA combobox). Free text stays allowed.

import { el } from "./dom.js";

const MOST = 12;

const wordsIn = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

const matching = (choices, text) => {
  const words = wordsIn(text);
  const found = choices.filter((choice) => words.every((word) => choice.words.includes(word)));
  const begins = (choice) => (words.length && choice.words.startsWith(words[0]) ? 0 : 1);
  return found.sort((one, other) => begins(one) - begins(other)).slice(0, MOST);
};

/**
 * `choices()` gives [{ label, note, value }]. `typed(text)` hears every change, `chosen(value, text)` a choice made.
 */
export const combobox = (input, list, { choices, typed, chosen }) => {
  let shown = [];
  let active = -1;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const point = (place) => {
    active = place;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === place)));
    const option = list.children[place];
    if (!option) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };

  const take = (choice) => {
    input.value = choice.label;
    close();
    chosen(choice.value, choice.label);
  };

  const open = (text) => {
    shown = matching(choices().map((choice) => ({ ...choice, words: `${choice.label} ${choice.note ?? ""}`.toLowerCase() })), text);
    list.replaceChildren(...shown.map((choice, place) =>
      el("li", { role: "option", id: `${list.id}-${place}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(choice); } },
        el("span", {}, choice.label), choice.note ? el("span", { class: "soft small" }, choice.note) : null)));
    list.hidden = shown.length === 0;
    input.setAttribute("aria-expanded", String(shown.length > 0));
    active = -1;
    input.removeAttribute("aria-activedescendant");
  };

  input.addEventListener("input", () => { open(input.value); typed(input.value); });
  input.addEventListener("click", () => { if (list.hidden) open(""); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const last = shown.length - 1;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open("");
      else point(event.key === "ArrowDown" ? (active < last ? active + 1 : 0) : active > 0 ? active - 1 : last);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (!list.hidden && shown[active]) take(shown[active]);
      else close();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
};
