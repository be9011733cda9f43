// Behind the advice, on demand: five tabs, of which none is open at first.

import { byId } from "./dom.js";
import { json, unknown, why } from "./why.js";

/** Wires the tabs. Returns what shows the open one anew. `state` is that of the page, `rules` the titles by id. */
export const hood = (state, rules) => {
  const panels = {
    why: () => why(state.answer, rules),
    unknown: () => unknown(state.answer, state.view),
    request: () => json(state.exchange?.request, "Choose a drug: the request that it fires shows here."),
    answer: () => json(state.answer, "Choose a drug: the answer shows here."),
    feedback: () => json(state.feedback.length ? state.feedback : null, "Accept or dismiss a card: what is sent shows here."),
  };
  const names = Object.keys(panels);
  let open = null;

  const show = () => {
    for (const name of names) {
      const on = name === open;
      const tab = byId(`tab-${name}`);
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on || (open === null && name === names[0]) ? 0 : -1;
      byId(`panel-${name}`).hidden = !on;
      if (on) byId(`panel-${name}`).replaceChildren(...[panels[name]()].flat());
    }
  };

  names.forEach((name, place) => {
    byId(`tab-${name}`).addEventListener("click", () => { open = open === name ? null : name; show(); });
    byId(`tab-${name}`).addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      open = names[(place + step + names.length) % names.length];
      show();
      byId(`tab-${open}`).focus();
    });
  });
  return show;
};
