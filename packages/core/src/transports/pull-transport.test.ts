import { expect, test } from "vitest";
import type { ByteStream } from "./byte-stream.ts";
import { type Lockable, PullTransport } from "./pull-transport.ts";

const noOpEvents = {
  opened() {},
  data() {},
  ended() {},
  accepted() {},
  withdrawn() {},
  gone() {},
};

test("L8: a read withdrawn for certain has no late bytes, even if its promise never settles", async () => {
  const stream: Lockable = {
    read: () => new Promise(() => {}),
    write: async () => {},
    closeWrite: async () => {},
    abort: () => {},
    cancelRead: () => true,
  };
  const certain = new PullTransport(stream);
  certain.attach(noOpEvents);
  certain.resume();
  expect(certain.withdraw(false)).toBe(true);
  certain.release();
  expect(await certain.late()).toEqual(new Uint8Array(0));
  const doubtful = new PullTransport({ ...stream, withdrawsInDoubt: true });
  doubtful.attach(noOpEvents);
  doubtful.resume();
  expect([doubtful.withdraw(false), doubtful.withdraw(true)]).toEqual([false, true]);
});

test("an end delivered by two reads, one of them withdrawn, is reported once", async () => {
  const deliver: ((chunk: null) => void)[] = [];
  const events: string[] = [];
  const transport = new PullTransport({
    read: () => new Promise((resolve) => void deliver.push(resolve)),
    write: async () => {},
    closeWrite: async () => {},
    abort: () => {},
    cancelRead: () => true,
  });
  transport.attach({ ...noOpEvents, ended: () => void events.push("ended") });
  transport.resume();
  transport.pause();
  transport.resume();
  for (const end of deliver) end(null);
  await new Promise((resolve) => setTimeout(resolve));
  expect([deliver.length, events, transport.isReading]).toEqual([2, ["ended"], false]);
});

test("a withdrawn read that still delivers bytes reports nothing after the release", async () => {
  let deliver!: (chunk: Uint8Array) => void;
  const stream: ByteStream = {
    read: () =>
      new Promise((resolve) => {
        deliver = resolve;
      }),
    write: async () => {},
    closeWrite: async () => {},
    abort: () => {},
    cancelRead: () => true,
  };
  const events: string[] = [];
  const transport = new PullTransport(stream);
  const record = (name: string) => () => void events.push(name);
  transport.attach({
    opened: record("opened"),
    data: record("data"),
    ended: record("ended"),
    accepted: record("accepted"),
    withdrawn: record("withdrawn"),
    gone: record("gone"),
  });
  transport.resume();
  expect(transport.pause()).toBe(true);
  expect(transport.isReading).toBe(true);
  transport.release();
  deliver(Uint8Array.of(1));
  await new Promise((resolve) => setTimeout(resolve));
  expect(events).toEqual([]);
  expect(transport.isReading).toBe(false);
});

test("a stream whose end settles before its last write is gone after both", async () => {
  const events: string[] = [];
  let accept!: () => void;
  const transport = new PullTransport({
    read: async () => null,
    write: () =>
      new Promise((resolve) => {
        accept = resolve;
      }),
    closeWrite: async () => {},
    abort: () => {},
  });
  transport.attach({
    ...noOpEvents,
    accepted: () => void events.push("accepted"),
    gone: () => void events.push("gone"),
  });
  transport.resume();
  transport.write("last");
  transport.closeWrite();
  transport.destroy();
  await new Promise((resolve) => setTimeout(resolve));
  expect(events).toEqual([]);
  accept();
  await new Promise((resolve) => setTimeout(resolve));
  expect(events).toEqual(["accepted", "gone"]);
});
