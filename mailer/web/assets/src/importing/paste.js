// What is pasted from Word, WPS or a page: put into the field as text with those hints that the parser reads (headings,
// Word's classes, sizes, bold, centring, lists, tables), and nothing that would load, run or hide. It leaves as an .html
// file, by the way that every document goes.
import { addressOf, isBold, sourceOf, spellMarks, styleOf } from "../pasting/source.js";

const BLOCKS = new Set(["P", "H1", "H2", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "TABLE", "TBODY", "THEAD", "TFOOT",
  "TR", "TD", "TH", "CAPTION", "BLOCKQUOTE", "PRE", "DIV", "DL", "DT", "DD", "FIGURE", "FIGCAPTION", "ADDRESS", "HR", "BR",
  "B", "STRONG"]);
const KEPT_PICTURE = /^data:image\/(png|jpeg|gif|webp|bmp);base64,/;

export function pasted(holder) {
  const area = holder.querySelector("textarea");
  const place = holder.querySelector("[data-paste-place]");
  area.hidden = true;
  area.disabled = true;
  place.hidden = false;
  holder.querySelector("[data-paste-plain]").hidden = true;
  holder.querySelector("[data-paste-rich]").hidden = false;
  for (const line of area.value.split("\n")) if (line.trim()) place.append(paragraph(line));
  // A label is for a field; the place is found by its name.
  holder.querySelector("label").addEventListener("click", () => place.focus());

  place.addEventListener("paste", (event) => {
    event.preventDefault();
    document.querySelector("[data-import-outcome]").replaceChildren();
    const html = event.clipboardData.getData("text/html");
    const piece = html ? cleaned(html, holder.dataset.picture) : lines(event.clipboardData.getData("text/plain"));
    insert(place, piece);
  });
  place.addEventListener("drop", (event) => event.preventDefault());

  return (data) => {
    data.delete("text");
    if (!place.textContent.trim()) return;
    const page = `<!doctype html><html><head><meta charset="utf-8"></head><body>${place.innerHTML}</body></html>`;
    data.append("document", new Blob([page], { type: "text/html" }), `${holder.dataset.name}.html`);
  };
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function lines(text) {
  const piece = document.createDocumentFragment();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim()) piece.append(paragraph(line));
    // An empty line is a hint, too.
    else piece.append(Object.assign(document.createElement("p"), { innerHTML: "<br>" }));
  }
  return piece;
}

function insert(place, piece) {
  const chosen = window.getSelection();
  const range = chosen.rangeCount && place.contains(chosen.anchorNode) ? chosen.getRangeAt(0) : null;
  if (!range || !place.textContent.trim()) {
    if (!place.textContent.trim()) place.replaceChildren();
    place.append(piece);
  } else {
    range.deleteContents();
    // Between blocks, never inside one: a paragraph holds no paragraphs.
    let block = range.startContainer;
    while (block !== place && block.parentNode !== place) block = block.parentNode;
    if (block === place) range.insertNode(piece);
    else block.after(piece);
  }
  chosen.selectAllChildren(place);
  chosen.collapseToEnd();
}

function cleaned(html, picture) {
  const { body } = sourceOf(html);
  spellMarks(body);
  const piece = document.createDocumentFragment();
  copy(body, piece, picture);
  return piece;
}

function copy(from, to, picture) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) {
      to.append(node.data);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      const address = node.tagName === "A" && addressOf(node);
      if (node.tagName === "IMG") {
        to.append(image(node, picture));
      } else if (address) {
        const made = document.createElement("a");
        made.setAttribute("href", address);
        copy(node, made, picture);
        to.append(made);
      } else if (BLOCKS.has(node.tagName) || /font-(size|weight)/.test(node.dataset.style ?? "")) {
        const made = document.createElement(BLOCKS.has(node.tagName) ? node.tagName : "span");
        hint(made, node);
        copy(node, made, picture);
        to.append(made);
      } else {
        copy(node, to, picture);
      }
    }
  }
}

function hint(made, node) {
  const known = /\bMso(Title|Toc\w*|Caption|Heading\w*)\b/i.exec(node.className);
  if (known) made.className = known[0];
  const styles = styleOf(node);
  const size = /^[\d.]+(?:pt|px)/.exec(styles.get("font-size") ?? "");
  if (size) made.style.fontSize = size[0];
  if (isBold(styles) !== null) made.style.fontWeight = isBold(styles) ? "bold" : "normal";
  if (styles.get("text-align") === "center" || node.getAttribute("align") === "center") made.style.textAlign = "center";
  if (node.tagName === "OL" && node.start > 1) made.start = node.start;
}

function image(node, picture) {
  const source = node.getAttribute("src") ?? "";
  const made = document.createElement("img");
  // One that lies elsewhere stands as its words, and the report counts it.
  if (KEPT_PICTURE.test(source)) made.src = source;
  made.alt = made.src ? node.alt : `[${node.alt || picture}]`;
  return made;
}
