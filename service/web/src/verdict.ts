/** The dialog in which a person signs a verdict on a hotspot. */

import { Problem } from "./api";
import { fill, h } from "./dom";
import { VERDICTS } from "./names";
import { nameField, signature } from "./person";
import { failure } from "./section";
import type { Hotspot, Verdict } from "./types";

const EXPLAINED: Record<Verdict, string> = {
  acknowledge: "认领后，其他人会看到由您跟进。",
  confirm: "确认这是真实的集中投诉，计入预警准确率。",
  dismiss: "驳回后不再提醒，除非投诉量再增一半；计入预警准确率。请写明原因。",
  resolve: "问题已处理完毕；之后如再出现，会重新提醒。",
};

/**
 * Ask for name and reason, and send them.
 *
 * @returns what `send` brought, or null when the person gave up.
 */
export function askVerdict(
  hotspot: Hotspot,
  verdict: Verdict,
  send: (person: string, reason: string) => Promise<Hotspot>,
): Promise<Hotspot | null> {
  return new Promise((resolve) => {
    let answer: Hotspot | null = null;
    const name = nameField();
    const reason = h("textarea", { name: "reason", rows: 3, maxlength: 500, required: verdict === "dismiss" });
    const trouble = h("div", {});
    const submit = h("button", { type: "submit", class: "button primary" }, VERDICTS[verdict]);
    const post = async (): Promise<void> => {
      submit.disabled = true;
      try {
        answer = await send(signature(name), reason.value.trim());
        dialog.close();
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        fill(trouble, failure(error));
      } finally {
        submit.disabled = false;
      }
    };
    const form = h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          void post();
        },
      },
      h("h2", { id: "verdict-title" }, `${VERDICTS[verdict]}热点`),
      h("p", { class: "dialog-subject" }, hotspot.title),
      h("p", { class: "hint" }, EXPLAINED[verdict]),
      name && h("label", {}, "您的姓名", name),
      h("label", {}, verdict === "dismiss" ? "原因" : "说明（可不填）", reason),
      trouble,
      h("div", { class: "actions end" }, h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "取消"), submit),
    );
    const dialog = h(
      "dialog",
      {
        class: "dialog",
        "aria-labelledby": "verdict-title",
        onclose: () => {
          dialog.remove();
          resolve(answer);
        },
      },
      form,
    );
    document.body.append(dialog);
    dialog.showModal();
    (name && !name.value ? name : reason).focus();
  });
}
