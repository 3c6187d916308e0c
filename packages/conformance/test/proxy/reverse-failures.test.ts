import { memoryPair } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { answer, head } from "../../src/messages.ts";
import { codeOr } from "../../src/promises.ts";
import { proxied } from "../../src/proxying/proxied.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

const WEBSOCKET = ["Connection: Upgrade", "Upgrade: websocket"];

describe("an upstream that fails is the proxy's to report:", () => {
  const failing: [string, number, string, (origin: ScriptedPeer) => unknown][] = [
    ["a reset", 502, "connection_terminated", (origin) => origin.reset()],
    ["an end before the response", 502, "http_response_incomplete", (origin) => origin.end()],
    [
      "half of a head, and an end",
      502,
      "http_response_incomplete",
      async (origin) => {
        await origin.send("HTTP/1.1 200 OK\r\nX:");
        await origin.end();
      },
    ],
    ["nonsense", 502, "http_protocol_error", (origin) => origin.send("SSH-2.0-x\r\n\r\n")],
    [
      "ambiguous framing",
      502,
      "http_protocol_error",
      (origin) => origin.send(answer("200 OK", "Content-Length: 1", "Transfer-Encoding: chunked")),
    ],
    [
      "an unasked 101",
      502,
      "http_upgrade_failed",
      (origin) => origin.send(answer("101 x", ...WEBSOCKET)),
    ],
    [
      "a head that is too large",
      502,
      "http_response_header_section_size",
      (origin) => origin.send(answer("200 OK", `X: ${"x".repeat(20_000)}`)),
    ],
  ];

  test.each(failing)("%s", async (_, status, type, fail) => {
    const { client, upstream, failures, reports } = await proxied({ via: "edge" });
    await client.send(head("GET /"));
    const origin = await upstream();
    await origin.readHead();
    await fail(origin);
    const response = await client.readHead();
    expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(response).toContain(`\r\nProxy-Status: edge; error=${type}\r\n`);
    expect([failures.length, reports]).toEqual([1, []]);
    await client.send(`${head("GET /next")}`);
    const next = await upstream();
    expect(await next.readHead()).toMatch(/^GET \/next /);
  });

  test("a dial that is refused, one that is malformed, and one that throws", async () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    for (const [dial, status, type] of [
      [() => Promise.reject(refused), 502, "connection_refused"],
      [() => ({}) as never, 500, "proxy_internal_error"],
      [
        () => {
          throw new Error("no");
        },
        502,
        "connection_terminated",
      ],
    ] as const) {
      const { client } = await proxied({ dial });
      await client.send(head("GET /"));
      const response = await client.readHead();
      expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(response).toContain(`Proxy-Status: proxy; error=${type}\r\n`);
    }
  });

  test("a dial that is late is a 504, and its io is closed when it arrives", async () => {
    const [near, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    let arrive!: (io: typeof near) => void;
    let aborted = false;
    const { client, clock, failures } = await proxied({
      connectMs: 500,
      dial: (_, { signal }) => {
        signal.addEventListener("abort", () => {
          aborted = true;
        });
        return new Promise((resolve) => {
          arrive = resolve;
        });
      },
    });
    await client.send(head("GET /"));
    await turns();
    clock.advance(499);
    await turns();
    expect([client.unread, aborted]).toEqual(["", false]);
    clock.advance(1);
    expect(await client.readHead()).toContain(
      "504 Gateway Timeout\r\nProxy-Status: proxy; error=connection_timeout",
    );
    expect([failures, aborted]).toEqual([["CANCELED"], true]);
    arrive(near);
    await peer.failed();
  });

  test.each([
    ["a request", [] as string[]],
    ["a proposal", WEBSOCKET],
  ])(
    "a response to %s that is late, counted from the end of its body, is a 504",
    async (_, fields) => {
      const { client, upstream, clock } = await proxied({
        answerMs: 500,
        protocols: ["websocket"],
      });
      await client.send(`${head("POST /", ...fields, "Content-Length: 4")}bo`);
      const origin = await upstream();
      await origin.readUntil("bo");
      clock.advance(600);
      await turns();
      expect(client.unread).toBe("");
      await client.send("dy");
      await origin.readUntil("dy");
      clock.advance(499);
      await turns();
      expect(client.unread).toBe("");
      clock.advance(1);
      expect(await client.readHead()).toMatch(/^HTTP\/1\.1 504 [\s\S]*error=http_response_timeout/);
      await origin.failed();
    },
  );

  test("a response that fails after its head is seen to be incomplete", async () => {
    for (const framing of ["Content-Length: 10", "Transfer-Encoding: chunked"]) {
      const { client, upstream } = await proxied();
      await client.send(head("GET /"));
      const origin = await upstream();
      await origin.readHead();
      await origin.send(`${answer("200 OK", framing)}4\r\nhalf`);
      await client.readUntil("half");
      origin.reset();
      await client.failed();
      expect(client.ended).toBe(false);
    }
  });
});

describe("a client that is at fault, or gone:", () => {
  test("a malformed body is its own 400, and ends at the upstream as incomplete", async () => {
    const { client, upstream, failures } = await proxied();
    await client.send(`${head("POST /", "Transfer-Encoding: chunked")}2\r\nhi\r\n`);
    const origin = await upstream();
    await origin.readUntil("hi\r\n");
    await client.send("no chunk\r\n");
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 400 /);
    await origin.failed();
    expect(failures).toEqual([]);
  });

  test("a body that is too long for the proxy is its own 413", async () => {
    const { client, upstream, failures } = await proxied({}, { maxBodyBytes: 3 });
    await client.send(`${head("POST /", "Transfer-Encoding: chunked")}2\r\nhi\r\n`);
    const origin = await upstream();
    await origin.readUntil("hi\r\n");
    await client.send("2\r\nho\r\n");
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 413 /);
    await origin.failed();
    expect(failures).toEqual([]);
  });

  test.each(["reset", "end"] as const)("its %s during a dial cancels the dial", async (way) => {
    const [near, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    let canceled: unknown;
    let arrive!: (io: typeof near) => void;
    const { client, failures } = await proxied({
      dial: (_, { signal }) => {
        signal.addEventListener("abort", () => {
          canceled = codeOr(signal.reason);
        });
        return new Promise((resolve) => {
          arrive = resolve;
        });
      },
    });
    await client.send(head("GET /"));
    await turns();
    await client[way]();
    await turns();
    expect(canceled).toBe(way === "end" ? "PEER_ENDED" : "TRANSPORT_FAILED");
    arrive(near);
    await peer.failed();
    expect(failures).toEqual([]);
  });

  test.each([
    ["a request", [] as string[]],
    ["a proposal", WEBSOCKET],
  ])("its reset while %s waits for its response ends the upstream", async (_, fields) => {
    const { client, upstream, failures } = await proxied({ protocols: ["websocket"] });
    await client.send(head("GET /", ...fields));
    const origin = await upstream();
    await origin.readHead();
    client.reset();
    await origin.failed();
    expect(failures).toEqual([]);
  });

  test("its end is not its absence if the server says so", async () => {
    const { client, upstream } = await proxied({}, { halfClose: true });
    await client.send(head("GET /"));
    await client.end();
    const origin = await upstream();
    await origin.readHead();
    await origin.send(`${answer("200 OK", "Content-Length: 2")}ok`);
    expect(await client.readToEnd()).toContain("\r\n\r\nok");
  });

  test("its reset during the response ends the upstream, even if only a little is left", async () => {
    const { client, upstream } = await proxied();
    await client.send(head("GET /"));
    const origin = await upstream();
    await origin.readHead();
    await origin.send(`${answer("200 OK", "Content-Length: 10")}half`);
    await client.readUntil("half");
    client.reset();
    await origin.failed();
  });
});
