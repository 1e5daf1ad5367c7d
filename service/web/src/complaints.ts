/** A list of complaints, latest first, with what a reader most often asks for: the grave ones, those to be reviewed. */

import * as api from "./api";
import { Problem, type ComplaintQuery } from "./api";
import { complaintCard } from "./complaint";
import { fill, h, keepFocus, segmented } from "./dom";
import type { Names } from "./names";
import { empty, failure, isAbort, skeleton } from "./section";
import type { ComplaintPage } from "./types";

type Choice = "all" | "critical" | "serious" | "review";

const CHOICES: readonly { value: Choice; name: string; query: Partial<ComplaintQuery> }[] = [
  { value: "all", name: "全部", query: {} },
  { value: "critical", name: "重大", query: { severity: 4 } },
  { value: "serious", name: "严重", query: { severity: 3 } },
  { value: "review", name: "待复核", query: { needs_review: true } },
];

interface Options {
  limit: number;
  /** Offer the choices above. */
  choices?: boolean;
  /** Told when a person has corrected a label. */
  corrected?: () => void;
}

export class ComplaintList {
  readonly root = h("div", { class: "complaints" });
  private readonly tools = h("div", { class: "tools" });
  private readonly items = h("div", { class: "items" });
  private readonly foot = h("div", {});
  private choice: Choice = "all";
  private controller: AbortController | null = null;

  constructor(
    private readonly names: Names,
    private query: ComplaintQuery,
    private readonly options: Options,
  ) {
    fill(this.root, options.choices && this.tools, this.items, this.foot);
  }

  /** Show the first page, of another query if one is given. */
  async load(query: ComplaintQuery = this.query): Promise<void> {
    this.query = query;
    keepFocus(this.tools, () =>
      fill(
        this.tools,
        segmented("筛选投诉", CHOICES, this.choice, (choice) => this.choose(choice)),
      ),
    );
    if (!this.items.firstChild) fill(this.items, skeleton());
    await this.fetch("", (page) => {
      fill(this.items, page.complaints.length ? this.cards(page) : empty("没有符合条件的投诉。"));
    });
  }

  private choose(choice: Choice): void {
    this.choice = choice;
    void this.load();
  }

  private async fetch(cursor: string, show: (page: ComplaintPage) => void): Promise<void> {
    this.controller?.abort();
    const controller = (this.controller = new AbortController());
    const chosen = CHOICES.find(({ value }) => value === this.choice)?.query ?? {};
    this.items.setAttribute("aria-busy", "true");
    try {
      const page = await api.complaints({ ...this.query, ...chosen, limit: this.options.limit, cursor }, controller.signal);
      show(page);
      const next = page.next;
      fill(this.foot, next && h("button", { type: "button", class: "button quiet", onclick: () => void this.more(next) }, "加载更多"));
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof Problem)) throw error;
      fill(
        cursor ? this.foot : this.items,
        failure(error, () => void (cursor ? this.more(cursor) : this.load())),
      );
    }
    this.items.removeAttribute("aria-busy");
  }

  private async more(cursor: string): Promise<void> {
    await this.fetch(cursor, (page) => this.items.append(...this.cards(page)));
  }

  private cards(page: ComplaintPage): HTMLElement[] {
    return page.complaints.map((record) => complaintCard(record, this.names, () => this.options.corrected?.()));
  }
}
