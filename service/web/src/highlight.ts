/** The customer's words with the stretches that spoke for the category marked. */

import { h, type Child } from "./dom";
import type { Complaint, Span, Turn } from "./types";

/** Spans sorted, cut where they overlap. */
function disjoint(spans: readonly Span[]): Span[] {
  const found: Span[] = [];
  for (const { start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const from = Math.max(start, found.at(-1)?.end ?? 0);
    if (end > from) found.push({ start: from, end });
  }
  return found;
}

/** `text` with marks. Spans count code points, as the service does, not UTF-16 units; `offset` is where `text` begins in them. */
function marked(text: string, spans: readonly Span[], offset = 0): Child[] {
  const points = [...text];
  const parts: Child[] = [];
  let at = 0;
  for (const span of spans) {
    const start = Math.max(span.start - offset, at);
    const end = Math.min(span.end - offset, points.length);
    if (end <= start) continue;
    parts.push(points.slice(at, start).join(""), h("mark", {}, points.slice(start, end).join("")));
    at = end;
  }
  parts.push(points.slice(at).join(""));
  return parts;
}

const SPEAKERS: Record<Turn["speaker"], string> = { customer: "客户", agent: "坐席", system: "系统" };

/** A complaint's text, or its turns; spans count in the customer's turns joined by line ends. */
export function words(complaint: Complaint, evidence: readonly Span[]): Child {
  const spans = disjoint(evidence);
  if (complaint.turns.length === 0) return h("p", { class: "text" }, marked(complaint.text, spans));
  let offset = 0;
  return h(
    "div",
    { class: "turns" },
    complaint.turns.map((turn) => {
      const isCustomer = turn.speaker === "customer";
      const content = isCustomer ? marked(turn.text, spans, offset) : turn.text;
      if (isCustomer) offset += [...turn.text].length + 1;
      return h("p", { class: `turn ${turn.speaker}` }, h("span", { class: "speaker" }, SPEAKERS[turn.speaker]), h("span", {}, content));
    }),
  );
}
