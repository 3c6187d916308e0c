import { handshake as connectTo, upgrade } from "@upgrade/client";
import { HttpConnection, LocalProtocolError } from "@upgrade/core";
import type { Io } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { GET } from "../../src/messages.ts";
import { destroyPairs, duplexPair, webPair } from "../../src/pairs/pairs.ts";

// No connection has been created in this file yet, so nothing is compiled.
afterEach(() => {
  vi.unstubAllGlobals();
  destroyPairs();
});

const refusal = new Error("Wasm code generation disallowed by embedder");
class Refused {
  constructor() {
    throw refusal;
  }
}

const compiler = (globalThis as unknown as { WebAssembly: object }).WebAssembly;

/** Platforms that cannot run the parser. */
const PLATFORMS: Record<string, unknown> = {
  "there is no WebAssembly": undefined,
  "a policy forbids compilation": Object.create(compiler, { Module: { value: Refused } }),
  "a policy forbids instantiation": Object.create(compiler, { Instance: { value: Refused } }),
};

describe.each(Object.entries(PLATFORMS))("L16: if %s,", (_, platform) => {
  test.each([
    ["our client", (io: Io) => connectTo(io)],
    ["our server", (io: Io) => serve(io, () => ({ status: 204 }))],
  ])("%s rejects at once, and the io is untouched", async (_, shakeHands) => {
    vi.stubGlobal("WebAssembly", platform);
    const [io] = duplexPair();
    const before = [io.eventNames(), io.allowHalfOpen, io.readableFlowing];
    await expect(shakeHands(io)).rejects.toMatchObject({
      name: "LocalProtocolError",
      code: "NO_WEBASSEMBLY",
      message: expect.stringContaining("'wasm-unsafe-eval'"),
    });
    expect([io.eventNames(), io.allowHalfOpen, io.readableFlowing]).toEqual(before);
    const [pair] = webPair();
    await expect(shakeHands(pair)).rejects.toMatchObject({ code: "NO_WEBASSEMBLY" });
    expect([pair.readable.locked, pair.writable.locked]).toEqual([false, false]);
  });

  test("upgrade() rejects, and aborts the io", async () => {
    vi.stubGlobal("WebAssembly", platform);
    const [io] = duplexPair();
    const request = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
    await expect(upgrade(io, request)).rejects.toMatchObject({ code: "NO_WEBASSEMBLY" });
    expect(io.destroyed).toBe(true);
  });

  test("HttpConnection throws, with the platform's error as the cause", () => {
    vi.stubGlobal("WebAssembly", platform);
    try {
      new HttpConnection("server");
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(LocalProtocolError);
      expect(error).toMatchObject({ code: "NO_WEBASSEMBLY" });
      const { cause } = error as LocalProtocolError;
      if (platform === undefined) expect(cause).toBeInstanceOf(TypeError);
      else expect(cause).toBe(refusal);
    }
  });
});

test("compilation is retried once the platform allows it", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  expect(() => new HttpConnection("client")).toThrow();
  vi.unstubAllGlobals();
  const [near, far] = duplexPair();
  await serve(far, () => ({ status: 204 }));
  const { sender } = await connectTo(near);
  expect((await sender.sendRequest(GET)).status).toBe(204);
});
