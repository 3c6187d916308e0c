import { expect, test } from "vitest";
import { CHUNKED } from "../message/framing.ts";
import { Headers } from "../message/headers.ts";
import { Body } from "./body.ts";
import { Incoming } from "./incoming.ts";
import type { Reading } from "./reading.ts";

// Nothing waits for what these bodies report.
const reading = { bodyWanted: () => {}, bodyTaken: () => {} } as unknown as Reading;

test.each(["bytes", "text", "json"] as const)(
  "L8: %s() of detached chunks rejects instead of throwing",
  async (collect) => {
    const incoming = new Incoming(CHUNKED);
    const body = new Body(incoming, reading);
    const chunks = [Uint8Array.of(1), Uint8Array.of(2)];
    for (const chunk of chunks) incoming.push(chunk);
    incoming.end(Headers.from([]));
    for (const { buffer } of chunks) structuredClone(buffer, { transfer: [buffer] });
    await expect(body[collect]()).rejects.toBeInstanceOf(Error);
  },
);

test("a complete body is returned at once, as a copy, and only once", async () => {
  const incoming = new Incoming({ kind: "content-length", length: 3 });
  const body = new Body(incoming, reading);
  const chunk = Uint8Array.of(1, 2, 3);
  incoming.push(chunk);
  incoming.end(Headers.from([]));
  const all = await body.bytes();
  chunk[0] = 9;
  expect([[...all], all.buffer.byteLength]).toEqual([[1, 2, 3], 3]);
  await expect(body.text()).rejects.toMatchObject({ code: "BODY_USED" });
});
