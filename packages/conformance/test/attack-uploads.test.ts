import type { ClientRequest, SendOptions } from "@upgrade/client";
import type { BodyInit, TrailersInit } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { ask, GET, head, POST, rejection, serve } from "../src/against.ts";

const hostile = (): never => {
  throw new Error("hostile");
};

const bodyOf = (next: () => unknown): BodyInit =>
  ({ [Symbol.asyncIterator]: () => ({ next }) }) as BodyInit;

const MESSAGES: [string, { body: BodyInit; trailers?: TrailersInit }, code?: string][] = [
  ["a body whose next() gives null", { body: bodyOf(async () => null) }],
  ["a body whose next() gives nothing", { body: bodyOf(async () => undefined) }],
  ["a body whose next() is none", { body: bodyOf(undefined as never) }],
  [
    "a body whose result cannot be read",
    {
      body: bodyOf(() => ({
        get done() {
          return hostile();
        },
      })),
    },
  ],
  [
    "a body whose iterator is undefined",
    { body: { [Symbol.asyncIterator]: () => undefined } as never },
  ],
  ["a body whose iterator is null", { body: { [Symbol.asyncIterator]: () => null } as never }],
  [
    "a stream whose read() gives nothing",
    { body: { getReader: () => ({ read: async () => {}, cancel: hostile }) } as never },
  ],
  ["a stream without a reader", { body: { getReader: () => undefined } as never }],
  [
    "late trailers that cannot be read",
    {
      body: "x",
      trailers: async () => ({
        get a() {
          return hostile();
        },
      }),
    },
    "INVALID_HEADERS",
  ],
  [
    "late trailers that throw half way",
    { body: "x", trailers: () => ({ [Symbol.iterator]: hostile }) as never },
    "INVALID_HEADERS",
  ],
];

describe("L8, L9: what is sent and breaks on the way fails its message, and no promise hangs:", () => {
  test.each(MESSAGES)("an answer with %s", async (_, message, code = "BODY_FAILED") => {
    const { peer, connection, reports } = await serve(() => ({ status: 200, ...message }));
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    expect(await over).toBe(code);
    expect(String(await peer.failed())).toContain("aborted");
    expect(peer.unread).not.toContain("0\r\n\r\n");
    expect(reports).toEqual([`response: ${code}`]);
  });

  test.each(MESSAGES)("a request with %s", async (_, message, code = "BODY_FAILED") => {
    const { peer, sender, connection } = await ask();
    const over = rejection(connection.run());
    expect(await rejection(sender.sendRequest({ ...POST, ...message }))).toBe(code);
    expect(await over).toBe(code);
    expect(String(await peer.failed())).toContain("aborted");
    expect(peer.unread).not.toContain("0\r\n\r\n");
  });
});

describe("L8: sendRequest() never throws at once, and sends nothing of what it rejects:", () => {
  test.each([
    ["no request", null, {}],
    ["options that are null", GET, null],
    ["a signal that is none", GET, { signal: { aborted: false } }],
    [
      "a signal that cannot be read",
      GET,
      {
        signal: {
          get aborted() {
            return hostile();
          },
        },
      },
    ],
    ["a target that cannot be written", { ...GET, target: { toString: hostile } }, {}],
    ["headers that throw half way", { ...GET, headers: { [Symbol.iterator]: hostile } }, {}],
  ])("%s", async (_, request, options) => {
    const { peer, sender } = await ask();
    const refused = sender.sendRequest(request as unknown as ClientRequest, options as SendOptions);
    await expect(refused).rejects.toThrow();
    void sender.sendRequest({ ...GET, target: "/next" });
    expect(await peer.readHead()).toMatch(/^GET \/next /);
    expect(sender.isClosed).toBe(false);
  });
});
