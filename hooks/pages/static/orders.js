// A draft order is the FHIR resource itself, as it came or as a suggestion made it. The form reads and writes parts of it.

const RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm";
const ICD10 = "http://hl7.org/fhir/sid/icd-10-cm";
const UCUM = "http://unitsofmeasure.org";

export const UNITS = ["tablet", "capsule", "patch", "mL", "spray", "film", "lozenge", "dose", "mg"];

/** Frequency as the form offers it: [words, times, in how many, of which unit]. */
export const RHYTHMS = [
  ["once a day", 1, 1, "d"],
  ["twice a day", 2, 1, "d"],
  ["3 times a day", 3, 1, "d"],
  ["4 times a day", 4, 1, "d"],
  ["6 times a day", 6, 1, "d"],
  ["every 3 hours", 1, 3, "h"],
  ["every 4 hours", 1, 4, "h"],
  ["every 6 hours", 1, 6, "h"],
  ["every 8 hours", 1, 8, "h"],
  ["every 12 hours", 1, 12, "h"],
  ["every 72 hours", 1, 72, "h"],
  ["every 7 days", 1, 7, "d"],
];

let made = 0;

/** An order with nothing in it yet. */
export const emptyOrder = (chart, today) => ({
  resourceType: "MedicationRequest",
  id: `new-${++made}`,
  status: "draft",
  intent: "order",
  subject: { reference: `Patient/${chart.patientId}` },
  authoredOn: today,
});

/** The order of a suggestion, with an id as the EHR would give it. */
export const adopted = (resource) => (resource.id ? resource : { ...resource, id: `new-${++made}` });

export const refOf = (order) => `${order.resourceType}/${order.id}`;

const concept = (order) => order.medicationCodeableConcept ?? order.medication?.concept ?? contained(order);

const contained = (order) => {
  const ref = order.medicationReference?.reference ?? order.medication?.reference?.reference;
  if (!ref) return null;
  const inside = (order.contained ?? []).find((resource) => `#${resource.id}` === ref);
  return inside?.code ?? { text: order.medicationReference?.display ?? ref };
};

const wordsOf = (coded) => coded?.text ?? coded?.coding?.find((coding) => coding.display)?.display ?? coded?.coding?.[0]?.code ?? "";

export const drugOf = (order) => wordsOf(concept(order));

const reasonOf = (order) => wordsOf(order.reasonCode?.[0] ?? order.reason?.[0]?.concept ?? order.reasonCodeableConcept);

const doseOf = (dosage) => dosage?.doseAndRate?.[0]?.doseQuantity ?? dosage?.doseQuantity ?? null;

const unitOf = (quantity) => (quantity?.unit ?? quantity?.code ?? "").replace(/[{}]/g, "");

/** "2 tablets": units that are counted have a plural, measures have none. */
const counted = (quantity) => {
  const unit = unitOf(quantity);
  const plural = { patch: "patches", tablet: "tablets", capsule: "capsules", spray: "sprays", film: "films", lozenge: "lozenges" }[unit];
  return `${quantity.value} ${quantity.value > 1 && plural ? plural : unit}`.trim();
};

const rhythmOf = (repeat) => {
  if (!repeat?.frequency) return "";
  const found = RHYTHMS.find(([, times, period, unit]) => times === repeat.frequency && period === repeat.period && unit === (repeat.periodUnit ?? repeat.periodUnits));
  return found ? found[0] : `${repeat.frequency} times in ${repeat.period} ${repeat.periodUnit ?? repeat.periodUnits}`;
};

const needed = (dosage) => dosage?.asNeededBoolean === true || dosage?.asNeeded === true || Boolean(dosage?.asNeededCodeableConcept);

/** One instruction in words. */
const saying = (dosage) => {
  if (dosage.text) return dosage.text;
  const dose = doseOf(dosage);
  return [dose ? counted(dose) : "", rhythmOf(dosage.timing?.repeat), needed(dosage) ? "as needed" : ""].filter(Boolean).join(" ");
};

/** Whether the form's one dose can hold what the order says. */
const simple = (dosages) => dosages.length === 0 || (dosages.length === 1 && !dosages[0].text && !dosages[0].doseAndRate?.[0]?.doseRange);

/** What the form shows of an order. `steps`: the dosing in words, where it is more than the form's one dose. */
export const formOf = (order) => {
  const dosages = order.dosageInstruction ?? [];
  const dose = doseOf(dosages[0]);
  return {
    drug: drugOf(order),
    dose: dose?.value === undefined ? "" : String(dose.value),
    unit: unitOf(dose),
    rhythm: rhythmOf(dosages[0]?.timing?.repeat),
    needed: needed(dosages[0]),
    days: String(order.dispenseRequest?.expectedSupplyDuration?.value ?? ""),
    reason: reasonOf(order),
    steps: simple(dosages) ? [] : dosages.map(saying).filter(Boolean),
  };
};

/** One line that tells an order from another. */
export const lineOf = (order) => {
  const dosages = order.dosageInstruction ?? [];
  const days = order.dispenseRequest?.expectedSupplyDuration?.value;
  return [dosages.length ? saying(dosages[0]) + (dosages.length > 1 ? `, then ${dosages.length - 1} more` : "") : "", days ? `for ${days} days` : ""].filter(Boolean).join(", ");
};

// Writing: each returns a new order, everything else kept.

const without = (order, ...names) => Object.fromEntries(Object.entries(order).filter(([name]) => !names.includes(name)));

export const withDrug = (order, text, drug) => {
  const kept = without(order, "medicationCodeableConcept", "medicationReference", "medication", "contained");
  if (!text) return kept;
  return { ...kept, medicationCodeableConcept: drug ? { coding: [{ system: RXNORM, code: drug.code, display: drug.name }], text: drug.name } : { text } };
};

export const withReason = (order, text, coding) => {
  const kept = without(order, "reasonCode", "reason", "reasonReference", "reasonCodeableConcept");
  if (!text) return kept;
  return { ...kept, reasonCode: [coding ? { coding: [coding], text } : { text }] };
};

export const icd10 = (reason) => ({ system: ICD10, code: reason.code, display: reason.display });

export const withDays = (order, days) => {
  const dispense = without(order.dispenseRequest ?? {}, "expectedSupplyDuration", "quantity");
  const value = Number(days);
  if (days && value > 0) dispense.expectedSupplyDuration = { value, unit: "days", system: UCUM, code: "d" };
  const kept = without(order, "dispenseRequest");
  return Object.keys(dispense).length ? { ...kept, dispenseRequest: dispense } : kept;
};

/** `asked` is { dose, unit, rhythm, needed } of the form. */
export const withDosing = (order, asked) => {
  const kept = without(order, "dosageInstruction");
  const value = Number(String(asked.dose).replace(",", "."));
  const rhythm = RHYTHMS.find(([words]) => words === asked.rhythm);
  const dosage = {};
  if (asked.needed) dosage.asNeededBoolean = true;
  if (asked.dose && value > 0) dosage.doseAndRate = [{ doseQuantity: asked.unit === "mg" || asked.unit === "mL" ? { value, unit: asked.unit, system: UCUM, code: asked.unit } : { value, unit: asked.unit } }];
  if (rhythm) dosage.timing = { repeat: { frequency: rhythm[1], period: rhythm[2], periodUnit: rhythm[3] } };
  else if (asked.rhythm) dosage.timing = order.dosageInstruction?.[0]?.timing;
  return Object.keys(dosage).length ? { ...kept, dosageInstruction: [dosage] } : kept;
};

/** The drafts after the actions of an accepted suggestion; and the one to look at. */
export const applied = (drafts, actions) => {
  let after = drafts;
  let shown = null;
  for (const action of actions) {
    if (action.type === "create" && action.resource) {
      const order = adopted(action.resource);
      after = [...after, order];
      shown ??= order;
    } else if (action.type === "update" && action.resource) {
      after = after.map((order) => (refOf(order) === refOf(action.resource) ? action.resource : order));
      shown ??= action.resource;
    } else if (action.type === "delete") {
      const gone = action.resourceId ?? action.resource;
      after = after.filter((order) => refOf(order) !== gone);
    }
  }
  return { drafts: after, shown: shown ?? after.at(-1) ?? null };
};
