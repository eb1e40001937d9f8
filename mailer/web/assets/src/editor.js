// The article editor: Tiptap over the plain textarea that the page comes with. Without script the textarea posts plain
// paragraphs; with it, the hidden field `body` posts HTML, which the server sanitises whoever sent it.
// The words of every button stand in the page, translated there; nothing here speaks a language.
import { Editor, Mark } from "@tiptap/core";
import StarterKit from "@tiptap/starter-kit";
import { Table, TableRow, TableHeader, TableCell } from "@tiptap/extension-table";
import { startAutosave } from "./autosave.js";
import { wakePasting } from "./pasting/editor.js";
import { Picture, wakePictures } from "./pictures.js";
import { Slot, chipsIn, labelsOf, slotsIn, wakeSlots } from "./slots.js";

// Mail needs no widths in columns, and the page's policy allows no style attributes.
const PlainTable = Table.extend({ renderHTML: () => ["table", ["tbody", 0]] });

// m² and CO₂ come with what is pasted or imported, and stay.
const raised = (name, tag) => Mark.create({ name, parseHTML: () => [{ tag }], renderHTML: () => [tag, 0] });

const COMMANDS = {
  paragraph: { run: (chain) => chain.setParagraph(), isOn: (editor) => editor.isActive("paragraph") },
  heading: { run: (chain) => chain.toggleHeading({ level: 3 }), isOn: (editor) => editor.isActive("heading", { level: 3 }) },
  bold: { run: (chain) => chain.toggleBold(), isOn: (editor) => editor.isActive("bold") },
  italic: { run: (chain) => chain.toggleItalic(), isOn: (editor) => editor.isActive("italic") },
  underline: { run: (chain) => chain.toggleUnderline(), isOn: (editor) => editor.isActive("underline") },
  bullets: { run: (chain) => chain.toggleBulletList(), isOn: (editor) => editor.isActive("bulletList") },
  numbers: { run: (chain) => chain.toggleOrderedList(), isOn: (editor) => editor.isActive("orderedList") },
  quote: { run: (chain) => chain.toggleBlockquote(), isOn: (editor) => editor.isActive("blockquote") },
  table: { run: (chain) => chain.insertTable({ rows: 3, cols: 3, withHeaderRow: true }), can: (editor) => !editor.isActive("table") },
  "row-add": { run: (chain) => chain.addRowAfter(), inTable: true },
  "row-remove": { run: (chain) => chain.deleteRow(), inTable: true },
  "column-add": { run: (chain) => chain.addColumnAfter(), inTable: true },
  "column-remove": { run: (chain) => chain.deleteColumn(), inTable: true },
  "table-remove": { run: (chain) => chain.deleteTable(), inTable: true },
  clear: { run: (chain) => chain.unsetAllMarks().clearNodes() },
  undo: { run: (chain) => chain.undo(), can: (editor) => editor.can().undo() },
  redo: { run: (chain) => chain.redo(), can: (editor) => editor.can().redo() },
};

const isAddress = (href) => {
  try {
    return Boolean(new URL(href));
  } catch {
    return false;
  }
};

const wake = (root) => {
  const fallback = root.querySelector("[data-editor-fallback]");
  const body = root.querySelector("[data-editor-body]");
  const place = root.querySelector("[data-editor-place]");
  const toolbar = root.querySelector("[role=toolbar]");
  const counter = root.querySelector("[data-editor-count]");
  const dialog = root.querySelector("[data-link-dialog]");
  const slotMenu = root.querySelector("[data-slots]");
  const labels = labelsOf(slotMenu);
  let changeSlot = () => {};
  const form = root.closest("form");
  let isChanged = root.hasAttribute("data-editor-changed");

  let pasting = null;

  const editor = new Editor({
    element: place,
    injectCSS: false,
    content: chipsIn(body.value, labels),
    extensions: [
      StarterKit.configure({
        heading: { levels: [3] },
        code: false,
        codeBlock: false,
        link: { openOnClick: false, autolink: true, defaultProtocol: "https", protocols: ["http", "https", "mailto"], HTMLAttributes: { target: null, rel: null } },
      }),
      PlainTable,
      TableRow,
      TableHeader,
      TableCell,
      raised("superscript", "sup"),
      raised("subscript", "sub"),
      Picture,
      Slot.configure({ labels, change: () => changeSlot() }),
    ],
    editorProps: {
      attributes: { role: "textbox", "aria-multiline": "true", "aria-label": place.dataset.label, class: "article-body" },
      transformPastedHTML: (html) => chipsIn(pasting.tidy(html), labels),
      handlePaste: (_view, event) => pasting.take(event.clipboardData),
      handleDrop: (_view, event, _slice, isMoved) => !isMoved && pasting.take(event.dataTransfer, event),
      handleClickOn: (_view, at, node) => {
        if (node.type.name !== "slot") return false;
        editor.commands.setNodeSelection(at);
        changeSlot();
        return true;
      },
    },
  });

  // Focused at once: Tiptap's own focus() waits for a frame, and then puts the caret back before what was typed meanwhile.
  const focused = () => {
    editor.view.focus();
    return editor.chain();
  };
  const { ask: askForPicture, upload } = wakePictures(root, editor);
  pasting = wakePasting(root, editor, { askForPicture, upload });
  changeSlot = wakeSlots(root, editor, slotMenu, focused);
  const blockMenu = root.querySelector("[data-blocks]");
  blockMenu?.addEventListener("change", () => {
    if (blockMenu.value) focused().insertContent(chipsIn(blockMenu.value, labels)).run();
    blockMenu.value = "";
  });
  const buttons = [...toolbar.querySelectorAll("button")];
  const refresh = () => {
    const isInTable = editor.isActive("table");
    for (const button of buttons) {
      const name = button.dataset.command;
      const command = COMMANDS[name];
      if (name === "picture") {
        button.setAttribute("aria-pressed", String(editor.isActive("picture")));
      } else if (name === "link") {
        button.setAttribute("aria-pressed", String(editor.isActive("link")));
      } else if (command.isOn) {
        button.setAttribute("aria-pressed", String(command.isOn(editor)));
      }
      if (command?.inTable) {
        button.hidden = !isInTable;
      } else if (command?.can) {
        button.setAttribute("aria-disabled", String(!command.can(editor)));
      }
    }
    counter.textContent = counter.dataset.words.replace("{n}", editor.getText().replace(/\s/g, "").length.toLocaleString(document.documentElement.lang));
  };

  // One stop for Tab, arrows inside (the toolbar pattern of the ARIA authoring practices).
  const shown = () => buttons.filter((button) => !button.hidden);
  const focusOn = (button) => {
    for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
    button.focus();
  };
  for (const button of buttons) button.tabIndex = -1;
  buttons[0].tabIndex = 0;
  toolbar.addEventListener("keydown", (event) => {
    const list = shown();
    const at = list.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    focusOn(list[(to + list.length) % list.length]);
  });
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
    if (button.dataset.command === "link") {
      ask();
    } else if (button.dataset.command === "picture") {
      askForPicture();
    } else {
      COMMANDS[button.dataset.command].run(focused()).run();
      if (button.hidden) focusOn(buttons[0]), editor.commands.focus();
    }
  });

  // ---- links ----
  const address = dialog.querySelector("input");
  const problem = dialog.querySelector("[data-link-problem]");
  const ask = () => {
    address.value = editor.getAttributes("link").href ?? "";
    problem.hidden = true;
    dialog.querySelector("[data-link-remove]").hidden = !editor.isActive("link");
    dialog.showModal();
  };
  const put = () => {
    let href = address.value.trim();
    if (href && !/^(https?:\/\/|mailto:)/i.test(href)) href = /^[^\s/@]+@[^\s/@]+$/.test(href) ? `mailto:${href}` : `https://${href}`;
    if (!isAddress(href)) {
      problem.hidden = false;
      address.focus();
      return;
    }
    dialog.close();
    const chain = focused().extendMarkRange("link");
    if (editor.state.selection.empty && !editor.isActive("link")) {
      chain.insertContent({ type: "text", text: href, marks: [{ type: "link", attrs: { href } }] }).run();
    } else {
      chain.setLink({ href }).run();
    }
  };
  address.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      put();
    }
  });
  dialog.querySelector("[data-link-put]").addEventListener("click", put);
  dialog.querySelector("[data-link-remove]").addEventListener("click", () => {
    dialog.close();
    focused().extendMarkRange("link").unsetLink().run();
  });

  // ---- saving ----
  const fill = () => {
    body.value = editor.isEmpty ? "" : slotsIn(editor.getHTML());
  };
  const autosave = startAutosave(form, {
    fill,
    done: () => {
      isChanged = false;
    },
  });
  const change = () => {
    isChanged = true;
    autosave.touch();
  };
  editor.on("update", change);
  editor.on("transaction", refresh);
  form.addEventListener("input", change);
  form.addEventListener("submit", (event) => {
    autosave.stop();
    fill();
    isChanged = false;
    // What saves itself at this very moment brings the revision that this saving needs: else it would meet itself.
    const running = autosave.running();
    if (running) {
      event.preventDefault();
      running.then(() => form.requestSubmit(event.submitter));
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (isChanged) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      form.requestSubmit();
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && editor.isFocused) {
      event.preventDefault();
      ask();
    }
  });

  fallback.remove();
  body.disabled = false;
  for (const part of root.querySelectorAll("[data-editor-only]")) part.hidden = false;
  refresh();
};

for (const root of document.querySelectorAll("[data-editor]")) wake(root);
