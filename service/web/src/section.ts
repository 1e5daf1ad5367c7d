/** A part of the page that shows one answer of the service: loading, empty, failed, stale. */

import { Problem } from "./api";
import { fill, h, keepFocus, type Child } from "./dom";

export class Section {
  readonly root: HTMLElement;
  readonly body: HTMLElement;
  readonly tools: HTMLElement;
  private readonly note: HTMLElement;
  private latest: Promise<unknown> | null = null;
  private shownKey: string | null = null;

  /**
   * @param retry what the button of the error state does.
   * @param hint one line under the title.
   */
  constructor(
    id: string,
    title: string,
    private readonly retry: () => void,
    hint: Child = null,
  ) {
    this.tools = h("div", { class: "tools" });
    this.note = h("p", { class: "note", role: "status", hidden: true });
    this.body = h("div", { class: "body" });
    this.root = h(
      "section",
      { class: "card", id, "aria-labelledby": `${id}-title` },
      h(
        "header",
        { class: "card-head" },
        h("div", {}, h("h2", { id: `${id}-title` }, title), hint && h("p", { class: "hint" }, hint)),
        this.tools,
      ),
      this.note,
      this.body,
    );
  }

  /**
   * Show what a promise brings. What is on show stays, dimmed, until then; an answer that a newer request overtook is dropped.
   *
   * @param key what the answer is about: if a refresh of the same thing fails, the old answer stays with a note.
   */
  async follow<T>(key: string, work: Promise<T>, show: (value: T) => void): Promise<void> {
    this.latest = work;
    this.root.setAttribute("aria-busy", "true");
    if (this.shownKey === null) fill(this.body, skeleton());
    try {
      const value = await work;
      if (this.latest !== work) return;
      this.note.hidden = true;
      keepFocus(this.root, () => show(value));
      this.shownKey = key;
    } catch (error) {
      if (this.latest !== work || isAbort(error)) return;
      if (!(error instanceof Problem)) throw error;
      if (this.shownKey === key) {
        fill(this.note, `刷新失败，显示的是稍早的数据。${error.message}`);
        this.note.hidden = false;
      } else {
        this.shownKey = null;
        fill(this.body, failure(error, this.retry));
      }
    }
    this.root.removeAttribute("aria-busy");
  }
}

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

export const skeleton = (): HTMLElement =>
  h("div", { class: "skeleton", role: "status", "aria-label": "正在加载" }, h("i"), h("i"), h("i"), h("i"));

export const empty = (text: string, more: Child = null): HTMLElement => h("div", { class: "empty" }, h("p", {}, text), more);

export function failure(error: Problem, retry?: () => void): HTMLElement {
  return h(
    "div",
    { class: "failure", role: "alert" },
    h("p", {}, error.message),
    error.lines.map((line) => h("p", { class: "failure-detail" }, line)),
    retry && h("button", { type: "button", class: "button", onclick: retry }, "重试"),
  );
}
