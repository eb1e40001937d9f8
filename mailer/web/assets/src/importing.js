// Uploading and pasting: files put in order, what is pasted made ready, and word of how far the import has come. The
// forms do the same work without this.
import { order } from "./importing/files.js";
import { pasted } from "./importing/paste.js";
import { send } from "./importing/sending.js";

const form = document.querySelector("form[data-import]");
const list = form?.querySelector("[data-file-list]");
const place = form?.querySelector("[data-paste]");
if (list) order(form, list);
const addition = place ? pasted(place) : () => {};
if (form) send(form, addition);
