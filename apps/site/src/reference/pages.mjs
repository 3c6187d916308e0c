// A page for each public name, and the list of an entry point's names.
import ts from "typescript";
import { anchorOf } from "../../../../scripts/docs/links.mjs";
import { Addresses, isExplained } from "./addresses.mjs";
import { commentOf, firstSentence } from "./comments.mjs";
import { inheritedOf, membersOf } from "./members.mjs";
import { readNames } from "./names.mjs";
import { declarationOf, memberText } from "./signatures.mjs";

const HEADINGS = {
  function: "Functions",
  class: "Classes",
  interface: "Interfaces",
  type: "Types",
  constant: "Constants",
};

/**
 * The reference: every name with its `path`, `comment` and `members`; the text of the `pages` by path;
 * `list(entry)`, tables of what an entry point exports; and `faults`. `to(path, anchor)` writes a link.
 */
export function referencePages(to) {
  const { names: bare, checker } = readNames();
  const addresses = new Addresses(bare, to);
  const { faults } = addresses;
  const names = bare.map((name) => {
    const link = (target, text) => addresses.link(name, target, text);
    const comment = commentOf(documented(name.declarations), link);
    if (comment.text === "") faults.push(`${name.name} has no doc comment`);
    return { ...name, comment, members: membersOf(name, link) };
  });
  return {
    names,
    faults,
    pages: new Map(names.map((name) => [name.path, pageOf(name, addresses, checker)])),
    list: (entry) => listOf(names, entry, to),
  };
}

function documented(declarations) {
  return (
    declarations.find((node) => ts.getJSDocCommentsAndTags(node).length > 0) ?? declarations[0]
  );
}

function pageOf(name, addresses, checker) {
  const { comment, members } = name;
  const declaration = declarationOf(name, members, checker);
  const parts = [
    "---\npageClass: name\n---",
    `# \`${shown(name)}\` {#${anchorOf(name.name)}}`,
    ...aboutOf(name),
    comment.text,
    fence(declaration),
    ...mentioned(name, declaration, addresses),
    ...detailsOf(comment),
  ];
  for (const member of members.filter(isExplained)) {
    parts.push(`## \`${headingOf(member)}\` {#${anchorOf(member.name)}}`);
    parts.push(fence(memberText(member, checker)), member.comment.text);
    parts.push(...detailsOf(member.comment));
  }
  for (const { from, names } of inheritedOf(name, checker)) {
    const [page] = addresses.among([from.name]);
    const linked = (text, member) =>
      page === undefined ? text : addresses.toMember(page, member, text);
    parts.push(`## From ${linked(`\`${from.name}\``)} {#from-${anchorOf(from.name)}}`);
    parts.push(names.map((member) => linked(`\`${member}\``, member)).join(", "));
  }
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function shown({ name, kind }) {
  return kind === "function" ? `${name}()` : name;
}

function aboutOf({ kind, entries }) {
  const from = entries.map((entry) => `<code>${entry.name}</code>`).join(" ");
  const about = `<p class="kind">${kind} · ${from}</p>`;
  if (!entries.every(({ isForAuthors }) => isForAuthors)) return [about];
  const authors = "For authors of transports, clients and servers";
  return [about, `::: info ${authors}\nApplications do not need it.\n:::`];
}

function headingOf({ name, nodes: [node] }) {
  return ts.isMethodDeclaration(node) || ts.isMethodSignature(node) ? `${name}()` : name;
}

function detailsOf({ throws, parameters, returns, examples }) {
  const parts = [listed(parameters.map(({ name, text }) => `\`${name}\`: ${text}`))];
  if (returns !== "") parts.push(`**Returns** ${returns}`);
  if (throws.length === 1) parts.push(`**Throws** ${flat(throws[0])}`);
  else if (throws.length > 1) parts.push("**Throws**", listed(throws));
  for (const text of examples) parts.push(text.startsWith("```") ? text : fence(text.trim()));
  return parts;
}

function listed(texts) {
  return texts.map((text) => `- ${flat(text)}`).join("\n");
}

function flat(text) {
  return text.replace(/\s*\n\s*/g, " ");
}

function fence(code) {
  return `\`\`\`ts\n${code}\n\`\`\``;
}

/** The public types that a declaration uses, because code has no links. */
function mentioned(name, declaration, addresses) {
  const words = [...new Set(declaration.match(/\b[A-Za-z]\w+\b/g))];
  const others = addresses.among(words).filter(({ symbol, kind }) => {
    return symbol !== name.symbol && kind !== "function" && kind !== "constant";
  });
  if (others.length === 0) return [];
  const links = others.map((one) => addresses.toMember(one, undefined, `\`${one.name}\``));
  return [`<div class="mentions">\n\n${links.join(" ")}\n\n</div>`];
}

function listOf(names, entry, to) {
  const exported = names.filter(({ entries }) => entries.includes(entry));
  return Object.entries(HEADINGS).flatMap(([kind, heading]) => {
    const rows = exported.filter((name) => name.kind === kind);
    if (rows.length === 0) return [];
    const lines = rows.map((name) => {
      const says = firstSentence(name.comment.text).replaceAll("|", "\\|");
      return `| [\`${shown(name)}\`](${to(name.path)}) | ${says} |`;
    });
    return [`### ${heading}`, `| | |\n| --- | --- |\n${lines.join("\n")}`];
  });
}
