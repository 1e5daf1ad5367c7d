/** Asks for the access key where the service runs with keys. */

import { h } from "./dom";
import { rememberKey } from "./person";

/** @param refused whether a key was given already and did not do. */
export function gate(refused: boolean, enter: () => void): HTMLElement {
  const key = h("input", { name: "key", type: "password", required: true, autocomplete: "current-password" });
  return h(
    "form",
    {
      class: "start gate",
      onsubmit: (event) => {
        event.preventDefault();
        rememberKey(key.value.trim());
        enter();
      },
    },
    h("h1", {}, "投诉热力图"),
    h("p", { class: "hint" }, "此服务需要访问密钥。密钥只保存在本标签页，关闭后即清除。"),
    refused && h("p", { class: "failure", role: "alert" }, "密钥无效，或没有查看和处置的权限。"),
    h("label", {}, "访问密钥", key),
    h("button", { type: "submit", class: "button primary" }, "进入"),
  );
}
