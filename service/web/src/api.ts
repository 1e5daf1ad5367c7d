/** The one place that talks to the service. Every function raises `Problem` when the answer is not the one asked for. */

import { accessKey, forgetKey } from "./person";
import type {
  ComplaintPage,
  ComplaintRecord,
  Heatmap,
  Hotspot,
  HotspotList,
  Issue,
  Matrix,
  NewLabels,
  ProblemBody,
  Region,
  RegionRisk,
  Step,
  Taxonomy,
  TrendPoint,
  Verdict,
} from "./types";

/** What an answer is about: days (both included), category or group key, channel key, adcode; empty = all. */
export interface Query {
  from: string;
  to: string;
  category?: string;
  channel?: string;
  region?: string;
}

export interface ComplaintQuery extends Query {
  severity?: number;
  needs_review?: boolean;
  hotspot?: string;
  limit?: number;
  cursor?: string;
}

/** A request that failed, in words for the person in front of the page. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly lines: string[] = [],
    /** HTTP status; 0 = there was no answer. */
    readonly status = 0,
  ) {
    super(message);
    this.name = "Problem";
  }
}

type Parameters = Record<string, string | number | boolean | undefined>;

const ROOT = new URL("v1/", document.baseURI);

async function request<T>(path: string, parameters: Parameters, init: RequestInit): Promise<T> {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
  }
  let response: Response;
  try {
    const key = accessKey();
    const headers = { accept: "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}), ...init.headers };
    response = await fetch(url, { ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem("连接不上服务，请检查网络，或稍后重试。");
  }
  if (!response.ok) throw await problem(response);
  return (await response.json()) as T;
}

const FRAMES: Record<number, string> = {
  401: "需要访问密钥，请刷新页面后输入",
  403: "此密钥没有查看和处置的权限，请刷新页面后另输",
  404: "没有找到所要的内容",
  409: "与现有状态冲突，操作未生效",
  413: "内容过大，未被接受",
  422: "请求内容有误，未被接受",
  429: "请求过于频繁，请稍后重试",
  503: "服务尚未就绪，请稍后重试",
};

async function problem(response: Response): Promise<Problem> {
  const frame = FRAMES[response.status] ?? (response.status >= 500 ? "服务内部出错" : "请求未被接受");
  const lines: string[] = [];
  if (response.status === 401 || response.status === 403) forgetKey();
  if (response.headers.get("content-type")?.includes("json")) {
    const body = (await response.json()) as ProblemBody;
    for (const error of body.errors ?? []) lines.push(`${error.field}：收到 ${JSON.stringify(error.value)}，应为 ${error.expected}`);
    if (lines.length === 0 && body.detail) lines.push(body.detail);
  }
  return new Problem(`${frame}（${response.status}）。`, lines, response.status);
}

function get<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
  return request<T>(path, parameters, signal ? { signal } : {});
}

function send<T>(method: "POST" | "PATCH", path: string, body: object): Promise<T> {
  return request<T>(path, {}, { method, body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

export const taxonomy = (): Promise<Taxonomy> => get("taxonomy", {});
export const regions = async (): Promise<Region[]> => (await get<{ regions: Region[] }>("regions", {})).regions;

export const heatmap = (query: Query, signal?: AbortSignal): Promise<Heatmap> => get("heatmap", { ...query }, signal);

export const matrix = ({ from, to, channel }: Query, signal?: AbortSignal): Promise<Matrix> =>
  get("heatmap/matrix", { from, to, channel }, signal);

export const issues = async ({ from, to, channel, region }: Query, limit: number, signal?: AbortSignal): Promise<Issue[]> =>
  (await get<{ issues: Issue[] }>("issues", { from, to, channel, region, limit }, signal)).issues;

export const trend = async (query: Query, step: Step, signal?: AbortSignal): Promise<TrendPoint[]> =>
  (await get<{ points: TrendPoint[] }>("trends", { ...query, step }, signal)).points;

export const risk = async ({ from, to }: Query, signal?: AbortSignal): Promise<RegionRisk[]> =>
  (await get<{ regions: RegionRisk[] }>("regions/risk", { from, to }, signal)).regions;

export const complaints = (query: ComplaintQuery, signal?: AbortSignal): Promise<ComplaintPage> => get("complaints", { ...query }, signal);

export const complaint = (id: string): Promise<ComplaintRecord> => get(`complaints/${encodeURIComponent(id)}`, {});

export const correct = (id: string, labels: NewLabels): Promise<ComplaintRecord> =>
  send("PATCH", `complaints/${encodeURIComponent(id)}/labels`, labels);

export const hotspots = (category: string, signal?: AbortSignal): Promise<HotspotList> => get("hotspots", { category, limit: 200 }, signal);
export const hotspot = (id: string, signal?: AbortSignal): Promise<Hotspot> => get(`hotspots/${encodeURIComponent(id)}`, {}, signal);

export const judge = (id: string, verdict: Verdict, person: string, reason: string): Promise<Hotspot> =>
  send("POST", `hotspots/${encodeURIComponent(id)}/${verdict}`, { person, reason });
