// A form that is sent with word of how far it has come: its bytes first, then what the server says of the reading.
const EVERY_MS = 700;

export function send(form, add) {
  const panel = form.querySelector("[data-import-progress]");
  const words = panel.querySelector("[data-import-words]");
  const bar = panel.querySelector("progress");
  const submit = form.querySelector("button[type=submit]");

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const data = new FormData(form);
    add(data);
    data.append("progress", key);
    begin();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (at) => {
      if (at.lengthComputable) say(panel.dataset.sending.replace("{percent}", Math.round((100 * at.loaded) / at.total)), 0);
    });
    let timer = 0;
    request.upload.addEventListener("load", () => {
      say(panel.dataset.waiting, 0);
      timer = window.setInterval(() => ask(key), EVERY_MS);
    });
    request.addEventListener("loadend", () => {
      window.clearInterval(timer);
      finish(request);
    });
    request.send(data);
  });

  const say = (text, percent) => {
    // Said once: a screen reader would repeat it.
    if (text && words.textContent !== text) words.textContent = text;
    bar.value = percent;
  };

  const begin = () => {
    outcome().replaceChildren();
    panel.hidden = false;
    submit.disabled = true;
    form.setAttribute("aria-busy", "true");
  };

  const end = () => {
    panel.hidden = true;
    submit.disabled = false;
    form.removeAttribute("aria-busy");
    delete form.dataset.sent;
  };

  const ask = async (key) => {
    try {
      const answer = await fetch(panel.dataset.importProgress.replace("KEY", key));
      if (!answer.ok || panel.hidden) return;
      const said = await answer.json();
      if (said.words) say(said.words, said.percent);
    } catch {
      // The import itself goes on; its answer tells what became of it.
    }
  };

  const finish = (request) => {
    const kind = request.getResponseHeader("Content-Type") ?? "";
    if (request.status === 200 && kind.startsWith("application/json")) {
      bar.value = 100;
      window.location.assign(JSON.parse(request.responseText).location);
      return;
    }
    end();
    if (request.status === 422) show(new DOMParser().parseFromString(request.responseText, "text/html"));
    else if (request.status === 413) complain(panel.dataset.tooLarge);
    // Signed out meanwhile, most of all.
    else if (request.status === 200) window.location.reload();
    else complain(panel.dataset.failed);
  };

  const outcome = () => document.querySelector("[data-import-outcome]");

  const show = (page) => {
    const told = page.querySelector("[data-import-outcome]");
    const beside = page.querySelector(".invalid-feedback");
    if (told?.children.length) outcome().replaceChildren(...told.children);
    else complain(beside?.textContent.trim() || panel.dataset.failed);
    outcome().scrollIntoView({ block: "nearest" });
  };

  const complain = (text) => {
    const box = document.createElement("div");
    box.className = "alert alert-danger";
    box.setAttribute("role", "alert");
    box.append(Object.assign(document.createElement("div"), { className: "w-100", textContent: text }));
    outcome().replaceChildren(box);
  };
}
