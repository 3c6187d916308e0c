import { memoryPair, type Tap, tunnel } from "@upgrade/core/io";
import { expect, test } from "vitest";
import { latin1 } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { partsOf } from "../../src/switching.ts";

function tapped(tap: Tap, signal?: AbortSignal) {
  const [a, left] = memoryPair();
  const [b, right] = memoryPair();
  const done = tunnel(partsOf(a, "early"), b, { tap, signal });
  return { done, left: new ScriptedPeer(left), right: new ScriptedPeer(right) };
}

test("a tap sees the bytes of both sides, in order, the early ones first", async () => {
  const seen: string[] = [];
  const { done, left, right } = tapped((bytes, from) => seen.push(`${from} ${latin1(bytes)}`));
  expect(await right.read(5)).toBe("early");
  await left.send("ping");
  expect(await right.read(4)).toBe("ping");
  await right.send("pong");
  expect(await left.read(4)).toBe("pong");
  await Promise.all([left.end(), right.end()]);
  expect(await done).toMatchObject({ aToB: 9, bToA: 4 });
  expect(seen).toEqual(["a early", "a ping", "b pong"]);
});

test("a tap that throws ends both sides, before the bytes are sent on", async () => {
  const { done, left, right } = tapped((bytes) => {
    if (latin1(bytes) === "secret") throw new Error("no");
  });
  await right.read(5);
  await left.send("secret");
  const end = await done;
  expect(end).toMatchObject({ aToB: 5, endedBy: "tap", error: { code: "ABORTED" } });
  expect(end.error?.cause).toMatchObject({ message: "no" });
  await Promise.all([left.failed(), right.failed()]);
  expect(right.unread).toBe("");
});

test("a tap may abort the signal: the bytes are not sent on either", async () => {
  const controller = new AbortController();
  const { done, right } = tapped(() => controller.abort(), controller.signal);
  expect(await done).toMatchObject({ aToB: 0, endedBy: "signal" });
  await right.failed();
  expect(right.unread).toBe("");
});
