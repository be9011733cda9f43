// The dialog in which a chart is chosen, pasted or dropped.

import { Refused } from "./client.js";
import { byId, el } from "./dom.js";
import { CannotOpen } from "./openings.js";

const SHOWN = 200_000;

/** Wires the dialog and returns it. `openStory(patient)` and `openText(text)` open a chart, or raise what is wrong. */
export const chartDialog = ({ patients, openStory, openText }) => {
  const dialog = byId("charts");
  const problem = byId("paste-problem");

  const attempt = async (opening) => {
    problem.hidden = true;
    try {
      await opening();
      dialog.close();
      byId("who").focus();
    } catch (error) {
      if (!(error instanceof CannotOpen || error instanceof Refused)) throw error;
      if (!dialog.open) dialog.showModal();
      problem.textContent = error.message;
      problem.hidden = false;
    }
  };

  const row = (patient) => el("li", {}, el("button", { type: "button", onclick: () => attempt(() => openStory(patient)) },
    el("span", { class: "soft small" }, patient.who), el("strong", {}, patient.problem), el("span", { class: "small" }, patient.turn)));

  byId("people").replaceChildren(...(patients.length ? patients.map(row) : [el("li", { class: "empty" }, "No stored patients are installed here. Paste a chart below.")]));
  byId("choose").addEventListener("click", () => { problem.hidden = true; dialog.showModal(); });
  byId("charts-close").addEventListener("click", () => dialog.close());
  byId("paste").addEventListener("submit", (event) => { event.preventDefault(); attempt(() => openText(byId("pasted").value)); });
  byId("file").addEventListener("change", async () => {
    const [file] = byId("file").files;
    if (file) await attempt(async () => openText(await file.text()));
    byId("file").value = "";
  });

  const page = document.documentElement;
  addEventListener("dragover", (event) => { event.preventDefault(); page.classList.add("dropping"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) page.classList.remove("dropping"); });
  addEventListener("drop", async (event) => {
    event.preventDefault();
    page.classList.remove("dropping");
    const [file] = event.dataTransfer?.files ?? [];
    const text = file ? await file.text() : event.dataTransfer?.getData("text/plain") ?? "";
    byId("pasted").value = text.length < SHOWN ? text : "";
    await attempt(() => openText(text));
  });
  return dialog;
};
