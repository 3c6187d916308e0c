import { describe, expect, test } from "vitest";
import type { RequestEvent, ResponseToSend } from "../message/events.ts";
import { inspect } from "../message/facts.ts";
import { Headers } from "../message/headers.ts";
import { proposalOf } from "../message/switching.ts";
import { headText, type Prepared } from "./prepared.ts";
import { prepareResponse } from "./response-head.ts";

const GET = { method: "GET", version: "1.1", proposal: undefined };
const event = (parts: object = {}): ResponseToSend => ({
  type: "response",
  status: 200,
  bodyLength: 5,
  headers: [["A", "b"]],
  ...parts,
});

// As a connection does: each head is made with the one before at hand.
let before: Prepared | undefined;
function text(parts: object = {}, request: { readonly persists?: boolean } & object = {}): string {
  before = prepareResponse(event(parts), { ...GET, ...request } as RequestEvent, before);
  return headText(before.parts, request.persists === false || !before.parts.persists);
}

describe("the head before is used again only for the same parts", () => {
  // This response if nothing was sent before.
  const proposal = proposalOf(
    "GET",
    "/",
    "1.1",
    inspect(Headers.from({ Connection: "upgrade", Upgrade: "x" })),
  );
  const others: [string, object, object, string][] = [
    ["length", { bodyLength: 6 }, {}, "Content-Length: 6"],
    ["unknown length", { bodyLength: "unknown" }, {}, "Transfer-Encoding: chunked"],
    ["date", { date: "today" }, {}, "Date: today"],
    ["reason", { reason: "Fine" }, {}, "200 Fine"],
    ["name", { headers: [["a", "b"]] }, {}, "\r\na: b\r\n"],
    ["value", { headers: [["A", "c"]] }, {}, "A: c"],
    [
      "second line",
      {
        headers: [
          ["A", "b"],
          ["C", "d"],
        ],
      },
      {},
      "C: d",
    ],
    ["no line", { headers: [] }, {}, "OK\r\nContent-Length"],
    ["no headers", { headers: undefined }, {}, "OK\r\nContent-Length"],
    ["record", { headers: { A: "x" } }, {}, "A: x"],
    ["end of persistence", {}, { persists: false }, "Connection: close"],
    ["version", {}, { version: "1.0" }, "Connection: keep-alive"],
    ["length to HEAD", { bodyLength: 0 }, { method: "HEAD" }, "A: b\r\n\r\n"],
    ["CONNECT", { status: 200, bodyLength: 0 }, { method: "CONNECT", proposal }, "A: b"],
    ["status", { status: 404 }, {}, "404 Not Found"],
  ];

  test.each(others)("with another %s", (_, parts, request, line) => {
    const plain = text();
    const other = text(parts, request);
    expect(other).toContain(line);
    expect(other).not.toBe(plain);
    expect(text()).toBe(plain);
    expect(text(parts, request)).toBe(other);
  });

  test("a head that is refused is refused every time", () => {
    for (let i = 0; i < 3; i++) {
      text();
      expect(() => text({ headers: [["A", "b\r\nC: d"]] })).toThrow("a field name is not a token");
      expect(() => text({ headers: [["A", "b", "c"]] })).toThrow("headers are pairs");
      expect(() => text({ type: "interim-response" })).toThrow("interim-response 200");
      expect(() => text({ reason: "\n" })).toThrow("reason");
    }
  });

  test("a list that has changed is another list", () => {
    const pair: [string, string] = ["A", "b"];
    const headers = [pair];
    const before = text({ headers });
    pair[1] = "changed";
    expect(text({ headers })).toBe(before.replace("A: b", "A: changed"));
    pair[1] = "evil\r\nX: y";
    expect(() => text({ headers })).toThrow("a field name is not a token");
  });

  test("what is checked is what is written, even if a pair changes between reads", () => {
    let reads = 0;
    const changing = ["A", ""];
    Object.defineProperty(changing, 1, { get: () => (reads++ % 2 === 0 ? "b" : "b\r\nX: y") });
    text();
    for (let i = 0; i < 4; i++) {
      try {
        expect(text({ headers: [changing] })).not.toContain("X: y");
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_HEADER" });
      }
    }
  });
});

test("trailers without a line change nothing", () => {
  const prepared = prepareResponse(event({ bodyLength: "unknown" }), GET as RequestEvent);
  expect(prepared.withTrailers([])).toBe(prepared);
  expect(prepared.withTrailers({ A: "b" }).parts.trailers).toBe("A: b\r\n");
});
