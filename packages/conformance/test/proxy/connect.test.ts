import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import {
  type ConnectProxyOptions,
  connectProxy,
  isPublicAddress,
  type Place,
} from "@upgrade/proxy";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, head } from "../../src/messages.ts";
import { codeOr } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

/** A scripted client, our CONNECT proxy, and scripted destinations. */
async function proxied(options: Partial<ConnectProxyOptions> = {}) {
  const clock = new ManualClock();
  const dialed: string[] = [];
  const asked: unknown[] = [];
  const failures: string[] = [];
  const destinations: ScriptedPeer[] = [];
  const { peer } = await serve(
    connectProxy({
      clock,
      allow: (destination, user) => {
        asked.push({ ...destination, user });
        return true;
      },
      dial: ({ host, port }) => {
        dialed.push(`${host} ${port}`);
        const [near, far] = memoryPair();
        destinations.push(new ScriptedPeer(far));
        return near;
      },
      onError: (error) => failures.push(codeOr(error)),
      ...options,
    }),
    { clock },
  );
  const ask = async (authority: string, ...fields: string[]) => {
    await peer.send(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields.map((f) => `${f}\r\n`).join("")}\r\n`,
    );
    return peer.readHead();
  };
  return { clock, client: peer, dialed, asked, failures, destinations, ask };
}

describe("a CONNECT proxy", () => {
  test("joins both sides after it has connected, and accounts for the tunnel", async () => {
    const ends: unknown[] = [];
    let connect!: (io: ByteStream) => void;
    const [near, far] = memoryPair();
    const { client, ask } = await proxied({
      dial: () =>
        new Promise((resolve) => {
          connect = resolve;
        }),
      authenticate: () => "ann",
      onTunnel: ({ request: _, ...end }) => ends.push(end),
    });
    const answered = ask("a.test:443");
    await turns();
    expect(client.unread).toBe("");
    connect(near);
    expect(await answered).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    const destination = new ScriptedPeer(far);
    await client.send("ping");
    expect(await destination.read(4)).toBe("ping");
    await destination.send("pong!");
    expect(await client.read(5)).toBe("pong!");
    await client.end();
    expect(await destination.readToEnd()).toBe("");
    await destination.send("and on");
    expect(await client.read(6)).toBe("and on");
    await destination.end();
    await client.readToEnd();
    await turns();
    const [where, protocol] = ["a.test:443", "a.test:443"];
    expect(ends).toEqual([{ where, protocol, user: "ann", up: 4, down: 11, endedBy: "client" }]);
  });

  test("answers 405 to anything else, or leaves it to another service", async () => {
    const { client, dialed } = await proxied();
    await client.send(head("GET /"));
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 405 [\s\S]*\r\nAllow: CONNECT\r\n/);
    const other = await proxied({ otherwise: () => ({ status: 204 }) });
    await other.client.send(head("GET /"));
    expect(await other.client.readHead()).toBe(answer("204 No Content"));
    expect(dialed).toEqual([]);
  });

  test("asks for credentials, and says how", async () => {
    const authenticate = async (credentials: string | undefined) =>
      credentials === "Basic YTpi" ? "a" : undefined;
    const stranger = await proxied({ authenticate, challenge: "Basic realm=x" });
    const refused = await stranger.ask("a.test:80", "Proxy-Authorization: Basic eDp5");
    expect(refused).toMatch(/^HTTP\/1\.1 407 [\s\S]*\r\nProxy-Authenticate: Basic realm=x\r\n/);
    expect([stranger.asked, stranger.dialed]).toEqual([[], []]);
    const friend = await proxied({ authenticate });
    expect(await friend.ask("a.test:80", "Proxy-Authorization: Basic YTpi")).toContain(" 200 ");
    expect(friend.asked).toEqual([{ host: "a.test", port: 80, addresses: undefined, user: "a" }]);
  });

  test("refuses with a 403, or with a response of the policy's own", async () => {
    for (const [decision, expected] of [
      [false, "403 Forbidden\r\nProxy-Status: proxy; error=http_request_denied"],
      [
        { status: 451, headers: { "X-Why": "law" } },
        "451 Unavailable For Legal Reasons\r\nX-Why: law",
      ],
      [undefined as never, "500 Internal Server Error"],
    ] as const) {
      const { ask, dialed } = await proxied({ allow: async () => decision });
      expect(await ask("a.test:80")).toContain(expected);
      expect(dialed).toEqual([]);
    }
  });

  test("answers 502 and 504 for a destination that fails or is late", async () => {
    const refused = await proxied({
      dial: () => Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" })),
    });
    expect(await refused.ask("a.test:80")).toMatch(/ 502 [\s\S]*error=connection_refused/);
    expect(refused.failures).toEqual(["TRANSPORT_FAILED"]);
    const late = await proxied({ dial: () => new Promise(() => {}), connectMs: 300 });
    const answered = late.ask("a.test:80");
    await turns();
    late.clock.advance(300);
    expect(await answered).toMatch(/ 504 [\s\S]*error=connection_timeout/);
  });

  test("leaves nothing open for a client that is gone while it connects", async () => {
    let connect!: (io: ByteStream) => void;
    const [near, far] = memoryPair();
    const { client, ask, failures } = await proxied({
      dial: () =>
        new Promise((resolve) => {
          connect = resolve;
        }),
    });
    void ask("a.test:80").catch(() => {});
    await turns();
    client.reset();
    await turns();
    connect(near);
    await new ScriptedPeer(far).failed();
    expect(failures).toEqual([]);
  });

  test("shows a tunnel's bytes to its tap, and ends all at a signal", async () => {
    const seen: string[] = [];
    const controller = new AbortController();
    const { client, ask, destinations } = await proxied({
      signal: controller.signal,
      tap:
        ({ host }) =>
        (bytes, from) =>
          seen.push(`${host} ${from} ${bytes.length}`),
    });
    await ask("a.test:80");
    await client.send("four");
    await destinations[0]!.read(4);
    controller.abort();
    await Promise.all([client.failed(), destinations[0]!.failed()]);
    expect(seen).toEqual(["a.test a 4"]);
  });
});

describe("the policy sees where a CONNECT leads:", () => {
  test.each([
    ["127.1:80", "127.0.0.1"],
    ["0x7f000001:80", "127.0.0.1"],
    ["2130706433:80", "127.0.0.1"],
    ["[::ffff:127.0.0.1]:80", "127.0.0.1"],
    ["[0:0:0:0:0:0:0:1]:80", "::1"],
    ["169.254.169.254.:80", "169.254.169.254"],
  ])("%s is %s, which is not public", async (authority, address) => {
    const { ask, dialed } = await proxied({
      resolve: () => {
        throw new Error("an address needs no resolver");
      },
      allow: ({ host, addresses }) => {
        expect([host, addresses]).toEqual([address, [address]]);
        return addresses!.every(isPublicAddress);
      },
    });
    expect(await ask(authority)).toContain(" 403 ");
    expect(dialed).toEqual([]);
  });

  test("a name by its addresses, each in one spelling", async () => {
    const { ask, asked, dialed } = await proxied({
      resolve: async () => ["::ffff:127.0.0.1", "2001:DB8:0::1"],
    });
    expect(await ask("LOCALHOST.:80")).toContain(" 200 ");
    const addresses = ["127.0.0.1", "2001:db8::1"];
    expect(asked).toEqual([{ host: "localhost", port: 80, addresses, user: undefined }]);
    expect(dialed).toEqual(["127.0.0.1 80"]);
  });

  test("and a name that changes its address afterwards is not asked again", async () => {
    let asked = 0;
    const { ask, dialed } = await proxied({
      resolve: () => (++asked === 1 ? ["93.184.216.34"] : ["127.0.0.1"]),
      allow: ({ addresses }) => addresses!.every(isPublicAddress),
    });
    expect(await ask("rebind.test:80")).toContain(" 200 ");
    expect([dialed, asked]).toEqual([["93.184.216.34 80"], 1]);
  });

  test("the allowed addresses are tried in turn, and no other", async () => {
    const tried: Place[] = [];
    const { ask } = await proxied({
      resolve: () => ["1.1.1.1", "::2"],
      dial: (place) => {
        tried.push(place);
        throw new Error("down");
      },
    });
    expect(await ask("a.test:80")).toContain(" 502 ");
    expect(tried).toEqual([
      { host: "1.1.1.1", port: 80 },
      { host: "::2", port: 80 },
    ]);
  });

  test.each([
    ["no address", () => [], / 502 [\s\S]*error=dns_error/],
    ["no IP address", () => ["a.test"], / 500 [\s\S]*error=proxy_internal_error/],
    [
      "an error of DNS",
      () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" })),
      / 502 [\s\S]*error=dns_error/,
    ],
  ])("a name with %s is not reached", async (_, resolve, expected) => {
    const { ask, asked } = await proxied({ resolve });
    expect(await ask("a.test:80")).toMatch(expected);
    expect(asked).toEqual([]);
  });

  test.each([
    "1.2.3.4.5:80",
    "08:80",
    "a.0x7f:80",
    "loc%61lhost:80",
    "a..b:80",
    "[v1.x]:80",
    "a!b:80",
  ])("%s, which resolvers may read in several ways, is a 400", async (authority) => {
    const { ask, asked } = await proxied();
    expect(await ask(authority)).toMatch(/ 400 [\s\S]*error=http_request_error/);
    expect(asked).toEqual([]);
  });
});

describe("a public address", () => {
  test.each([
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "2606:4700::1111",
    "64:ff9b::1.1.1.1",
    "::ffff:8.8.8.8",
  ])("is %s", (one) => {
    expect(isPublicAddress(one)).toBe(true);
  });
  test.each([
    ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.255.255"],
    ...["192.0.0.1", "192.168.1.1", "198.19.0.1", "224.0.0.1", "255.255.255.255", "203.0.113.9"],
    ...["::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1"],
    ...["fd00::1", "fe80::1", "febf::1", "ff02::1", "2001:db8::1", "2002:7f00:1::", "100::1"],
    ...["localhost", "127.1", "", "fe80::1%eth0"],
  ])("is not %s", (one) => {
    expect(isPublicAddress(one)).toBe(false);
  });
});

test.each([
  [{}, "dial is missing"],
  [{ dial: () => memoryPair()[0] }, "allow is missing"],
  [{ allow: true }, "allow is true, not a function"],
  [{ alow: () => true }, "did you mean allow?"],
  [{ challenge: 1 }, "challenge is 1, not a string"],
])("connectProxy(%o) says what to do", (options, why) => {
  expect(() => connectProxy(options as never)).toThrow(why);
});
