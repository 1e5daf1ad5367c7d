/** One complaint with its tags, and the form that corrects them. */

import { correctionForm } from "./correction";
import { fill, h, type Child } from "./dom";
import { dateTime, percent } from "./format";
import { words } from "./highlight";
import type { Names } from "./names";
import type { ComplaintRecord } from "./types";

export function complaintCard(record: ComplaintRecord, names: Names, corrected: () => void): HTMLElement {
  const root = h("article", { class: "complaint", "data-complaint": record.id });
  draw(root, record, names, corrected);
  return root;
}

function draw(root: HTMLElement, record: ComplaintRecord, names: Names, corrected: () => void): void {
  const { complaint, triage, corrections } = record;
  const editor = h("div", {});
  const edit = h("button", { type: "button", class: "link", "aria-expanded": "false", "data-action": "correct" }, "更正标签");
  const close = (): void => {
    fill(editor);
    edit.setAttribute("aria-expanded", "false");
    edit.focus();
  };
  edit.addEventListener("click", () => {
    if (editor.firstChild) {
      close();
      return;
    }
    const form = correctionForm(record, names, close, (after) => {
      draw(root, after, names, corrected);
      root.querySelector<HTMLElement>("[data-action=correct]")?.focus();
      corrected();
    });
    fill(editor, form);
    edit.setAttribute("aria-expanded", "true");
    form.querySelector<HTMLElement>("select")?.focus();
  });
  const last = corrections.at(-1);
  fill(
    root,
    h(
      "header",
      {},
      severity(triage.severity.level, triage.severity.name, triage.severity.reasons),
      h("b", { class: "category", title: `把握 ${percent(triage.category.confidence)}` }, triage.category.name),
      triage.needs_review && h("span", { class: "review", title: triage.review_reasons.join("；") }, "待复核"),
      complaint.simulated && h("span", { class: "simulated" }, "模拟"),
    ),
    h(
      "p",
      { class: "meta" },
      [dateTime(complaint.time), names.place(triage.region), names.channel(triage.channel), names.sentiment(triage.sentiment.label)].map(
        (text) => h("span", {}, text),
      ),
    ),
    words(complaint, triage.evidence),
    reasons(record),
    h(
      "footer",
      {},
      h("span", {}, `${triage.department} · ${dateTime(triage.due)} 前办结`),
      last && h("span", { class: "corrected" }, `${last.person} 已核对`),
      edit,
    ),
    editor,
  );
}

export const severity = (level: number, name: string, why: readonly string[]): HTMLElement =>
  h("span", { class: "severity", "data-severity": level, title: why.join("；") }, name);

function reasons({ triage }: ComplaintRecord): Child {
  const lines = [...triage.severity.reasons, ...(triage.needs_review ? triage.review_reasons.map((reason) => `复核：${reason}`) : [])];
  return (
    lines.length > 0 &&
    h(
      "p",
      { class: "reasons" },
      lines.map((line) => h("span", {}, line)),
    )
  );
}
