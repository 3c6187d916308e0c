import { afterEach, describe, expect, test, vi } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

describe("L16: a service that answers too late gets the reason", () => {
  test("its client is gone", async () => {
    let go!: () => void;
    const { peer, reports, connection } = await serve(
      () =>
        new Promise((resolve) => {
          go = () => resolve({ status: 200 });
        }),
      { onError: (error) => void seen.push(error) },
    );
    const seen: unknown[] = [];
    await peer.send(head("GET /"));
    await turns();
    peer.reset();
    await connection.closed;
    go();
    await turns();
    expect(reports).toEqual([]);
    expect(seen.at(-1)).toMatchObject({ code: "NOT_SENT", cause: { code: "TRANSPORT_FAILED" } });
  });

  test("its client's body was malformed, which was answered 400", async () => {
    const seen: unknown[] = [];
    let go!: () => void;
    const { peer } = await serve(
      () =>
        new Promise((resolve) => {
          go = () => resolve({ status: 200 });
        }),
      { onError: (error) => void seen.push(error) },
    );
    await peer.send(`${head("POST /", "Transfer-Encoding: chunked")}ZZ\r\n`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 400 /);
    go();
    await turns();
    expect(seen.at(-1)).toMatchObject({ code: "NOT_SENT", cause: { code: "MALFORMED_CHUNK" } });
  });

  test("its switch comes after the end", async () => {
    let late: Promise<unknown> | undefined;
    let go!: () => void;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { peer, connection } = await serve(async (request) => {
      await gate;
      late = request.switchTo("echo");
    });
    await peer.send(head("GET /", "Connection: Upgrade", "Upgrade: echo"));
    await turns();
    connection.abort();
    go();
    await turns();
    expect(await rejection(late!)).toBe("NOT_SENT");
  });
});

describe("L16: one failure is reported once", () => {
  test.each([
    ["with a length", answer("200 OK", "Content-Length: 10")],
    ["chunked", answer("200 OK", "Transfer-Encoding: chunked")],
  ])("when upstream is cut in the middle of a relayed response, %s", async (_, upstreamHead) => {
    const upstream = await dial();
    const { peer, connection, reports } = await serve(() => upstream.sender.sendRequest(GET));
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    await upstream.peer.readHead();
    await upstream.peer.send(`${upstreamHead}3`);
    await peer.readHead();
    upstream.peer.reset();
    expect(await over).toBe("BODY_FAILED");
    await peer.failed();
    expect(reports).toEqual(["response: BODY_FAILED"]);
    expect(connection.closeReason).toMatchObject({
      error: { phase: "response", cause: { code: "TRANSPORT_FAILED" } },
    });
  });
});

afterEach(() => void vi.restoreAllMocks());

test("no failure is printed, unless onError prints it", async () => {
  const printed: unknown[] = [];
  const print = (text: unknown): boolean => printed.push(text) > 0;
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, "write").mockImplementation(print as never);
  }
  for (const name of ["log", "warn", "error", "info", "debug"] as const) {
    vi.spyOn(console, name).mockImplementation((...text) => void printed.push(text));
  }
  vi.spyOn(process, "emitWarning").mockImplementation((text) => void printed.push(text));
  const onError = undefined;
  const boom = () => {
    throw new Error("boom");
  };
  for (const bytes of [head("GET /"), "nonsense\r\n\r\n", head("GET /", "Content-Length: 9")]) {
    const { peer } = await serve(boom, { onError });
    await peer.send(bytes);
    await turns();
    peer.reset();
  }
  const { peer } = await serve(
    (request) => {
      void request.takeOver();
      void request.switchTo("other");
      return { status: 200, body: [7 as never] };
    },
    { onError },
  );
  await peer.send(head("GET /", "Connection: Upgrade", "Upgrade: chat"));
  await turns();
  const client = await dial();
  client.sender.sendRequest(GET).catch(() => {});
  await client.peer.readHead();
  await client.peer.send("nonsense\r\n\r\n");
  await turns();
  vi.restoreAllMocks();
  expect(printed).toEqual([]);
});
