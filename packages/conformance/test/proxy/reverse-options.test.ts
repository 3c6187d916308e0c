import { reverseProxy } from "@upgrade/proxy";
import { describe, expect, test } from "vitest";
import { answer, head } from "../../src/messages.ts";
import { proxied } from "../../src/proxying/proxied.ts";

const WEBSOCKET = ["Connection: Upgrade", "Upgrade: websocket"];

describe("the fields that a proxy adds:", () => {
  const request = ["Forwarded: for=evil", "X-Forwarded-For: 6.6.6.6", "x-forwarded-proto: https"];
  const clientOf = () => ({ address: "2001:db8::1", proto: "https" as const });

  test("Via in both directions, with the version that was received", async () => {
    const { client, upstream } = await proxied({ via: "edge" });
    await client.send("GET / HTTP/1.0\r\nHost: a.test\r\nVia: 1.1 a\r\n\r\n");
    const origin = await upstream();
    expect(await origin.readHead()).toBe(head("GET /", "Via: 1.1 a", "Via: 1.0 edge"));
    await origin.send(answer("204 No Content"));
    expect(await client.readHead()).toContain("\r\nVia: 1.1 edge\r\n");
  });

  test("none unless asked: what the client sent is passed on", async () => {
    const { client, upstream } = await proxied();
    await client.send(head("GET /", ...request));
    expect(await (await upstream()).readHead()).toBe(head("GET /", ...request));
  });

  test("Forwarded in place of what anyone can write", async () => {
    const { client, upstream } = await proxied({ forwarded: "forwarded", clientOf });
    await client.send(head("GET /", ...request));
    expect(await (await upstream()).readHead()).toBe(
      head("GET /", 'Forwarded: for="[2001:db8::1]";host=a.test;proto=https'),
    );
  });

  test("X-Forwarded after what a trusted client wrote", async () => {
    const options = { forwarded: "x-forwarded", trustForwarded: true, clientOf } as const;
    const { client, upstream } = await proxied(options);
    await client.send(head("GET /", ...request));
    const added = ["6.6.6.6, 2001:db8::1", "a.test", "https"];
    expect(await (await upstream()).readHead()).toBe(
      head(
        "GET /",
        `X-Forwarded-For: ${added[0]}`,
        `X-Forwarded-Host: ${added[1]}`,
        `X-Forwarded-Proto: ${added[2]}`,
      ),
    );
  });

  test("unknown, for a client without an address", async () => {
    const { client, upstream } = await proxied({ forwarded: "forwarded", host: "b.test" });
    await client.send("GET / HTTP/1.0\r\n\r\n");
    expect(await (await upstream()).readHead()).toBe(
      "GET / HTTP/1.1\r\nHost: b.test\r\nForwarded: for=unknown;proto=http\r\n\r\n",
    );
  });
});

describe("which upstream a request is for:", () => {
  test("a function chooses, or answers by itself", async () => {
    const { client, upstream, dialed } = await proxied({
      origin: async ({ target }) => (target === "/" ? "http://b.test" : { status: 404 }),
    });
    await client.send(head("GET /nowhere"));
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 404 /);
    await client.send(head("GET /"));
    await (await upstream()).readHead();
    expect(dialed).toEqual(["http://b.test"]);
  });

  test("one that throws is a 500, and is reported", async () => {
    const { client, failures } = await proxied({
      origin: () => {
        throw new Error("mine");
      },
    });
    await client.send(head("GET /"));
    expect(await client.readHead()).toContain(
      "500 Internal Server Error\r\nProxy-Status: proxy; error=proxy_internal_error",
    );
    expect(failures).toEqual(["mine"]);
  });
});

describe("the tap of a switched connection", () => {
  test("sees the bytes of both sides", async () => {
    const seen: string[] = [];
    const { client, upstream } = await proxied({
      protocols: ["websocket"],
      tap:
        ({ target }, protocol) =>
        (bytes, from) =>
          seen.push(`${target} ${protocol} ${from} ${bytes.length}`),
    });
    await client.send(head("GET /ws", ...WEBSOCKET));
    const origin = await upstream();
    await origin.readHead();
    await origin.send(`${answer("101 x", ...WEBSOCKET)}early`);
    await client.readUntil("early");
    await client.send("up");
    await origin.read(2);
    expect(seen).toEqual(["/ws websocket b 5", "/ws websocket a 2"]);
  });

  test("that cannot be made is a 500, and the upstream's connection ends", async () => {
    const { client, upstream, failures } = await proxied({
      protocols: ["websocket"],
      tap: () => {
        throw new Error("mine");
      },
    });
    await client.send(head("GET /ws", ...WEBSOCKET));
    const origin = await upstream();
    await origin.readHead();
    await origin.send(answer("101 x", ...WEBSOCKET));
    expect(await client.readHead()).toMatch(/ 500 [\s\S]*error=proxy_internal_error/);
    await origin.failed();
    expect(failures).toEqual(["mine"]);
  });
});

test.each([
  [{}, "dial is missing"],
  [{ dial: "http://a.test" }, "dial is a string, not a function"],
  [{ protocols: "websocket" }, "protocols is a string, not a list of protocols"],
  [{ protocols: [1] }, "protocols is an object, not a list of protocols"],
  [{ via: "a b" }, "via is a string, not a token"],
  [{ name: 1 }, "name is 1, not a token"],
  [{ forwarded: true }, 'forwarded is true, not "forwarded" or "x-forwarded"'],
  [{ maxIdle: -1 }, "maxIdle is -1, not a whole number"],
  [{ upstream: 1 }, "upstream is 1, not an object"],
  [{ dial: () => null, upstream: { idelMs: 1 } }, "did you mean idleMs?"],
  [{ origin: 1 }, "origin is 1, not a string or a function"],
  [{ answerms: 1 }, "did you mean answerMs?"],
])("reverseProxy(%o) says what to do", (options, why) => {
  expect(() => reverseProxy(options as never)).toThrow(why);
});
