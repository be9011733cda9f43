// The GitHub-flavoured Markdown that card details use, as elements: paragraphs, lists, emphasis, code, web links.
// Everything else is shown as it is written. HTML is text here, never markup.

import { el } from "./dom.js";

const INLINE = /\\([!-/:-@[-`{-~])|\*\*(.+?)\*\*|(?<![\w*])[*_](?=\S)(.+?)(?<=\S)[*_](?![\w*])|`([^`]+)`|\[((?:\\.|[^\]\\])+)\]\(((?:\\.|[^()\s]|\([^()\s]*\))+)\)|&(amp|lt|gt|quot|#39);/gs;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** Plain text; a date is not broken at its hyphens. */
const plain = (text) => text.split(/(\d{4}-\d{2}-\d{2})/).map((part, place) => (place % 2 ? el("span", { class: "whole" }, part) : part));

const inline = (text) => {
  const found = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    found.push(plain(text.slice(from, match.index)));
    const [whole, escaped, strong, soft, code, words, address, entity] = match;
    if (escaped) found.push(escaped);
    else if (strong) found.push(el("strong", {}, inline(strong)));
    else if (soft) found.push(el("em", {}, inline(soft)));
    else if (code) found.push(el("code", {}, code));
    else if (address) found.push(link(words, address) ?? whole);
    else if (entity) found.push(ENTITIES[entity]);
    from = match.index + whole.length;
  }
  found.push(plain(text.slice(from)));
  return found;
};

const link = (words, address) => {
  const url = address.replace(/\\([!-/:-@[-`{-~])/g, "$1");
  if (!/^https?:\/\//i.test(url)) return null;
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, inline(words));
};

const BULLET = /^\s*[-*+] /;
const NUMBERED = /^\s*\d+[.)] /;
const ENTRY = /^\s*([-*+]|\d+[.)]) /;

const list = (lines, mark) => {
  const entries = [];
  for (const line of lines) {
    const begun = line.match(mark);
    if (begun) entries.push(line.slice(begun[0].length));
    else if (entries.length) entries[entries.length - 1] += `\n${line.trim()}`;
  }
  return entries.map((entry) => el("li", {}, inline(entry)));
};

const block = (text) => {
  const lines = text.split("\n");
  if (BULLET.test(lines[0])) return el("ul", {}, list(lines, BULLET));
  if (NUMBERED.test(lines[0])) return el("ol", {}, list(lines, NUMBERED));
  const heading = text.match(/^#{1,6} (.+)$/);
  return heading ? el("h4", {}, inline(heading[1])) : el("p", {}, inline(text));
};

/** A list may follow its paragraph without an empty line between them. */
const parts = (text) => {
  const lines = text.split("\n");
  const begins = lines.findIndex((line) => ENTRY.test(line));
  return begins > 0 ? [lines.slice(0, begins).join("\n"), lines.slice(begins).join("\n")] : [text];
};

/** The blocks of this text, as elements. */
export const markdown = (text) =>
  String(text ?? "").replace(/\r\n?/g, "\n").split(/\n[ \t]*\n+/).filter((part) => part.trim()).flatMap(parts).map(block);
