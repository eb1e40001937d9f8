// Judges mail HTML with html-validate and with caniemail's tables of what clients support.
// node judge_html.mjs ASSETS/package.json FILE…: prints {file: {problems: […], features: {client: [title, …]}}}.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const [, , assets, ...files] = process.argv;
const require = createRequire(assets);
const { HtmlValidate, StaticConfigLoader } = require("html-validate");
const { caniemail } = require("caniemail");

const validator = new HtmlValidate(new StaticConfigLoader({
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    // Mail is styled inline and laid out by tables with their old attributes: webmail and Outlook know nothing else.
    "no-inline-style": "off",
    "no-deprecated-attr": "off",
    "no-conditional-comment": "off",
    "prefer-tbody": "off",
    // A div, since webmail drops elements it does not know with everything in them.
    "prefer-native-element": "off",
    // Not whether a title fits a search engine, nor how a phone number breaks.
    "long-title": "off",
    "tel-non-breaking": "off",
    // Premailer and lxml write HTML as HTML 4 did; no client minds.
    "attr-quotes": "off",
    "no-trailing-whitespace": "off",
    "doctype-style": "off",
  },
}));
// Clients of the kind that our readers have. QQ and 163 are not in the tables: the test on a mail without its head is theirs.
// The library gives up on a client whose table has a gap, so Thunderbird, which shows mail as Firefox does, is left out.
const clients = ["gmail.*", "outlook.*", "apple-mail.*", "yahoo.*", "samsung-email.*", "mail-ru.*", "fastmail.*"];

const verdicts = {};
for (const file of files) {
  const html = readFileSync(file, "utf8");
  const report = await validator.validateString(html);
  const problems = report.results.flatMap((result) => result.messages)
    .map((message) => `${message.line}:${message.column} ${message.ruleId}: ${message.message}`);
  const { issues } = caniemail({ clients, html });
  const features = {};
  for (const [client, found] of issues.errors) features[client] = [...new Set(found.map((issue) => issue.title))].sort();
  verdicts[file] = { problems, features };
}
process.stdout.write(JSON.stringify(verdicts));
