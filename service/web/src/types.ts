/** The wire format of the service (`triage.types`), as far as the page reads it. Times are ISO 8601 with +08:00, days ISO dates. */

export type SentimentLabel = "negative" | "neutral" | "positive";
export type HotspotLevel = "notice" | "warning" | "alarm";
export type HotspotStatus = "new" | "acknowledged" | "confirmed" | "dismissed" | "resolved" | "recurred";
export type Verdict = "acknowledge" | "confirm" | "dismiss" | "resolve";
export type Step = "day" | "hour";

export interface Label {
  key: string;
  name: string;
  confidence: number;
}

/** A stretch of the customer's text, counted in Unicode code points: `start` inclusive, `end` exclusive. */
export interface Span {
  start: number;
  end: number;
}

export interface Evidence extends Span {
  text: string;
  weight: number;
}

export interface Fact extends Span {
  kind: "amount" | "date" | "product" | "channel" | "place" | "demand" | "escalation";
  value: string | number | string[];
  text: string;
}

export interface Triage {
  id: string;
  category: Label;
  alternatives: Label[];
  severity: { level: number; name: string; confidence: number; reasons: string[] };
  sentiment: { label: SentimentLabel; score: number };
  facts: Fact[];
  evidence: Evidence[];
  channel: string;
  region: string | null;
  department: string;
  due: string;
  first_answer_due: string;
  report_due: string | null;
  needs_review: boolean;
  review_reasons: string[];
  model: string;
}

export interface Turn {
  speaker: "customer" | "agent" | "system";
  text: string;
  time: string | null;
}

export interface Complaint {
  id: string;
  text: string;
  turns: Turn[];
  channel: string;
  region: string | null;
  time: string;
  source: string;
  source_id: string | null;
  simulated: boolean;
}

export interface Correction {
  person: string;
  time: string;
  category: string | null;
  severity: number | null;
  sentiment: SentimentLabel | null;
  reason: string;
}

export interface ComplaintRecord {
  id: string;
  complaint: Complaint;
  triage: Triage;
  corrections: Correction[];
  stored_at: string;
}

export interface ComplaintPage {
  complaints: ComplaintRecord[];
  next: string | null;
}

export interface NewLabels {
  person: string;
  category?: string;
  severity?: number;
  sentiment?: SentimentLabel;
  reason?: string;
}

export interface HeatCell {
  region: string;
  name: string;
  count: number;
  severe: number;
  negative: number;
  rate: number | null;
  expected: number | null;
  exceedance: number | null;
  top_category: string | null;
}

export interface Heatmap {
  from: string;
  to: string;
  total: number;
  unlocated: number;
  simulated: boolean;
  cells: HeatCell[];
}

export interface Matrix {
  from: string;
  to: string;
  categories: { key: string; name: string }[];
  regions: { adcode: string; name: string }[];
  counts: number[][];
  expected: ((number | null)[] | null)[];
}

export interface Issue {
  category: string;
  name: string;
  count: number;
  share: number;
  severe: number;
  previous: number;
  change: number | null;
  top_regions: string[];
}

export interface TrendPoint {
  time: string;
  count: number;
  severe: number;
  negative: number;
}

export interface RegionRisk {
  region: string;
  name: string;
  index: number;
  count: number;
  rate_part: number;
  severity_part: number;
  exceedance_part: number;
  hotspots: number;
}

export interface Region {
  adcode: string;
  name: string;
  short: string;
  level: "province" | "city";
  parent: string;
  population: number | null;
  tile: [number, number] | null;
}

export interface Category {
  key: string;
  name: string;
  group: string;
  department: string;
  scope: string;
}

export interface Taxonomy {
  groups: Record<string, { key: string; name: string }>;
  categories: Record<string, Category>;
  channels: Record<string, { key: string; name: string }>;
  severities: Record<string, string>;
  sentiments: Record<SentimentLabel, string>;
}

export interface HotspotEvent {
  time: string;
  action: string;
  status: HotspotStatus;
  person: string;
  reason: string;
  observed: number | null;
}

export interface Hotspot {
  id: string;
  /** A theme is a new issue within a category; its complaints are its `evidence`. */
  kind: "surge" | "theme";
  category: string;
  regions: string[];
  channels: string[];
  window: { from: string; to: string };
  observed: number;
  expected: number;
  ratio: number;
  change: number | null;
  p_value: number;
  recurrence_interval_days: number;
  level: HotspotLevel;
  status: HotspotStatus;
  title: string;
  terms: string[];
  evidence: string[];
  history: HotspotEvent[];
  simulated: boolean;
}

export interface HotspotList {
  hotspots: Hotspot[];
  precision: { confirmed: number; dismissed: number; share: number | null };
  simulated: boolean;
}

/** RFC 9457. */
export interface ProblemBody {
  title?: string;
  status?: number;
  detail?: string;
  errors?: { field: string; value: unknown; expected: string }[];
}
