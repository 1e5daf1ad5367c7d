/** The form with which a person corrects the labels of a complaint. */

import * as api from "./api";
import { Problem } from "./api";
import { categoryOptions } from "./filters";
import { fill, h, option } from "./dom";
import type { Names } from "./names";
import { nameField, signature } from "./person";
import { failure } from "./section";
import type { ComplaintRecord, NewLabels, SentimentLabel } from "./types";

export function correctionForm(
  record: ComplaintRecord,
  names: Names,
  cancel: () => void,
  done: (after: ComplaintRecord) => void,
): HTMLFormElement {
  const { triage } = record;
  const level = String(triage.severity.level);
  const category = h("select", { name: "category" }, categoryOptions(names, triage.category.key, false));
  const severity = h(
    "select",
    { name: "severity" },
    Object.entries(names.taxonomy.severities).map(([key, name]) => option(key, name, level)),
  );
  const sentiment = h(
    "select",
    { name: "sentiment" },
    Object.entries(names.taxonomy.sentiments).map(([key, name]) => option(key, name, triage.sentiment.label)),
  );
  const name = nameField();
  const reason = h("input", { name: "reason", maxlength: 500, placeholder: "可不填" });
  const trouble = h("div", {});
  const submit = h("button", { type: "submit", class: "button primary" }, "保存");

  const save = async (): Promise<void> => {
    // Without a label the service takes it that the person vouches for those there are.
    const labels: NewLabels = { person: signature(name) };
    if (category.value !== triage.category.key) labels.category = category.value;
    if (severity.value !== level) labels.severity = Number(severity.value);
    if (sentiment.value !== triage.sentiment.label) labels.sentiment = sentiment.value as SentimentLabel;
    if (reason.value.trim()) labels.reason = reason.value.trim();
    submit.disabled = true;
    try {
      done(await api.correct(record.id, labels));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      fill(trouble, failure(error));
    } finally {
      submit.disabled = false;
    }
  };

  return h(
    "form",
    {
      class: "correction",
      onsubmit: (event) => {
        event.preventDefault();
        void save();
      },
      onkeydown: (event) => {
        if (event instanceof KeyboardEvent && event.key === "Escape") {
          event.stopPropagation();
          cancel();
        }
      },
    },
    h("label", { class: "wide" }, "类别", category),
    h("label", {}, "严重程度", severity),
    h("label", {}, "情感", sentiment),
    name && h("label", {}, "您的姓名", name),
    h("label", { class: name ? "" : "wide" }, "原因", reason),
    trouble,
    h("div", { class: "actions end wide" }, h("button", { type: "button", class: "button", onclick: cancel }, "取消"), submit),
  );
}
