import type { ServerResponse, ServiceResult } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { head } from "../../src/messages.ts";
import { turns } from "../../src/turns.ts";
import { untyped } from "../../src/ways-to-send.ts";

const hostile = (): never => {
  throw new Error("hostile");
};

/** A thenable. */
const thenable = (get: () => unknown): object =>
  new Proxy(
    {},
    {
      has: (_, name) => name === "then",
      get: (_, name) => (name === "then" ? get() : undefined),
    },
  );

describe("L9: no thenable returned by a service crashes the server", () => {
  test.each([
    ["whose then getter throws", thenable(hostile)],
    ["whose then throws", thenable(() => hostile)],
    ["whose get trap throws", new Proxy({}, { get: hostile })],
  ])("something %s is a 500, and the next request is served", async (_, result) => {
    let calls = 0;
    const { peer, reports } = await serve(() =>
      calls++ === 0 ? untyped<ServiceResult>(result) : { status: 204 },
    );
    await peer.send(head("GET /1") + head("GET /2"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
    expect(reports).toEqual(["service: hostile"]);
  });

  test("a thenable that resolves twice answers once", async () => {
    const then = (answer: (response: ServerResponse) => void, fail: (error: unknown) => void) => {
      answer({ status: 204 });
      answer({ status: 200, body: "once more" });
      fail(new Error("and it failed"));
    };
    const twice = thenable(() => then);
    const { peer, reports } = await serve(() => untyped<Promise<ServiceResult>>(twice));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
    await turns();
    expect(peer.unread).toBe("");
    expect(reports).toEqual([]);
  });
});

describe("L8: a body whose head is refused is not left waiting", () => {
  test.each([
    ["an invalid field name", { headers: { "not a name": "x" } }],
    ["forbidden trailers", { trailers: { Host: "a.test" } }],
    ["a status without a body", { status: 204, headers: { "Content-Length": 4 } }],
  ])("its producer is notified if the response has %s", async (_, wrong) => {
    let returns = 0;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        async return() {
          returns++;
          return { done: true as const, value: undefined };
        },
      }),
    };
    const { peer } = await serve(() => ({ status: 200, body, ...wrong }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(returns).toBe(1);
  });
});
