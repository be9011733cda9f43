// Behind the advice: every rule with its outcome and facts, what was not known, and the JSON that went to and fro.

import { byId, el, mark } from "./dom.js";

const OUTCOMES = { fires: ["warning", "Speaks"], "cannot tell": ["unknown", "Cannot tell"], "does not apply": ["none", "Does not apply"] };
const IN_ORDER = ["fires", "cannot tell", "does not apply"];

const outcomeMark = (outcome) => (outcome.outcome === "fires" ? mark(outcome.indicator, "Speaks") : mark(...(OUTCOMES[outcome.outcome] ?? OUTCOMES["does not apply"])));

const readable = (name) => name.replaceAll("_", " ");

const factsOf = (outcome, findings) => {
  if (outcome.because) return outcome.because;
  if (outcome.missing) return el("ul", { class: "plain" }, outcome.missing.map((entry) => el("li", {}, entry)));
  const finding = findings.find((one) => one.rule === outcome.rule && (one.order === outcome.order || (one.others ?? []).includes(outcome.order)));
  const facts = Object.entries(finding?.facts ?? outcome.facts ?? {});
  return facts.length ? el("dl", { class: "rule-facts" }, facts.map(([name, value]) => [el("dt", {}, readable(name)), el("dd", {}, value)])) : "";
};

const row = (outcome, findings, rules) => {
  const rule = rules[outcome.rule] ?? { title: "", group: "" };
  return el("tr", { class: outcome.outcome.replaceAll(" ", "-") },
    el("th", { scope: "row" }, el("a", { href: `${byId("desk").dataset.root}/evidence/${encodeURIComponent(outcome.rule)}`, target: "_blank", rel: "noopener" }, outcome.rule)),
    el("td", {}, rule.title, el("br"), el("span", { class: "soft small" }, rule.group)),
    el("td", {}, outcomeMark(outcome)), el("td", {}, factsOf(outcome, findings)));
};

/** Every rule's outcome. `rules` are the titles by id. */
export const why = (answer, rules) => {
  const review = answer?.extension?.["firstline.review"];
  if (!review) return el("p", { class: "empty" }, el("strong", {}, "No answer yet"), "Choose a drug: every rule then tells its outcome here.");
  if (!review.outcomes?.length) {
    return el("p", { class: "empty" }, el("strong", {}, review.inScope.length ? "Outcomes are not shared here" : "Nothing to review"),
      review.inScope.length ? "This site has switched off the explanation of every rule (explain)." : "The order is neither an opioid nor a drug that is dangerous beside one on the list.");
  }
  const outcomes = [...review.outcomes].sort((one, other) => IN_ORDER.indexOf(one.outcome) - IN_ORDER.indexOf(other.outcome));
  const spoke = outcomes.filter((outcome) => outcome.outcome === "fires").length;
  const unsure = outcomes.filter((outcome) => outcome.outcome === "cannot tell").length;
  const silent = outcomes.filter((outcome) => outcome.outcome === "does not apply");
  const told = outcomes.filter((outcome) => outcome.outcome !== "does not apply");
  const findings = review.findings ?? [];
  return [
    el("p", { class: "soft" }, `${new Set(outcomes.map((outcome) => outcome.rule)).size} rules looked at this: ${spoke} ${spoke === 1 ? "speaks" : "speak"}, ${unsure} cannot tell, ${silent.length} do not apply. Knowledge ${review.knowledge}.`),
    told.length ? table("Rules that speak or cannot tell", told, findings, rules) : "",
    silent.length ? el("details", {}, el("summary", {}, `The ${silent.length} that do not apply, and why`), table("Rules that do not apply", silent, findings, rules)) : "",
  ];
};

const table = (name, outcomes, findings, rules) =>
  el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, el("table", { class: "outcomes" },
    el("thead", {}, el("tr", {}, ["Rule", "What it guards against", "Outcome", "Because"].map((words) => el("th", { scope: "col" }, words)))),
    el("tbody", {}, outcomes.map((outcome) => row(outcome, findings, rules)))));

/** What the chart and the answer could not tell. */
export const unknown = (answer, view) => {
  const said = answer?.extension?.["firstline.review"]?.notAssessed ?? [];
  const lists = [["Left open in this answer", said], ["Not known of the chart", view?.unknown ?? []]].filter(([, entries]) => entries.length);
  if (!lists.length) return el("p", { class: "empty" }, el("strong", {}, "Nothing was left open"), "Every question that the rules asked of this chart was answered.");
  return el("div", { class: "columns" }, lists.map(([title, entries]) => el("div", {}, el("h3", {}, title), el("ul", {}, entries.map((entry) => el("li", {}, entry))))));
};

/** JSON to read and to copy. */
export const json = (value, none) => {
  if (!value) return el("p", { class: "empty" }, el("strong", {}, "Nothing yet"), none);
  const text = JSON.stringify(value, null, 2);
  const copy = el("button", { type: "button", class: "quiet", onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Select the text and copy it";
    }
  } }, "Copy");
  return [el("p", { class: "row" }, copy, el("span", { class: "soft small" }, `${new Blob([text]).size.toLocaleString("en-GB")} bytes, indented`)),
    el("pre", { class: "json", tabindex: "0", role: "region", "aria-label": "JSON" }, text)];
};
