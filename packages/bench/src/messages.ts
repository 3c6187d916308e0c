// The bytes that go over the wire, the same for every contestant.

import type { ServerRequest, ServerResponse } from "@upgrade/server";

/** One request, and how its response is checked. */
export interface Step {
  readonly request: Uint8Array;
  /** The length of the response; undefined while too little has arrived. */
  lengthOf(answer: Buffer): number | undefined;
  /** Why a complete response is wrong; undefined if it is right. */
  fault(answer: Buffer): string | undefined;
}

export const HELLO_BODY = "Hello, world!";
const HELLO_LINES = ["Content-Type: text/plain", "Server: bench", "X-Agent: load"];

/** Fixed bytes, as long as a server's response with three headers, the length and the date. */
export const HELLO_ANSWER = [
  "HTTP/1.1 200 OK",
  ...HELLO_LINES,
  `Content-Length: ${HELLO_BODY.length}`,
  "Date: Thu, 01 Jan 2026 00:00:00 GMT",
  "",
  HELLO_BODY,
].join("\r\n");

/** A small GET. The server returns its User-Agent in X-Agent. */
export const HELLO: Step = {
  request: Buffer.from(
    "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n",
  ),
  lengthOf: lengthOfResponse,
  fault: (answer) => faultOfResponse(answer, "HTTP/1.1 200 OK", HELLO_LINES, HELLO_BODY),
};

/** Our server's response to it. */
export async function sayHello(request: ServerRequest<unknown>): Promise<ServerResponse> {
  return {
    status: 200,
    headers: [
      ["Content-Type", "text/plain"],
      ["Server", "bench"],
      ["X-Agent", request.headers.get("user-agent") ?? ""],
    ],
    body: HELLO_BODY,
  };
}

/** The length of a response framed by Content-Length, or without a body. */
export function lengthOfResponse(answer: Buffer): number | undefined {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd === -1) return undefined;
  const head = answer.toString("latin1", 0, headEnd);
  return headEnd + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
}

/** What is wrong with a response that should have these lines, among others, and this body. */
export function faultOfResponse(
  answer: Buffer,
  statusLine: string,
  lines: readonly string[],
  body: string,
): string | undefined {
  const text = answer.toString("latin1");
  const headEnd = text.indexOf("\r\n\r\n");
  const [first, ...fields] = text.slice(0, headEnd).split("\r\n");
  const missing = lines.filter((line) => !fields.includes(line));
  if (first !== statusLine) return `the status line is ${JSON.stringify(first)}`;
  if (missing.length > 0) return `these lines are missing: ${missing.join(", ")}`;
  return text.slice(headEnd + 4) === body ? undefined : "the body differs";
}

/** Throws if there is a fault. */
export function refuse(fault: string | undefined): void {
  if (fault !== undefined) throw new Error(`wrong answer: ${fault}`);
}
