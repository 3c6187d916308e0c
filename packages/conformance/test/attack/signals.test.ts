import { Duplex } from "node:stream";
import { upgrade } from "@upgrade/client";
import { ManualClock, memoryPair, type SignalLike, tunnel } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial } from "../../src/ends.ts";
import { answer, GET, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

// The caller may pass a custom signal. What it throws fails the call it was passed to, and nothing
// else.

function thrown(): never {
  throw new Error("of the signal");
}

type Signal = { -readonly [Name in keyof SignalLike]: SignalLike[Name] } & { abort(): void };

/** A signal with the given behavior, which keeps calling removed listeners. */
function signalThat(ways: object): Signal {
  const listeners: (() => void)[] = [];
  const signal = {
    aborted: false,
    reason: "why" as unknown,
    addEventListener: (_: "abort", listener: () => void) => void listeners.push(listener),
    removeEventListener: () => {},
    abort: () => {
      for (const listener of listeners) listener();
    },
  };
  return Object.defineProperties(signal, Object.getOwnPropertyDescriptors(ways));
}

const BROKEN = {
  "whose addEventListener throws": { addEventListener: thrown },
  "whose aborted getter throws": {
    get aborted() {
      return thrown();
    },
  },
};

const UNREADABLE = {
  get reason() {
    return thrown();
  },
};

const FAILED = {
  code: "CALLBACK_FAILED",
  cause: expect.objectContaining({ message: "of the signal" }),
};

const duplex = () => new Duplex({ read() {}, write: (_, __, accepted) => accepted() });

describe.each(Object.entries(BROKEN))("a signal %s", (_, ways) => {
  test("fails sendRequest(), and nothing is sent", async () => {
    const { peer, sender } = await dial();
    const body = duplex();
    const pending = sender.sendRequest({ ...POST, body }, { signal: signalThat(ways) });
    await expect(pending).rejects.toMatchObject({ ...FAILED, sent: "nothing" });
    await turns();
    expect([peer.unread, sender.isReady, body.destroyed]).toEqual(["", true, true]);
  });

  test("fails upgrade(), and the io is aborted", async () => {
    const [near, far] = memoryPair();
    const request = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
    const pending = upgrade(near, request, { signal: signalThat(ways) });
    await expect(pending).rejects.toMatchObject(FAILED);
    await expect(far.read()).rejects.toThrow("aborted");
  });

  test("fails close(), and nothing is closed", async () => {
    const { sender, connection } = await dial();
    await expect(connection.close({ signal: signalThat(ways) })).rejects.toMatchObject(FAILED);
    expect(sender.isReady).toBe(true);
  });

  test("fails a tunnel, and both sides are aborted", async () => {
    const [a, b] = [duplex(), duplex()];
    const clock = new ManualClock();
    const done = tunnel(a, b, { signal: signalThat(ways), idleMs: 5, clock });
    await expect(done).rejects.toMatchObject(FAILED);
    expect([a.destroyed, b.destroyed, a.listenerCount("data")]).toEqual([true, true, 0]);
    expect(clock.pending).toBe(0);
  });
});

describe("a signal whose removeEventListener throws", () => {
  const signal = () => signalThat({ removeEventListener: thrown });

  test("is dropped by a request that fails", async () => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET, { signal: signal() });
    await peer.readHead();
    peer.reset();
    expect(await rejection(pending)).toBe("TRANSPORT_FAILED");
  });

  test("is dropped by a request that is answered: a later abort does nothing", async () => {
    const { peer, sender } = await dial();
    const left = signal();
    const pending = sender.sendRequest(GET, { signal: left });
    await peer.send(answer("204 No Content"));
    await pending;
    await turns();
    left.abort();
    expect(sender.isReady).toBe(true);
  });

  test("is dropped by close(), which resolves", async () => {
    const { connection, peer } = await dial();
    const closed = connection.close({ signal: signal() });
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("is dropped by a tunnel, which ends", async () => {
    const [a, b] = [duplex(), duplex()];
    const done = tunnel(a, b, { signal: signal() });
    a.destroy(new Error("gone"));
    expect(await done).toMatchObject({ endedBy: "a", error: { code: "TRANSPORT_FAILED" } });
    expect(b.destroyed).toBe(true);
  });
});

describe("a signal that aborts, and whose reason getter throws,", () => {
  test("cancels a request", async () => {
    const { sender } = await dial();
    const signal = signalThat(UNREADABLE);
    const pending = sender.sendRequest(GET, { signal });
    signal.abort();
    await expect(pending).rejects.toMatchObject({ code: "CANCELED", cause: FAILED });
  });

  test("aborts what close() waits for", async () => {
    const { connection, sender } = await dial();
    void sender.sendRequest(GET);
    const signal = signalThat(UNREADABLE);
    const closed = connection.close({ signal });
    signal.abort();
    expect(await closed).toMatchObject({ error: { code: "ABORTED", cause: FAILED } });
  });

  test("aborts a tunnel", async () => {
    const signal = signalThat(UNREADABLE);
    signal.aborted = true;
    const [a, b] = [duplex(), duplex()];
    const end = await tunnel(a, b, { signal });
    expect(end).toMatchObject({ endedBy: "signal", error: { code: "ABORTED", cause: FAILED } });
    expect([a.destroyed, b.destroyed]).toEqual([true, true]);
  });
});

describe("a signal that calls its listener while it is being added", () => {
  const AT_ONCE = { addEventListener: (_: "abort", listener: () => void) => listener() };

  test("cancels the request before it is sent, and the connection persists", async () => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET, { signal: signalThat(AT_ONCE) });
    await expect(pending).rejects.toMatchObject({
      code: "CANCELED",
      cause: "why",
      sent: "nothing",
    });
    await turns();
    expect([peer.unread, sender.isReady]).toEqual(["", true]);
  });

  test("and then throws still cancels", async () => {
    const { sender } = await dial();
    const addEventListener = (_: "abort", listener: () => void) => {
      listener();
      thrown();
    };
    const pending = sender.sendRequest(GET, { signal: signalThat({ addEventListener }) });
    expect(await rejection(pending)).toBe("CANCELED");
    expect(await stateOf(sender.ready())).toBe(undefined);
  });
});
