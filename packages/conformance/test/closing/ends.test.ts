import { UpgradeError } from "@upgrade/core";
import type { ByteStream, Parts } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const ENDS = [
  ["run", (c: Ended) => c.run()],
  ["pollWithoutShutdown", (c: Ended) => c.pollWithoutShutdown()],
  ["withoutShutdown", (c: Ended) => c.withoutShutdown()],
] as const;

interface Ended {
  run(): Promise<unknown>;
  pollWithoutShutdown(): Promise<unknown>;
  withoutShutdown(): Promise<unknown>;
}

describe.each(ENDS)("%s resolves on a clean end:", (_, wait) => {
  test("an end of file between messages", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const over = wait(connection);
    await peer.send(head("GET /"));
    await peer.readHead();
    await peer.end();
    await over;
    expect(connection.closeReason?.kind).toBe("peer-ended");
  });

  test("an exchange that ended persistence", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const over = wait(connection);
    await peer.send(head("GET /", "Connection: close"));
    await peer.readHead();
    await peer.end();
    await over;
    expect(connection.closeReason?.kind).toBe("not-persistent");
  });

  test("close()", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const over = wait(connection);
    const closed = connection.close();
    await peer.end();
    await over;
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("the idle deadline", async () => {
    const { peer, connection, clock } = await serve(() => ({ status: 200 }));
    const over = wait(connection);
    await peer.send(head("GET /"));
    await peer.readHead();
    clock.advance(60_000);
    await peer.end();
    await over;
    expect(connection.closeReason?.kind).toBe("idle");
  });

  test("the server's end between responses, on the client", async () => {
    const { peer, sender, connection } = await dial();
    const over = wait(connection);
    const response = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(answer("204 No Content"));
    await response;
    await peer.end();
    await over;
    expect(connection.closeReason?.kind).toBe("peer-ended");
  });
});

describe.each(ENDS)("%s rejects, with the same error as closeReason, on", (_, wait) => {
  const failing = async (connection: Ended & { closeReason: unknown }, code: string) => {
    const error = await wait(connection).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UpgradeError);
    expect((error as UpgradeError).code).toBe(code);
    expect(connection.closeReason).toEqual({ kind: "failed", error });
    expect((connection.closeReason as { error: unknown }).error).toBe(error);
  };

  test("a reset", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const failed = failing(connection, "TRANSPORT_FAILED");
    peer.reset();
    await failed;
  });

  test("an end of file inside a message", async () => {
    const { peer, connection } = await serve((request) =>
      request.body.bytes().then(() => ({ status: 200 })),
    );
    const failed = failing(connection, "INCOMPLETE_MESSAGE");
    await peer.send(`${head("POST /", "Content-Length: 9")}four`);
    await peer.end();
    await failed;
  });

  test("an end of file inside a head", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const failed = failing(connection, "INCOMPLETE_MESSAGE");
    await peer.send("GET / HT");
    await peer.end();
    await failed;
  });

  test("a protocol error", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const failed = failing(connection, "MALFORMED_START_LINE");
    await peer.send("nonsense\r\n\r\n");
    await peer.readToEnd();
    await peer.end();
    await failed;
  });

  test("abort", async () => {
    const { connection } = await serve(() => ({ status: 200 }));
    const failed = failing(connection, "ABORTED");
    connection.abort("enough");
    await failed;
  });

  test("a deadline inside an exchange", async () => {
    const { peer, connection, clock } = await serve(async (request) => {
      await request.body.bytes();
      return { status: 200 };
    });
    const failed = failing(connection, "BODY_TIMEOUT");
    await peer.send(`${head("POST /", "Content-Length: 9")}four`);
    await turns();
    clock.advance(30_000);
    await peer.readToEnd();
    await peer.end();
    await failed;
  });

  test("an unanswered request, on the client", async () => {
    const { peer, sender, connection } = await dial();
    const failed = failing(connection, "INCOMPLETE_MESSAGE");
    const response = sender.sendRequest(GET);
    await peer.readHead();
    await peer.end();
    await failed;
    expect(await rejection(response)).toBe("INCOMPLETE_MESSAGE");
  });
});

describe("closed", () => {
  test("never rejects: it resolves with the reason of a failure", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    peer.reset();
    const reason = await connection.closed;
    expect(reason.kind).toBe("failed");
    expect(connection.closeReason).toBe(reason);
  });

  test("settles for every caller, before and after the end", async () => {
    const { connection } = await serve(() => ({ status: 200 }));
    const early = [connection.closed, connection.closed];
    connection.abort("enough");
    const late = connection.closed;
    expect(new Set(await Promise.all([...early, late])).size).toBe(1);
  });

  test("L8: run, poll and closed all settle at the end", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const all = [connection.run(), connection.run(), connection.pollWithoutShutdown()];
    await peer.end();
    await Promise.all([...all, connection.closed]);
    expect(await stateOf(connection.pollWithoutShutdown())).toMatchObject({ kind: "ended" });
    expect(await stateOf(connection.run())).toBeUndefined();
  });
});

describe("run", () => {
  test("shuts the io down before it resolves", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const over = connection.run();
    await peer.send(head("GET /", "Connection: close"));
    await peer.readToEnd();
    expect(await stateOf(over)).toBe("pending");
    await peer.end();
    await over;
  });
});

describe("pollWithoutShutdown", () => {
  test("leaves the io open when HTTP simply ends, and the parts have no `switched`", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const parts = connection.withoutShutdown();
    await peer.send(`${head("GET /", "Connection: close")}rest`);
    await peer.readHead();
    const { io, readBuf, switched } = await parts;
    expect([Buffer.from(readBuf).toString(), switched, peer.ended]).toEqual([
      "rest",
      undefined,
      false,
    ]);
    await io.write([Buffer.from("still mine")]);
    expect(await peer.read(10)).toBe("still mine");
  });
});

describe.each(ENDS)("L8: %s, on the client, resolves on a clean end:", (how, wait) => {
  const isOpenAfterwards = how !== "run";

  /** HTTP has ended; the io is shut down, or left to the caller that waited for it. */
  async function ends(
    client: Awaited<ReturnType<typeof dial>>,
    over: Promise<unknown>,
    kind: string,
  ) {
    const { peer, connection } = client;
    if (!isOpenAfterwards) {
      expect(await peer.readToEnd()).toBe("");
      await peer.end();
    }
    const result = await over;
    expect(connection.closeReason?.kind).toBe(kind);
    await turns();
    expect(peer.ended).toBe(!isOpenAfterwards);
    if (how === "withoutShutdown") expect((result as Parts<ByteStream>).switched).toBe(undefined);
    if (how === "pollWithoutShutdown") expect(result).toMatchObject({ kind: "ended" });
  }

  test("an exchange that ended persistence", async () => {
    const client = await dial();
    const over = wait(client.connection);
    const sent = client.sender.sendRequest(GET);
    await client.peer.readHead();
    await client.peer.send(answer("204 No Content", "Connection: close"));
    await sent;
    await ends(client, over, "not-persistent");
  });

  test("close(), while idle", async () => {
    const client = await dial();
    const over = wait(client.connection);
    const closed = client.connection.close();
    await ends(client, over, "closed");
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("the idle deadline", async () => {
    const client = await dial({ idleMs: 100 });
    const over = wait(client.connection);
    client.clock.advance(100);
    await ends(client, over, "idle");
  });
});

/** Ways for a client to fail after a request; each returns the code of the error. */
const FAILURES: Record<string, (client: Awaited<ReturnType<typeof dial>>) => Promise<string>> = {
  "a reset": async ({ peer }) => {
    peer.reset();
    return "TRANSPORT_FAILED";
  },
  "an end of file inside a head": async ({ peer }) => {
    await peer.send("HTTP/1.1 2");
    await peer.end();
    return "INCOMPLETE_MESSAGE";
  },
  "an end of file inside a body": async ({ peer }) => {
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    await peer.end();
    return "INCOMPLETE_MESSAGE";
  },
  "a protocol error": async ({ peer }) => {
    await peer.send("nonsense\r\n\r\n");
    return "MALFORMED_START_LINE";
  },
  "abort": async ({ connection }) => {
    connection.abort("enough");
    return "ABORTED";
  },
  "a deadline inside an exchange": async ({ peer, clock, sender }) => {
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    await turns();
    expect(sender.isReady).toBe(false);
    clock.advance(30_000);
    return "BODY_TIMEOUT";
  },
};

describe.each(ENDS)(
  "L8: %s, on the client, rejects with the same error as closeReason, on",
  (_, wait) => {
    test.each(Object.keys(FAILURES))("%s", async (how) => {
      const client = await dial();
      const over = wait(client.connection).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      client.sender.sendRequest(GET).then(
        ({ body }) => body.bytes().catch(() => {}),
        () => {},
      );
      await client.peer.readHead();
      const code = await FAILURES[how]!(client);
      const error = await over;
      expect(error).toMatchObject({ code });
      expect((client.connection.closeReason as { error: unknown }).error).toBe(error);
      expect(await client.connection.closed).toBe(client.connection.closeReason);
    });
  },
);

test("L9: no rejection is left unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const served = await serve(async ({ body }) => ({ status: 200, body }));
  void served.connection.withoutShutdown();
  void served.connection.closed;
  await served.peer.send(`${head("POST /", "Transfer-Encoding: chunked")}1\r\nx\r\n`);
  await turns();
  served.peer.reset();
  const client = await dial();
  void client.connection.run();
  void client.sender.ready();
  void client.sender.sendRequest({ ...POST, body: ["x"], trailers: async () => ({}) });
  void client.sender.sendRequest(GET);
  await client.peer.readHead();
  client.peer.reset();
  await turns(20);
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});
