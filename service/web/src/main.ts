/** Puts the page together: which part shows which answer, and what is asked for again when the view changes. */

import * as api from "./api";
import { Problem } from "./api";
import { ComplaintList } from "./complaints";
import { fill, h, segmented } from "./dom";
import { showFilters } from "./filters";
import { dayRange, timeOfDay } from "./format";
import { gate } from "./gate";
import { HotspotDetail } from "./hotspot";
import { HotspotList } from "./hotspots";
import { showIssues } from "./issues";
import { Kpis, REVIEW_SAMPLE } from "./kpi";
import { TileMap } from "./map";
import { MatrixView, matrixHint } from "./matrix";
import { loadNames, type Names } from "./names";
import { Panel } from "./panel";
import { accessKey } from "./person";
import { ProvinceDetail, type Known } from "./province";
import { showRisk } from "./risk";
import { failure, Section, skeleton } from "./section";
import { canShowHours, onChange, query, queryBefore, span, state, update, weeksBefore, type State } from "./state";
import { TrendChart } from "./trend";

const REFRESH = 60_000; // ms

class Page {
  private readonly filters = h("div", { class: "filters", role: "search", "aria-label": "筛选" });
  private readonly updated = h("span", { class: "updated", role: "status" });
  private readonly banner = h(
    "div",
    { class: "banner", role: "note", hidden: true },
    h("b", {}, "模拟数据"),
    "　当前数据由系统生成，仅供演示，不是真实客户投诉。",
  );
  private readonly kpis = new Kpis();
  private readonly retry = (): void => void this.refresh();
  private readonly sections = {
    map: new Section("map", "各地投诉", this.retry),
    hotspots: new Section("hotspots", "热点预警", this.retry),
    trend: new Section("trend", "投诉趋势", this.retry),
    issues: new Section("issues", "高频问题", this.retry, "不受类别筛选影响；点类别名筛选全页"),
    matrix: new Section("matrix", "类别 × 地区", this.retry, matrixHint()),
    risk: new Section("risk", "地区风险指数", this.retry, "0–100，40 为各地平均水平；不受类别、渠道筛选影响"),
    latest: new Section("latest", "最近投诉", this.retry),
  };
  private readonly map: TileMap;
  private readonly hotspots: HotspotList;
  private readonly trend = new TrendChart(318);
  private readonly matrix: MatrixView;
  private readonly latest: ComplaintList;
  private readonly panel: Panel;
  private controller = new AbortController();
  private known: Known;
  private simulated = { complaints: false, hotspots: false };
  private refreshedAt = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly names: Names,
  ) {
    this.map = new TileMap(this.sections.map, names);
    this.hotspots = new HotspotList(this.sections.hotspots);
    this.matrix = new MatrixView(this.sections.matrix, names);
    this.latest = new ComplaintList(names, query(), { limit: 5, choices: true, corrected: this.retry });
    const { map, hotspots, trend, issues, matrix, risk, latest } = this.sections;
    const content = h(
      "main",
      { id: "content", tabindex: -1 },
      this.kpis.root,
      h("div", { class: "grid" }, map.root, hotspots.root, trend.root, issues.root, matrix.root, risk.root, latest.root),
    );
    fill(latest.body, this.latest.root);
    const head = h("header", { class: "head" }, h("div", { class: "brand" }, h("h1", {}, "投诉热力图"), this.updated), this.filters);
    const top = h("div", { class: "top" }, this.banner, head);
    const page = h("div", { class: "page" }, top, content);
    // The side panel begins below the filters, so that they stay in reach while it is open.
    new ResizeObserver(() => page.parentElement?.style.setProperty("--top", `${top.offsetHeight}px`)).observe(top);
    this.panel = new Panel(page, () => update({ region: "", hotspot: "" }));
    fill(this.host, page, this.panel.root);
    this.known = this.refresh();
    this.follow();
    onChange((now, before) => this.change(now, before));
    document.addEventListener("visibilitychange", () => this.refreshIfStale());
    window.setInterval(() => this.refreshIfStale(), REFRESH / 4);
  }

  /** Ask for everything that the filters determine. */
  private refresh(): Known {
    this.controller.abort();
    this.controller = new AbortController();
    this.refreshedAt = Date.now();
    const { signal } = this.controller;
    const asked = query();
    const key = JSON.stringify(asked);
    const { from, to } = span();
    showFilters(this.filters, this.names);

    const heatmap = api.heatmap(asked, signal);
    const hotspots = api.hotspots(asked.category ?? "", signal);
    this.kpis.followHeatmap(heatmap);
    this.kpis.followHotspots(hotspots);
    this.kpis.followReview(api.complaints({ ...asked, limit: REVIEW_SAMPLE }, signal));
    void this.sections.map.follow(key, heatmap, (answer) => {
      this.map.showHeatmap(answer);
      this.mark({ complaints: answer.simulated });
      fill(this.updated, `${dayRange(from, to)} · ${timeOfDay(new Date())} 更新`);
    });
    void this.sections.hotspots.follow(key, hotspots, (answer) => {
      this.hotspots.show(answer.hotspots);
      this.map.showHotspots(answer.hotspots);
      this.mark({ hotspots: answer.simulated });
    });
    this.followTrend(key);
    void this.sections.issues.follow(key, api.issues(asked, 10, signal), (found) =>
      showIssues(this.sections.issues.body, found, this.names),
    );
    void this.sections.matrix.follow(key, api.matrix(asked, signal), (answer) => this.matrix.show(answer));
    void this.sections.risk.follow(key, api.risk(asked, signal), (found) => showRisk(this.sections.risk.body, found));
    void this.latest.load(asked);
    this.known = { heatmap, hotspots };
    return this.known;
  }

  private followTrend(key: string): void {
    const { signal } = this.controller;
    const { step } = state();
    const work = Promise.all([api.trend(query(), step, signal), api.trend(queryBefore(), step, signal)]);
    const { trend } = this.sections;
    void trend.follow(`${key} ${step}`, work, ([points, before]) => {
      const choices = [
        { value: "day" as const, name: "按日" },
        { value: "hour" as const, name: "按时", disabled: !canShowHours(), title: canShowHours() ? "" : "31 天以内可按小时看" },
      ];
      fill(
        trend.tools,
        segmented("趋势的步长", choices, step, (value) => update({ step: value }, "replace")),
      );
      fill(trend.body, this.trend.root);
      this.trend.draw({ step, points, before: { points: before, days: weeksBefore() * 7 } });
    });
  }

  private change(now: State, before: State): void {
    const key = JSON.stringify(query(now));
    const filtered = key !== JSON.stringify(query(before)) || now.range !== before.range;
    if (filtered) this.refresh();
    else if (now.step !== before.step) this.followTrend(key);
    if (now.metric !== before.metric) {
      this.map.draw();
      this.matrix.draw();
    } else if (now.rows !== before.rows) {
      this.matrix.draw();
    }
    const moved = now.region !== before.region || now.hotspot !== before.hotspot;
    if (moved || (filtered && now.region !== "")) this.follow();
  }

  /** Bring the side panel to what the URL says. */
  private follow(): void {
    const { region, hotspot } = state();
    this.map.select(region);
    if (hotspot) void this.showHotspot(hotspot);
    else if (region && this.names.region(region)) this.showProvince(region);
    else this.panel.hide();
  }

  private showProvince(adcode: string): void {
    const { category, channel } = state();
    const { from, to } = span();
    const filters = [dayRange(from, to), category && this.names.category(category), channel && this.names.channel(channel)].filter(Boolean);
    const detail = new ProvinceDetail(this.names, adcode, this.retry);
    this.panel.show(this.names.region(adcode)?.name ?? "", filters.join(" · "), detail);
    detail.show(this.known);
  }

  private async showHotspot(id: string): Promise<void> {
    const waiting = h("div", { class: "detail" }, skeleton());
    this.panel.show("热点", "正在加载", { root: waiting });
    try {
      const hotspot = await api.hotspot(id);
      if (state().hotspot !== id) return;
      const detail = new HotspotDetail(this.names, this.retry);
      this.panel.show(hotspot.title, hotspot.simulated ? "模拟数据" : "", detail);
      detail.show(hotspot);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (state().hotspot === id)
        fill(
          waiting,
          failure(error, () => void this.showHotspot(id)),
        );
    }
  }

  private mark(part: Partial<typeof this.simulated>): void {
    Object.assign(this.simulated, part);
    this.banner.hidden = !this.simulated.complaints && !this.simulated.hotspots;
  }

  /** While somebody looks, and is not in the middle of writing, keep the figures fresh. */
  private refreshIfStale(): void {
    const isWriting = document.querySelector("dialog[open], .correction") !== null;
    if (document.visibilityState === "visible" && !isWriting && Date.now() - this.refreshedAt >= REFRESH) this.refresh();
  }
}

async function start(host: HTMLElement): Promise<void> {
  const tried = accessKey() !== "";
  fill(host, h("div", { class: "start" }, skeleton()));
  try {
    new Page(host, await loadNames());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401 || error.status === 403) {
      fill(
        host,
        gate(tried, () => void start(host)),
      );
      host.querySelector("input")?.focus();
      return;
    }
    fill(
      host,
      h(
        "div",
        { class: "start" },
        h("h1", {}, "投诉热力图"),
        failure(error, () => void start(host)),
      ),
    );
  }
}

const host = document.getElementById("page");
if (host) void start(host);
