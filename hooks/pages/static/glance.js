// The chart at a glance, as Firstline understood it. What is not known is said, never left blank.

import { day, el, mark } from "./dom.js";

const unknown = (words = "Not known") => mark("unknown", words);

const list = (entries) => el("ul", { class: "plain" }, entries.map((entry) => el("li", {}, entry)));

const fact = (name, value) => el("div", {}, el("dt", {}, name), el("dd", {}, value));

const problems = (view) => {
  const told = view.problems.map((problem) => [problem.name, el("span", { class: "soft" }, [problem.since ? ` since ${problem.since.slice(0, 4)}` : "", problem.status === "history" ? " (past)" : "", problem.provisional ? " (provisional)" : ""].join(""))]);
  if (told.length) return list(told);
  return view.problemsKnown ? "None on record" : unknown("Not sent");
};

const drugs = (view) => {
  const told = view.taken.map((drug) => [drug.name, el("span", { class: "soft" }, [drug.dosing ? `, ${drug.dosing}` : "", drug.since ? [", ", el("span", { class: "whole" }, `since ${day(drug.since)}`)] : ""]), drug.recognised ? "" : [" ", unknown("not recognised")]]);
  if (told.length) return list(told);
  return view.medicationsKnown ? "None on record" : unknown("Not sent");
};

const kidneys = (view) => {
  const { renal } = view;
  if (renal.value === undefined || renal.value === null) return [unknown(), renal.taken ? el("span", { class: "soft" }, ` last ${day(renal.taken)}`) : ""];
  const measured = renal.kind.startsWith("CrCl") || renal.kind.startsWith("eGFR");
  if (!measured) return renal.said;
  return [el("span", { class: "big" }, String(Number(renal.value))), el("span", { class: "soft small" }, ` ${renal.kind.startsWith("CrCl") ? "mL/min" : "mL/min/1.73 m²"}`), el("br"),
    el("span", { class: "soft small" }, [renal.kind, renal.taken ? `on ${day(renal.taken)}` : ""].filter(Boolean).join(", "))];
};

/** Fills the `dl` of the banner. */
export const glance = (place, view) => {
  const allergies = view.allergies.length ? list(view.allergies) : view.allergiesKnown ? "None on record" : unknown("Not sent");
  place.replaceChildren(
    fact("Kidneys", kidneys(view)),
    fact("Problems", problems(view)),
    fact("Active drugs", drugs(view)),
    fact("Allergies", allergies),
  );
};

/** "Woman, 58", from what is known. */
export const whoOf = (view) => {
  const person = view.age !== null && view.age < 18 ? { male: "Boy", female: "Girl" }[view.sex] ?? "Child" : { male: "Man", female: "Woman" }[view.sex] ?? "Patient";
  return view.age === null ? person : `${person}, ${view.age}`;
};

/** Age and birth date, beneath the name. */
export const personOf = (view, name) => [name ? whoOf(view) : "", view.born ? `born ${day(view.born)}` : "birth date not known"].filter(Boolean).join(", ");
