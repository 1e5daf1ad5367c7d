import { defineConfig } from "vite";

// `npm run dev` serves the page on its own and hands the API to a service that runs beside it.
const service = "http://127.0.0.1:8000";

export default defineConfig({
  base: "./",
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // no data: URLs, so that a strict content security policy can hold
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700, // ECharts; loaded after the first paint
  },
  server: { proxy: { "/v1": service } },
});
