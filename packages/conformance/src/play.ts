import type { EventToSend, HttpConnection, RequestToSend } from "@upgrade/core";
import { type Deed, deedsOf, lengthOf, option, targetOf } from "./deeds.ts";
import { blockOctets, escaped, unescaped } from "./octet-text.ts";
import type { Case } from "./read-fixtures.ts";
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

/** What our client has asked before the story begins. */
export function askedBefore(asks: string): Omit<RequestToSend, "type"> {
  const [method = "", protocol] = asks.split("+");
  const target = method === "CONNECT" ? "a.test:443" : "/";
  const upgrade = protocol === undefined ? {} : { Connection: "Upgrade", Upgrade: protocol };
  return { method, target, headers: { Host: "a.test", ...upgrade } };
}

export function ask(connection: HttpConnection, asks: string): void {
  connection.send({ type: "request", ...askedBefore(asks) });
  connection.send({ type: "end-of-message" });
}

/** Does one deed, unless it is refused: then it returns the code. */
export function perform(
  transcript: Transcript,
  deed: Deed,
  sent: Uint8Array[],
): string | undefined {
  switch (deed.words[0]) {
    case "end-of-file":
      transcript.receiveEof();
      return undefined;
    case "next-cycle":
      return transcript.act((connection) => connection.startNextCycle());
    case "end-persistence":
      return transcript.act((connection) => connection.endPersistence());
    case "pipeline":
      return transcript.act((connection) => {
        const octets: string[] = [];
        connection.pipelineTo(
          { text: (text) => octets.push(text), bytes: () => {} },
          requestOf(deed),
        );
        sent.push(Buffer.from(octets.join(""), "latin1"));
      });
    default:
      return transcript.act((connection) => sent.push(connection.send(eventOf(deed))));
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
  const [, method = ""] = deed.words;
  return {
    type: "request",
    method,
    target: targetOf(deed),
    version: option(deed, "version") === "1.0" ? "1.0" : "1.1",
    headers: deed.fields,
    bodyLength: lengthOf(deed),
  };
}
