import { describe, expect, test } from "vitest";
import { dial } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const NO_CONTENT = answer("204 No Content");
const get = (target: string) => ({ ...GET, target });

describe("canceling by a signal", () => {
  test("before it is sent: at once, and nothing is written", async () => {
    const { peer, sender } = await dial();
    const signal = AbortSignal.abort("early");
    await expect(sender.sendRequest(GET, { signal })).rejects.toMatchObject({
      code: "CANCELED",
      cause: "early",
      sent: "nothing",
    });
    await turns();
    expect([peer.unread, sender.isReady]).toEqual(["", true]);
  });

  test("while it waits: it is withdrawn, and the connection persists", async () => {
    const { peer, sender } = await dial();
    const stop = new AbortController();
    const first = sender.sendRequest(get("/1"));
    const second = sender.sendRequest(get("/2"), { signal: stop.signal });
    const third = sender.sendRequest(get("/3"));
    stop.abort("changed my mind");
    await expect(second).rejects.toMatchObject({
      code: "CANCELED",
      cause: "changed my mind",
      sent: "nothing",
      responseSeen: false,
    });
    for (const target of ["/1", "/3"]) {
      expect(await peer.readHead()).toBe(head(`GET ${target}`));
      await peer.send(NO_CONTENT);
    }
    await Promise.all([first, third]);
  });

  test("in flight: the connection is aborted, the peer sees a failure", async () => {
    const { peer, sender, connection } = await dial();
    const stop = new AbortController();
    const pending = sender.sendRequest(GET, { signal: stop.signal });
    await peer.readHead();
    stop.abort("enough");
    await expect(pending).rejects.toMatchObject({
      code: "CANCELED",
      cause: "enough",
      sent: "all",
      responseSeen: false,
      retrySafe: false,
    });
    await peer.failed();
    expect(connection.closeReason).toMatchObject({ error: { code: "CANCELED" } });
  });

  test("after the head: the body fails", async () => {
    const { peer, sender } = await dial();
    const stop = new AbortController();
    const pending = sender.sendRequest(GET, { signal: stop.signal });
    await peer.readHead();
    await peer.send(answer("200 OK", "Content-Length: 9"));
    const text = (await pending).body.text();
    stop.abort();
    expect(await rejection(text)).toBe("CANCELED");
  });

  test("after the exchange it does nothing, and no listener is left", async () => {
    const { peer, sender } = await dial();
    const stop = new AbortController();
    let listeners = 0;
    const { signal } = stop;
    const counted = {
      get aborted() {
        return signal.aborted;
      },
      get reason() {
        return signal.reason as unknown;
      },
      addEventListener: (type: "abort", listener: () => void) => {
        listeners++;
        signal.addEventListener(type, listener);
      },
      removeEventListener: (type: "abort", listener: () => void) => {
        listeners--;
        signal.removeEventListener(type, listener);
      },
    };
    const pending = sender.sendRequest(GET, { signal: counted });
    await peer.readHead();
    await peer.send(NO_CONTENT);
    await pending;
    await turns();
    expect(listeners).toBe(0);
    stop.abort();
    await turns();
    expect(sender.isReady).toBe(true);
  });
});
