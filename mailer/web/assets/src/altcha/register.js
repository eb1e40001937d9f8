// Where the widget's worker lies: an address of our own, because the pages' policy allows no blob: workers. Before the
// widget itself, so that it finds it.
const { algorithms } = globalThis.$altcha;
const element = document.querySelector("altcha-widget[data-worker]");
if (element) {
  algorithms.set("PBKDF2/SHA-256", () => new Worker(element.dataset.worker));
}
