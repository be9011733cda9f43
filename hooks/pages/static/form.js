// The order form: shows one draft, and hears every change of it.

import { combobox } from "./combobox.js";
import { byId, el } from "./dom.js";
import { RHYTHMS, UNITS, formOf, icd10, withDays, withDosing, withDrug, withReason } from "./orders.js";

const FIELDS = ["drug", "dose", "unit", "rhythm", "days", "reason"];

const options = (select, words, chosen) => {
  const all = words.includes(chosen) ? words : [...words, chosen];
  select.replaceChildren(el("option", { value: "" }, ""), ...all.filter(Boolean).map((word) => el("option", {}, word)));
  select.value = chosen;
};

const dosing = () => ({ dose: byId("dose").value.trim(), unit: byId("unit").value, rhythm: byId("rhythm").value, needed: byId("needed").checked });

/**
 * `current()` gives the draft; `changed(draft, atOnce)` takes its new version; `problems()` the patient's own reasons.
 */
export const orderForm = ({ choices, problems, current, changed }) => {
  const drugs = choices.drugs.map((drug) => ({ label: drug.name, value: drug }));
  const unitOfText = (text) => UNITS.find((unit) => text.toLowerCase().includes(unit.toLowerCase())) ?? "";
  const reasons = () => [...problems(), ...choices.reasons.map((reason) => ({ label: reason.display, note: reason.code, value: icd10(reason) }))]
    .filter((reason, place, all) => all.findIndex((other) => other.label.toLowerCase() === reason.label.toLowerCase()) === place);

  const drugTaken = (text, drug) => {
    let order = withDrug(current(), text, drug);
    const unit = drug ? drug.unit : unitOfText(text);
    const asked = dosing();
    if (unit && asked.unit !== unit && byId("steps").hidden) {
      options(byId("unit"), UNITS, unit);
      if (asked.dose || asked.rhythm) order = withDosing(order, { ...asked, unit });
    }
    return order;
  };

  combobox(byId("drug"), byId("drug-list"), {
    choices: () => drugs,
    typed: (text) => changed(drugTaken(text.trim(), null), false),
    chosen: (drug, text) => changed(drugTaken(text, drug), true),
  });
  combobox(byId("reason"), byId("reason-list"), {
    choices: reasons,
    typed: (text) => changed(withReason(current(), text.trim(), null), false),
    chosen: (coding, text) => changed(withReason(current(), text, coding), true),
  });
  for (const id of ["dose", "unit", "rhythm", "needed"]) {
    byId(id).addEventListener("input", () => changed(withDosing(current(), dosing()), id !== "dose"));
  }
  byId("days").addEventListener("input", () => changed(withDays(current(), byId("days").value.trim()), false));
  byId("simple").addEventListener("click", () => {
    changed(withDosing(current(), { dose: "", unit: "", rhythm: "", needed: false }), true);
    show(current());
    byId("dose").focus();
  });
  byId("form").addEventListener("submit", (event) => event.preventDefault());

  /** Writes the draft into the fields; with `marking`, those that changed say so for a moment. */
  const show = (order, marking = false) => {
    const told = formOf(order);
    const stepped = told.steps.length > 0;
    byId("dosing").hidden = stepped;
    byId("steps").hidden = !stepped;
    byId("steps-list").replaceChildren(...told.steps.map((step) => el("li", {}, step)));
    options(byId("unit"), UNITS, told.unit || (told.drug ? unitOfText(told.drug) : ""));
    options(byId("rhythm"), RHYTHMS.map(([words]) => words), told.rhythm);
    byId("needed").checked = told.needed;
    for (const id of FIELDS) {
      const field = byId(id);
      const different = field.value !== told[id];
      if (id !== "unit" && id !== "rhythm") field.value = told[id];
      if (marking && different && told[id]) field.classList.add("changed");
    }
    if (marking && stepped) byId("steps").classList.add("changed");
    if (marking) setTimeout(() => document.querySelectorAll(".changed").forEach((field) => field.classList.remove("changed")), 1600);
  };
  return { show };
};
