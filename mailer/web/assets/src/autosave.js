// Saves what is being typed, a few seconds after the last keystroke and at least twice a minute. The page's own words
// say how it went; a refusal (somebody else saved, the issue is in review) is said once and ends it: from then on only
// the buttons save.
const QUIET_MS = 3000;
const LONGEST_MS = 30000;

// `fill` puts the editor's text into the form; `done` is told when nothing typed is unsaved any more.
export const startAutosave = (form, { fill, done }) => {
  let address = form.dataset.autosave;
  if (!address) return { touch: () => {}, stop: () => {}, running: () => null };
  const status = form.querySelector("[data-autosave-status]");
  let timer = null;
  let since = 0;
  let turn = 0;
  let isSaving = false;
  let running = null;
  let isOver = false;

  const plan = () => {
    window.clearTimeout(timer);
    since ||= Date.now();
    timer = window.setTimeout(save, Math.min(QUIET_MS, Math.max(0, since + LONGEST_MS - Date.now())));
  };

  const save = async () => {
    if (isOver) return;
    if (isSaving) return plan();
    isSaving = true;
    let over;
    running = new Promise((resolve) => { over = resolve; });
    since = 0;
    const saved = turn;
    fill();
    try {
      const answer = await fetch(address, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
      const said = await answer.json();
      if (answer.ok) {
        form.elements.revision.value = said.revision;
        if (said.autosave) {
          address = said.autosave;
          form.action = said.page;
          window.history.replaceState(null, "", said.page);
        }
        status.textContent = status.dataset.saved.replace("{time}", new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" }));
        if (saved === turn) done();
      } else {
        status.textContent = said.message;
        // What is missing in the form may be filled in; anything else needs a person.
        isOver = Boolean(said.is_over);
      }
    } catch {
      status.textContent = status.dataset.failed;
      if (!isOver) window.setTimeout(plan, QUIET_MS);
    }
    isSaving = false;
    over();
  };

  return {
    touch: () => {
      turn += 1;
      if (!isOver) plan();
    },
    stop: () => {
      isOver = true;
      window.clearTimeout(timer);
    },
    // The saving that is on its way, if one is.
    running: () => (isSaving ? running : null),
  };
};
