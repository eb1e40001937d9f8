// Personal slots in the article editor: {{ name }} is shown as a chip and stored as it was typed. It is never evaluated.
import { Node } from "@tiptap/core";

const SLOT = /\{\{\s*([A-Za-z_]+)\s*(?:\|([^{}|<>]*))?\}\}/g;

export const Slot = Node.create({
  name: "slot",
  group: "inline",
  inline: true,
  atom: true,
  selectable: true,
  addAttributes: () => ({
    name: { default: "", parseHTML: (element) => element.dataset.slot, renderHTML: ({ name }) => ({ "data-slot": name }) },
    fallback: { default: "", parseHTML: (element) => element.dataset.fallback, renderHTML: ({ fallback }) => ({ "data-fallback": fallback }) },
  }),
  parseHTML: () => [{ tag: "span[data-slot]" }],
  renderHTML: ({ node, HTMLAttributes }) => ["span", { ...HTMLAttributes, class: "slot-chip" }, written(node.attrs)],
  renderText: ({ node }) => written(node.attrs),
});

const written = ({ name, fallback }) => (fallback ? `{{ ${name}|${fallback} }}` : `{{ ${name} }}`);

// Slots of the newsletter as chips; braces around any other name stay words, and the pre-flight speaks of them.
export const chipsIn = (html, names) => {
  const page = new DOMParser().parseFromString(html, "text/html");
  const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = [];
    let end = 0;
    for (const found of text.data.matchAll(SLOT)) {
      if (!names.includes(found[1])) continue;
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
  for (const chip of page.querySelectorAll("span[data-slot]")) chip.replaceWith(chip.textContent);
  return page.body.innerHTML;
};
