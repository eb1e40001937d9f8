// A clipboard as an article can hold it: subheadings, lists, tables, links, emphasis, and pictures that are there.
import { addressOf, arrangeLists, isBold, isOffice, sourceOf, styleOf } from "./source.js";

const BLOCKS = new Set(["P", "UL", "OL", "LI", "TABLE", "TBODY", "TR", "TD", "TH", "BLOCKQUOTE", "DIV", "HR", "BR"]);
// What stands in a line of its own, and is a paragraph here.
const PARAGRAPHS = new Set(["DT", "DD", "FIGCAPTION", "CAPTION", "ADDRESS", "PRE", "SUMMARY", "LEGEND"]);
const APART = new Set(["P", "H3", "UL", "OL", "TABLE", "BLOCKQUOTE", "DIV", "HR"]);
const HEADING = /^H[1-6]$/;
const MARKS = { isBold: "strong", isItalic: "em", isUnderlined: "u", isStruck: "s", isRaised: "sup", isLowered: "sub" };
const BY_TAG = { B: "isBold", STRONG: "isBold", I: "isItalic", EM: "isItalic", CITE: "isItalic", U: "isUnderlined",
  S: "isStruck", STRIKE: "isStruck", DEL: "isStruck", SUP: "isRaised", SUB: "isLowered" };
const DATA = /^data:(image\/(?:png|jpeg|gif|webp|bmp));base64,([\s\S]+)$/;

// Gives the HTML of what was pasted, the pictures that came inside it as files (each stands as `img[data-pasted=N]`), and
// what could not come along.
export function tidied(html, picture) {
  const { body, hasRevisions } = sourceOf(html);
  arrangeLists(body);
  const taking = { picture, files: [], missing: 0, isOffice: isOffice(html) };
  const made = document.createElement("div");
  copy(body, made, {}, taking);
  for (const paragraph of made.querySelectorAll("p")) trim(paragraph);
  for (const line of made.querySelectorAll("br")) if (isBetweenBlocks(line)) line.remove();
  return { html: made.innerHTML, files: taking.files, missing: taking.missing, hasRevisions };
}

// Whether nothing was copied but one picture.
export function isPictureAlone(html) {
  const { body } = sourceOf(html);
  return !body.textContent.trim() && body.querySelectorAll("img").length === 1;
}

function copy(from, to, marks, taking) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) {
      to.append(marked(spaced(node.data, from, taking), marks));
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      element(node, to, marks, taking);
    }
  }
}

function element(node, to, marks, taking) {
  const own = marksOf(node, marks);
  if (node.tagName === "IMG") {
    to.append(image(node, taking));
  } else if (node.tagName === "A" && addressOf(node)) {
    const link = document.createElement("a");
    link.setAttribute("href", addressOf(node));
    copy(node, link, { ...own, isLink: true }, taking);
    to.append(link);
  } else if (isHeading(node)) {
    // A heading in somebody's document is a subheading here: h1 is the issue's, h2 the article's.
    const made = document.createElement("h3");
    copy(node, made, { isHeading: true }, taking);
    to.append(made);
  } else if (BLOCKS.has(node.tagName) || PARAGRAPHS.has(node.tagName)) {
    const made = document.createElement(PARAGRAPHS.has(node.tagName) ? "p" : node.tagName);
    for (const name of ["colspan", "rowspan", "start"]) if (node.getAttribute(name) > 1) made.setAttribute(name, node.getAttribute(name));
    copy(node, made, own, taking);
    if (node.tagName === "PRE") breakLines(made);
    to.append(made);
  } else {
    copy(node, to, own, taking);
  }
}

function isHeading(node) {
  const isTitled = /\bMso(Title|Subtitle|Heading)/.test(node.className) || /^[1-9]/.test(styleOf(node).get("mso-outline-level") ?? "");
  return HEADING.test(node.tagName) || (node.tagName === "P" && isTitled);
}

function marksOf(node, inherited) {
  const styles = styleOf(node);
  const marks = { ...inherited };
  if (BY_TAG[node.tagName]) marks[BY_TAG[node.tagName]] = true;
  // A style has the last word: Google Docs wraps everything into a <b> that is not bold.
  marks.isBold = isBold(styles) ?? marks.isBold;
  const slant = styles.get("font-style");
  if (slant) marks.isItalic = /^(italic|oblique)/.test(slant);
  const line = `${styles.get("text-decoration") ?? ""} ${styles.get("text-decoration-line") ?? ""}`;
  if (line.includes("underline")) marks.isUnderlined = true;
  if (line.includes("line-through")) marks.isStruck = true;
  if (styles.get("vertical-align") === "super") marks.isRaised = true;
  if (styles.get("vertical-align") === "sub") marks.isLowered = true;
  return marks;
}

function marked(text, marks) {
  let made = document.createTextNode(text);
  if (!text.trim()) return made;
  for (const [name, tag] of Object.entries(MARKS)) {
    // Headings are bold and links underlined by themselves.
    if (!marks[name] || (name === "isBold" && marks.isHeading) || (name === "isUnderlined" && marks.isLink)) continue;
    const mark = document.createElement(tag);
    mark.append(made);
    made = mark;
  }
  return made;
}

// Word and WPS write blanks as no-break spaces; anybody else means them.
function spaced(text, from, { isOffice: isTheirs }) {
  if (from.closest("pre")) return text;
  return (isTheirs ? text.replace(/\u00a0/g, " ") : text.replace(/\u00a0{2,}/g, " ")).replace(/[ \t\r\n]+/g, " ");
}

function breakLines(paragraph) {
  for (const text of [...paragraph.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)) {
    const lines = text.data.split("\n").flatMap((line, at) => (at ? [document.createElement("br"), line] : [line]));
    text.replaceWith(...lines);
  }
}

// Indents made of blanks are the theme's business, and a paragraph of nothing else is none.
function trim(paragraph) {
  const walker = document.createTreeWalker(paragraph, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    text.data = text.data.replace(/^[\s\u00a0\u3000]+/, "");
    if (text.data) break;
  }
  if (!paragraph.textContent.trim() && !paragraph.querySelector("img")) paragraph.remove();
}

// A line end that stands between blocks is a gap, not a line.
function isBetweenBlocks(line) {
  const isBlock = (side) => {
    let other = line[side];
    while (other?.nodeType === Node.TEXT_NODE && !other.data.trim()) other = other[side];
    return !other || APART.has(other.tagName);
  };
  return isBlock("previousSibling") && isBlock("nextSibling");
}

function image(node, taking) {
  const source = node.getAttribute("src") ?? "";
  const alt = node.alt.trim();
  if (source.startsWith(`${location.origin}/media/`)) {
    return Object.assign(document.createElement("img"), { src: source, alt });
  }
  const data = DATA.exec(source);
  if (data) {
    const made = Object.assign(document.createElement("img"), { alt });
    made.dataset.pasted = taking.files.push({ type: data[1], content: data[2] }) - 1;
    return made;
  }
  // It lies on the computer or the page it was copied from, where no mail can fetch it: its words say where one was.
  taking.missing += 1;
  return `[${alt || taking.picture}]`;
}
