// Checks that every relative link names an existing file, and every #anchor a heading in it; and that
// no merge was left unresolved.
import { existsSync, statSync } from "node:fs";
import { posix } from "node:path";
import { proseOf, read, root } from "./markdown.mjs";

const LINK = /\]\(([^)\s]+)(?:\s"[^"]*")?\)/g;

export function checkLinks(files) {
  const faults = [];
  let count = 0;
  for (const file of files) {
    const lines = proseOf(read(file)).split("\n");
    lines.forEach((text, i) => {
      if (/^(?:<{7}|>{7}) /.test(text)) faults.push(`${file}:${i + 1}: a conflict of a merge`);
      for (const [, target] of text.replace(/`[^`]*`/g, "").matchAll(LINK)) {
        if (/^[a-z]+:/.test(target)) continue;
        count++;
        const fault = faultOf(file, target);
        if (fault !== undefined) faults.push(`${file}:${i + 1}: ${fault}`);
      }
    });
  }
  return { faults, count };
}

function faultOf(file, target) {
  const [path, anchor] = target.split("#");
  const goal = path === "" ? file : posix.normalize(posix.join(posix.dirname(file), path));
  const url = new URL(goal, root);
  if (goal.startsWith("..") || !existsSync(url)) return `no file ${goal}`;
  if (anchor === undefined) return undefined;
  if (statSync(url).isDirectory() || !anchorsOf(read(goal)).has(anchor)) {
    return `no heading #${anchor} in ${goal}`;
  }
  return undefined;
}

function anchorsOf(text) {
  const headings = proseOf(text).matchAll(/^#{1,6} (.+)$/gm);
  return new Set([...headings].map(([, heading]) => anchorOf(heading)));
}

// Like GitHub's anchors: lower case, no punctuation, a dash for each space.
export function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
