import { ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { expect, test } from "vitest";
import { head } from "../src/against.ts";
import { bareStream } from "../src/bare-stream.ts";
import { turns } from "../src/pairs-quiet.ts";

test("L13: each write that is accepted gives those behind it another writeProgressMs", async () => {
  const [near, far] = memoryPair();
  const accept: (() => void)[] = [];
  const io = {
    ...bareStream(near),
    write: () => new Promise<void>((resolve) => void accept.push(resolve)),
  };
  async function* body() {
    for (let i = 0; i < 3; i++) {
      yield "piece";
      await turns();
    }
  }
  const clock = new ManualClock();
  const { connection } = await serve(io, () => ({ status: 200, body: body() }), {
    clock,
    idleMs: 0,
  });
  await far.write([Buffer.from(head("GET /"))]);
  await turns(30);
  expect(accept.length).toBeGreaterThan(2);
  for (let i = 0; i < 2; i++) {
    clock.advance(29_999);
    accept.shift()!();
    await turns();
  }
  expect(connection.closeReason).toBe(undefined);
  clock.advance(29_999);
  expect(connection.closeReason).toBe(undefined);
  clock.advance(1);
  expect(await connection.closed).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
});
