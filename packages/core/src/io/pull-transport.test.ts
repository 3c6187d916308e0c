import { expect, test } from "vitest";
import type { ByteStream } from "./byte-stream.ts";
import { type Lockable, PullTransport } from "./pull-transport.ts";

const deaf = {
  opened() {},
  data() {},
  ended() {},
  accepted() {},
  withdrawn() {},
  gone() {},
};

test("L8: where a read is withdrawn for certain nothing is late, though its promise never settles", async () => {
  const stream: Lockable = {
    read: () => new Promise(() => {}),
    write: async () => {},
    closeWrite: async () => {},
    abort: () => {},
    cancelRead: () => true,
  };
  const certain = new PullTransport(stream);
  certain.attach(deaf);
  certain.resume();
  expect(certain.withdraw(false)).toBe(true);
  certain.release();
  expect(await certain.late()).toEqual(new Uint8Array(0));
  const doubtful = new PullTransport({ ...stream, withdrawsInDoubt: true });
  doubtful.attach(deaf);
  doubtful.resume();
  expect([doubtful.withdraw(false), doubtful.withdraw(true)]).toEqual([false, true]);
});

test("an end that two reads bring, one of them withdrawn, is told once", async () => {
  const bring: ((chunk: null) => void)[] = [];
  const told: string[] = [];
  const transport = new PullTransport({
    read: () => new Promise((resolve) => void bring.push(resolve)),
    write: async () => {},
    closeWrite: async () => {},
    abort: () => {},
    cancelRead: () => true,
  });
  transport.attach({ ...deaf, ended: () => void told.push("ended") });
  transport.resume();
  transport.pause();
  transport.resume();
  for (const end of bring) end(null);
  await new Promise((resolve) => setTimeout(resolve));
  expect([bring.length, told, transport.isReading]).toEqual([2, ["ended"], false]);
});

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
