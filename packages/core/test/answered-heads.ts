import type { RequestEvent, ResponseToSend } from "../src/message/events.ts";
import { inspect } from "../src/message/facts.ts";
import { Headers } from "../src/message/headers.ts";
import { proposalOf } from "../src/message/switching.ts";
import { headText } from "../src/serializer/prepared.ts";
import { prepareResponse } from "../src/serializer/response-head.ts";

export type Parts = { readonly [Key in keyof ResponseToSend]?: unknown };

/** What is answered, and whether the connection may persist so far. */
export type Answered = Pick<RequestEvent, "method" | "version" | "proposal"> & {
  readonly persists: boolean;
};

export const GET: Answered = { method: "GET", version: "1.1", proposal: undefined, persists: true };

export const OLD: Answered = { ...GET, version: "1.0" };

export const CONNECT: Answered = {
  ...GET,
  method: "CONNECT",
  proposal: proposalOf("CONNECT", "a.test:80", "1.1", inspect(Headers.from([]))),
};

/** The head of a response, and whether its connection persists. Without types: any part may be anything. */
export function check(parts: Parts, request = GET) {
  const event = { type: "response", status: 200, bodyLength: 0, ...parts } as ResponseToSend;
  const { head, parts: prepared } = prepareResponse(event, request as Answered & RequestEvent);
  const persists = request.persists && prepared.persists;
  return { ...head, persists, text: headText(prepared, !persists) };
}

/** The code of the error. */
export function fault(parts: Parts, request = GET): string {
  try {
    check(parts, request);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing";
}

/** The field lines. */
export const lines = (parts: Parts, request = GET) =>
  check(parts, request).text.split("\r\n").slice(1, -2);
