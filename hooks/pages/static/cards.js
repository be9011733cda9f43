// Cards as an EHR shows them: indicator, summary, detail, source, suggestions to accept, a reason to dismiss.

import { byId, el, mark } from "./dom.js";
import { markdown } from "./markdown.js";

let made = 0;

/** What makes a card the same as that of an earlier answer: its words, not its uuid. */
const sameness = (card) => JSON.stringify([card.indicator, card.summary, card.detail, (card.suggestions ?? []).map((suggestion) => suggestion.label)]);

/** What a dismissed card is remembered by. */
export const matterOf = (card) => `${card.source?.topic?.code ?? ""} ${card.summary}`;

/** "NP01" as "NP-01". */
export const ruleOf = (card) => (card.source?.topic?.code ?? "").replace(/^([A-Z]+)(\d+)$/, (code, letters, digits) => (letters === "G" ? code : `${letters}-${digits}`));

const does = (action) => ({ create: "adds an order", update: "changes this order", delete: "removes this order" })[action.type];

const suggestion = (offered, accept) =>
  el("li", {}, el("button", { type: "button", class: offered.isRecommended ? "recommended" : "", onclick: accept },
    el("span", { class: "offer" }, offered.label), el("span", { class: "does" }, [offered.isRecommended ? "Recommended: " : "", [...new Set(offered.actions.map(does))].join(", ")])));

const dismissal = (view, acts) => {
  const reasons = view.card.overrideReasons ?? [];
  const name = `reason-${++made}`;
  const comment = el("input", { id: `${name}-words`, maxlength: 500 });
  const form = el("form", { onsubmit: (event) => {
    event.preventDefault();
    const place = form.elements[name]?.value;
    acts.dismiss(view.card, place === undefined || place === "" ? null : reasons[Number(place)], comment.value.trim());
  } },
  reasons.length ? el("fieldset", {}, el("legend", { class: "label" }, "Reason for going on"), reasons.map((reason, place) =>
    el("label", { class: "choice" }, el("input", { type: "radio", name, value: place }), reason.display))) : null,
  reasons.length ? el("div", { class: "field" }, el("label", { for: comment.id }, "In your words (optional)"), comment) : null,
  el("button", { type: "submit" }, "Dismiss this card"));
  return el("details", { class: "dismissal" }, el("summary", {}, "Dismiss"), form);
};

const basis = (part) => /^Basis:/.test(part.textContent) || part.textContent.startsWith("Clinical judgment decides");

const detailOf = (card) => {
  const parts = markdown(card.detail);
  const said = parts.filter((part) => !basis(part));
  const behind = parts.filter(basis);
  return el("div", { class: "detail" }, said, behind.length ? el("details", {}, el("summary", {}, "Basis and source"), behind) : null);
};

const evidence = (card) => {
  const rule = ruleOf(card);
  const link = (card.links ?? []).find((one) => one.type === "absolute");
  const href = link ? link.url : rule ? `${byId("desk").dataset.root}/evidence/${encodeURIComponent(rule)}` : null;
  return href && /^(https?:|\/)/.test(href) ? el("a", { href, target: "_blank", rel: "noopener" }, `Evidence ${rule}`) : null;
};

const article = (view, acts) => {
  const { card } = view;
  const title = `card-${++made}`;
  return el("article", { class: `card ${card.indicator}`, "aria-labelledby": title },
    el("header", {}, mark(card.indicator), evidence(card)),
    el("h3", { id: title, tabindex: "-1" }, card.summary),
    detailOf(card),
    card.suggestions?.length ? el("ul", { class: "suggestions", "aria-label": "Suggestions" }, card.suggestions.map((offered, place) =>
      suggestion(offered, () => acts.accept(view.card, view.card.suggestions[place])))) : null,
    el("footer", {}, dismissal(view, acts), el("span", { class: "soft small" }, "Source: ", card.source?.label ?? "not named")));
};

/** Shows the cards in `place`. Those that say the same as before stay as they are, opened parts and all. */
export const showCards = (place, cards, acts) => {
  const before = new Map((place.views ?? []).map((view) => [sameness(view.card), view]));
  place.views = cards.map((card) => {
    const view = before.get(sameness(card)) ?? { card };
    view.card = card;
    view.node ??= article(view, acts);
    return view;
  });
  const nodes = place.views.map((view) => view.node);
  if (nodes.length !== place.children.length || nodes.some((node, at) => place.children[at] !== node)) place.replaceChildren(...nodes);
};
