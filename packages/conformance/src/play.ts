import type { EventToSend, HttpConnection, RequestToSend } from "@upgrade/core";
import { blockOctets, escaped, unescaped } from "./octet-text.ts";
import type { Block, Case } from "./read-fixtures.ts";
import { Transcript } from "./transcript.ts";

/** What a case promises at one place, and what happened there. */
export interface Outcome {
  readonly line: number;
  readonly expected: string;
  readonly came: string;
}

/** How the bytes of an input block are cut: the ends of its pieces. */
export type Cut = (length: number) => readonly number[];

export const whole: Cut = (length) => [length];
export const byteByByte: Cut = (length) => Array.from({ length }, (_, i) => i + 1);
export const cutAt =
  (place: number): Cut =>
  (length) =>
    place < length ? [place, length] : [length];

/** The length of the longest input: at how many places it can be cut. */
export function longestInput({ blocks }: Case): number {
  const lengths = blocks.map(({ kind, lines }) =>
    kind === "http" ? blockOctets(lines).length : 0,
  );
  return Math.max(...lengths);
}

/** Plays a case through one connection. */
export function play(story: Case, cut: Cut): Outcome[] {
  const transcript = new Transcript(story.role, story.limits, story.showsFields);
  const outcomes: Outcome[] = [];
  const sent: Uint8Array[] = [];
  if (story.asks !== undefined) ask(transcript.connection, story.asks);
  transcript.drain();
  story.blocks.forEach((block, i) => {
    switch (block.kind) {
      case "http":
        feed(transcript, blockOctets(block.lines), cut);
        break;
      case "do":
        for (const deed of deedsOf(block)) perform(transcript, deed, sent);
        break;
      case "wire":
        outcomes.push({
          line: block.line,
          expected: escaped(blockOctets(block.lines)),
          came: escaped(Buffer.concat(sent.splice(0))),
        });
        break;
      case "events": {
        const last = i === story.blocks.length - 1;
        const came = (last ? transcript.end() : transcript.takeLines()).join("\n");
        outcomes.push({ line: block.line, expected: block.lines.join("\n"), came });
      }
    }
  });
  return outcomes;
}

function feed(transcript: Transcript, octets: Uint8Array, cut: Cut): void {
  let from = 0;
  for (const to of cut(octets.length)) {
    // In memory of its own, as a transport gives it.
    transcript.receive(octets.slice(from, to));
    from = to;
  }
}

function ask(connection: HttpConnection, asks: string): void {
  const [method = "", protocol] = asks.split("+");
  const target = method === "CONNECT" ? "a.test:443" : "/";
  const upgrade = protocol === undefined ? {} : { Connection: "Upgrade", Upgrade: protocol };
  connection.send({ type: "request", method, target, headers: { Host: "a.test", ...upgrade } });
  connection.send({ type: "end-of-message" });
}

/** One line of a `do` block, with the indented field lines under it. */
interface Deed {
  readonly words: readonly string[];
  readonly rest: string;
  readonly fields: readonly (readonly [string, string])[];
}

function deedsOf({ lines }: Block): Deed[] {
  const deeds: { words: string[]; rest: string; fields: [string, string][] }[] = [];
  for (const line of lines) {
    if (line.startsWith("  ")) {
      const colon = line.indexOf(":");
      const value = Buffer.from(unescaped(line.slice(colon + 1).trim())).toString("latin1");
      deeds.at(-1)!.fields.push([line.slice(0, colon).trim(), value]);
    } else {
      const words = line.split(" ");
      deeds.push({ words, rest: words.slice(1).join(" "), fields: [] });
    }
  }
  return deeds;
}

function perform(transcript: Transcript, deed: Deed, sent: Uint8Array[]): void {
  switch (deed.words[0]) {
    case "end-of-file":
      transcript.receiveEof();
      break;
    case "next-cycle":
      transcript.act((connection) => connection.startNextCycle());
      break;
    case "end-persistence":
      transcript.act((connection) => connection.endPersistence());
      break;
    case "pipeline":
      transcript.act((connection) => {
        const octets: string[] = [];
        connection.pipelineTo(
          { text: (text) => octets.push(text), bytes: () => {} },
          requestOf(deed),
        );
        sent.push(Buffer.from(octets.join(""), "latin1"));
      });
      break;
    default:
      transcript.act((connection) => sent.push(connection.send(eventOf(deed))));
  }
}

function eventOf(deed: Deed): EventToSend {
  const [what, first = ""] = deed.words;
  switch (what) {
    case "request":
      return requestOf(deed);
    case "response":
    case "informational-response":
      return {
        type: what,
        status: Number(first),
        headers: deed.fields,
        bodyLength: lengthOf(deed),
        reason: option(deed, "reason"),
      };
    case "data":
      return { type: "data", bytes: unescaped(deed.rest) };
    case "end-of-message":
      return { type: "end-of-message", trailers: deed.fields };
    case "connection-closed":
      return { type: "connection-closed" };
    default:
      throw new Error(`nobody can ${String(what)}`);
  }
}

function requestOf(deed: Deed): RequestToSend {
  const [, method = "", target = ""] = deed.words;
  return {
    type: "request",
    method,
    target,
    version: option(deed, "version") === "1.0" ? "1.0" : "1.1",
    headers: deed.fields,
    bodyLength: lengthOf(deed),
  };
}

function lengthOf(deed: Deed): number | "unknown" | undefined {
  const length = option(deed, "length");
  return length === undefined || length === "unknown" ? length : Number(length);
}

function option({ words }: Deed, name: string): string | undefined {
  const value = words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  return value === undefined ? undefined : Buffer.from(unescaped(value)).toString("latin1");
}
