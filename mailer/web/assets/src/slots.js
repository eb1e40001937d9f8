// Personal slots in the article editor: {{ name|reader }} is shown as a chip and stored as it was typed. It is never
// evaluated. What stands there for readers who have told nothing is asked for in a dialog.
import { InputRule, Node } from "@tiptap/core";

const PLACE = String.raw`\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\|([^{}|<>]*))?\}\}`;

const written = ({ name, fallback }) => (fallback ? `{{ ${name}|${fallback} }}` : `{{ ${name} }}`);

// `labels` says which names are slots here, and what each is called.
export const Slot = Node.create({
  name: "slot",
  group: "inline",
  inline: true,
  atom: true,
  selectable: true,
  addOptions: () => ({ labels: {}, change: () => {} }),
  addAttributes: () => ({
    name: { default: "", parseHTML: (element) => element.dataset.slot, renderHTML: ({ name }) => ({ "data-slot": name }) },
    fallback: { default: "", parseHTML: (element) => element.dataset.fallback ?? "", renderHTML: ({ fallback }) => ({ "data-fallback": fallback }) },
  }),
  parseHTML() {
    return [{ tag: "span[data-slot]", getAttrs: (element) => (element.dataset.slot in this.options.labels ? null : false) }];
  },
  renderHTML({ node, HTMLAttributes }) {
    const { name, fallback } = node.attrs;
    const shown = [["span", { class: "slot-name" }, this.options.labels[name] ?? name]];
    if (fallback) shown.push(["span", { class: "slot-fallback" }, fallback]);
    return ["span", { ...HTMLAttributes, class: "slot-chip", title: written(node.attrs) }, ...shown];
  },
  renderText: ({ node }) => written(node.attrs),
  addInputRules() {
    return [
      new InputRule({
        find: new RegExp(`${PLACE}$`),
        handler: ({ state, range, match }) => {
          if (match[1] in this.options.labels) {
            state.tr.replaceWith(range.from, range.to, this.type.create({ name: match[1], fallback: (match[2] ?? "").trim() }));
          }
        },
      }),
    ];
  },
  addKeyboardShortcuts() {
    return {
      Enter: () => {
        if (!this.editor.isActive("slot")) return false;
        this.options.change();
        return true;
      },
    };
  },
});

// Slots of the newsletter as chips; braces around any other name stay words, and the pre-flight speaks of them.
export const chipsIn = (html, labels) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = [];
    let end = 0;
    for (const found of text.data.matchAll(new RegExp(PLACE, "g"))) {
      if (!(found[1] in labels)) continue;
      const chip = page.createElement("span");
      chip.dataset.slot = found[1];
      chip.dataset.fallback = (found[2] ?? "").trim();
      parts.push(text.data.slice(end, found.index), chip);
      end = found.index + found[0].length;
    }
    if (parts.length) text.replaceWith(...parts, text.data.slice(end));
  }
  return page.body.innerHTML;
};

// The same the other way round, for saving.
export const slotsIn = (html) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  for (const chip of page.querySelectorAll("span[data-slot]")) {
    chip.replaceWith(written({ name: chip.dataset.slot, fallback: chip.dataset.fallback }));
  }
  return page.body.innerHTML;
};

export const labelsOf = (menu) =>
  Object.fromEntries([...menu.options].filter((option) => option.value).map((option) => [option.value, option.textContent.trim()]));

// Gives what opens the dialog for the chip that is selected. `focused` begins a chain of commands with the caret in place.
export const wakeSlots = (root, editor, menu, focused) => {
  const dialog = root.querySelector("[data-slot-dialog]");
  const fallback = dialog.querySelector("input");
  const title = dialog.querySelector("[data-slot-title]");
  const remove = dialog.querySelector("[data-slot-remove]");
  let chosen = null;
  let isChange = false;

  const open = (name, words) => {
    chosen = name;
    title.textContent = labelsOf(menu)[name];
    fallback.value = words;
    remove.hidden = !isChange;
    dialog.showModal();
    fallback.select();
  };
  const put = () => {
    // The characters that part and end a slot have no place in it.
    const attrs = { name: chosen, fallback: fallback.value.replace(/[{}|<>]/g, "").replace(/\s+/g, " ").trim() };
    dialog.close();
    if (isChange) focused().updateAttributes("slot", attrs).setTextSelection(editor.state.selection.to).run();
    else focused().insertContent({ type: "slot", attrs }).run();
  };
  menu.addEventListener("change", () => {
    isChange = false;
    if (menu.value) open(menu.value, menu.selectedOptions[0].dataset.fallback ?? "");
    menu.value = "";
  });
  fallback.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    put();
  });
  dialog.querySelector("[data-slot-put]").addEventListener("click", put);
  remove.addEventListener("click", () => {
    dialog.close();
    focused().deleteSelection().run();
  });
  return () => {
    isChange = true;
    const { name, fallback: words } = editor.getAttributes("slot");
    open(name, words);
  };
};
