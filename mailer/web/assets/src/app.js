// What every page has: htmx for live parts, Tabler's menus, and dialogs that ask before what cannot be undone.
// Nothing here is needed: without script every form still posts and every menu is a plain link.
import htmx from "htmx.org/dist/htmx.esm.js";
import "@tabler/core/dist/js/tabler.esm.js";

window.htmx = htmx;
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;

// <button data-confirm="dialog-id">: opens <dialog id="dialog-id">, whose own form does the deed.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-confirm]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.confirm);
    if (dialog && typeof dialog.showModal === "function") {
      event.preventDefault();
      dialog.showModal();
    }
  }
  if (event.target.closest("[data-close-dialog]")) {
    event.target.closest("dialog").close();
  }
});

// A form that was sent once is not sent twice by an impatient second click.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent && !form.hasAttribute("data-resend")) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  window.setTimeout(() => delete form.dataset.sent, 4000);
});

// <button data-copy="field-id" data-copied="Copied" hidden>: puts the field's text into the clipboard and says so. Only
// script can copy: without it the button stays hidden and the field can be selected by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    // A page that did not come by HTTPS has no clipboard, only the old command.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(field.value);
    } else {
      document.execCommand("copy");
    }
    button.querySelector("span").textContent = button.dataset.copied;
  });
}
