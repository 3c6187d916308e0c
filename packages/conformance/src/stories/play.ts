import type { EventToSend, HttpConnection, RequestToSend } from "@upgrade/core";
import { type Action, actionsOf, lengthOf, option, targetOf } from "./actions.ts";
import { blockOctets, escaped, unescaped } from "./octet-text.ts";
import type { Case } from "./read-fixtures.ts";
import { Transcript } from "./transcript.ts";

/** What a case expects at one place, and what happened there. */
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

/** The length of the longest input, which is the number of places to cut it. */
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
        for (const action of actionsOf(block)) perform(transcript, action, sent);
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
    // In its own memory, like a chunk from a transport.
    transcript.receive(octets.slice(from, to));
    from = to;
  }
}

/** The requests our client sends before the story begins. */
export function earlierRequest(asks: string): Omit<RequestToSend, "type"> {
  const [method = "", protocol] = asks.split("+");
  const target = method === "CONNECT" ? "a.test:443" : "/";
  const upgrade = protocol === undefined ? {} : { Connection: "Upgrade", Upgrade: protocol };
  return { method, target, headers: { Host: "a.test", ...upgrade } };
}

export function ask(connection: HttpConnection, asks: string): void {
  connection.send({ type: "request", ...earlierRequest(asks) });
  connection.send({ type: "end-of-message" });
}

/** Does one action. Returns the code if it is refused. */
export function perform(
  transcript: Transcript,
  action: Action,
  sent: Uint8Array[],
): string | undefined {
  switch (action.words[0]) {
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
          requestOf(action),
        );
        sent.push(Buffer.from(octets.join(""), "latin1"));
      });
    default:
      return transcript.act((connection) => sent.push(connection.send(eventOf(action))));
  }
}

function eventOf(action: Action): EventToSend {
  const [what, first = ""] = action.words;
  switch (what) {
    case "request":
      return requestOf(action);
    case "response":
    case "interim-response":
      return {
        type: what,
        status: Number(first),
        headers: action.fields,
        bodyLength: lengthOf(action),
        reason: option(action, "reason"),
      };
    case "data":
      return { type: "data", bytes: unescaped(action.rest) };
    case "end-of-message":
      return { type: "end-of-message", trailers: action.fields };
    case "connection-closed":
      return { type: "connection-closed" };
    default:
      throw new Error(`unknown action ${String(what)}`);
  }
}

function requestOf(action: Action): RequestToSend {
  const [, method = ""] = action.words;
  return {
    type: "request",
    method,
    target: targetOf(action),
    version: option(action, "version") === "1.0" ? "1.0" : "1.1",
    headers: action.fields,
    bodyLength: lengthOf(action),
  };
}
