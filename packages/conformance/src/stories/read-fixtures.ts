import { readdirSync, readFileSync } from "node:fs";
import type { LimitName, Role } from "@upgrade/core";

/** A fenced block of a case, in the order of the story. */
export interface Block {
  readonly kind: "http" | "do" | "wire" | "events";
  readonly lines: readonly string[];
  /** The number of its first line. */
  readonly line: number;
}

/** One story of a chapter. */
export interface Case {
  readonly title: string;
  /** `chunked.md:12`, the line of the heading. */
  readonly place: string;
  /** The requirements it proves: `R09`, `L1`. */
  readonly ids: readonly string[];
  readonly role: Role;
  readonly limits: { readonly [Name in LimitName]?: number };
  /** The request our client sends before the story begins: `GET`, `HEAD`, `GET+websocket`. */
  readonly asks: string | undefined;
  /** Print the field lines of heads, too. */
  readonly showsFields: boolean;
  readonly blocks: readonly Block[];
}

const KINDS = ["http", "do", "wire", "events"];

/** All chapters of a folder, by file name. */
export function readFixtures(folder: URL): { chapter: string; cases: Case[] }[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md") && file !== "README.md")
    .sort()
    .map((file) => ({
      chapter: file.slice(0, -".md".length),
      cases: readChapter(file, readFileSync(new URL(file, folder), "utf8")),
    }));
}

/** The cases of one chapter. Text between the blocks is commentary. */
export function readChapter(file: string, markdown: string): Case[] {
  const lines = markdown.split("\n");
  const starts = lines.flatMap((line, i) => (line.startsWith("## ") ? [i] : []));
  return starts.map((start, i) => readCase(file, lines.slice(start, starts[i + 1]), start + 1));
}

function readCase(file: string, lines: readonly string[], line: number): Case {
  const title = lines[0]!.slice("## ".length).trim();
  const place = `${file}:${line}`;
  const comment = /<!--(.*?)-->/.exec(lines.slice(1, 4).join("\n"))?.[1];
  if (comment === undefined) throw new Error(`${place} has no <!-- ids · role=… -->`);
  const words = comment.trim().split(/[\s·]+/);
  const ids = words.filter((word) => /^[A-Z][0-9]{1,2}$/.test(word));
  if (ids.length === 0) throw new Error(`${place} names no requirement`);
  const { role, asks, show, ...limits } = readOptions(
    place,
    words.filter((word) => !ids.includes(word)),
  );
  if (role !== "server" && role !== "client") throw new Error(`${place} has no role`);
  const numbers = Object.entries(limits).map(([name, value]) => [name, Number(value)]);
  return {
    title,
    place,
    ids,
    role,
    asks,
    limits: Object.fromEntries(numbers),
    showsFields: show === "fields",
    blocks: readBlocks(place, lines, line),
  };
}

function readOptions(place: string, words: readonly string[]): { [name: string]: string } {
  return Object.fromEntries(
    words.map((word) => {
      const [name, value] = word.split("=");
      if (name === undefined || value === undefined) throw new Error(`${place}: what is ${word}?`);
      return [name, value];
    }),
  );
}

function readBlocks(place: string, lines: readonly string[], firstLine: number): Block[] {
  const blocks: Block[] = [];
  let open: { kind: Block["kind"]; from: number } | undefined;
  lines.forEach((text, i) => {
    if (!text.startsWith("```")) return;
    if (open === undefined) {
      const kind = text.slice(3).trim();
      if (!KINDS.includes(kind)) throw new Error(`${place}: an unknown block ${kind}`);
      open = { kind: kind as Block["kind"], from: i + 1 };
    } else {
      blocks.push({
        kind: open.kind,
        lines: lines.slice(open.from, i),
        line: firstLine + open.from,
      });
      open = undefined;
    }
  });
  if (open !== undefined) throw new Error(`${place}: a block does not end`);
  if (blocks.at(-1)?.kind !== "events") throw new Error(`${place} does not end in events`);
  return blocks;
}
