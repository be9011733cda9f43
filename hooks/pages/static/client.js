// Firstline's public API, called as an EHR calls it; and the few questions that only this page asks.

import { byId } from "./dom.js";

const root = () => byId("desk").dataset.root;

/** What the service answered instead of cards: its own words, or that it could not be reached. */
export class Refused extends Error {}

const send = async (path, body, signal) => {
  let response;
  try {
    response = await fetch(root() + path, body === undefined ? { signal } : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("Firstline cannot be reached. Nothing was checked.");
  }
  const text = await response.text();
  let answer = null;
  try { answer = text ? JSON.parse(text) : null; } catch { /* not JSON: told by the status */ }
  if (!response.ok) throw new Refused(answer?.issue?.[0]?.diagnostics ?? `Refused with status ${response.status}.`);
  return answer;
};

export const choices = () => send("/pages/choices");
export const story = (name) => send(`/pages/patients/${encodeURIComponent(name)}`);
export const understood = (request) => send("/pages/chart", request);

/** The hook request of an open chart: `chart` as this page keeps it, the drafts as FHIR resources. */
export const hookRequest = (hook, chart, drafts, chosen) => ({
  hook,
  hookInstance: crypto.randomUUID(),
  context: {
    userId: chart.userId,
    patientId: chart.patientId,
    ...(chart.encounterId ? { encounterId: chart.encounterId } : {}),
    ...(hook === "order-select" ? { selections: [`${chosen.resourceType}/${chosen.id}`] } : {}),
    draftOrders: { resourceType: "Bundle", type: "collection", entry: [...drafts, ...chart.beside].map((resource) => ({ resource })) },
  },
  prefetch: chart.prefetch,
  extension: { "firstline.explain": true },
});

const serviceOf = (hook) => `/cds-services/firstline-${hook}`;

/** Fires the hook. Resolves to { request, answer, milliseconds }. */
export const fire = async (request, signal) => {
  const begun = performance.now();
  const answer = await send(serviceOf(request.hook), request, signal);
  return { request, answer, milliseconds: performance.now() - begun };
};

/** Tells what became of a card. `outcome` is { card, outcome, acceptedSuggestions | overrideReason }. */
export const feedback = (hook, outcome) => {
  const entry = { ...outcome, outcomeTimestamp: new Date().toISOString() };
  const body = { feedback: [entry] };
  return send(`${serviceOf(hook)}/feedback`, body).then(() => body);
};
