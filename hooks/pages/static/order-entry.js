// Order entry: a chart, its unsigned orders, the hooks that fire while they are written, and what becomes of the cards.

import { matterOf, showCards } from "./cards.js";
import * as client from "./client.js";
import { chartDialog } from "./charts.js";
import { byId, el, mark } from "./dom.js";
import { orderForm } from "./form.js";
import { glance, personOf, whoOf } from "./glance.js";
import { nameOf, opened, parsed, resourcesOf } from "./openings.js";
import { applied, drugOf, emptyOrder, lineOf, refOf } from "./orders.js";
import { drawRungs, drawTrials } from "./trials.js";
import { hood } from "./hood.js";

const TYPING = 160;

const state = {
  chart: null, view: null, drafts: [], at: null, undo: [], signed: [],
  hook: "order-select", exchange: null, answer: null, dismissed: new Set(), feedback: [],
};
let choices;
let form;
let dialog;
let showPanel = () => {};

const chosen = () => state.drafts.find((order) => refOf(order) === state.at) ?? null;
const named = (order) => drugOf(order) || "an order without a drug";
const say = (...words) => byId("said").replaceChildren(...words);

// Opening a chart

const open = async (chart, turn) => {
  const view = await client.understood(client.hookRequest("order-sign", chart, chart.drafts, null));
  Object.assign(state, { chart, view, undo: [], signed: [], hook: "order-select", exchange: null, answer: null, dismissed: new Set(), feedback: [] });
  state.drafts = chart.drafts.length ? chart.drafts : [emptyOrder(chart, view.today)];
  state.at = refOf(state.drafts[0]);
  const name = nameOf(chart.prefetch);
  byId("who").textContent = name ?? whoOf(view);
  byId("person").textContent = personOf(view, name);
  byId("turn").textContent = turn;
  glance(byId("glance"), view);
  drawTrials(byId("trials"), view);
  byId("tried-note").textContent = view.historyKnown ? `A trial counts from ${view.trialDays} days at the therapeutic minimum` : "";
  say("");
  showOrders();
  review(0);
};

const openStory = async (patient) => {
  await open(opened(await client.story(patient.story)), `${patient.problem}. ${patient.turn}`);
  history.replaceState(null, "", `?patient=${encodeURIComponent(patient.story)}`);
};

const openText = async (text) => {
  await open(opened(parsed(text)), "A chart that you brought. This page keeps nothing of it.");
  history.replaceState(null, "", location.pathname);
};

// Orders

const showOrders = (marking = false) => {
  const rows = state.drafts.map((order) => {
    const current = refOf(order) === state.at;
    return el("li", {}, el("button", { type: "button", "aria-pressed": String(current), onclick: () => { state.at = refOf(order); showOrders(); review(0); } },
      el("strong", {}, drugOf(order) || "New order"), el("span", { class: "soft small" }, lineOf(order))));
  });
  const signed = state.signed.map((order) => el("li", { class: "signed" }, mark("good", "Signed"), el("span", {}, named(order)), el("span", { class: "soft small" }, lineOf(order))));
  byId("drafts").replaceChildren(...(state.drafts.length > 1 ? rows : []), ...signed);
  byId("drafts").hidden = state.drafts.length < 2 && signed.length === 0;
  byId("form").hidden = !chosen();
  if (chosen()) form.show(chosen(), marking);
  showSign();
  byId("discard").hidden = !chosen();
  byId("undo").hidden = state.undo.length === 0;
};

const remember = () => { state.undo.push({ drafts: state.drafts, at: state.at }); };

const changed = (order, atOnce) => {
  state.drafts = state.drafts.map((draft) => (refOf(draft) === state.at ? order : draft));
  state.hook = "order-select";
  showSign();
  review(atOnce ? 0 : TYPING);
};

const showSign = () => {
  const count = state.drafts.filter(drugOf).length;
  const waits = state.hook === "order-sign" && shownCards().length > 0;
  byId("sign").textContent = waits ? "Sign anyway" : count > 1 ? `Sign ${count} orders` : "Sign order";
  byId("sign").disabled = count === 0;
};

const undo = () => {
  const before = state.undo.pop();
  if (!before) return;
  Object.assign(state, before);
  say("Undone.");
  showOrders(true);
  review(0);
};

// Hooks

let waiting;
let running;

/** Fires the hook of the moment; a later call overtakes an earlier one. */
const review = (delay, then) => {
  clearTimeout(waiting);
  running?.abort();
  waiting = setTimeout(async () => {
    const drafts = state.drafts.filter(drugOf);
    const current = chosen() && drugOf(chosen()) ? chosen() : drafts[0];
    if (!current) return settled(null);
    running = new AbortController();
    try {
      settled(await client.fire(client.hookRequest(state.hook, state.chart, drafts, current), running.signal));
      then?.();
    } catch (error) {
      if (error.name !== "AbortError") failed(error);
    }
  }, delay);
};

const shownCards = () => (state.answer?.cards ?? []).filter((card) => !state.dismissed.has(matterOf(card)));

const settled = (exchange) => {
  state.exchange = exchange;
  state.answer = exchange?.answer ?? null;
  const told = state.answer?.extension?.["firstline.review"];
  showAdvice();
  drawRungs(byId("rungs"), told?.ladderState);
  byId("called").textContent = exchange ? `${exchange.request.hook}, answered in ${exchange.milliseconds.toFixed(0)} ms` : "";
  showPanel();
};

const showAdvice = () => {
  const place = byId("cards");
  const cards = shownCards();
  const told = state.answer?.extension?.["firstline.review"];
  showCards(place, cards, { accept, dismiss });
  const hidden = (state.answer?.cards ?? []).length - cards.length;
  byId("timing").textContent = state.exchange ? summary(told) : "";
  byId("quiet").replaceChildren(...(cards.length ? [] : silence(told)));
  byId("hidden-cards").replaceChildren(...(hidden ? [`${hidden} dismissed. `, el("button", { type: "button", class: "quiet", onclick: () => { state.dismissed.clear(); showAdvice(); } }, "Show again")] : []));
  byId("heard").textContent = cards.length ? `${cards.length} ${cards.length === 1 ? "card" : "cards"}. ${cards[0].indicator}: ${cards[0].summary}` : state.answer ? "No advice." : "";
  showSign();
};

const summary = (told) => {
  if (!told?.inScope?.length) return "";
  const dose = told.mmePerDay ? `${told.mmePerDay} MME a day` : told.mmeAtLeast ? `at least ${told.mmeAtLeast} MME a day` : "";
  const pain = told.indication ? { definite: "neuropathic pain", probable: "probably neuropathic pain", possible: "possibly neuropathic pain", no: "" }[told.indication] : "";
  return [dose, pain].filter(Boolean).join(" · ");
};

const silence = (told) => {
  if (!state.answer) return [el("div", { class: "empty" }, el("strong", {}, "No order yet"), "Choose a drug: the first hook fires with it.")];
  if (!told?.inScope?.length && !told?.notAssessed?.length) return [el("div", { class: "empty" }, el("strong", {}, "Nothing to review"), "This is neither an opioid nor dangerous beside one on the list. Firstline stays out of the way.")];
  return [el("div", { class: "empty" }, mark("good", "No advice"), "Every rule looked at this order. None has anything to say that is worth interrupting for.", told.notAssessed?.length ? "Some questions were left open: see behind the advice." : "")];
};

const failed = (error) => {
  state.exchange = null;
  state.answer = null;
  showCards(byId("cards"), [], {});
  byId("hidden-cards").replaceChildren();
  byId("timing").textContent = "";
  byId("quiet").replaceChildren(el("div", { class: "note critical", role: "alert" }, mark("critical", "Not checked"), error instanceof client.Refused ? error.message : "An error on this page. Nothing was checked."));
  showPanel();
};

// What becomes of a card

const accept = (card, suggestion) => {
  remember();
  const { drafts, shown } = applied(state.drafts, suggestion.actions);
  state.drafts = drafts;
  state.at = shown ? refOf(shown) : null;
  tell(card, { outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }] });
  say("Accepted: ", suggestion.label, ".");
  showOrders(true);
  byId("order-title").focus();
  review(0);
};

const dismiss = (card, reason, words) => {
  state.dismissed.add(matterOf(card));
  const given = { ...(reason ? { reason: { code: reason.code, system: reason.system, display: reason.display } } : {}), ...(words ? { userComment: words } : {}) };
  tell(card, { outcome: "overridden", ...(Object.keys(given).length ? { overrideReason: given } : {}) });
  say(reason ? `Dismissed: ${reason.display}.` : "Dismissed.");
  showAdvice();
  byId("advice-title").focus();
};

const tell = async (card, outcome) => {
  if (!card.uuid) return;
  const sent = { card: card.uuid, ...outcome };
  try {
    await client.feedback(state.exchange.request.hook, sent);
    state.feedback.unshift({ recorded: true, ...sent });
  } catch (error) {
    if (!(error instanceof client.Refused)) throw error;
    state.feedback.unshift({ recorded: false, because: error.message, ...sent });
    say("The feedback could not be recorded: ", error.message);
  }
  showPanel();
};

const sign = () => {
  const again = state.hook === "order-sign" && shownCards().length > 0;
  if (again) return signedNow();
  state.hook = "order-sign";
  review(0, () => {
    if (shownCards().length === 0) return signedNow();
    say("Before you sign: read the advice, then sign or change the order.");
    byId("cards").querySelector("h3")?.focus();
  });
};

const signedNow = () => {
  const orders = state.drafts.filter(drugOf);
  state.signed.push(...orders);
  Object.assign(state, { drafts: [], at: null, undo: [], hook: "order-select" });
  say("Signed on this page only: nothing leaves this machine.");
  showOrders();
  settled(null);
  byId("add").focus();
};

// The page

const problems = () => resourcesOf(state.chart?.prefetch).filter((resource) => resource.resourceType === "Condition")
  .map((condition) => ({ label: condition.code?.text ?? condition.code?.coding?.[0]?.display, note: "on the problem list", value: condition.code?.coding?.[0] ?? null })).filter((reason) => typeof reason.label === "string");

const add = () => {
  if (!state.chart) return dialog.showModal();
  const order = emptyOrder(state.chart, state.view.today);
  state.drafts = [...state.drafts.filter(drugOf), order];
  state.at = refOf(order);
  state.hook = "order-select";
  showOrders();
  review(0);
  byId("drug").focus();
};

const discard = () => {
  remember();
  state.drafts = state.drafts.filter((order) => refOf(order) !== state.at);
  state.at = state.drafts[0] ? refOf(state.drafts[0]) : null;
  state.hook = "order-select";
  say("Discarded.");
  showOrders();
  review(0);
  byId("add").focus();
};

const signsByKey = (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || dialog.open || byId("sign").disabled) return;
  event.preventDefault();
  sign();
};

const begin = async () => {
  choices = await client.choices();
  form = orderForm({ choices, problems, current: chosen, changed });
  dialog = chartDialog({ patients: choices.patients, openStory, openText });
  showPanel = hood(state, choices.rules);
  byId("sign").addEventListener("click", sign);
  byId("undo").addEventListener("click", undo);
  byId("add").addEventListener("click", add);
  byId("discard").addEventListener("click", discard);
  addEventListener("keydown", signsByKey);
  const asked = new URLSearchParams(location.search).get("patient");
  const first = choices.patients.find((patient) => patient.story === asked) ?? choices.patients[0];
  if (first) await openStory(first);
  else dialog.showModal();
};

begin().catch(failed);
