// What was tried, drawn: each drug's daily dose over time against its therapeutic minimum, with 28 days to measure by.

import { day, el, mark, svg } from "./dom.js";

const DAY = 86_400_000;
const HEIGHT = 62;
const FLOOR = 46;
const TALL = 36;
const LEFT = 58;
const RIGHT = 6;

const time = (iso) => Date.parse(`${iso}T00:00:00Z`);
const number = (value) => (value === null ? null : Number(value));

const VERDICTS = {
  duration: ["warning", "Too short"],
  dose: ["warning", "Dose too low"],
  "duration not known": ["unknown", "Duration not known"],
  "dose not known": ["unknown", "Dose not known"],
  "older than 5 years": ["none", "Too long ago"],
};
const ENDINGS = { failure: "failed", intolerance: "not tolerated", allergy: "allergy on record", contraindication: "contraindicated" };

const verdict = (trial) => {
  if (trial.grade === "ADEQUATE") return mark("good", trial.shortfall === "dose not known" ? "Long enough, dose not known" : "Adequate trial");
  if (trial.grade === "UNSUITABLE") return mark("none", "Does not suit");
  return mark(...(VERDICTS[trial.shortfall] ?? ["unknown", "Not counted"]));
};

const measured = (trial, days) => {
  const taken = trial.days ?? 0;
  const reached = taken < days ? `${trial.atLeast ? "at least " : ""}${taken} of ${days} days at a working dose` : `${trial.atLeast ? "at least " : ""}${taken} days at a working dose, ${days} needed`;
  const dose = trial.minimumMg === null ? null : trial.highestMg === null ? `minimum ${Number(trial.minimumMg)} mg a day` : `${Number(trial.highestMg)} mg a day held, minimum ${Number(trial.minimumMg)}`;
  return [trial.grade === "UNSUITABLE" && !trial.stretches.length ? null : reached, dose, ENDINGS[trial.outcome]].filter(Boolean).join(" · ");
};

/** When the last course began: gaps of up to two weeks are part of it. */
const lastBegin = ({ stretches }) => {
  const begins = stretches.filter((stretch, place) => place === 0 || time(stretch.start) - time(stretches[place - 1].end) > 15 * DAY);
  return begins.length ? time(begins.at(-1).start) : -Infinity;
};

const scale = (view, width) => {
  const last = time(view.today);
  const starts = view.tried.flatMap((trial) => trial.stretches.map((stretch) => time(stretch.start)));
  const first = Math.min(...starts, last - 120 * DAY) - 10 * DAY;
  // Beyond today as far as the 28 days of a course that has just begun.
  const end = Math.max(last, ...view.tried.map((trial) => lastBegin(trial) + view.trialDays * DAY));
  return { x: (at) => LEFT + ((at - first) / (end - first)) * (width - LEFT - RIGHT), first, last, width };
};

const bars = (trial, at) => {
  const doses = trial.stretches.map((stretch) => number(stretch.mg)).filter((mg) => mg !== null);
  const minimum = number(trial.minimumMg);
  const top = Math.max(...doses, (minimum ?? 0) * 1.25, 1);
  const y = (mg) => FLOOR - (mg / top) * TALL;
  const drawn = trial.stretches.map((stretch) => {
    const mg = number(stretch.mg);
    const from = at.x(time(stretch.start));
    const to = Math.max(Math.min(at.x(time(stretch.end) + DAY), at.x(at.last)), from + 2);
    const enough = minimum === null || (mg !== null && mg >= minimum);
    const height = mg === null ? y(minimum ?? top) : y(mg);
    const words = mg === null ? "" : `${mg} mg`;
    const amount = words && to - from > words.length * 7.5 + 8 ? svg("text", { x: from + 5, y: FLOOR - 6, class: enough ? "amount enough-amount" : "amount low-amount" }, words) : null;
    return [svg("rect", { x: from, y: height, width: to - from, height: FLOOR - height, class: `stretch ${mg === null && minimum !== null ? "unsure" : enough ? "enough" : "low"}`, fill: enough ? null : "url(#below)" },
      svg("title", {}, `${day(stretch.start)} to ${day(stretch.end)}${mg === null ? "" : `: ${mg} mg a day`}`)), amount];
  });
  if (minimum !== null) {
    drawn.push(svg("line", { x1: LEFT, x2: at.width, y1: y(minimum), y2: y(minimum), class: "minimum" }));
    drawn.push(svg("text", { x: LEFT - 6, y: y(minimum) + 4, "text-anchor": "end", class: "minimum-words" }, `${minimum} mg`));
  }
  return drawn;
};

/** A bracket of 28 days from the first day of the last course. */
const measure = (trial, at, days) => {
  if (!trial.stretches.length) return null;
  const from = at.x(lastBegin(trial));
  const to = at.x(lastBegin(trial) + days * DAY);
  return svg("g", { class: "measure" }, svg("path", { d: `M${from} ${FLOOR + 3}v8H${to}v-8` }), to - from > 50 ? svg("text", { x: (from + to) / 2, y: FLOOR + 9, "text-anchor": "middle" }, `${days} days`) : to + 50 < at.width ? svg("text", { x: to + 5, y: FLOOR + 12 }, `${days} days`) : svg("text", { x: from - 5, y: FLOOR + 12, "text-anchor": "end" }, `${days} days`));
};

const lane = (trial, at, view) =>
  svg("svg", { viewBox: `0 0 ${at.width} ${HEIGHT}`, class: "chart", role: "img", "aria-label": `${trial.agent}: ${trial.history}` },
    svg("line", { x1: LEFT, x2: at.width, y1: FLOOR, y2: FLOOR, class: "axis" }), bars(trial, at), measure(trial, at, view.trialDays),
    svg("line", { x1: at.x(at.last), x2: at.x(at.last), y1: 4, y2: FLOOR, class: "today" }));

const axis = (at) => {
  const months = (at.last - at.first) / (30.4 * DAY);
  const step = [1, 2, 3, 6, 12, 24].find((size) => (months / size) * 78 < at.width - LEFT) ?? 24;
  const ticks = [];
  const begin = new Date(at.first);
  for (let month = 0; month <= months + step; month += 1) {
    const date = new Date(Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + 1 + month, 1));
    if (date.getUTCMonth() % Math.min(step, 12) || (step === 24 && date.getUTCFullYear() % 2)) continue;
    const x = at.x(date.getTime());
    if (x > at.x(at.last) - 96) break;
    const words = date.toLocaleDateString("en-GB", { month: "short", timeZone: "UTC", ...(date.getUTCMonth() === 0 || !ticks.length ? { year: "numeric" } : {}) });
    ticks.push(svg("line", { x1: x, x2: x, y1: 0, y2: 5, class: "axis" }), svg("text", { x: x + 3, y: 13 }, words));
  }
  return svg("svg", { viewBox: `0 0 ${at.width} 18`, class: "chart", "aria-hidden": "true" }, ticks,
    svg("text", { x: at.x(at.last), y: 13, "text-anchor": "end", class: "strong" }, "today"));
};

const row = (trial, at, view) =>
  el("div", { class: "trial", role: "listitem" },
    el("div", { class: "agent" }, el("strong", {}, trial.agent), el("span", { class: "soft small" }, trial.drugClass)),
    el("div", { class: "lane" }, trial.stretches.length ? lane(trial, at, view) : el("p", { class: "soft small blank" }, trial.history)),
    el("div", { class: "verdict" }, verdict(trial), el("span", { class: "soft small" }, measured(trial, view.trialDays))));

const blank = (name) =>
  el("div", { class: "trial", role: "listitem" },
    el("div", { class: "agent" }, el("strong", {}, name)),
    el("div", { class: "lane" }, el("p", { class: "blank" })),
    el("div", { class: "verdict" }, mark("none", "Nothing on record")));

const hatching = () =>
  svg("svg", { width: 0, height: 0, class: "unseen", "aria-hidden": "true" }, svg("defs", {},
    svg("pattern", { id: "below", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 6, height: 6, class: "hatch-ground" }), svg("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: "hatch-line" }))));

/** Draws the trials of a chart view into `place`; draws them anew when its width changes. */
export const drawTrials = (place, view) => {
  place.observer?.disconnect();
  if (!view.historyKnown) {
    place.replaceChildren(el("p", { class: "note" }, mark("unknown", "Cannot be told"), "No history of drugs came with this chart. That nothing was tried does not follow from it."));
    return;
  }
  let drawn = 0;
  const draw = () => {
    // Drawn at the size of the page's text, which grows with the screen.
    const text = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const width = Math.max(180, Math.floor((place.querySelector(".lane") ?? place).clientWidth / text));
    if (width === drawn) return;
    drawn = width;
    const at = scale(view, width);
    const months = view.tried.some((trial) => trial.stretches.length) ? [el("div", { class: "trial months" }, el("span"), el("div", { class: "lane" }, axis(at)), el("span"))] : [];
    place.replaceChildren(hatching(), el("div", { role: "list", class: "trial-list" }, view.tried.map((trial) => row(trial, at, view)), view.untried.map(blank)), ...months);
  };
  place.replaceChildren(el("div", { class: "trial" }, el("span"), el("div", { class: "lane" }), el("span")));
  draw();
  place.observer = new ResizeObserver(draw);
  place.observer.observe(place);
};

const STEPS = [["One class", "NP-01"], ["A second class", "NP-02"], ["Both together", "NP-03"], ["Tramadol", "NP-04"], ["Strong opioid", "NP-09"]];

/** The ladder as steps: what is behind this patient, and what comes next. `state` is "S0" to "S4", or null. */
export const drawRungs = (place, state) => {
  const place_ = /^S[0-4]$/.test(state ?? "") ? Number(state[1]) : null;
  place.hidden = place_ === null;
  if (place_ === null) return;
  place.replaceChildren(...STEPS.map(([words, rule], at) => {
    const kind = at < place_ ? "done" : at === place_ ? "next" : "later";
    return el("li", { class: kind, "aria-current": kind === "next" ? "step" : null },
      el("a", { href: `${document.getElementById("desk").dataset.root}/evidence/${rule}`, target: "_blank", rel: "noopener" }, words),
      el("span", { class: "soft small" }, kind === "done" ? "done" : kind === "next" ? "next step" : "later"));
  }));
};
