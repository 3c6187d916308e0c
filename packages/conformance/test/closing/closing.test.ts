import { UpgradeError } from "@upgrade/core";
import { Deferred } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, standing } from "../../src/promises.ts";
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
    expect(await standing(connection.pollWithoutShutdown())).toMatchObject({ kind: "ended" });
    expect(await standing(connection.run())).toBeUndefined();
  });
});

describe("run", () => {
  test("shuts the io down before it resolves", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const over = connection.run();
    await peer.send(head("GET /", "Connection: close"));
    await peer.readToEnd();
    expect(await standing(over)).toBe("pending");
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

describe("L13 in time: close(), on the server,", () => {
  test("ends at once while idle", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
  });

  test("ends at once after an answered request", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    await peer.send(head("GET /"));
    await peer.readHead();
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
  });

  test("finishes a head that is half received, with Connection: close", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    await peer.send("GET / HTTP/1.1\r\nHost:");
    await turns();
    void connection.close();
    await peer.send(" a.test\r\n\r\n");
    expect(await peer.readToEnd()).toBe(answer("200 OK", "Content-Length: 0", "Connection: close"));
  });

  test("ignores empty lines before a head", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    await peer.send("\r\n");
    await turns();
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
  });

  test("finishes the current exchange with Connection: close, and serves no later request", async () => {
    const gate = new Deferred<void>();
    const targets: string[] = [];
    const { peer, connection } = await serve(async ({ target }) => {
      targets.push(target);
      await gate.promise;
      return { status: 200 };
    });
    await peer.send(head("GET /1") + head("GET /2"));
    await turns();
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readToEnd()).toBe(answer("200 OK", "Content-Length: 0", "Connection: close"));
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
    expect(targets).toEqual(["/1"]);
  });

  test("called twice, uses the earlier deadline", async () => {
    const { peer, connection, clock } = await serve(() => new Promise(() => {}));
    await peer.send(head("GET /"));
    await turns();
    const first = connection.close({ timeoutMs: 5_000 });
    const second = connection.close({ timeoutMs: 50 });
    expect(second).toBe(first);
    void connection.close({ timeoutMs: 9_000 });
    clock.advance(50);
    const reason = await first;
    expect(reason).toMatchObject({ kind: "failed", error: { code: "CLOSE_TIMEOUT" } });
    expect(connection.closeReason).toBe(reason);
    await peer.failed();
  });

  test("has a deadline by default", async () => {
    const { peer, connection, clock } = await serve(() => new Promise(() => {}));
    await peer.send(head("GET /"));
    await turns();
    const closed = connection.close();
    clock.advance(9_999);
    expect(await standing(closed)).toBe("pending");
    clock.advance(1);
    expect(await closed).toMatchObject({ error: { code: "CLOSE_TIMEOUT" } });
  });

  test("aborts on its signal, and resolves", async () => {
    const { peer, connection } = await serve(() => new Promise(() => {}));
    await peer.send(head("GET /"));
    await turns();
    const stop = new AbortController();
    const closed = connection.close({ signal: stop.signal });
    stop.abort("now");
    expect(await closed).toMatchObject({
      kind: "failed",
      error: { code: "ABORTED", cause: "now" },
    });
    await peer.failed();
  });

  test("applies its deadline while lingering, too", async () => {
    const { peer, connection, clock } = await serve(() => ({ status: 200 }));
    const closed = connection.close({ timeoutMs: 100 });
    await peer.readToEnd();
    clock.advance(100);
    await closed;
    expect(await rejection(peer.send("more"))).toBe("aborted");
  });

  test("resolves at once when the connection is already closed", async () => {
    const { connection } = await serve(() => ({ status: 200 }));
    connection.abort();
    expect(await standing(connection.close())).toMatchObject({ kind: "failed" });
  });

  test("is called by await using", async () => {
    const { peer, connection } = await serve(() => ({ status: 200 }));
    const disposed = connection[Symbol.asyncDispose]();
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    await disposed;
    expect(connection.closeReason?.kind).toBe("closed");
  });
});

describe("L13 in time: close(), on the client,", () => {
  test("ends at once while idle", async () => {
    const { peer, sender, connection } = await dial();
    void connection.close();
    expect(await peer.readToEnd()).toBe("");
    expect(sender.isClosed).toBe(true);
  });

  test("finishes the request in flight and rejects the queue with NOT_SENT", async () => {
    const { peer, sender, connection } = await dial();
    const first = sender.sendRequest(GET);
    const second = sender.sendRequest(POST);
    await peer.readHead();
    const closed = connection.close();
    await expect(second).rejects.toMatchObject({
      code: "NOT_SENT",
      sent: "nothing",
      retrySafe: true,
    });
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
    await peer.send(`${answer("200 OK", "Content-Length: 2")}ok`);
    expect(await (await first).body.text()).toBe("ok");
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("aborts past its deadline: the request in flight rejects, and close resolves", async () => {
    const { peer, sender, connection, clock } = await dial();
    const first = sender.sendRequest(GET);
    await peer.readHead();
    const closed = connection.close({ timeoutMs: 10 });
    clock.advance(10);
    expect(await closed).toMatchObject({ kind: "failed", error: { code: "CLOSE_TIMEOUT" } });
    expect(await rejection(first)).toBe("CLOSE_TIMEOUT");
    await peer.failed();
  });
});
