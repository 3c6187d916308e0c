import type { LocalProtocolError } from "@upgrade/core";
import { type ByteStream, Deferred } from "@upgrade/core/io";
import type { ServerRequest } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

describe("sendInterim", () => {
  const interims = async (
    act: (request: ServerRequest<ByteStream>) => unknown,
    bytes = head("GET /"),
  ) => {
    let found: unknown;
    const { peer } = await serve((request) => {
      try {
        found = act(request);
      } catch (error) {
        found = (error as LocalProtocolError).code;
      }
      return { status: 204 };
    });
    await peer.send(bytes);
    await turns();
    return [found, peer.unread];
  };
  const done = answer("204 No Content");

  test("writes an interim response before the final one", async () => {
    const [found, bytes] = await interims(
      (request) => request.sendInterim(103, { Link: "</a.css>" }) && request.sendInterim(102),
    );
    expect(found).toBe(true);
    expect(bytes).toBe(
      answer("103 Early Hints", "Link: </a.css>") + answer("102 Processing") + done,
    );
  });

  test.each([101, 99, 200, 103.5, Number.NaN, "103" as unknown as number])(
    "throws for %o, and nothing is written",
    async (status) => {
      expect(await interims((request) => request.sendInterim(status))).toEqual([
        "INVALID_STATUS",
        done,
      ]);
    },
  );

  test("is false for a 100 that the client does not wait for or that was already sent", async () => {
    expect(await interims((request) => request.sendInterim(100))).toEqual([false, done]);
    const posted = `${head("POST /", "Content-Length: 1")}x`;
    expect(await interims((request) => request.sendInterim(100), posted)).toEqual([false, done]);
    const expecting = head("POST /", "Content-Length: 1", "Expect: 100-continue");
    const [first, bytes] = await interims((request) => request.sendInterim(100), expecting);
    expect([first, bytes]).toEqual([true, answer("100 Continue") + done]);
    const [second] = await interims((r) => r.sendInterim(100) && r.sendInterim(100), expecting);
    expect(second).toBe(false);
  });

  test("drops Connection and the fields it names, since an interim response ends nothing", async () => {
    const headers = {
      "Link": "</a>",
      "connection": "close, X-Hop",
      "X-Hop": "1",
      "Keep-Alive": "5",
    };
    const [found, bytes] = await interims((request) => request.sendInterim(103, headers));
    expect([found, bytes]).toEqual([true, answer("103 Early Hints", "Link: </a>") + done]);
  });

  test("is false for an HTTP/1.0 client, which gets nothing, but checks its arguments", async () => {
    const old = "GET / HTTP/1.0\r\n\r\n";
    expect(await interims((request) => request.sendInterim(103), old)).toEqual([
      false,
      answer("204 No Content", "Connection: close"),
    ]);
    expect(await interims((request) => request.sendInterim(100), old)).toEqual([
      false,
      answer("204 No Content", "Connection: close"),
    ]);
    for (const status of [101, 200, 100.5, NaN, "103"] as number[]) {
      const [found] = await interims((request) => request.sendInterim(status), old);
      expect(found).toBe("INVALID_STATUS");
    }
    const [found] = await interims((request) => request.sendInterim(103, { A: "b\r\nC: d" }), old);
    expect(found).toBe("INVALID_HEADER");
  });

  test("throws after the final head", async () => {
    const late = new Deferred<unknown>();
    const { peer } = await serve((request) => {
      setImmediate(() => {
        late.resolve(stateOf(Promise.resolve().then(() => request.sendInterim(103))));
      });
      return { status: 200 };
    });
    await peer.send(head("GET /"));
    expect(await late.promise).toBe("WRONG_MOMENT");
  });

  test("L10: an invalid header is refused, and nothing is written", async () => {
    expect(
      await interims((request) => request.sendInterim(103, { "X": "a\r\nInjected: b" })),
    ).toEqual(["INVALID_HEADER", done]);
  });
});

const NO_CONTENT = answer("204 No Content");

describe("interim responses", () => {
  test("all but 101 are reported, in order, before the final one resolves", async () => {
    const { peer, sender } = await dial();
    const seen: string[] = [];
    const pending = sender
      .sendRequest(GET, {
        onInterim: ({ status, reason, headers }) =>
          seen.push(`${status} ${reason} ${headers.get("link") ?? ""}`),
      })
      .then(() => seen.push("final"));
    await peer.readHead();
    const hints = answer("103 Early Hints", "Link: </a.css>");
    await peer.send(answer("102 Working on it") + hints + hints + NO_CONTENT);
    await pending;
    expect(seen).toEqual([
      "102 Working on it ",
      "103 Early Hints </a.css>",
      "103 Early Hints </a.css>",
      "final",
    ]);
  });

  test("L12: at most 32 are accepted", async () => {
    for (const [count, outcome] of [
      [32, "resolved"],
      [33, "TOO_MANY_INTERIM_RESPONSES"],
    ] as const) {
      const { peer, sender } = await dial();
      const pending = sender.sendRequest(GET);
      await peer.readHead();
      await peer.send(answer("103 Early Hints").repeat(count) + NO_CONTENT);
      expect(await rejection(pending)).toBe(outcome);
    }
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("listener");
      },
    ],
    ["rejects", () => Promise.reject(new Error("listener"))],
  ])(
    "a listener that %s fails its request, with its own code, and nothing else",
    async (_, listener) => {
      const { peer, sender, connection } = await dial();
      const pending = sender.sendRequest(GET, { onInterim: listener as () => void });
      await peer.readHead();
      await peer.send(answer("103 Early Hints"));
      await expect(pending).rejects.toMatchObject({
        code: "CALLBACK_FAILED",
        message: "a callback threw: onInterim",
        cause: { message: "listener" },
        responseSeen: true,
      });
      expect(await connection.closed).toMatchObject({ error: { code: "CALLBACK_FAILED" } });
      await peer.failed();
    },
  );
});

test("L14: a 426 that names Upgrade gets the connection option that goes with it", async () => {
  const { peer } = await serve(() => ({ status: 426, headers: { Upgrade: "chat" } }));
  await peer.send(head("GET /"));
  expect(await peer.readHead()).toBe(
    answer("426 Upgrade Required", "Upgrade: chat", "Content-Length: 0", "Connection: Upgrade"),
  );
  await peer.send(head("GET /", "Connection: close"));
  expect(await peer.readHead()).toContain("\r\nConnection: Upgrade\r\nConnection: close\r\n");
});
