import { endToEnd, Headers, HttpConnection, type RequestEvent } from "@upgrade/core";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import { blockOctets } from "../../src/stories/octet-text.ts";
import { readFixtures } from "../../src/stories/read-fixtures.ts";

/** The first request that our server accepts, if any. */
function taken(octets: Uint8Array): RequestEvent | undefined {
  const server = new HttpConnection("server");
  server.receiveData(octets);
  try {
    const event = server.nextEvent();
    return typeof event === "object" && event.type === "request" ? event : undefined;
  } catch {
    return undefined;
  }
}

/** Our client checks the request as relayed by the guide's proxies. */
function relay(event: RequestEvent): void {
  const { method, target, headers, framing, version, proposal } = event;
  const lines = [...endToEnd(headers, proposal?.protocols)];
  if (!headers.has("host")) lines.push(["Host", "origin.test"]);
  const bodyLength = { "none": 0, "chunked": "unknown", "until-close": "unknown" } as const;
  new HttpConnection("client").prepare({
    ...{ type: "request", method, target },
    headers: Headers.from([...lines, ["Via", `${version} edge`]]),
    bodyLength: framing.kind === "content-length" ? framing.length : bodyLength[framing.kind],
  });
}

// The proxies in the guide answer these themselves.
const NOT_RELAYED = ["CONNECT", "TRACE"];

describe("a proxy from the guide can relay what our server accepts:", () => {
  test("every request of the stories", () => {
    let relayed = 0;
    for (const { cases } of readFixtures(new URL("../../fixtures/", import.meta.url))) {
      for (const { role, blocks, place, title } of cases) {
        if (role !== "server") continue;
        const first = blocks.find(({ kind }) => kind === "http");
        const event = first && taken(blockOctets(first.lines));
        if (event === undefined || NOT_RELAYED.includes(event.method)) continue;
        expect(() => relay(event), `${place} ${title}`).not.toThrow();
        relayed++;
      }
    }
    expect(relayed).toBeGreaterThan(100);
  });

  const FRAMINGS = [
    [],
    ["Content-Length: 0"],
    ["Content-Length: 4"],
    ["Transfer-Encoding: chunked"],
  ];
  const EXTRAS = [
    [],
    ["Expect: 100-continue"],
    ["Trailer: X-Sum"],
    ["Connection: TE, close", "TE: trailers"],
    ["Connection: Upgrade", "Upgrade: websocket"],
    ["Connection: Expect, Trailer", "Expect: 100-continue", "Trailer: X-Sum"],
  ];

  test.each(["GET /", "HEAD /", "POST /", "PUT /", "PATCH /", "DELETE /", "OPTIONS *", "QUERY /"])(
    "%s with every framing, and with every field that concerns the message",
    (line) => {
      for (const version of ["HTTP/1.1", "HTTP/1.0"]) {
        for (const framing of FRAMINGS) {
          for (const extra of EXTRAS) {
            const text = head(line, ...framing, ...extra).replace("HTTP/1.1", version);
            const event = taken(Buffer.from(text));
            if (event !== undefined) expect(() => relay(event), text).not.toThrow();
          }
        }
      }
    },
  );
});
