import type { ClientRequest, SendOptions } from "@upgrade/client";
import type { BodyInit, TrailersInit } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { GET, head, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";

const hostile = (): never => {
  throw new Error("hostile");
};

const bodyOf = (next: () => unknown): BodyInit =>
  ({ [Symbol.asyncIterator]: () => ({ next }) }) as BodyInit;

const MESSAGES: [string, { body: BodyInit; trailers?: TrailersInit }, code?: string][] = [
  ["a body whose next() resolves to null", { body: bodyOf(async () => null) }],
  ["a body whose next() resolves to undefined", { body: bodyOf(async () => undefined) }],
  ["a body without next()", { body: bodyOf(undefined as never) }],
  [
    "a body whose result getter throws",
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
    "a stream whose read() resolves to undefined",
    { body: { getReader: () => ({ read: async () => {}, cancel: hostile }) } as never },
  ],
  ["a stream without a reader", { body: { getReader: () => undefined } as never }],
  [
    "late trailers whose getter throws",
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
    "late trailers that throw halfway",
    { body: "x", trailers: () => ({ [Symbol.iterator]: hostile }) as never },
    "INVALID_HEADERS",
  ],
];

describe("L8, L9: a body that breaks while it is sent fails its message, and no promise hangs:", () => {
  test.each(MESSAGES)("a response with %s", async (_, message, code = "BODY_FAILED") => {
    const { peer, connection, reports } = await serve(() => ({ status: 200, ...message }));
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    expect(await over).toBe(code);
    expect(String(await peer.failed())).toContain("aborted");
    expect(peer.unread).not.toContain("0\r\n\r\n");
    expect(reports).toEqual([`response: ${code}`]);
  });

  test.each(MESSAGES)("a request with %s", async (_, message, code = "BODY_FAILED") => {
    const { peer, sender, connection } = await dial();
    const over = rejection(connection.run());
    expect(await rejection(sender.sendRequest({ ...POST, ...message }))).toBe(code);
    expect(await over).toBe(code);
    expect(String(await peer.failed())).toContain("aborted");
    expect(peer.unread).not.toContain("0\r\n\r\n");
  });
});

describe("L8: sendRequest() never throws synchronously, and sends nothing of a rejected request:", () => {
  test.each([
    ["no request", null, {}],
    ["options that are null", GET, null],
    ["an object that is not a signal", GET, { signal: { aborted: false } }],
    [
      "a signal whose getter throws",
      GET,
      {
        signal: {
          get aborted() {
            return hostile();
          },
        },
      },
    ],
    ["a target whose toString throws", { ...GET, target: { toString: hostile } }, {}],
    ["headers that throw halfway", { ...GET, headers: { [Symbol.iterator]: hostile } }, {}],
  ])("%s", async (_, request, options) => {
    const { peer, sender } = await dial();
    const refused = sender.sendRequest(request as unknown as ClientRequest, options as SendOptions);
    await expect(refused).rejects.toThrow();
    void sender.sendRequest({ ...GET, target: "/next" });
    expect(await peer.readHead()).toMatch(/^GET \/next /);
    expect(sender.isClosed).toBe(false);
  });
});
