import type { ByteStream, ForcedParts } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { GET, head, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

type Forced = ForcedParts<ByteStream>;

const never = new Promise<never>(() => {});

const ENDS = ["run", "pollWithoutShutdown", "withoutShutdown"] as const;

/** Records the calls on an io from now on. */
function callsOf(io: ByteStream): string[] {
  const calls: string[] = [];
  for (const name of ["read", "write", "closeWrite", "abort"] as const) {
    io[name] = () => {
      calls.push(name);
      return never;
    };
  }
  return calls;
}

describe("L8: an error is reported once", () => {
  test("to an onError that aborts the connection", async () => {
    let reports = 0;
    const served = await serve(() => ({ status: 200 }), {
      onError: () => {
        reports++;
        served.connection.abort();
      },
    });
    const over = rejection(served.connection.run());
    await served.peer.send("not HTTP\r\n\r\n");
    expect(await over).toBe("MALFORMED_START_LINE");
    expect(reports).toBe(1);
  });

  test("to an onError that closes the connection, and the 400 arrives", async () => {
    let reports = 0;
    const served = await serve(() => ({ status: 200 }), {
      onError: () => {
        reports++;
        void served.connection.close();
      },
    });
    await served.peer.send(head("GET nowhere"));
    expect(await served.peer.readHead()).toMatch(/^HTTP\/1\.1 400 /);
    expect(reports).toBe(1);
  });
});

describe("L2: an io taken while its connection fails is left alone:", () => {
  test("taken in onError, after the response was sent", async () => {
    let parts: Forced | undefined;
    let calls: string[] = [];
    const served = await serve(() => ({ status: 200 }), {
      onError: () => {
        parts = served.connection.intoParts({ force: true });
        calls = callsOf(parts.io);
      },
    });
    await served.peer.send("not HTTP\r\n\r\nrest");
    expect(await served.peer.readHead()).toMatch(/^HTTP\/1\.1 400 /);
    await turns();
    expect(Buffer.from(parts!.readBuf).toString()).toBe("not HTTP\r\n\r\nrest");
    expect(calls).toEqual([]);
    expect(await stateOf(served.connection.closed)).toMatchObject({ kind: "failed" });
  });

  test.each([
    ["that is aborted", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"],
    ["whose body is malformed", `${head("POST /", "Transfer-Encoding: chunked")}zz`],
  ])("taken in an abort listener of a request %s", async (_, request) => {
    let calls: string[] | undefined;
    const served = await serve(({ signal }) => {
      signal.addEventListener("abort", () => {
        calls = callsOf(served.connection.intoParts({ force: true }).io);
      });
      return never;
    });
    const over = Promise.all(ENDS.map((wait) => rejection(served.connection[wait]())));
    await served.peer.send(request);
    await turns();
    served.connection.abort("enough");
    expect(new Set(await over).size).toBe(1);
    await turns();
    expect(calls).toEqual([]);
    expect(await stateOf(served.connection.closed)).toMatchObject({ kind: "failed" });
  });
});

describe("L8: calls made inside a callback take effect, and nothing happens twice", () => {
  test("a signal that aborts while the body is being started rejects the request once", async () => {
    const { sender, connection } = await dial();
    const aborter = new AbortController();
    const body = {
      [Symbol.asyncIterator]() {
        aborter.abort("enough");
        return { next: async () => ({ done: false as const, value: "x" }) };
      },
    };
    const response = sender.sendRequest({ ...POST, body }, { signal: aborter.signal });
    expect(await rejection(response)).toBe("CANCELED");
    expect(connection.closeReason).toMatchObject({ error: { code: "CANCELED" } });
  });

  test("onInterim that takes the connection apart gets all bytes after that response", async () => {
    const { sender, connection, peer } = await dial();
    let parts: Forced | undefined;
    const response = sender.sendRequest(GET, {
      onInterim: () => {
        parts = connection.intoParts({ force: true });
      },
    });
    await peer.readHead();
    await peer.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    expect(await rejection(response)).toBe("TAKEN_APART");
    expect(Buffer.from(parts!.readBuf).toString()).toBe("HTTP/1.1 200 OK\r\n\r\n");
  });
});
