// received pieces → [answer] → facts: the head of the answer, read without judging it

import type { AnswerFacts, FieldLine } from "../facts.ts";
import { maskHead } from "../mask.ts";
import type { Piece } from "./tap.ts";

const HEAD_END = /\r?\n\r?\n/g;
const MAX_BODY_CHARACTERS = 400;

/** What came back since `began`; undefined if nothing did. */
export function answerIn(
  pieces: readonly Piece[],
  began: number,
  showsSecrets: boolean,
): AnswerFacts | undefined {
  const [first] = pieces;
  if (first === undefined) return undefined;
  const text = Buffer.concat(pieces.map(({ bytes }) => bytes)).toString("latin1");
  const { interim, start, end } = finalHead(text);
  const head = text.slice(start, end);
  const [line = "", ...rest] = head.split(/\r?\n/);
  const [, version, status, reason] = /^HTTP\/(\d\.\d) (\d{3})(?: (.*))?$/.exec(line) ?? [];
  const isHttp = status !== undefined;
  return {
    interim,
    head: isHttp ? maskHead(head.replace(/(?:\r?\n)+$/, ""), showsSecrets) : "",
    isWhole: end > start && /\r?\n\r?\n$/.test(head),
    version,
    status: isHttp ? Number(status) : undefined,
    reason,
    fields: isHttp ? fieldsIn(rest, showsSecrets) : [],
    pieces: piecesOf(pieces, start, end),
    firstBytes: Buffer.from(text.slice(0, 16), "latin1").toString("hex"),
    body: status === "101" ? "" : textOf(text.slice(end, end + MAX_BODY_CHARACTERS)),
    ms: first.at - began,
  };
}

// Interim responses come before the answer; a 101 is one.
function finalHead(text: string): { interim: number[]; start: number; end: number } {
  const interim: number[] = [];
  let start = 0;
  HEAD_END.lastIndex = 0;
  for (;;) {
    const end = HEAD_END.exec(text) === null ? text.length : HEAD_END.lastIndex;
    const [, status] = /^HTTP\/1\.[01] (1\d\d)/.exec(text.slice(start, end)) ?? [];
    if (status === undefined || status === "101" || end === text.length) {
      return { interim, start, end };
    }
    interim.push(Number(status));
    start = end;
  }
}

function fieldsIn(lines: readonly string[], showsSecrets: boolean): FieldLine[] {
  return lines.flatMap((line) => {
    const [, name, value] = /^([^:\s][^:]*):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const masked = maskHead(`-\n${name}: ${value}`, showsSecrets).slice(name.length + 4);
    return [[name, masked] as const];
  });
}

function piecesOf(pieces: readonly Piece[], start: number, end: number): number {
  let offset = 0;
  return pieces.filter(({ bytes }) => {
    const from = offset;
    offset += bytes.length;
    return from < end && offset > start;
  }).length;
}

/** Text of a page that people can read: without tags, in one line. */
function textOf(body: string): string {
  return Buffer.from(body, "latin1")
    .toString()
    .replace(/<(style|script)\b[\s\S]*?<\/\1>/gi, " ")
    .replace(/<!--[\s\S]*?-->|<[^>]*>/g, " ")
    .replace(/[^\p{L}\p{N}\p{P}\p{S}]+/gu, " ")
    .trim();
}
