import { type ByteStream, ManualClock } from "@upgrade/core/io";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { head } from "../../src/messages.ts";
import { Flood } from "../../src/streams/flood.ts";
import { turns } from "../../src/turns.ts";

const REQUEST = head("GET /");

async function neverReading(service: Service<ByteStream>, options: ServerOptions<ByteStream> = {}) {
  const flood = new Flood({ endless: REQUEST, reads: false });
  const clock = new ManualClock();
  const { connection } = await serveOn(flood, service, { clock, date: false, ...options });
  flood.open();
  await turns(50);
  return { flood, clock, connection };
}

describe("L12 bounded: a client that sends requests without end and reads no response", () => {
  test("is answered up to writeHighWaterBytes, and read up to readAheadBytes", async () => {
    const { flood, connection } = await neverReading(() => ({ status: 200 }), {
      writeHighWaterBytes: 1_000,
      readAheadBytes: 1_000,
    });
    expect(flood.written).toBeGreaterThanOrEqual(1_000);
    expect(flood.written).toBeLessThan(1_100);
    expect(flood.delivered).toBe(flood.piece);
    expect(connection.closeReason).toBeUndefined();
  });

  test("costs no more with services that answer later", async () => {
    const { flood } = await neverReading(async () => ({ status: 200 }), {
      writeHighWaterBytes: 1_000,
      readAheadBytes: 1_000,
    });
    expect(flood.written).toBeLessThan(1_200);
    expect(flood.delivered).toBe(flood.piece);
  });

  test("gets one large response, and not one for each request of a chunk", async () => {
    let answers = 0;
    const { flood } = await neverReading(() => {
      answers++;
      return { status: 200, body: "x".repeat(100_000) };
    });
    expect(answers).toBe(1);
    expect(flood.delivered).toBeLessThanOrEqual(2 * flood.piece);
  });

  test("is aborted when the transport has accepted nothing within writeProgressMs", async () => {
    const { flood, clock, connection } = await neverReading(() => ({ status: 200 }));
    clock.advance(30_000);
    expect(await connection.closed).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
    expect(flood.isAborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("may begin to read: then every request gets its response, in order", async () => {
    let served = 0;
    const { peer } = await serve(() => ({ status: 200, body: `${served++}`.padStart(500, ".") }), {
      writeHighWaterBytes: 700,
    });
    await peer.send(REQUEST.repeat(40));
    for (let i = 0; i < 40; i++) {
      await peer.readHead();
      expect(await peer.read(500)).toBe(`${i}`.padStart(500, "."));
    }
  });
});
