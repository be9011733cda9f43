// What can be opened: a hook request of any CDS Hooks version, or a FHIR Bundle. Anything else is told apart, in words.

/** What was pasted cannot be opened. The message says what to do; it holds nothing of what was pasted. */
export class CannotOpen extends Error {}

const ORDERS = new Set(["MedicationRequest", "MedicationOrder"]);

export const parsed = (text) => {
  if (!text.trim()) throw new CannotOpen("There is nothing here yet. Paste a FHIR Bundle or a hook request.");
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CannotOpen(`This is not JSON${whereOf(error, text)}. Was all of it copied?`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new CannotOpen("This is JSON, but not an object. Paste a whole FHIR Bundle or a whole hook request.");
  return value;
};

const whereOf = (error, text) => {
  const said = String(error.message);
  const line = said.match(/line (\d+) column (\d+)/);
  if (line) return `: it breaks at line ${line[1]}, column ${line[2]}`;
  const at = said.match(/position (\d+)/);
  const before = text.slice(0, at ? Number(at[1]) : text.length).split("\n");
  return `: it breaks at line ${before.length}, column ${before.at(-1).length + 1}`;
};

/** A chart as this page keeps it: { userId, patientId, encounterId, prefetch, drafts, beside }. Raises CannotOpen. */
export const opened = (value) => {
  if (typeof value.hook === "string" || value.prefetch || value.context) return fromRequest(value);
  if (value.resourceType === "Bundle") return fromBundle(value);
  if (value.cards) throw new CannotOpen("These are the cards of an answer. Paste the request that they answer.");
  if (value.resourceType) throw new CannotOpen("This is a single FHIR resource. Paste a Bundle that holds the patient, the drugs and the conditions.");
  throw new CannotOpen("This is neither a FHIR Bundle (resourceType) nor a hook request (hook, context).");
};

const entries = (orders) => (Array.isArray(orders) ? orders : orders?.resourceType === "Bundle" ? (orders.entry ?? []).map((entry) => entry?.resource) : orders ? [orders] : []);

const numbered = (orders) => orders.map((order, place) => (order.id ? order : { ...order, id: `draft-${place + 1}` }));

const fromRequest = (request) => {
  const context = request.context;
  if (!context || typeof context !== "object") throw new CannotOpen("context: required. This hook request says neither whose chart it is nor what is ordered.");
  const patientId = context.patientId ?? request.patient;
  if (typeof patientId !== "string" || !patientId.trim()) throw new CannotOpen("context.patientId: required. A hook request names its patient.");
  const all = entries(context.draftOrders ?? context.medications).filter((resource) => resource && typeof resource === "object");
  return {
    userId: context.userId ?? request.user ?? "Practitioner/1",
    patientId,
    encounterId: context.encounterId,
    prefetch: request.prefetch ?? {},
    drafts: numbered(all.filter((resource) => ORDERS.has(resource.resourceType))),
    beside: all.filter((resource) => !ORDERS.has(resource.resourceType)),
  };
};

const fromBundle = (bundle) => {
  const resources = entries(bundle).filter((resource) => resource && typeof resource === "object");
  if (!resources.length) throw new CannotOpen("This Bundle is empty: it has no entry with a resource.");
  const draft = (resource) => ORDERS.has(resource.resourceType) && resource.status === "draft";
  const patient = resources.find((resource) => resource.resourceType === "Patient");
  // What the Bundle holds is known; what it lacks is not known, rather than absent.
  const chart = resources.filter((resource) => !draft(resource));
  return {
    userId: "Practitioner/1",
    patientId: patient?.id ?? "1",
    encounterId: resources.find((resource) => resource.resourceType === "Encounter")?.id,
    prefetch: { chart: { resourceType: "Bundle", type: "collection", entry: chart.map((resource) => ({ resource })) } },
    drafts: numbered(resources.filter(draft)),
    beside: [],
  };
};

/** Every resource of the chart, however it is nested. */
export const resourcesOf = (prefetch) => {
  const found = [];
  const look = (value) => {
    if (Array.isArray(value)) value.forEach(look);
    else if (value?.resourceType === "Bundle") (value.entry ?? []).forEach((entry) => look(entry?.resource));
    else if (value?.resource && !value.resourceType) look(value.resource);
    else if (value?.resourceType) found.push(value);
  };
  Object.values(prefetch ?? {}).forEach(look);
  return found;
};

/** The patient's name as written, or null. */
export const nameOf = (prefetch) => {
  const patient = resourcesOf(prefetch).find((resource) => resource.resourceType === "Patient");
  const name = Array.isArray(patient?.name) ? patient.name[0] : patient?.name;
  if (!name || typeof name !== "object") return null;
  const text = name.text ?? [...[name.given].flat(), ...[name.family].flat()].filter((part) => typeof part === "string").join(" ");
  return typeof text === "string" && text.trim() ? text.trim() : null;
};
