import { describe, expect, test } from "vitest";
import { answer, head } from "../../src/messages.ts";
import { type Proxied, proxied } from "../../src/proxying/proxied.ts";
import type { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

const SWITCH = ["Connection: Upgrade", "Upgrade: chat"];

/** An exchange through the proxy: what each side sends in turn. */
interface Exchange {
  readonly request: string;
  readonly response: string;
  /** What each side gets. */
  readonly arrives: readonly [atUpstream: string, atClient: string];
}

const EXCHANGES: Readonly<Record<string, Exchange>> = {
  "a length": {
    request: `${head("POST /", "Content-Length: 4")}body`,
    response: `${answer("200 OK", "Content-Length: 5")}hello`,
    arrives: [
      `${head("POST /", "Content-Length: 4")}body`,
      `${answer("200 OK", "Content-Length: 5")}hello`,
    ],
  },
  "interim responses": {
    request: head("GET /"),
    response: `${answer("103 Early Hints", "A: 1")}${answer("204 No Content")}`,
    arrives: [head("GET /"), `${answer("103 Early Hints", "A: 1")}${answer("204 No Content")}`],
  },
  "a switch": {
    request: `${head("POST /", ...SWITCH, "Content-Length: 2")}hiup`,
    response: `${answer("101 x", ...SWITCH, "A: 1")}down`,
    arrives: [
      `POST / HTTP/1.1\r\nConnection: Upgrade\r\nHost: a.test\r\nUpgrade: chat\r\nContent-Length: 2\r\n\r\nhiup`,
      `${answer("101 x", ...SWITCH, "A: 1")}down`,
    ],
  },
  "a refusal": {
    request: head("GET /", ...SWITCH),
    response: `${answer("403 No", "Content-Length: 4")}nope`,
    arrives: [
      "GET / HTTP/1.1\r\nConnection: Upgrade\r\nHost: a.test\r\nUpgrade: chat\r\n\r\n",
      `${answer("403 No", "Content-Length: 4", "Connection: close")}nope`,
    ],
  },
};

const begin = () => proxied({ protocols: ["chat"] });

describe.each(Object.entries(EXCHANGES))(
  "an exchange with %s",
  (_, { request, response, arrives }) => {
    test("arrives the same, wherever the request and the response are split", async () => {
      const longest = Math.max(request.length, response.length);
      for (let at = 0; at <= longest; at++) {
        const { client, upstream } = await begin();
        await client.send(request.slice(0, at));
        await turns(2);
        await client.send(request.slice(at));
        const origin = await upstream();
        const early = request.endsWith("up") ? 2 : 0;
        await origin
          .read(arrives[0].length - early)
          .then((got) => expect(got).toBe(arrives[0].slice(0, got.length)));
        await origin.send(response.slice(0, at));
        await turns(2);
        await origin.send(response.slice(at));
        expect(await client.read(arrives[1].length)).toBe(arrives[1]);
        expect(await origin.read(early)).toBe(arrives[0].slice(arrives[0].length - early));
      }
    });

    test("arrives the same, byte by byte", async () => {
      const { client, upstream } = await begin();
      const early = request.endsWith("up") ? 2 : 0;
      for (const byte of request) await client.send(byte);
      const origin = await upstream();
      await origin.read(arrives[0].length - early);
      for (const byte of response) await origin.send(byte);
      expect(await client.read(arrives[1].length)).toBe(arrives[1]);
      expect(await origin.read(early)).toBe(arrives[0].slice(arrives[0].length - early));
    });

    /** Both sides as far as `at` bytes of what is sent in all. */
    async function playTo(at: number, all: Proxied): Promise<ScriptedPeer | undefined> {
      await all.client.send(request.slice(0, at));
      await turns(3);
      if (at < request.length) return all.dialed.length > 0 ? all.upstream() : undefined;
      const origin = await all.upstream();
      await turns(3);
      await origin.send(response.slice(0, at - request.length));
      await turns(3);
      return origin;
    }

    test.each([
      ["client", "reset"],
      ["client", "end"],
      ["upstream", "reset"],
      ["upstream", "end"],
    ] as const)(
      "leaves nothing open when the %s dies by %s, after any byte",
      async (victim, way) => {
        const unhandled = watchUnhandled();
        for (let at = 0; at <= request.length + response.length; at++) {
          const all = await begin();
          const { client, clock, connection } = all;
          const origin = await playTo(at, all);
          const dying = victim === "client" ? client : origin;
          if (dying === undefined) continue;
          void dying[way]();
          await turns(3);
          // Whoever lives sees it, and leaves.
          void client.end();
          void origin?.end();
          await turns(3);
          clock.advance(15_000);
          await turns(3);
          const isOver = (peer: ScriptedPeer | undefined) =>
            peer === undefined || peer.ended || peer.failure !== undefined;
          expect([
            at,
            isOver(client) || dying === client,
            isOver(origin) || dying === origin,
          ]).toEqual([at, true, true]);
          expect([at, connection.phase]).not.toEqual([at, "http"]);
          expect([at, clock.pending]).toEqual([at, 0]);
        }
        expect(await unhandled.settled()).toEqual([]);
        unhandled.stop();
      },
    );
  },
);
