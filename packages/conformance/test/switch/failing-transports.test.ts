import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import { transportSuite } from "@upgrade/core/testing";
import { handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { HostileStream, type Hostility, type Trouble } from "../../src/streams/hostile-stream.ts";
import { KINDS, type Kind, PROPOSAL } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

/** A promise, and whether it has settled. */
interface Watched {
  readonly name: string;
  settled: boolean;
}

async function closed(io: ByteStream): Promise<void> {
  await io.closeWrite().catch(() => {});
}

/** A complete switch, with every promise involved. */
async function play(kind: Kind, how: Hostility, patience = 20) {
  const clock = new ManualClock();
  const [near, far] = memoryPair();
  const watched: Watched[] = [];
  const watch = <T>(name: string, promise: Promise<T>): Promise<T | undefined> => {
    const one = { name, settled: false };
    watched.push(one);
    const settle = (): void => {
      one.settled = true;
    };
    promise.then(settle, settle);
    return promise.catch(() => undefined);
  };
  const protocol = kind === "upgrade" ? "chat" : undefined;
  const { connection: server } = await serve(
    far,
    async (request) => {
      void watch("server: trailers", request.trailers);
      void watch("server: body", request.body.text());
      const parts = await watch("switchTo", request.switchTo(protocol, { firstBytes: "hello" }));
      await parts?.io.closeWrite();
    },
    { clock },
  );
  const io = new HostileStream(near, how);
  const { sender, connection: client } = await connectTo(io, { clock });
  for (const [role, connection] of Object.entries({ client, server })) {
    void watch(`${role}: run`, connection.run());
    void watch(`${role}: poll`, connection.pollWithoutShutdown());
    void watch(`${role}: closed`, connection.closed);
  }
  void watch("ready", sender.ready());
  const body = kind === "upgrade" ? { method: "POST", body: "please" } : {};
  const sent = watch("sendRequest", sender.sendRequest({ ...PROPOSAL[kind], ...body }));
  const parts = watch("withoutShutdown", client.withoutShutdown());
  void watch("sendRequest, queued", sender.sendRequest(PROPOSAL[kind]));
  void sent.then(async (response) => {
    if (response === undefined) return;
    void watch("client: trailers", response.trailers);
    await watch("client: body", response.body.text());
  });
  const open = (): string[] => watched.filter((one) => !one.settled).map(({ name }) => name);
  for (let i = 0; i < patience && (i < 3 || open().length > 0); i++) await turns(1);
  // The caller gives up a response that does not arrive, and closes an io after HTTP.
  const end = await Promise.race([server.pollWithoutShutdown().catch(() => undefined), turns(1)]);
  if (end?.kind === "ended") await closed(server.intoParts({ force: true }).io);
  if (how.reading?.kind === "stall") client.abort("nothing comes");
  // Everything that waits for a deadline has reached it now.
  for (let i = 0; i < 4 && open().length > 0; i++) {
    clock.advance(60_000);
    await turns(3);
  }
  return { open: open(), parts: open().length > 0 ? undefined : await parts, clock };
}

const KINDS_OF_TROUBLE: readonly Trouble["kind"][] = ["reset", "end", "stall"];

describe.each(KINDS)("%s, with every promise awaited", (kind) => {
  test("without trouble, byte by byte and late, both switch", async () => {
    const { open, parts } = await play(kind, { split: 1, delay: 1 }, 2_000);
    expect(open).toEqual([]);
    expect(Buffer.from(parts!.readBuf).toString()).toMatch(/^h?e?l?l?o?$/);
  });

  describe.each(KINDS_OF_TROUBLE)("a %s at every byte", (trouble) => {
    test.each(["reading", "writing"] as const)("of the client's %s", async (direction) => {
      const unhandled = watchUnhandled();
      const length = direction === "reading" ? 200 : 130;
      for (let at = 0; at <= length; at++) {
        const { open, clock } = await play(kind, { [direction]: { at, kind: trouble } });
        expect(open, `at ${at}`).toEqual([]);
        expect(clock.pending, `timers at ${at}`).toBe(0);
      }
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    });
  });
});

describe("the hostile stream without trouble is a byte stream", () => {
  const make = (how: Hostility) => (): [ByteStream, ByteStream] => {
    const [a, b] = memoryPair();
    return [new HostileStream(a, how), new HostileStream(b, how)];
  };
  test.each(transportSuite(make({})))("$name", ({ run }) => run());
  test.each(transportSuite(make({ split: 1_000 })))("in pieces: $name", ({ run }) => run());
});
