/** The side panel: a province or a hotspot beside the page, over it on a narrow screen. */

import { fill, h } from "./dom";

const NARROW = window.matchMedia("(max-width: 760px)");

interface Content {
  root: HTMLElement;
  dispose?: () => void;
}

export class Panel {
  private readonly title = h("h2", { id: "panel-title", tabindex: -1 });
  private readonly subtitle = h("p", { class: "hint" });
  private readonly body = h("div", { class: "panel-body" });
  readonly root: HTMLElement;
  private content: Content | null = null;
  private opener: Element | null = null;

  /**
   * @param page what lies behind; not reachable while the panel covers it.
   * @param close asked for by the close button and by Escape.
   */
  constructor(
    private readonly page: HTMLElement,
    close: () => void,
  ) {
    this.root = h(
      "aside",
      { class: "panel", "aria-labelledby": "panel-title", hidden: true, id: "panel" },
      h(
        "header",
        { class: "panel-head" },
        h("div", {}, this.title, this.subtitle),
        h("button", { type: "button", class: "close", "aria-label": "关闭", onclick: close }, h("span", { "aria-hidden": "true" }, "×")),
      ),
      this.body,
    );
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.root.hidden && !document.querySelector("dialog[open]")) close();
    });
    NARROW.addEventListener("change", () => this.cover());
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  show(title: string, subtitle: string, content: Content): void {
    if (!this.isOpen) this.opener = document.activeElement;
    this.content?.dispose?.();
    this.content = content;
    fill(this.title, title);
    fill(this.subtitle, subtitle);
    fill(this.body, content.root);
    this.root.hidden = false;
    this.body.scrollTop = 0;
    this.cover();
    this.title.focus({ preventScroll: true });
  }

  hide(): void {
    if (!this.isOpen) return;
    this.content?.dispose?.();
    this.content = null;
    fill(this.body);
    this.root.hidden = true;
    this.cover();
    if (this.opener instanceof HTMLElement && this.opener.isConnected) this.opener.focus({ preventScroll: true });
    this.opener = null;
  }

  private cover(): void {
    const covered = this.isOpen && NARROW.matches;
    this.page.inert = covered;
    document.documentElement.classList.toggle("covered", covered);
  }
}
