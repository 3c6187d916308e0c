import { expect, test } from "vitest";
import type { ByteStream } from "./byte-stream.ts";
import { PullTransport } from "./pull-transport.ts";

test("a read that was withdrawn and brings bytes all the same tells nobody, once it is released", async () => {
  let bring!: (chunk: Uint8Array) => void;
  const stream: ByteStream = {
    read: () =>
      new Promise((resolve) => {
        bring = resolve;
      }),
    write: async () => {},
    closeWrite: async () => {},
    abort: () => {},
    cancelRead: () => true,
  };
  const told: string[] = [];
  const transport = new PullTransport(stream);
  const tell = (what: string) => () => void told.push(what);
  transport.attach({
    opened: tell("opened"),
    data: tell("data"),
    ended: tell("ended"),
    accepted: tell("accepted"),
    withdrawn: tell("withdrawn"),
    gone: tell("gone"),
  });
  transport.resume();
  expect(transport.pause()).toBe(true);
  expect(transport.isReading).toBe(true);
  transport.release();
  bring(Uint8Array.of(1));
  await new Promise((resolve) => setTimeout(resolve));
  expect(told).toEqual([]);
  expect(transport.isReading).toBe(false);
});
