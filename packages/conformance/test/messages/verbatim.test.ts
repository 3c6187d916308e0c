import { endToEnd, Headers, HttpConnection, type RequestEvent, withUpgrade } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";

const PAIRS: [string, string][] = [
  ["Host", "a.test"],
  ["X-Long", "several words, with a comma"],
  ["Connection", "upgrade, x-long"],
  ["Empty", ""],
  ["Set-Cookie", "a=1"],
  ["set-cookie", "b=\xe9"],
  ["Upgrade", "x/1"],
];

/** The headers of a request that was just parsed. */
function received(pairs: readonly [string, string][]): Headers {
  const server = new HttpConnection("server");
  const lines = pairs.map(([name, value]) => `${name}: \t${value} \r\n`).join("");
  server.receiveData(Buffer.from(`GET / HTTP/1.1\r\n${lines}\r\n`, "latin1"));
  const event = server.nextEvent();
  if (typeof event === "string" || event.type !== "request") throw new Error("no request");
  return event.headers;
}

const OTHER: [string, string][] = [["Host", "b"], ...PAIRS.slice(3).reverse(), ["Z", "z"]];

/** What another connection may do in the meantime. */
const MEANWHILE: readonly [string, () => void][] = [
  ["nothing", () => {}],
  ["another head", () => void received(OTHER)],
  ["a thousand heads", () => Array.from({ length: 1_000 }, () => received(OTHER))],
  [
    "half a head",
    () => {
      const server = new HttpConnection("server");
      server.receiveData(Buffer.from("GET / HTTP/1.1\r\nA: b\r\nC"));
      server.nextEvent();
    },
  ],
  [
    "a refused head",
    () => {
      const server = new HttpConnection("server");
      server.receiveData(Buffer.from("GET / HTTP/1.1\r\nA: b\r\n C\r\n\r\n"));
      expect(() => server.nextEvent()).toThrow("grammar");
    },
  ],
  [
    "trailers",
    () => {
      const server = new HttpConnection("server");
      const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
      server.receiveData(Buffer.from(`${head}0\r\nLate: 1\r\n\r\n`));
      for (let next = server.nextEvent(); typeof next === "object"; next = server.nextEvent());
    },
  ],
];

const USES: readonly [string, (headers: Headers, meanwhile: () => void) => unknown][] = [
  ["get", (headers) => ["HOST", "x-long", "Set-Cookie", "none"].map((name) => headers.get(name))],
  ["getAll", (headers) => headers.getAll("SET-COOKIE")],
  ["has", (headers) => ["empty", "emptier"].map((name) => headers.has(name))],
  ["bytes", (headers) => headers.bytes("set-cookie")],
  ["toFlat", (headers) => headers.toFlat()],
  ["endToEnd", (headers) => endToEnd(headers, ["x"]).toFlat()],
  ["withUpgrade", (headers) => withUpgrade(headers, "y").toFlat()],
  [
    "for … of, with parsing in between",
    (headers, meanwhile) => {
      const seen: unknown[] = [];
      for (const pair of headers) {
        seen.push(pair);
        meanwhile();
      }
      return seen;
    },
  ],
];

describe.each(MEANWHILE)("L15: received headers are unchanged after %s", (_, meanwhile) => {
  test.each(USES)("%s", (_, use) => {
    const headers = received(PAIRS);
    const wanted = use(Headers.from(PAIRS), () => {});
    meanwhile();
    expect(use(headers, meanwhile)).toEqual(wanted);
    meanwhile();
    expect(use(headers, meanwhile)).toEqual(wanted);
    // Two of the same shape, only one of which is on the tape.
    const [first, second] = [received(PAIRS), received(OTHER)];
    expect(use(second, meanwhile)).toEqual(use(Headers.from(OTHER), () => {}));
    expect(use(first, meanwhile)).toEqual(wanted);
  });
});

test("L15 verbatim: repeated fields keep their number and order, both ways", async () => {
  const lines = { "set-Cookie": ["a=1", "b=2", "a=1"], "X-b": ["", "2"] };
  const written = ["set-Cookie: a=1", "set-Cookie: b=2", "set-Cookie: a=1", "X-b: ", "X-b: 2"];
  const seen: unknown[] = [];
  const { peer } = await serve(({ headers }) => {
    seen.push([...headers]);
    return { status: 204, headers: lines };
  });
  await peer.send(head("GET /", ...written));
  expect(await peer.readHead()).toBe(answer("204 No Content", ...written));
  const { peer: server, sender } = await dial();
  const pending = sender.sendRequest({ ...GET, headers: { Host: "a.test", ...lines } });
  expect(await server.readHead()).toBe(head("GET /", ...written));
  await server.send(answer("204 No Content", ...written));
  const pairs = written.map((line) => line.split(/: ?/));
  expect([...(await pending).headers]).toEqual(pairs);
  expect(seen).toEqual([[["Host", "a.test"], ...pairs]]);
});

// What users type after a host, and what `new WebSocket(url)` and `fetch(url)` send of it: Node and all
// browsers implement the same URL standard.
const TYPED = [
  ...["/?t=1", "/?token=a|b", "/?a[]=1&b[c]=2", '/?q={"a":1}', "/?x=a^b", "/?x=a`b", "/?x=a\\b"],
  ...["/?x=100%", "/?x=%zz", "/a|b", "/a[1]", "/a{1}", "/a^b", "/a`b", '/?x="q"', "/?x=<b>"],
  ...["/?x=a b", "/?x=\u00e9\u4e16", "/\u00e9", "/?x='q'", "/%"],
];

describe("R14: a target that a browser sends arrives verbatim", () => {
  test.each(TYPED)("ws://a.test%s", (typed) => {
    for (const scheme of ["ws", "http"]) {
      const { pathname, search } = new URL(typed, `${scheme}://a.test`);
      const target = pathname + search;
      const client = new HttpConnection("client");
      const bytes = client.send({
        type: "request",
        method: "GET",
        target,
        headers: { Host: "a.test" },
      });
      // In one piece it takes the scanner's path; octet by octet it takes the other.
      for (const size of [bytes.length, 1]) {
        const server = new HttpConnection("server");
        let event: unknown;
        for (let at = 0; at < bytes.length; at += size) {
          server.receiveData(bytes.subarray(at, at + size));
          event = server.nextEvent();
        }
        expect((event as RequestEvent).target).toBe(target);
      }
    }
  });
});
