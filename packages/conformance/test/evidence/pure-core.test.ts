import { HttpConnection } from "@upgrade/core";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => void vi.restoreAllMocks());

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** A full conversation of a client and a server, each fed only by the other. */
function converse(): string[] {
  const client = new HttpConnection("client");
  const server = new HttpConnection("server");
  const log: string[] = [];
  const send = (
    from: HttpConnection,
    to: HttpConnection,
    event: Parameters<typeof from.send>[0],
  ) => {
    const bytes = from.send(event);
    log.push(text(bytes));
    to.receiveData(bytes);
    for (let next = to.nextEvent(); typeof next === "object"; next = to.nextEvent()) {
      log.push(next.type);
    }
  };
  const headers = { Host: "a.test" };
  send(client, server, {
    type: "request",
    method: "POST",
    target: "/",
    headers,
    bodyLength: "unknown",
  });
  send(client, server, { type: "data", bytes: "body" });
  send(client, server, { type: "end-of-message", trailers: { Digest: "x" } });
  send(server, client, { type: "interim-response", status: 103 });
  send(server, client, { type: "response", status: 200, bodyLength: 2 });
  send(server, client, { type: "data", bytes: "ok" });
  send(server, client, { type: "end-of-message" });
  client.startNextCycle();
  server.startNextCycle();
  const upgrade = { Connection: "Upgrade", Upgrade: "chat" };
  send(client, server, {
    type: "request",
    method: "GET",
    target: "/",
    headers: { ...headers, ...upgrade },
  });
  send(client, server, { type: "end-of-message" });
  send(server, client, { type: "response", status: 101, headers: upgrade });
  expect([client.hasSwitched, server.hasSwitched]).toEqual([true, true]);
  return log;
}

test("L19: two ends exchange messages and switch without io, clock, timer, randomness or promise", () => {
  const before = converse();
  const called: string[] = [];
  const forbid = <T extends object>(owner: T, name: keyof T & string): void => {
    vi.spyOn(owner, name as never).mockImplementation((() => called.push(name)) as never);
  };
  for (const name of ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "fetch"]) {
    forbid(globalThis, name as "setTimeout");
  }
  forbid(Date, "now");
  forbid(performance, "now");
  forbid(Math, "random");
  forbid(process, "nextTick");
  forbid(Promise.prototype, "then");
  const during = converse();
  vi.restoreAllMocks();
  expect(called).toEqual([]);
  // No state of the process, of another connection or another time, changes the result.
  expect(during).toEqual(before);
});
