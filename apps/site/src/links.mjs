// Rewrites a page of the repository for the site: its links, its comments and its diagrams.
import { existsSync, statSync } from "node:fs";
import { posix } from "node:path";
import { root } from "./places.mjs";

const CODE = /^(`{3,})[^\n]*\n.*?^\1$/gms;
const LINK = /\[((?:`[^`]*`|[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)((?:\s"[^"]*")?)\)/g;

/**
 * Rewrites the links of `text`, which is in `file`, outside of code. `paths` has the pages of the
 * site; `to(path, anchor)` writes a link to one. A link to another file of the repository goes to a
 * copy of it, which `copies` collects; one to a folder becomes its text.
 */
export function rewriteLinks(file, text, { paths, to, copies }) {
  const rewritten = (all, label, target, title) => {
    if (/^[a-z]+:/.test(target)) return all;
    const [path, anchor] = target.split("#");
    if (path === "") return all;
    const goal = posix.join(posix.dirname(file), path).replace(/\/$/, "");
    const page = paths.get(goal) ?? paths.get(`${goal}/README.md`);
    if (page !== undefined) return `[${label}](${to(page, anchor)}${title})`;
    if (!existsSync(root + goal)) throw new Error(`${file}: no file ${goal}`);
    if (statSync(root + goal).isDirectory()) return label;
    copies.add(goal);
    return `[${label}](${to(copyOf(goal))}${title})`;
  };
  return outsideCode(text, (prose) => prose.replace(LINK, rewritten));
}

/** The path on the site of a file that is no page. Browsers show it as text. */
export const copyOf = (file) => `source/${file}.txt`;
export const isCopy = (path) => path.startsWith("source/");

/** Comments are for those who edit the page, and for the tests. */
export function withoutComments(text) {
  return outsideCode(text, (prose) => prose.replace(/<!--.*?-->\n*/gs, ""));
}

function outsideCode(text, change) {
  const blocks = [];
  // A link may not span a block, so a block can be left out while the prose changes.
  const prose = text.replace(CODE, (block) => `\u0000${blocks.push(block) - 1}\u0000`);
  return change(prose).replace(/\0(\d+)\0/g, (_, at) => blocks[Number(at)]);
}
