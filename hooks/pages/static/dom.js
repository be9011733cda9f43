// Builds elements. Text only ever becomes text nodes, so that no chart and no answer can run anything.

const SVG = "http://www.w3.org/2000/svg";

const filled = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
};

/** An HTML element: el("p", { class: "soft" }, "text", el("b", {}, "more")). `onclick` and the like are listeners. */
export const el = (name, attributes = {}, ...children) => filled(document.createElement(name), attributes, children);

/** The same for SVG. */
export const svg = (name, attributes = {}, ...children) => filled(document.createElementNS(SVG, name), attributes, children);

export const byId = (id) => document.getElementById(id);

const line = (d, width = 2) => svg("path", { d, fill: "none", stroke: "currentColor", "stroke-width": width, "stroke-linecap": "round", "stroke-linejoin": "round" });
const SHAPES = {
  critical: () => [svg("path", { d: "M6 1h8l5 5v8l-5 5H6l-5-5V6z", fill: "currentColor" }), svg("path", { d: "M10 5v6.5M10 14.6v.2", stroke: "var(--sheet)", "stroke-width": 2.4, "stroke-linecap": "round" })],
  warning: () => [line("M10 1.5 19.5 18.5H.5z", 1.8), line("M10 7.5v5M10 15.4v.1")],
  info: () => [line("M10 1a9 9 0 1 1 0 18a9 9 0 0 1 0-18z", 1.8), line("M10 9v5.4M10 5.8v.1", 2.2)],
  good: () => [line("m3.5 10.5 4.4 4.6 8.6-10", 2.4)],
  unknown: () => [svg("path", { d: "M10 1.5 18.5 10 10 18.5 1.5 10z", fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-dasharray": "3 2" })],
  none: () => [line("M4 10h12", 2.2)],
};
const WORDS = { critical: "Critical", warning: "Warning", info: "Information", good: "Good", unknown: "Not known", none: "None" };

/** A mark: a shape of its own, and its word. */
export const mark = (kind, word = WORDS[kind]) =>
  el("span", { class: `mark ${kind}` }, svg("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, SHAPES[kind]()), word);

/** 2026-03-01 as "1 Mar 2026". */
export const day = (iso) => {
  const [year, month, date] = String(iso).split("-").map(Number);
  const name = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ")[month - 1];
  return [date, name, year].filter(Boolean).join(" ");
};
